// Tells the fleet which keys this worker's own secret store shows, so that a rotation deletes the old
// key only when nobody goes on using it. A key is read for each request: what the store shows is what
// the next request uses.

import JobModel
import Logging
import Secrets

/// Reports the keys of one registration, when they have changed.
actor KeyReporter {
  private let store: any WorkerStore
  private let secrets: any SecretStore
  private let lease: Lease
  private let environments: [String]
  private let logger: Logger
  private var reported: Set<LoadedKey>?

  init(
    store: any WorkerStore, secrets: any SecretStore, lease: Lease, environments: [String],
    logger: Logger
  ) {
    self.store = store
    self.secrets = secrets
    self.lease = lease
    self.environments = environments
    self.logger = logger
  }

  /// Looks at the store and reports what it shows, unless the database knows it already.
  ///
  /// What could not be reported is reported by the next call.
  func report() async {
    let keys = Set(environments.flatMap(keys))
    guard keys != reported else { return }
    do {
      let sorted = keys.sorted { ($0.environment, $0.jobType) < ($1.environment, $1.jobType) }
      guard
        try await store.reportKeys(worker: lease.worker, environments: environments, sorted)
      else { return }
      reported = keys
    } catch {
      guard !Task.isCancelled else { return }
      logger.warning(
        "the worker could not report its keys",
        metadata: [
          "worker.id": "\(lease.worker)", "error": "\(store.safeDescription(of: error))",
        ])
    }
  }

  private func keys(of environment: String) -> [LoadedKey] {
    // A store that cannot be listed has no key that could be used either.
    let types = (try? secrets.keyedTypes(environment: environment)) ?? []
    return types.compactMap { type in
      guard let name = try? SecretName(keyOf: type, environment: environment) else { return nil }
      var key = LoadedKey(environment: environment, jobType: type, prefix: nil, fingerprint: nil)
      do {
        guard let secret = try secrets.read(name) else { return nil }
        if let prefix = secret.keyPrefix, let fingerprint = secret.fingerprint {
          key.prefix = prefix
          key.fingerprint = fingerprint
        }
      } catch {
        // It holds something: whoever waits for a key has to know that this worker lacks it.
      }
      return key
    }
  }
}
