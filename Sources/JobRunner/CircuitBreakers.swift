// Circuit breakers: what this worker sees of each target, and which circuits are open in the fleet. An open
// circuit keeps jobs from starting, which the database does (sql/functions/circuit.sql); here it
// is opened, closed, and asked about.

import JobModel
import Logging
import Synchronization

/// The circuits of the environments that a worker serves.
final class CircuitBreakers: Sendable {
  private struct State {
    var evidence: [CircuitName: CircuitEvidence] = [:]
    var open: Set<CircuitName> = []
  }

  private let store: any WorkerStore
  private let policy: CircuitPolicy
  private let environments: [String]
  private let time: WorkerTime
  private let logger: Logger
  private let state = Mutex(State())

  init(
    store: any WorkerStore, policy: CircuitPolicy, environments: [String], time: WorkerTime,
    logger: Logger
  ) {
    self.store = store
    self.policy = policy
    self.environments = environments
    self.time = time
    self.logger = logger
  }

  /// Whether the circuit is open, as far as this worker knows: failures count against no job then.
  func isOpen(_ name: CircuitName) -> Bool { state.withLock { $0.open.contains(name) } }

  /// Asks which circuits others have opened or closed; what was known stands if that fails.
  func refresh() async {
    guard let open = try? await store.openCircuits(environments: environments) else { return }
    state.withLock { $0.open = open }
  }

  /// The target has answered: a circuit that is open closes.
  func answered(_ name: CircuitName, worker: Int) async {
    let wasOpen = state.withLock { state in
      state.evidence[name] = nil
      return state.open.remove(name) != nil
    }
    guard wasOpen else { return }
    do {
      guard try await store.closeCircuit(worker: worker, name) else { return }
      logger.notice("a circuit is closed: the target answers", metadata: name.metadata)
    } catch {
      // The next answer tries again.
      _ = state.withLock { $0.open.insert(name) }
      warn("a circuit could not be closed", name, error)
    }
  }

  /// A job has failed in a way that tells nothing but that the target fails: if that is all that is seen, the circuit opens.
  func failed(_ name: CircuitName, job: Int, code: String, worker: Int) async {
    let failedJobs: Int? = state.withLock { state in
      guard !state.open.contains(name) else { return nil }
      var evidence = state.evidence[name] ?? CircuitEvidence()
      let isEnough = evidence.failed(job, at: time.now, by: policy)
      // What was enough to ask is used up: a refusal is not asked about again with every failure.
      state.evidence[name] = isEnough ? nil : evidence
      return isEnough ? evidence.failedJobs : nil
    }
    guard let failedJobs else { return }
    do {
      guard
        try await store.openCircuit(
          worker: worker, name, policy, failedJobs: failedJobs, code: code)
      else {
        logger.warning(
          "a target fails for this worker alone",
          metadata: name.metadata.merging(["error.code": "\(code)"]) { $1 })
        return
      }
      _ = state.withLock { $0.open.insert(name) }
      logger.warning(
        "a circuit is open: the target answers nobody",
        metadata: name.metadata.merging(["error.code": "\(code)", "jobs": "\(failedJobs)"]) { $1 })
    } catch {
      warn("a circuit could not be opened", name, error)
    }
  }

  private func warn(_ message: Logger.Message, _ name: CircuitName, _ error: any Error) {
    guard !Task.isCancelled else { return }
    logger.warning(
      message,
      metadata: name.metadata.merging(["error": "\(store.safeDescription(of: error))"]) { $1 })
  }
}

extension CircuitName {
  fileprivate var metadata: Logger.Metadata {
    ["environment": "\(environment)", "target": "\(target)"]
  }
}
