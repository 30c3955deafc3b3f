// A migrated database of its own for each test, with four small job types and two roles that order jobs.

import Arazzo
import JSON
import JobModel
import Postgres
import PostgresCluster
import Testing
import WritTesting

@testable import JobStore

struct TestDatabase: Sendable {
  let pool: PostgresPool
  let cluster: PrivateCluster
  let name: String

  var store: JobStore { JobStore(pool: pool) }

  /// Runs the body with a fresh copy of the template, and closes its connections afterwards.
  static func with<Value: Sendable>(
    _ body: @Sendable (TestDatabase) async throws -> Value
  ) async throws -> Value {
    let shared = try await ThrowawayCluster.shared
    let template = try await shared.template(named: "store_template") { connectionString in
      let pool = try Self.pool(connectionString)
      try await Migrator(pool: pool).migrate()
      try await pool.withConnection { connection in
        try connection.executeScript(
          "create role app_one login in role writ_enqueuer;"
            + "create role app_two login in role writ_enqueuer;"
            + "create role stranger login;"
            + "create role the_worker login in role writ_worker;"
            + "create role the_auditor login in role writ_auditor;")
        for type in JobTypes.all {
          _ = try connection.query("select writ.publish_job_type($1)", [.json(type.serialized())])
        }
      }
      await pool.close()
    }
    let connectionString = try await shared.makeDatabase(template: template)
    return try await with(connectionString, cluster: shared.cluster, body)
  }

  /// The same without any schema of ours.
  static func withEmpty<Value: Sendable>(
    _ body: @Sendable (TestDatabase) async throws -> Value
  ) async throws -> Value {
    let shared = try await ThrowawayCluster.shared
    return try await with(try await shared.makeDatabase(), cluster: shared.cluster, body)
  }

  private static func with<Value: Sendable>(
    _ connectionString: String, cluster: PrivateCluster,
    _ body: @Sendable (TestDatabase) async throws -> Value
  ) async throws -> Value {
    let pool = try Self.pool(connectionString)
    let name: String = try await pool.query("select current_database()::text")[0].decode(0)
    let result: Result<Value, any Error>
    do {
      result = .success(try await body(TestDatabase(pool: pool, cluster: cluster, name: name)))
    } catch {
      result = .failure(error)
    }
    await pool.close()
    return try result.get()
  }

  private static func pool(_ connectionString: String) throws -> PostgresPool {
    PostgresPool(
      configuration: try PostgresConfiguration(connectionString: connectionString),
      maximumConnections: 8, waitTimeout: .seconds(60))
  }

  /// Runs the body with connections of another role.
  func asRole<Value: Sendable>(
    _ role: String, _ body: @Sendable (PostgresPool) async throws -> Value
  ) async throws -> Value {
    let pool = try Self.pool(cluster.connectionString(user: role, database: name))
    let result: Result<Value, any Error>
    do { result = .success(try await body(pool)) } catch { result = .failure(error) }
    await pool.close()
    return try result.get()
  }

  /// Runs SQL of this test's own.
  @discardableResult
  func sql(_ text: String, _ parameters: [PostgresParameter] = []) async throws -> [PostgresRow] {
    try await pool.query(Statement(sql: text), parameters)
  }

  /// The number in the first column of the first row.
  func number(_ text: String, _ parameters: [PostgresParameter] = []) async throws -> Int {
    try await sql(text, parameters)[0].decode(0)
  }

  /// The error that a statement gives.
  func refusal(_ text: String, as role: String? = nil) async throws -> PostgresError {
    let run: @Sendable (PostgresPool) async throws -> PostgresError = { pool in
      do {
        _ = try await pool.query(Statement(sql: text))
      } catch let error as PostgresError {
        return error
      }
      Issue.record("not refused: \(text)")
      throw CancellationError()
    }
    return if let role { try await asRole(role, run) } else { try await run(pool) }
  }

  /// A live worker.
  func worker(lease: Duration = .seconds(60)) async throws -> Int {
    try await store.registerWorker(
      name: "test", host: "here", processID: 1, version: "0", lease: lease)
  }

  /// Ends a lease, as the passing of time would.
  func expireLease(_ worker: Int) async throws {
    try await sql(
      "update writ_data.worker set lease_expires_at = clock_timestamp() where id = $1",
      [.int(worker)])
  }

  /// Puts the end of a worker that has ended into the past.
  func end(_ worker: Int, ago interval: String) async throws {
    try await sql(
      "update writ_data.worker set ended_at = clock_timestamp() - $2::interval where id = $1",
      [.int(worker), .text(interval)])
  }

  /// A sweep with what is done once a minute.
  func fullSweep() async throws {
    try await sql("update writ_data.sweep_state set full_at = '-infinity'")
    _ = try await store.sweepJobs(limit: 100)
  }

  /// Claims without a cursor.
  func claim(_ worker: Int, limit: Int = 10, queue: String = "default") async throws -> [ClaimedJob]
  {
    try await store.claimJobs(
      worker: worker, queue: queue, environment: "default", limit: limit,
      lowerBounds: [Int](repeating: 0, count: 10)
    ).jobs
  }

  /// Records one thing about a job.
  @discardableResult
  func record(
    _ worker: Int, _ job: ClaimedJob, _ records: JobRecord...
  ) async throws -> JobEntryAnswer {
    let entries = records.map { JobEntry(job: job.id, attempt: job.attempt, record: $0) }
    return try await store.recordEntries(worker: worker, entries)[0]
  }

  /// The state of a job, with its reason: `waiting/review`.
  func state(_ job: Int) async throws -> String {
    try await sql(
      "select concat_ws('/', state, waiting_reason) from writ.job where id = $1", [.int(job)]
    )[0].decode(0)
  }

  /// The events of a job, with the states.
  func story(_ job: Int) async throws -> [String] {
    try await sql(
      "select concat_ws(' ', event, coalesce(from_state, '-') || '>' || to_state)"
        + " from writ.audit_event where job_id = $1 order by id", [.int(job)]
    ).map { try $0.decode(0) }
  }
}

extension JobRecord {
  static func succeeded(_ sequence: Int, _ step: String = "send") -> JobRecord {
    .outcome(
      StepOutcome(
        sequence: sequence, step: step, effect: .create, result: .succeeded, status: 201,
        duration: .milliseconds(3), outputs: JSONObject([("user_id", "u1")]),
        action: StepAction(.next)))
  }

  static let done = JobRecord.complete(result: JSONObject(), recorded: RecordedFields())
  static let failure = JobError(code: "unavailable", text: "the service is unavailable")
}
