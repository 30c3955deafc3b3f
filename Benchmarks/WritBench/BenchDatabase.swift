// The database under measurement: Writ's schema with a job type that calls nothing, and bare tables beside it.
import Arazzo
import JobStore
import Postgres
import PostgresCluster

/// One database with everything in it.
struct BenchDatabase: Sendable {
  let cluster: PrivateCluster
  let pool: PostgresPool
  let store: JobStore
  static let name = "bench"

  static func make(on cluster: PrivateCluster) async throws -> BenchDatabase {
    let administration = PostgresPool(
      configuration: try PostgresConfiguration(connectionString: cluster.connectionString()),
      maximumConnections: 1)
    try await administration.execute("create database bench")
    await administration.close()
    let pool = PostgresPool(
      configuration: try PostgresConfiguration(
        connectionString: cluster.connectionString(database: name), statementTimeout: .seconds(1200)
      ), maximumConnections: 8)
    _ = try await Migrator(pool: pool).migrate()
    let store = JobStore(pool: pool)
    let files =
      [DocumentText(path: "bench_nothing.arazzo.yaml", text: jobType)]
      + EmbeddedCatalogue.documents.filter { $0.path == "openapi/writ.yaml" }
    for type in try Catalogue.load(files: files).jobTypes { try await store.publish(type) }
    try await pool.withConnection { try $0.executeScript(bareTables) }
    return BenchDatabase(cluster: cluster, pool: pool, store: store)
  }

  func close() async { await pool.close() }

  /// Enqueues jobs through the typed function, in parallel batches.
  func fill(_ count: Int) async throws {
    try await inBatches(count) { first, last in
      try await pool.query(
        """
        select count(writ.bench_nothing(number => n))
          from generate_series($1::int, $2::int) as n
        """, [.int(first), .int(last)])
    }
  }

  /// Makes bare rows.
  func fillBare(_ count: Int) async throws {
    try await inBatches(count) { first, last in
      try await pool.query(
        """
        insert into bare.job (type, payload)
        select 'bench_nothing', jsonb_build_object('number', n)
          from generate_series($1::int, $2::int) as n
        """, [.int(first), .int(last)])
    }
  }

  private func inBatches(
    _ count: Int, _ work: @escaping @Sendable (Int, Int) async throws -> some Sendable
  ) async throws {
    let batch = 20_000
    try await withThrowingTaskGroup(of: Void.self) { group in
      for lane in 0..<2 {
        group.addTask {
          for first in stride(from: 1 + lane * batch, through: count, by: 2 * batch) {
            _ = try await work(first, min(first + batch - 1, count))
          }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Takes away what a scenario left, and what autovacuum would otherwise do during the next one.
  func clear() async throws {
    try await pool.withConnection { connection in
      try connection.executeScript(
        """
        truncate writ_data.job, writ_data.job_history, writ_data.journal, writ_data.journal_history,
          writ_data.subject_slot;
        truncate bare.job, bare.job_audit;
        """)
      _ = try connection.query("vacuum analyze")
      _ = try connection.query("checkpoint")
    }
  }

  /// A job type that calls nothing outside.
  private static let jobType = """
    arazzo: 1.0.1
    info: {title: Nothing, version: 1.0.0}
    sourceDescriptions:
      - {name: writ, url: openapi/writ.yaml, type: openapi}
    workflows:
      - workflowId: bench_nothing
        x-writ: {jobType: bench_nothing}
        inputs:
          type: object
          required: [number]
          properties:
            number: {type: integer, x-writ: {record: clear}}
        steps:
          - stepId: nothing
            operationId: $sourceDescriptions.writ.firstOfEach
            requestBody:
              contentType: application/json
              payload: {number: [$inputs.number]}
    """

  /// The floor: the columns that any queue needs, and nothing else.
  private static let bareTables = """
    create schema bare;
    create table bare.job (
      id bigint generated always as identity primary key, queue text not null default 'default',
      type text not null, payload jsonb not null, state smallint not null default 0,
      priority smallint not null default 0, attempt smallint not null default 0,
      run_at timestamptz not null default now(), locked_by int, locked_until timestamptz,
      finished_at timestamptz
    );
    create index job_ready on bare.job (priority, run_at, id) where state = 0;
    create table bare.job_audit (
      id bigint generated always as identity primary key, job_id bigint not null,
      at timestamptz not null default now(), event smallint not null, actor int, detail text
    );
    """
}
