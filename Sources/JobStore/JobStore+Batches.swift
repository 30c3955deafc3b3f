// Orders in bulk, and batches: jobs that were ordered together.

public import JSON
public import Postgres

/// The options of all rows of an order in bulk; what a row says itself goes first.
public struct BulkOptions: Sendable, Hashable {
  /// When to run them.
  public var runAt: PostgresTimestamp?
  /// 0 (first) to 9.
  public var priority: Int?
  /// When they are no longer wanted.
  public var expiresAt: PostgresTimestamp?
  /// The environment.
  public var environment: String?
  /// The queue.
  public var queue: String?
  /// W3C Trace Context.
  public var traceparent: String?

  /// The defaults.
  public init(
    runAt: PostgresTimestamp? = nil, priority: Int? = nil, expiresAt: PostgresTimestamp? = nil,
    environment: String? = nil, queue: String? = nil, traceparent: String? = nil
  ) {
    self.runAt = runAt
    self.priority = priority
    self.expiresAt = expiresAt
    self.environment = environment
    self.queue = queue
    self.traceparent = traceparent
  }
}

/// The job that runs once, when a batch has finished.
public struct BatchCallback: Sendable, Hashable {
  /// Its type.
  public var type: String
  /// Its fields; a value `$batch.id`, `$batch.jobs`, `$batch.completed`, `$batch.discarded` or
  /// `$batch.cancelled` stands for what is known of the batch (docs/batches.md).
  public var payload: JSONValue
  /// Where it runs.
  public var environment: String?
  /// Its queue.
  public var queue: String?
  /// 0 (first) to 9.
  public var priority: Int?

  /// A callback with the default options.
  public init(
    type: String, payload: JSONValue, environment: String? = nil, queue: String? = nil,
    priority: Int? = nil
  ) {
    self.type = type
    self.payload = payload
    self.environment = environment
    self.queue = queue
    self.priority = priority
  }
}

/// What an order in bulk gave.
public struct BatchReceipt: Sendable, Hashable {
  /// The number of the batch.
  public let batch: Int
  /// How many jobs are new.
  public internal(set) var jobs: Int
  /// How many rows had an idempotency key that stands for a job already.
  public internal(set) var known: Int
}

/// What is wrong with one row of an order in bulk; names the field and the rule, never a value.
public struct RowFault: Sendable, Hashable {
  /// The number of the row in its chunk, from 1.
  public let row: Int
  /// The SQLSTATE.
  public let sqlState: String
  /// The field or option.
  public let field: String
  /// The sentence, with the job type before it.
  public let message: String
  /// What to do.
  public let hint: String
}

/// How many jobs are in a state.
public struct StateCount: Sendable, Hashable {
  /// The state.
  public let state: String
  /// How many.
  public let jobs: Int
}

/// How far a batch has come.
public struct BatchSummary: Sendable, Hashable {
  /// Its number.
  public let id: Int
  /// `open`, `closed` or `finished`.
  public let state: String
  /// When it was made.
  public let createdAt: PostgresTimestamp
  /// By which role.
  public let createdBy: String
  /// Since when nothing can join it.
  public let closedAt: PostgresTimestamp?
  /// When its last job had finished.
  public let finishedAt: PostgresTimestamp?
  /// All its jobs.
  public let jobs: Int
  /// Its unfinished jobs by state.
  public let unfinished: [StateCount]
  /// How many of those that wait need a person.
  public let review: Int
  /// Its finished jobs by state: completed, discarded, cancelled.
  public let finished: [StateCount]
  /// How many jobs a second have finished in the last minute.
  public let rate: Double?
  /// What the rest takes at that rate.
  public let timeLeft: Duration?
  /// The job that runs when it has finished.
  public let callbackJob: Int?
  /// The state of that job.
  public let callbackState: String?

  /// How many jobs have finished.
  public var done: Int { finished.reduce(0) { $0 + $1.jobs } }

  init(_ row: PostgresRow) throws {
    id = try row.decode("id")
    state = try row.decode("state")
    createdAt = try row.decode("created_at")
    createdBy = try row.decode("created_by")
    closedAt = try row.decode("closed_at")
    finishedAt = try row.decode("finished_at")
    jobs = try row.decode("jobs")
    unfinished = try ["scheduled", "available", "running", "retryable", "waiting"].map {
      StateCount(state: $0, jobs: try row.decode($0))
    }
    review = try row.decode("review")
    finished = try ["completed", "discarded", "cancelled"].map {
      StateCount(state: $0, jobs: try row.decode($0))
    }
    rate = try row.decode("per_second")
    timeLeft = try row.decode("done_in")
    callbackJob = try row.decode("callback_job_id")
    callbackState = try row.decode("callback_state")
  }
}

extension JobStore {
  /// Orders the jobs of all chunks in one transaction, as one batch: all of them, or none.
  ///
  /// Each row is the text of a JSON object: the fields of the type and, beside them, its own
  /// `run_at`, `priority`, `idempotency_key` and `expires_at`. `nextRows` runs on the connection's
  /// thread and may block it; only one chunk, of at most 100,000 rows, is in memory.
  /// - Parameters:
  ///   - batch: An open batch of this role, which stays open; without it, a new one, which is closed.
  ///   - callback: The callback of the new batch.
  ///   - report: Told after each chunk.
  /// - Throws: `PostgresError` with a SQLSTATE WR001 to WR008; whatever `nextRows` throws.
  public func enqueueMany(
    type: String, options: BulkOptions = BulkOptions(), batch: Int? = nil,
    callback: BatchCallback? = nil,
    report: @escaping @Sendable (BatchReceipt) -> Void = { _ in },
    nextRows: @escaping @Sendable () throws -> [String]?
  ) async throws -> BatchReceipt {
    let limit = Duration.seconds(3600)
    return try await pool.withTransaction(deadline: limit) { connection in
      let id: Int
      if let batch {
        id = batch
      } else {
        id = try connection.query(
          .createBatch,
          [
            .text(callback?.type), .text(callback?.payload.serialized()),
            .text(callback?.environment), .text(callback?.queue), .int(callback?.priority),
          ]
        )[0].decode("id")
      }
      var receipt = BatchReceipt(batch: id, jobs: 0, known: 0)
      while let rows = try nextRows() {
        let row = try connection.query(
          .enqueueMany,
          [
            .text(type), .texts(rows), .int(id), .timestamp(options.runAt),
            .int(options.priority), .timestamp(options.expiresAt), .text(options.environment),
            .text(options.queue), .text(options.traceparent),
          ], deadline: limit)[0]
        receipt.jobs += try row.decode("jobs", as: Int.self)
        receipt.known += try row.decode("known", as: Int.self)
        report(receipt)
      }
      if batch == nil { _ = try connection.query(.closeBatch, [.int(id)]) }
      return receipt
    }
  }

  /// What ``enqueueMany(type:options:batch:callback:report:nextRows:)`` would refuse in these rows, at
  /// most a hundred faults; orders nothing.
  ///
  /// It does not look at idempotency keys that were used before.
  public func checkMany(
    type: String, options: BulkOptions = BulkOptions(), rows: [String]
  ) async throws -> [RowFault] {
    try await pool.query(
      .checkMany,
      [
        .text(type), .texts(rows), .timestamp(options.runAt), .int(options.priority),
        .timestamp(options.expiresAt),
      ], deadline: .seconds(600)
    ).map { row in
      RowFault(
        row: try row.decode("place"), sqlState: try row.decode("code"),
        field: try row.decode("field"), message: try row.decode("message"),
        hint: try row.decode("hint"))
    }
  }

  /// A batch that jobs can join until it is closed.
  public func createBatch(callback: BatchCallback? = nil) async throws -> Int {
    try await row(
      .createBatch,
      [
        .text(callback?.type), .text(callback?.payload.serialized()),
        .text(callback?.environment), .text(callback?.queue), .int(callback?.priority),
      ]
    ).decode("id")
  }

  /// Closes a batch; returns whether it was open.
  @discardableResult
  public func closeBatch(_ id: Int) async throws -> Bool {
    try await row(.closeBatch, [.int(id)]).decode("was_open")
  }

  /// How far a batch has come.
  ///
  /// - Throws: `PostgresError` with SQLSTATE WR008 when there is none, or another role made it.
  public func batch(_ id: Int) async throws -> BatchSummary {
    try BatchSummary(try await row(.batchStatus, [.int(id)]))
  }

  /// The newest batches that this role may see.
  public func batches(limit: Int = 50) async throws -> [BatchSummary] {
    try await pool.query(.batches, [.int(limit)]).map { try BatchSummary($0) }
  }
}
