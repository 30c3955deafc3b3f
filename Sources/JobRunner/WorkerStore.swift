// What the worker needs of a database. JobStore keeps it; the worker knows no SQL.

public import Arazzo
public import JobModel

/// The database as a worker sees it.
///
/// Every call may throw; ``isTransient(_:)`` tells which errors are worth another try. All methods
/// are safe to call at the same time.
public protocol WorkerStore: Sendable {
  /// Registers a worker whose lease begins now, and gives its number.
  func register(_ identity: WorkerIdentity, lease: Duration) async throws -> Int

  /// Prolongs the lease; `false` when it has ended already: the number is lost for good.
  func renew(worker: Int, lease: Duration, isIdle: Bool) async throws -> Bool

  /// Ends the registration; jobs that the worker still holds are offered to others.
  func deregister(worker: Int) async throws

  /// Takes due jobs; none when the worker's lease has ended.
  func claim(_ request: ClaimRequest) async throws -> Claim

  /// Looks again at jobs that a claim has parked behind their predecessors, which may have ended at
  /// that moment; gives how many became available.
  ///
  /// Without it the sweeper finds them later.
  func unpark(_ jobs: [Int]) async throws -> Int

  /// Writes what came of jobs, all in one transaction; answers once for each job.
  ///
  /// Safe to repeat when the answer was lost: an intent or outcome that is there is accepted, and
  /// a job that has left the worker is not. A job that another transaction holds for long is left
  /// out, so that it does not hold up the others; with `skipsLocked` for any time at all.
  func record(
    worker: Int, _ entries: [RecordEntry], skipsLocked: Bool
  ) async throws -> [RecordAnswer]

  /// Returns the jobs of lost workers and promotes due ones; gives the number of jobs that it
  /// returned from lost workers.
  func sweep(limit: Int) async throws -> Int

  /// Fires the schedule that is due longest; `nil` when none is due, or another worker is at it.
  func fireSchedule() async throws -> ScheduleFiring?

  /// The definition of a hash; `nil` when the database has none.
  func definition(hash: String) async throws -> JobTypeDefinition?

  /// The definition that is published under a job type's name now; `nil` when there is none.
  func definition(type: String) async throws -> JobTypeDefinition?

  /// Tells which keys the worker's own secret store shows, in place of what it told before; `false`
  /// when its lease has ended.
  func reportKeys(worker: Int, environments: [String], _ keys: [LoadedKey]) async throws -> Bool

  /// The live workers of an environment that do not show the key with this fingerprint: they show
  /// another one of the type, or have not told yet which keys they have.
  func workersWithoutKey(
    environment: String, jobType: String, fingerprint: String
  ) async throws -> [WorkerWithoutKey]

  /// The hashes of the definitions before the present one under which unfinished jobs of a type were ordered
  /// in an environment.
  func openDefinitions(environment: String, jobType: String) async throws -> [String]

  /// Tells which targets have answered this worker lately, and gives the circuits that are open in these environments.
  func openCircuits(
    worker: Int, environments: [String], answered: Set<CircuitName>
  ) async throws -> Set<CircuitName>

  /// Says that a target has answered this worker nothing for the policy's silence, in answer to requests of so many jobs,
  /// the last time with this code; what comes of its circuit.
  func openCircuit(
    worker: Int, _ name: CircuitName, _ policy: CircuitPolicy, failedJobs: Int, code: String
  ) async throws -> CircuitVerdict

  /// Says that a target answers; whether this closed its circuit.
  func closeCircuit(worker: Int, _ name: CircuitName) async throws -> Bool

  /// What tells the keys of this installation from those of another one.
  func installation() async throws -> String

  /// Listens for wake-ups until the task is cancelled, reconnecting by itself; `onWake` is called
  /// for each, and after each reconnection.
  func listen(queues: [String], onWake: @escaping @Sendable () -> Void) async

  /// Whether the same call may succeed later.
  func isTransient(_ error: any Error) -> Bool

  /// A description of an error that may be logged: without values.
  func safeDescription(of error: any Error) -> String
}

/// Who a worker is, for the table of workers.
public struct WorkerIdentity: Sendable, Hashable {
  /// The worker's name.
  public var name: String
  /// The machine's name.
  public var host: String
  /// The process.
  public var processID: Int
  /// The program's version.
  public var version: String

  /// An identity.
  public init(name: String, host: String, processID: Int, version: String) {
    self.name = name
    self.host = host
    self.processID = processID
    self.version = version
  }
}

/// Which jobs to take.
public struct ClaimRequest: Sendable, Hashable {
  /// The worker that takes them.
  public var worker: Int
  /// Their queue.
  public var queue: String
  /// Their environment.
  public var environment: String
  /// The most to take, at least 1.
  public var limit: Int
  /// The lower bounds of the claim order, one a priority.
  public var lowerBounds: [Int]

  /// A request.
  public init(worker: Int, queue: String, environment: String, limit: Int, lowerBounds: [Int]) {
    self.worker = worker
    self.queue = queue
    self.environment = environment
    self.limit = limit
    self.lowerBounds = lowerBounds
  }
}

/// What a claim took.
public struct Claim: Sendable, Hashable {
  /// The jobs, which are running now.
  public var jobs: [ClaimedJob]
  /// What the cursor has to know.
  public var finding: ClaimCursor.Finding
  /// When another claim is worth while, if a rate holds jobs back.
  public var nextStart: Duration?
  /// The jobs that were parked behind a predecessor, for ``WorkerStore/unpark(_:)``.
  public var blockedJobs: [Int]

  /// A claim.
  public init(
    jobs: [ClaimedJob], finding: ClaimCursor.Finding, nextStart: Duration? = nil,
    blockedJobs: [Int] = []
  ) {
    self.jobs = jobs
    self.finding = finding
    self.nextStart = nextStart
    self.blockedJobs = blockedJobs
  }
}

/// A record about one job of the worker.
public struct RecordEntry: Sendable, Hashable {
  /// The job.
  public var job: Int
  /// The attempt that the worker holds.
  public var attempt: Int
  /// The record.
  public var record: JobRecord

  /// An entry.
  public init(job: Int, attempt: Int, record: JobRecord) {
    self.job = job
    self.attempt = attempt
    self.record = record
  }
}

/// What came of a schedule that was due.
public struct ScheduleFiring: Sendable, Hashable {
  /// The schedule.
  public var schedule: String
  /// `fired`, `refused` or `skipped`.
  public var outcome: String
  /// The job that was ordered.
  public var job: Int?

  /// A firing.
  public init(schedule: String, outcome: String, job: Int?) {
    self.schedule = schedule
    self.outcome = outcome
    self.job = job
  }
}

/// What the database says about the records of one job.
public struct RecordAnswer: Sendable, Hashable {
  /// The job.
  public var job: Int
  /// Whether they were written; `false`: the worker does not hold the job any more.
  public var isAccepted: Bool
  /// Whether they were left out, because another transaction holds the job: send them again.
  public var isHeldUp: Bool
  /// Whether a person has asked to cancel the job.
  public var isCancelRequested: Bool

  /// An answer.
  public init(job: Int, isAccepted: Bool, isHeldUp: Bool = false, isCancelRequested: Bool) {
    self.job = job
    self.isAccepted = isAccepted
    self.isHeldUp = isHeldUp
    self.isCancelRequested = isCancelRequested
  }
}
