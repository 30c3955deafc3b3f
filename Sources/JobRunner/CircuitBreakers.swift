// Circuit breakers: what this worker sees of each target, and which circuits are open in the fleet. An open
// circuit keeps jobs from starting, which the database does (sql/functions/circuit.sql); here it
// is opened, closed, and asked about.

import JobModel
import Logging
import Synchronization

/// The circuits of the environments that a worker serves.
///
/// What jobs tell is taken in at once; the database hears of it from ``run()`` and the heartbeat, so that no
/// job waits for that.
final class CircuitBreakers: Sendable {
  private enum Change: Sendable {
    case open(CircuitName, failedJobs: Int, code: String, worker: Int)
    case close(CircuitName, worker: Int)
  }

  private struct State {
    var evidence: [CircuitName: CircuitEvidence] = [:]
    var open: Set<CircuitName> = []
    /// Those that the database is being asked to open, and that have not answered since.
    var opening: Set<CircuitName> = []
    /// Which have answered since the database heard of it.
    var answered: Set<CircuitName> = []
    /// Grows with each change of `open`, so that what was asked before does not undo it.
    var version = 0
  }

  private let store: any WorkerStore
  private let policy: CircuitPolicy
  private let environments: [String]
  private let time: WorkerTime
  private let logger: Logger
  private let state = Mutex(State())
  private let changes: AsyncStream<Change>
  private let toChange: AsyncStream<Change>.Continuation

  init(
    store: any WorkerStore, policy: CircuitPolicy, environments: [String], time: WorkerTime,
    logger: Logger
  ) {
    self.store = store
    self.policy = policy
    self.environments = environments
    self.time = time
    self.logger = logger
    (changes, toChange) = AsyncStream.makeStream()
  }

  /// Opens and closes circuits until the task is cancelled.
  func run() async {
    for await change in changes {
      switch change {
      case .open(let name, let failedJobs, let code, let worker):
        await open(name, failedJobs: failedJobs, code: code, worker: worker)
      case .close(let name, let worker): await close(name, worker: worker)
      }
    }
  }

  /// Whether the circuit is open, as far as this worker knows: failures count against no job then.
  func isOpen(_ name: CircuitName) -> Bool { state.withLock { $0.open.contains(name) } }

  /// Tells which targets have answered, and asks which circuits others have opened or closed; what was known
  /// stands if that fails.
  func refresh(worker: Int) async {
    let (answered, version) = state.withLock { state in
      defer { state.answered = [] }
      return (state.answered, state.version)
    }
    do {
      let open = try await store.openCircuits(
        worker: worker, environments: environments, answered: answered)
      state.withLock { if $0.version == version { $0.open = open } }
    } catch {
      state.withLock { $0.answered.formUnion(answered) }
    }
  }

  /// The target has answered: a circuit that is open closes.
  func answered(_ name: CircuitName, worker: Int) {
    let wasOpen = state.withLock { state in
      state.evidence[name] = nil
      state.opening.remove(name)
      state.answered.insert(name)
      guard state.open.remove(name) != nil else { return false }
      state.version += 1
      return true
    }
    if wasOpen { toChange.yield(.close(name, worker: worker)) }
  }

  /// A job has failed in a way that tells nothing but that the target fails: if that is all that is seen, the circuit opens.
  func failed(_ name: CircuitName, job: Int, code: String, worker: Int) {
    let failedJobs: Int? = state.withLock { state in
      guard !state.open.contains(name) else { return nil }
      var evidence = state.evidence[name] ?? CircuitEvidence()
      let isEnough = evidence.failed(job, at: time.now, by: policy)
      // What was enough to ask is used up: a refusal is not asked about again with every failure.
      state.evidence[name] = isEnough ? nil : evidence
      guard isEnough, state.opening.insert(name).inserted else { return nil }
      return evidence.failedJobs
    }
    guard let failedJobs else { return }
    toChange.yield(.open(name, failedJobs: failedJobs, code: code, worker: worker))
  }

  // MARK: The database

  private func open(_ name: CircuitName, failedJobs: Int, code: String, worker: Int) async {
    let verdict: CircuitVerdict
    do {
      verdict = try await store.openCircuit(
        worker: worker, name, policy, failedJobs: failedJobs, code: code)
    } catch {
      _ = state.withLock { $0.opening.remove(name) }
      return warn("a circuit could not be opened", name, error)
    }
    let hasAnswered = state.withLock { state in
      guard state.opening.remove(name) != nil else { return true }
      guard verdict == .open else { return false }
      state.open.insert(name)
      state.version += 1
      return false
    }
    let metadata = name.metadata.merging(["error.code": "\(code)"]) { $1 }
    switch verdict {
    case .open where hasAnswered: await close(name, worker: worker)
    case .open:
      logger.warning(
        "a circuit is open: the target answers nobody",
        metadata: metadata.merging(["jobs": "\(failedJobs)"]) { $1 })
    case .othersGetThrough:
      logger.warning("a target fails for this worker alone", metadata: metadata)
    case .notCalled:
      logger.warning(
        "a target fails, and has no circuit: publish the job types that call it again",
        metadata: metadata)
    case .leaseEnded: break
    }
  }

  private func close(_ name: CircuitName, worker: Int) async {
    do {
      guard try await store.closeCircuit(worker: worker, name) else { return }
      logger.notice("a circuit is closed: the target answers", metadata: name.metadata)
    } catch {
      // The next answer tries again.
      state.withLock { state in
        state.open.insert(name)
        state.version += 1
      }
      warn("a circuit could not be closed", name, error)
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
