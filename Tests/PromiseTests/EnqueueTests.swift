// An order belongs to the transaction that gives it.

import AuthOSEmulator
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Enqueueing {
    @Test(.timeLimit(.minutes(1)))
    func
      `an order whose transaction rolls back leaves nothing, and one that commits is carried out`()
      async throws
    {
      try await WritFixture.with { fixture in
        _ = try await fixture.startWorker()
        struct Regret: Error {}
        await #expect(throws: Regret.self) {
          try await fixture.database.withPool(.enqueuer) { pool in
            try await pool.withTransaction { connection in
              _ = try connection.query(
                "select writ.create_user(email => 'eve@acme.test', idempotency_key => 'once')")
              throw Regret()
            }
          }
        }
        let left = try await fixture.pool.query(
          """
          select (select count(*) from writ.job) + (select count(*) from writ_data.idempotency_key)
                 + (select count(*) from writ.audit_event where job_id is not null) as rows
          """)[0]["rows"].decode(as: Int.self)
        #expect(left == 0)
        let job = try await fixture.order(
          "writ.create_user(email => 'ada@acme.test', idempotency_key => 'once')")
        let again = try await fixture.order(
          "writ.create_user(email => 'ada@acme.test', idempotency_key => 'once')")
        #expect(job == again)
        try await fixture.awaitEveryJob(within: .seconds(20))
        #expect(fixture.authOS.snapshot.users.map(\.email) == ["ada@acme.test"])
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `two migrations at once both succeed, and each step is applied once`() async throws {
      let database = try await FixtureDatabase.makeEmpty()
      let environment = ["WRIT_DATABASE": database.connectionString(.superuser)]
      async let first = WritProcess.start(["migrate"], environment: environment)
      async let second = WritProcess.start(["migrate"], environment: environment)
      let both = try await [first, second]
      for process in both {
        let end = try await process.awaitEnd()
        #expect(end == .exited(0), "\(process.errors)")
      }
      let applied = both.flatMap(\.output).filter { $0.hasPrefix("applied") }
      #expect(Set(applied.map { $0.split(separator: " ")[1] }).count == applied.count)
      let versions = try await database.withPool(.superuser) { pool in
        try await pool.query("select version::int8 from writ_data.schema_migration order by 1")
          .map { try $0["version"].decode(as: Int.self) }
      }
      #expect(applied.contains { $0.contains("functions") })
      #expect(versions == Array(1..<applied.count))
    }
  }
}
