// A job as the role that ordered it may see it.

public import JSON
public import Postgres

/// What `writ.status` says about a job.
public struct JobStatus: Sendable, Hashable {
  /// Its number.
  public let id: Int
  /// Its type.
  public let type: String
  /// Its state, in the words of `JobState`.
  public let state: String
  /// What it waits for, in the words of `WaitingReason`, if it is waiting.
  public let waitingReason: String?
  /// When it is due, or fell due.
  public let runAt: PostgresTimestamp
  /// When it finished.
  public let finishedAt: PostgresTimestamp?
  /// The code of the last error, unless it completed.
  public let errorCode: String?
  /// What it gave.
  public let result: JSONValue?
  /// Where the user has to go; whoever knows it can use it.
  public let actionURL: String?
  /// Until when he has to have acted.
  public let actionDeadlineAt: PostgresTimestamp?

  init(_ row: PostgresRow) throws {
    id = try row.decode("id")
    type = try row.decode("type")
    state = try row.decode("state")
    waitingReason = try row.decode("waiting_reason")
    runAt = try row.decode("run_at")
    finishedAt = try row.decode("finished_at")
    errorCode = try row.decode("error_code")
    result = try row.decodeJSON("result")
    actionURL = try row.decode("action_url")
    actionDeadlineAt = try row.decode("action_deadline_at")
  }
}

/// How many live workers could take a job.
public struct JobWorkers: Sendable, Hashable {
  /// The job.
  public let job: Int
  /// Its environment.
  public let environment: String
  /// Its queue.
  public let queue: String
  /// The live workers that serve the environment, whatever their queues.
  public let workers: Int

  /// What is known of a job.
  public init(job: Int, environment: String, queue: String, workers: Int) {
    self.job = job
    self.environment = environment
    self.queue = queue
    self.workers = workers
  }
}

extension JobStore {
  /// A job that the caller's role ordered; `writ_admin` and `writ_auditor` may ask about any.
  ///
  /// - Throws: `PostgresError` with SQLSTATE WR008 where there is no such job for this role.
  public func status(_ job: Int) async throws -> JobStatus {
    try JobStatus(try await row(.status, [.int(job)]))
  }

  /// How many live workers could take each of these jobs; jobs that are over, or that the caller's role may not
  /// see, are left out.
  public func jobWorkers(_ jobs: [Int]) async throws -> [JobWorkers] {
    try await pool.query(.jobWorkers, [.ints(jobs)]).map { row in
      JobWorkers(
        job: try row.decode("id"), environment: try row.decode("environment"),
        queue: try row.decode("queue"), workers: try row.decode("workers"))
    }
  }

  /// Has a job that waits for a user looked at now, or as soon as it may be; for whoever ordered it, and
  /// `writ_admin`.
  ///
  /// - Returns: When.
  /// - Throws: `PostgresError` with SQLSTATE WR008 where there is no such job for this role, or it does not
  ///   wait for a user.
  public func checkNow(_ job: Int) async throws -> PostgresTimestamp {
    try await row(.checkNow, [.int(job)]).decode("checked_at")
  }
}
