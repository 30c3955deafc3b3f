// The worker's store over PostgreSQL: forwards to JobStore, and listens for wake-ups.

public import Arazzo
public import JobModel
public import JobStore
public import Postgres

/// The database of a worker, whose pool logs in as a member of `writ_worker`.
public struct WorkerDatabase: Sendable {
  private let store: JobStore
  private let listener: PostgresListener?

  /// A store for a worker.
  ///
  /// - Parameters:
  ///   - store: The statements.
  ///   - listener: Hears wake-ups on a connection of its own; `nil` behind a transaction pooler, where
  ///     polling alone finds the jobs.
  public init(store: JobStore, listener: PostgresListener?) {
    self.store = store
    self.listener = listener
  }
}

extension WorkerDatabase: WorkerStore {
  /// Registers a worker.
  public func register(_ identity: WorkerIdentity, lease: Duration) async throws -> Int {
    try await store.registerWorker(
      name: identity.name, host: identity.host, processID: identity.processID,
      version: identity.version, lease: lease)
  }

  /// Prolongs its lease.
  public func renew(worker: Int, lease: Duration, isIdle: Bool) async throws -> Bool {
    try await store.renewLease(worker: worker, lease: lease, isIdle: isIdle) != nil
  }

  /// Ends its lease.
  public func deregister(worker: Int) async throws { try await store.deregisterWorker(worker) }

  /// Takes jobs.
  public func claim(_ request: ClaimRequest) async throws -> Claim {
    let claimed = try await store.claimJobs(
      worker: request.worker, queue: request.queue, environment: request.environment,
      limit: request.limit, lowerBounds: request.lowerBounds)
    return Claim(
      jobs: claimed.jobs, finding: claimed.finding, nextStart: claimed.nextStart,
      blockedJobs: claimed.blockedJobs)
  }

  /// Looks again at parked jobs.
  public func unpark(_ jobs: [Int]) async throws -> Int { try await store.unparkJobs(jobs) }

  /// Writes what happened.
  public func record(
    worker: Int, _ entries: [RecordEntry], skipsLocked: Bool
  ) async throws -> [RecordAnswer] {
    let entries = entries.map { JobEntry(job: $0.job, attempt: $0.attempt, record: $0.record) }
    let answers: [JobEntryAnswer]
    do {
      answers = try await store.recordEntries(
        worker: worker, entries, skipsLocked: skipsLocked)
    } catch let error as PostgresError where error.sqlState == "55P03" && !skipsLocked {
      answers = try await store.recordEntries(worker: worker, entries, skipsLocked: true)
    }
    return answers.map {
      RecordAnswer(
        job: $0.job, isAccepted: $0.isAccepted, isHeldUp: $0.isHeldUp,
        isCancelRequested: $0.isCancelRequested)
    }
  }

  /// Sweeps; zero also when another sweep is under way.
  public func sweep(limit: Int) async throws -> Int {
    try await store.sweepJobs(limit: limit)?.returnedJobs ?? 0
  }

  /// Fires a schedule.
  public func fireSchedule() async throws -> ScheduleFiring? {
    try await store.fireSchedule().map {
      ScheduleFiring(schedule: $0.schedule, outcome: $0.outcome, job: $0.jobID)
    }
  }

  /// Loads a definition.
  public func definition(hash: String) async throws -> JobTypeDefinition? {
    try await store.definition(hash: hash)
  }

  /// Loads the definition that is published now.
  public func definition(type: String) async throws -> JobTypeDefinition? {
    try await store.definition(type: type)
  }

  /// Tells which keys the worker has.
  public func reportKeys(
    worker: Int, environments: [String], _ keys: [LoadedKey]
  ) async throws -> Bool {
    try await store.reportKeys(worker: worker, environments: environments, keys)
  }

  /// Asks who lacks a key.
  public func workersWithoutKey(
    environment: String, jobType: String, fingerprint: String
  ) async throws -> [WorkerWithoutKey] {
    try await store.workersWithoutKey(
      environment: environment, jobType: jobType, fingerprint: fingerprint)
  }

  /// Asks which older definitions still have jobs.
  public func openDefinitions(environment: String, jobType: String) async throws -> [String] {
    try await store.openDefinitions(environment: environment, jobType: jobType)
  }

  /// Asks which circuits are open.
  public func openCircuits(
    worker: Int, environments: [String], answered: Set<CircuitName>
  ) async throws -> Set<CircuitName> {
    try await store.openCircuits(worker: worker, environments: environments, answered: answered)
  }

  /// Opens a circuit.
  public func openCircuit(
    worker: Int, _ name: CircuitName, _ policy: CircuitPolicy, failedJobs: Int, code: String
  ) async throws -> CircuitVerdict {
    try await store.openCircuit(
      worker: worker, name, policy, failedJobs: failedJobs, code: code)
  }

  /// Closes one.
  public func closeCircuit(worker: Int, _ name: CircuitName) async throws -> Bool {
    try await store.closeCircuit(worker: worker, name)
  }

  /// Asks for the installation's name.
  public func installation() async throws -> String { try await store.installation() }

  /// Listens until the task is cancelled.
  public func listen(queues: [String], onWake: @escaping @Sendable () -> Void) async {
    guard let listener else { return }
    for await event in listener.notifications(on: [JobStore.wakeChannel]) {
      switch event {
      case .notification(_, let payload): if queues.contains(payload) { onWake() }
      case .reconnected: onWake()
      case .disconnected: break
      }
    }
  }

  /// Whether the same call may succeed later.
  public func isTransient(_ error: any Error) -> Bool {
    (error as? PostgresError)?.isTransient ?? false
  }

  /// A description without values.
  public func safeDescription(of error: any Error) -> String {
    switch error {
    case let error as PostgresError: error.description
    case let error as JobStoreError: error.description
    default: "\(type(of: error))"
    }
  }
}
