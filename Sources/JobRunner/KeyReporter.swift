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
  /// What each environment showed when it could be listed last.
  private var shown: [String: [LoadedKey]] = [:]
  private var hasWarned = false

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
  /// What could not be reported is reported by the next call. An environment that cannot be listed may still have
  /// keys that can be read: it counts as it was last seen, and one that was never seen keeps
  /// the whole report back, so that the fleet waits for this worker.
  func report() async {
    guard look() else { return }
    let keys = Set(environments.flatMap { shown[$0] ?? [] })
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

  /// Looks at all environments; false when one of them has never been seen.
  private func look() -> Bool {
    var fault: (any Error)?
    for environment in environments {
      do { shown[environment] = try keys(of: environment) } catch { fault = error }
    }
    if let fault, !hasWarned {
      logger.warning(
        "the secret store could not be listed",
        metadata: ["worker.id": "\(lease.worker)", "error": "\(fault)"])
    }
    hasWarned = fault != nil
    return environments.allSatisfy { shown[$0] != nil }
  }

  private func keys(of environment: String) throws -> [LoadedKey] {
    try secrets.keyedTypes(environment: environment).compactMap { type in
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
