// What people do: order, look, replay, cancel.

public import JSON
public import Postgres

/// The options of an order; what is left out gets its default in the database.
public struct EnqueueOptions: Sendable, Hashable {
  /// When to run it.
  public var runAt: PostgresTimestamp?
  /// 0 (first) to 9.
  public var priority: Int?
  /// One key stands for one job.
  public var idempotencyKey: String?
  /// The environment.
  public var environment: String?
  /// The queue.
  public var queue: String?
  /// W3C Trace Context.
  public var traceparent: String?
  /// When it is not wanted any more, unless it has changed something by then.
  public var expiresAt: PostgresTimestamp?

  /// The defaults.
  public init(
    runAt: PostgresTimestamp? = nil, priority: Int? = nil, idempotencyKey: String? = nil,
    environment: String? = nil, queue: String? = nil, traceparent: String? = nil,
    expiresAt: PostgresTimestamp? = nil
  ) {
    self.runAt = runAt
    self.priority = priority
    self.idempotencyKey = idempotencyKey
    self.environment = environment
    self.queue = queue
    self.traceparent = traceparent
    self.expiresAt = expiresAt
  }
}

/// One order of several that are made together.
public struct JobOrder: Sendable, Hashable {
  /// The job type.
  public var type: String
  /// Its fields.
  public var payload: JSONValue
  /// The rest.
  public var options: EnqueueOptions

  /// An order.
  public init(type: String, payload: JSONValue, options: EnqueueOptions = EnqueueOptions()) {
    self.type = type
    self.payload = payload
    self.options = options
  }
}

/// One of several orders was refused, and so none was made.
public struct JobOrderError: Error, Sendable {
  /// Its place among them, from 0.
  public let place: Int
  /// Why.
  public let error: PostgresError
}

/// Which jobs a list shows; `nil` is any.
public struct JobFilter: Sendable, Hashable {
  /// Of this state.
  public var state: String?
  /// Of this type.
  public var type: String?
  /// Of this environment.
  public var environment: String?
  /// About this subject.
  public var subject: String?

  /// A filter.
  public init(
    state: String? = nil, type: String? = nil, environment: String? = nil, subject: String? = nil
  ) {
    self.state = state
    self.type = type
    self.environment = environment
    self.subject = subject
  }
}

/// How many jobs there are of a type in a state.
public struct JobCount: Sendable, Hashable {
  /// The type.
  public let type: String
  /// The state.
  public let state: String
  /// What they wait for.
  public let waitingReason: String?
  /// How many.
  public let jobs: Int
}

/// One fact about a replay that has not happened yet.
public struct ReplayFact: Sendable, Hashable {
  /// What kind: `job`, `refused`, `refused unless forced`, `done`, `in doubt`, `tries again`, `starts anew`,
  /// `becomes available`.
  public let fact: String
  /// The sentence.
  public let detail: String
}

/// A process that takes jobs.
public struct WorkerSummary: Sendable, Hashable {
  /// Its number.
  public let id: Int
  /// Its name.
  public let name: String
  /// Its machine.
  public let host: String
  /// Its process there.
  public let processID: Int
  /// The version of the program.
  public let version: String
  /// `live`, `stopped` or `lost`.
  public let state: String
  /// Whether it waits for work.
  public let isIdle: Bool
  /// When it registered.
  public let startedAt: PostgresTimestamp
  /// When it renewed its lease last.
  public let heartbeatAt: PostgresTimestamp
  /// When its lease ends, or ended.
  public let leaseExpiresAt: PostgresTimestamp
  /// When it stopped or was found lost.
  public let endedAt: PostgresTimestamp?
}

/// Where jobs take effect.
public struct EnvironmentSummary: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// Whether orders that name none go there.
  public let isDefault: Bool
}

extension JobStore {
  /// Orders a job; the same checks as the typed SQL function.
  ///
  /// - Returns: Its number; with an idempotency key that was used before, that of the job it stands for.
  /// - Throws: `PostgresError` with a SQLSTATE WR001 to WR007.
  public func enqueue(
    type: String, payload: JSONValue, options: EnqueueOptions = EnqueueOptions()
  ) async throws -> Int {
    let order = JobOrder(type: type, payload: payload, options: options)
    return try await row(.enqueue, order.parameters).decode("id")
  }

  /// Makes several orders in one transaction: all of them, or none.
  ///
  /// - Returns: The numbers of the jobs, in the order of the orders.
  /// - Throws: ``JobOrderError`` where one is refused; `PostgresError` where the transaction as a whole went wrong.
  public func enqueueAll(_ orders: [JobOrder]) async throws -> [Int] {
    try await pool.withTransaction { connection in
      var jobs: [Int] = []
      for (place, order) in orders.enumerated() {
        do {
          let rows = try connection.query(.enqueue, order.parameters)
          guard let row = rows.first else {
            throw JobStoreError(.missingRow, "the statement enqueue returned no row")
          }
          jobs.append(try row.decode("id"))
        } catch let error as PostgresError where error.sqlState != nil {
          throw JobOrderError(place: place, error: error)
        }
      }
      return jobs
    }
  }

  /// Jobs, unfinished and finished, newest first.
  public func jobs(_ filter: JobFilter = JobFilter(), limit: Int = 50) async throws -> [JobSummary]
  {
    try await pool.query(
      .jobs,
      [
        .text(filter.state), .text(filter.type), .text(filter.environment), .text(filter.subject),
        .int(limit),
      ]
    ).map { try JobSummary($0) }
  }

  /// Everything about a job, as of one moment; `nil` when there is no such job.
  public func job(_ id: Int) async throws -> JobDetail? {
    try await pool.withTransaction(.readOnlySnapshot) { connection in
      guard let row = try connection.query(.job, [.int(id)]).first else { return nil }
      let journal = try connection.query(.journal, [.int(id)]).map { try JournalRow($0) }
      let events = try connection.query(.auditEvents, [nil, .int(id), nil, nil, nil, .int(10_000)])
        .map { try AuditEvent($0) }
      return try JobDetail(row, journal: journal, events: events)
    }
  }

  /// Rows of a job, in order.
  ///
  /// - Parameter place: Rows after this place, the first being 1.
  /// - Throws: `PostgresError` with SQLSTATE WR008 when there is no such job for this role; ``JobStoreError``
  ///   with `unreadableRow` for a row that this program cannot read.
  public func jobRows(_ job: Int, after place: Int = 0, limit: Int = 1_000) async throws
    -> [JobRowSummary]
  {
    try await pool.query(.jobRows, [.int(job), .int(place), .int(limit)]).map { row in
      let place: Int = try row.decode("place")
      var unreadable: [String] = []
      let data = try row.decodeJSON("data", noting: &unreadable)
      guard unreadable.isEmpty else {
        throw JobStoreError(
          .unreadableRow,
          "row \(place) of job \(job) holds JSON that this version of writ cannot read; in SQL: "
            + "select data from writ.job_rows(\(job)) where place = \(place)")
      }
      return JobRowSummary(place: place, data: data ?? .null)
    }
  }

  /// How many jobs there are by type, state and reason, finished ones included.
  ///
  /// Reads the whole history.
  public func counts() async throws -> [JobCount] {
    try await pool.query(.counts).map { row in
      JobCount(
        type: try row.decode("type"), state: try row.decode("state"),
        waitingReason: try row.decode("waiting_reason"), jobs: try row.decode("jobs"))
    }
  }

  /// What a replay would do.
  public func replayPlan(_ job: Int) async throws -> [ReplayFact] {
    try await pool.query(.replayPlan, [.int(job)]).map { row in
      ReplayFact(fact: try row.decode("fact"), detail: try row.decode("detail"))
    }
  }

  /// Brings a job that has finished, or waits for review, back with its journal.
  ///
  /// - Throws: `PostgresError` with SQLSTATE WR008, whose message says why not and whose hint what to do.
  public func replay(_ job: Int, force: Bool = false) async throws {
    _ = try await pool.query(.replay, [.int(job), .bool(force)])
  }

  /// Calls a job off.
  ///
  /// - Returns: Its state: `cancelled`, or `running` when its worker has been told.
  /// - Throws: `PostgresError` with SQLSTATE WR008 when it has finished, or has changed something.
  public func cancel(_ job: Int, force: Bool = false) async throws -> String {
    try await row(.cancel, [.int(job), .bool(force)]).decode("state")
  }

  /// Makes a job that waits for its next attempt due earlier, for trials of a job type.
  ///
  /// What a job waits to outlast a lost request stays as it is. Only for the owner of the database: no role of ours
  /// may do so.
  public func shortenWait(of job: Int, to longest: Duration) async throws {
    _ = try await pool.query(.shortenWait, [.int(job), .interval(longest)])
  }

  /// Audit events in order, after one of them.
  public func auditEvents(
    after id: Int? = nil, job: Int? = nil, type: String? = nil, event: String? = nil,
    since: PostgresTimestamp? = nil, limit: Int = 1000
  ) async throws -> [AuditEvent] {
    try await pool.query(
      .auditEvents,
      [.int(id), .int(job), .text(type), .text(event), .timestamp(since), .int(limit)]
    ).map { try AuditEvent($0) }
  }

  /// The newest audit events, in order.
  public func recentAuditEvents(
    job: Int? = nil, type: String? = nil, event: String? = nil, since: PostgresTimestamp? = nil,
    limit: Int = 100
  ) async throws -> [AuditEvent] {
    try await pool.query(
      .recentAuditEvents, [.int(job), .text(type), .text(event), .timestamp(since), .int(limit)]
    ).map { try AuditEvent($0) }
  }

  /// Workers, newest first.
  public func workers(limit: Int = 100) async throws -> [WorkerSummary] {
    try await pool.query(.workers, [.int(limit)]).map { row in
      WorkerSummary(
        id: try row.decode("id"), name: try row.decode("name"), host: try row.decode("host"),
        processID: try row.decode("pid"), version: try row.decode("version"),
        state: try row.decode("state"), isIdle: try row.decode("is_idle"),
        startedAt: try row.decode("started_at"), heartbeatAt: try row.decode("heartbeat_at"),
        leaseExpiresAt: try row.decode("lease_expires_at"), endedAt: try row.decode("ended_at"))
    }
  }

  /// The environments, by name.
  public func environments() async throws -> [EnvironmentSummary] {
    try await pool.query(.environments).map { row in
      EnvironmentSummary(name: try row.decode("name"), isDefault: try row.decode("is_default"))
    }
  }

  /// Makes an environment, as the default if told so; one that is there stays.
  ///
  /// - Returns: Whether it is new.
  @discardableResult
  public func createEnvironment(_ name: String, isDefault: Bool = false) async throws -> Bool {
    try await row(.createEnvironment, [.text(name), .bool(isDefault)]).decode("added")
  }
}

extension JobOrder {
  fileprivate var parameters: [PostgresParameter] {
    [
      .text(type), .json(payload.serialized()), .timestamp(options.runAt), .int(options.priority),
      .text(options.idempotencyKey), .text(options.environment), .text(options.queue),
      .text(options.traceparent), .timestamp(options.expiresAt),
    ]
  }
}
