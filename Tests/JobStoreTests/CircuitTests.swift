// Circuit breakers in the database: who opens them, and what starts while one is open.

import Arazzo
import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

@Suite(.timeLimit(.minutes(5))) struct CircuitTests {
  private static let name = CircuitName(environment: "default", target: "authos")
  private static let policy = CircuitPolicy(
    jobs: 3, silence: .seconds(10), pause: .milliseconds(300))

  /// A database with the type `calling`, whose jobs call `authos`.
  private func with(_ body: @Sendable (TestDatabase) async throws -> Void) async throws {
    try await TestDatabase.with { database in
      let type = JobTypes.type(
        "calling", hash: "97", inputs: [], subject: nil, replay: "safe",
        targets: ["authos", "billing"])
      try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      try await body(database)
    }
  }

  private func order(_ database: TestDatabase, _ count: Int, _ type: String) async throws {
    try await database.sql("select writ.\(type)() from generate_series(1, $1::int)", [.int(count)])
  }

  private func claim(_ database: TestDatabase, _ worker: Int) async throws -> ClaimedJobs {
    try await database.store.claimJobs(
      worker: worker, queue: "default", environment: "default", limit: 100,
      lowerBounds: [Int](repeating: 0, count: 10))
  }

  private func open(_ database: TestDatabase, _ worker: Int) async throws -> CircuitVerdict {
    try await database.store.openCircuit(
      worker: worker, Self.name, Self.policy, failedJobs: 3, code: "connection_refused")
  }

  /// What a heartbeat tells and asks.
  @discardableResult
  private func ask(
    _ database: TestDatabase, _ worker: Int, environment: String = "default",
    answered: Set<CircuitName> = []
  ) async throws -> Set<CircuitName> {
    try await database.store.openCircuits(
      worker: worker, environments: [environment], answered: answered)
  }

  @Test func `while a circuit is open a type that calls the target starts one job in a pause`()
    async throws
  {
    try await with { database in
      let worker = try await database.worker()
      #expect(try await open(database, worker) == .open)
      try await order(database, 20, "calling")
      try await order(database, 5, "ping")
      let first = try await claim(database, worker)
      #expect(first.jobs.count { $0.type == "calling" } == 1)
      #expect(first.jobs.count { $0.type == "ping" } == 5)
      #expect(try await ask(database, worker) == [Self.name])
      #expect(try await ask(database, worker, environment: "other").isEmpty)
      let circuit = try #require(try await database.store.circuits().first)
      #expect(circuit.jobTypes == ["calling"])
      #expect(circuit.parkedJobs == 19)
      // A circuit is no limit that somebody set.
      #expect(try await database.store.limits().contains { $0.type == "calling" } == false)
      let wait = try #require(first.nextStart)
      #expect(wait <= .milliseconds(300))
      try await Task.sleep(for: max(wait, .zero) + .milliseconds(10))
      #expect(try await claim(database, worker).jobs.map(\.type) == ["calling"])
    }
  }

  @Test func `after an answer everything starts again`() async throws {
    try await with { database in
      let worker = try await database.worker()
      #expect(try await open(database, worker) == .open)
      try await order(database, 20, "calling")
      #expect(try await claim(database, worker).jobs.count == 1)
      #expect(try await database.store.closeCircuit(worker: worker, Self.name))
      #expect(try await database.store.closeCircuit(worker: worker, Self.name) == false)
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await claim(database, worker).jobs.count == 19)
      let events = try await database.sql(
        """
        select event, error_code, recorded from writ.audit_event
         where event like 'circuit%' order by id
        """)
      #expect(
        try events.map { try $0.decode("event", as: String.self) } == [
          "circuit_opened", "circuit_closed",
        ])
      #expect(try events[0].decode("error_code") == "connection_refused")
      #expect(try events[0].decodeJSON("recorded") == ["target": "authos", "failed_jobs": 3])
      #expect(try events[1].decodeJSON("recorded")?["target"] == "authos")
    }
  }

  @Test func `a worker that fails alone opens no circuit`() async throws {
    try await with { database in
      let lost = try await database.worker()
      let well = try await database.worker()
      try await ask(database, well, answered: [Self.name])
      #expect(try await open(database, lost) == .othersGetThrough)
      // What another target has answered, or this one long ago, says nothing.
      try await database.sql(
        "update writ_data.target_answer set answered_at = clock_timestamp() - interval '11 s'")
      try await ask(
        database, well, answered: [CircuitName(environment: "default", target: "billing")])
      #expect(try await open(database, lost) == .open)
      // Its own answers are what it has told apart itself.
      #expect(try await database.store.closeCircuit(target: "authos"))
      try await ask(database, lost, answered: [Self.name])
      #expect(try await open(database, lost) == .open)
    }
  }

  @Test func `what nobody calls and who has no lease opens no circuit`() async throws {
    try await with { database in
      let worker = try await database.worker()
      let other = CircuitName(environment: "default", target: "elsewhere")
      #expect(
        try await database.store.openCircuit(
          worker: worker, other, Self.policy, failedJobs: 3, code: "tls_failed") == .notCalled)
      try await database.store.deregisterWorker(worker)
      #expect(try await open(database, worker) == .leaseEnded)
      #expect(try await database.store.circuits().isEmpty)
    }
  }

  @Test(arguments: [
    "select writ.close_circuit('authos')",
    "select writ.set_limit('calling', rate => 5, per => '1 s')",
    "select writ.create_environment('staging', true)",
  ])
  func `no worker waits for a transaction that a person leaves open`(call: String) async throws {
    try await with { database in
      let worker = try await database.worker()
      let opener = try await database.worker()
      #expect(try await open(database, worker) == .open)
      try await order(database, 5, "calling")
      try await database.pool.withTransaction { connection in
        _ = try connection.query(Statement(sql: call))
        let isClosing = call.contains("close")
        let start = ContinuousClock.now
        #expect(try await open(database, opener) == .open)
        #expect(try await ask(database, worker, answered: [Self.name]) == [Self.name])
        #expect(try await claim(database, worker).jobs.count == 1)
        #expect(try await database.store.closeCircuit(worker: worker, Self.name) == !isClosing)
        #expect(.now - start < .seconds(5))
      }
    }
  }

  @Test func `what the program reads of a type that has no targets yet is not up to date`()
    async throws
  {
    try await TestDatabase.with { database in
      let catalogue = try Catalogue.load(files: EmbeddedCatalogue.documents)
      let type = try #require(catalogue.jobType("get_user"))
      try await database.store.publish(type)
      func isUpToDate() async throws -> Bool {
        try #require(try await database.store.jobTypes().first { $0.name == "get_user" })
          .isUpToDate(with: type)
      }
      #expect(try await isUpToDate())
      try await database.sql("update writ_data.job_type set targets = '{}' where name = 'get_user'")
      #expect(try await !isUpToDate())
      #expect(try await database.store.publish(type))
      #expect(try await isUpToDate())
      #expect(try await !database.store.publish(type))
    }
  }

  @Test func `a type's own slower rate stays in force, and comes back`() async throws {
    try await with { database in
      let worker = try await database.worker()
      try await database.store.setLimit(type: "calling", rate: 2, per: .seconds(3_600))
      #expect(try await open(database, worker) == .open)
      try await order(database, 5, "calling")
      let claimed = try await claim(database, worker)
      #expect(claimed.jobs.count == 1)
      // Not a pause of 300 ms: half an hour, as the rate says.
      #expect(try #require(claimed.nextStart) > .seconds(1_700))
      let limit = try #require(try await database.store.limits().first { $0.type == "calling" })
      #expect(limit.rate == 2)
      #expect(limit.period == .seconds(3_600))
    }
  }

  @Test func `an administrator closes a circuit, and nobody else`() async throws {
    try await with { database in
      let worker = try await database.worker()
      #expect(try await open(database, worker) == .open)
      for role in ["app_one", "the_auditor", "the_worker"] {
        let refusal = await #expect(throws: PostgresError.self) {
          try await database.asRole(role) { pool in
            _ = try await JobStore(pool: pool).closeCircuit(target: "authos")
          }
        }
        #expect(refusal?.sqlState == "42501")
      }
      #expect(try await database.store.closeCircuit(target: "billing") == false)
      #expect(try await database.store.closeCircuit(target: "authos"))
      #expect(try await database.store.circuits().isEmpty)
      let refusal = await #expect(throws: PostgresError.self) {
        try await database.store.closeCircuit(target: "authos", environment: "nowhere")
      }
      #expect(refusal?.sqlState == "WR004")
    }
  }

  @Test func `publishing anew what has no targets yet brings them`() async throws {
    try await with { database in
      try await database.sql("update writ_data.job_type set targets = '{}' where name = 'calling'")
      let type = JobTypes.type(
        "calling", hash: "97", inputs: [], subject: nil, replay: "safe",
        targets: ["authos", "billing"])
      let row = try await database.sql(
        "select writ.publish_job_type($1) as changed", [.json(type.serialized())])[0]
      #expect(try row.decode("changed", as: Bool.self))
      #expect(
        try await database.sql("select targets from writ.job_type where name = 'calling'")[0]
          .decode("targets", as: [String].self) == ["authos", "billing"])
    }
  }
}
