// Cancellation, deadlines, lost servers: nobody waits for ever, and the pool goes on.

import Postgres
import PostgresCluster
import Testing
import WritTesting

@Suite struct InterruptionTests {
  /// Waits until a session of this database runs a statement with that text in it.
  private func awaitRunning(_ text: String, _ observer: PostgresPool, count: Int = 1) async throws {
    try await eventually {
      try await observer.query(
        """
        select from pg_stat_activity
         where datname = current_database() and state = 'active' and query like '%' || $1 || '%'
           and pid <> pg_backend_pid()
        """, [.text(text)]
      ).count == count
    }
  }

  @Test func `cancelling the task cancels the query, and the connection is used again`()
    async throws
  {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration, maximumConnections: 1)
    let observer = PostgresPool(configuration: configuration, maximumConnections: 1)
    let before = try await pool.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    let task = Task { try await pool.query("select pg_sleep(60) as first_nap") }
    try await awaitRunning("first_nap", observer)
    task.cancel()
    let error = await #expect(throws: PostgresError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    try await awaitRunning("first_nap", observer, count: 0)
    let after = try await pool.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    #expect(before == after)
    await pool.close()
    await observer.close()
  }

  @Test func `cancelling the task rolls its transaction back`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration)
    try await pool.execute("create table t (x int)")
    let task = Task {
      try await pool.withTransaction { connection in
        try connection.execute("insert into t values (1)")
        _ = try connection.query("select pg_sleep(60) as second_nap")
      }
    }
    try await awaitRunning("second_nap", pool)
    task.cancel()
    let error = await #expect(throws: PostgresError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    #expect(try await pool.query("select from t").isEmpty)
    await pool.close()
  }

  @Test func `cancelling the task cancels a pipeline and a copy`() async throws {
    let pool = try await makePool(maximumConnections: 4)
    try await pool.execute("create table t (x int)")
    let pipeline = Task {
      try await pool.withConnection { connection in
        try connection.pipeline([("select 1", []), ("select pg_sleep(60) as third_nap", [])]).count
      }
    }
    try await awaitRunning("third_nap", pool)
    pipeline.cancel()
    let error = await #expect(throws: PostgresError.self) { try await pipeline.value }
    #expect(error?.code == .cancelled)

    let copy = Task {
      try await pool.withConnection { connection in
        // Endless: only the cancellation ends it.
        try connection.copyIn("copy t from stdin", rows: sequence(first: [1]) { $0 })
      }
    }
    try await awaitRunning("copy t", pool)
    copy.cancel()
    let copyError = await #expect(throws: PostgresError.self) { try await copy.value }
    #expect(copyError?.code == .cancelled)
    #expect(try await pool.query("select from t").isEmpty)
    await pool.close()
  }

  @Test func `a cancelled task starts nothing`() async throws {
    let pool = try await makePool()
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await pool.query("select 1")
    }
    task.cancel()
    let error = await #expect(throws: PostgresError.self) { try await task.value }
    #expect(error?.code == .cancelled)
    await pool.close()
  }

  @Test func `a deadline ends the call, stops the query and closes the connection`() async throws {
    var configuration = try await ThrowawayCluster.shared.makeConfiguration()
    // Far beyond what is asserted below, so that only the call's own deadline can end it in time.
    configuration.statementTimeout = .seconds(600)
    let pool = PostgresPool(configuration: configuration)
    _ = try await pool.query("select 1")
    let before = ContinuousClock.now
    let error = await #expect(throws: PostgresError.self) {
      try await pool.query("select pg_sleep(600) as fourth_nap", deadline: .milliseconds(50))
    }
    #expect(error?.code == .deadlineExceeded)
    #expect(error?.description == "PostgreSQL did not answer before the deadline")
    #expect(ContinuousClock.now - before < .seconds(60))
    try await awaitRunning("fourth_nap", pool, count: 0)
    await pool.close()
  }

  @Test func `a scope's deadline bounds each of its calls`() async throws {
    let pool = try await makePool()
    _ = try await pool.query("select 1")
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withConnection(deadline: .milliseconds(100)) { connection in
        _ = try connection.query("select 1")
        _ = try connection.query("select pg_sleep(60)", deadline: .seconds(60))
      }
    }
    #expect(error?.code == .deadlineExceeded)
    await pool.close()
  }

  @Test func `a backend that is terminated costs its caller one transient error`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration)
    let task = Task { try await pool.query("select pg_sleep(60) as fifth_nap") }
    try await awaitRunning("fifth_nap", pool)
    try await pool.execute(
      """
      select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and query like '%fifth_nap%' and pid <> pg_backend_pid()
      """)
    let error = await #expect(throws: PostgresError.self) { try await task.value }
    #expect(error?.sqlState == "57P01")
    #expect(error?.isTransient == true)
    #expect(try await pool.query("select 1").count == 1)
    await pool.close()
  }

  @Test func `backends that die while idle are not noticed by anybody`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration, maximumConnections: 4)
    let killer = PostgresPool(configuration: configuration, maximumConnections: 1)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { try await pool.execute("select pg_sleep(0.05)") } }
      try await group.waitForAll()
    }
    try await killer.execute(
      """
      select pg_terminate_backend(pid, 5000) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()
      """)
    for _ in 0..<8 { #expect(try await pool.query("select 1").count == 1) }
    await pool.close()
    await killer.close()
  }

  @Test func `after a restart of the server things work again`() async throws {
    let directory = "/tmp/writ-restart-\(UInt32.random(in: 0 ... .max))"
    let first = try await PrivateCluster.start(directory: directory, durable: false)
    let pool = PostgresPool(
      configuration: try PostgresConfiguration(connectionString: first.connectionString()),
      maximumConnections: 2, waitTimeout: .seconds(30))
    try await pool.execute("create table t (x int)")
    let nap = Task { try await pool.query("select pg_sleep(60)") }
    let query = Statement(sql: "select from pg_stat_activity where query = 'select pg_sleep(60)'")
    try await eventually { try await pool.query(query).count == 1 }
    await first.stop()
    let error = await #expect(throws: PostgresError.self) { try await nap.value }
    #expect(error?.isTransient == true)
    // Asked while the server is away: waits for it.
    let early = Task { try await pool.query("select from t") }
    let second = try await PrivateCluster.start(directory: directory, durable: false)
    #expect(try await early.value.isEmpty)
    #expect(try await pool.query("select from t").isEmpty)
    await pool.close()
    await second.stop()
    try removeDirectory(directory)
  }

  @Test(.timeLimit(.minutes(1)))
  func `a server that is away is waited for, and then named`() async throws {
    let pool = PostgresPool(
      configuration: try PostgresConfiguration(connectionString: "host=/nonexistent dbname=x"),
      waitTimeout: .milliseconds(200), backoff: Backoff(base: .milliseconds(10)))
    let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
    #expect(error?.code == .connection)
    #expect(error?.isTransient == true)
    #expect(error?.description.hasPrefix("cannot connect to PostgreSQL: ") == true)
    await pool.close()
  }

  @Test func `the next host is taken when one does not answer`() async throws {
    let cluster = try await ThrowawayCluster.shared.cluster
    let configuration = try PostgresConfiguration(
      connectionString:
        "host=/nonexistent,192.0.2.1,\(cluster.socketDirectory) port=5432 user=postgres dbname=postgres",
      connectTimeout: .milliseconds(200))
    let pool = PostgresPool(configuration: configuration)
    #expect(try await pool.query("select 1").count == 1)
    await pool.close()
  }
}
