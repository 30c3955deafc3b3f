// An upgrade from the first version: its database, jobs in every state, and what comes of them.

import AuthOSEmulator
import Foundation
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Upgrade {
    /// The jobs of `version-7.sql`, by number.
    private enum Job {
      static let completed = [1, 2, 3]
      static let discarded = 4
      static let cancelled = 5
      /// Their worker was killed while AuthOS did not answer.
      static let running = [6, 7, 9]
      static let waiting = 8
      static let available = [10, 11, 13]
      static let scheduled = 12
      /// Its journal ends with the intent of the third step.
      static let halfDone = 14
      static let retryable = 15
      static let review = 16
    }

    @Test(.timeLimit(.minutes(2)))
    func `jobs of the first version, in every state, run to their end after an upgrade`()
      async throws
    {
      let ada = "ada@acme.test"
      let grace = "grace@acme.test"
      var options = FixtureOptions()
      options.startsFrom =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("version-7.sql").path
      options.worker = ["sweep-interval": "100ms", "queues": "default,side"]
      options.users = [.person(ada, plan: "free"), .person(grace, plan: "free")]
      try await WritFixture.with(options) { fixture in
        #expect(
          try await Self.states(fixture) == [
            1: "completed", 2: "completed", 3: "completed", 4: "discarded", 5: "cancelled",
            6: "running", 7: "running", 8: "waiting predecessor", 9: "running", 10: "available",
            11: "available", 12: "scheduled", 13: "available", 14: "running", 15: "retryable",
            16: "waiting review",
          ])
        try await Self.name(ada, grace, fixture)
        try await Self.orderAgain(fixture)

        _ = try await fixture.startWorker()
        let replay = try await fixture.run(["jobs", "replay", "\(Job.discarded)"], as: .admin)
        #expect(replay.ended == .exited(0), "\(replay.errors)")
        try await fixture.pool.execute(
          "update writ_data.job set run_at = clock_timestamp() where state = 'scheduled'")
        try await fixture.awaitEveryJob(within: .seconds(60), hurries: true)

        var expected: [Int: String] = [:]
        for job in 1...16 { expected[job] = "completed" }
        expected[Job.discarded] = "discarded"
        expected[Job.cancelled] = "cancelled"
        expected[Job.review] = "waiting review"
        #expect(try await Self.states(fixture) == expected)
        try await Self.checkEffects(fixture, ada, grace)
        try await Self.checkTrail(fixture)
      }
    }

    /// The people and plans that the jobs are about are known to this test's AuthOS by other numbers.
    private static func name(_ ada: String, _ grace: String, _ fixture: WritFixture) async throws {
      let seeded = fixture.authOS.seeded
      let names = [
        "4687e965-68c4-4210-9c44-2a5c3c97d714": seeded.userIDs[ada],
        "9fb9aad1-c505-4349-b7b6-77c17d40430c": seeded.userIDs[grace],
        "a53c36d7-6cec-49e0-b585-27120fbbe785": seeded.planIDs["free"],
        "614f5601-77dc-4567-be8b-cf144dd4fc9a": seeded.planIDs["team"],
      ]
      for (old, new) in names {
        let parameters: [PostgresParameter] = [.text(old), .text(new ?? "unknown")]
        try await fixture.pool.execute(
          "update writ_data.job set payload = replace(payload::text, $1, $2)::jsonb", parameters)
        try await fixture.pool.execute(
          "update writ_data.journal set outputs = replace(outputs::text, $1, $2)::jsonb", parameters
        )
      }
    }

    /// Keys of before stand for the jobs of before, for the role that ordered those, one by one and in bulk.
    private static func orderAgain(_ fixture: WritFixture) async throws {
      let known = [("done-1", "done1"), ("running-1", "running"), ("scheduled-1", "scheduled")]
      for (key, name) in known {
        let call = "writ.create_user(email => '\(name)@acme.test', idempotency_key => '\(key)')"
        let id = try await fixture.order(call)
        let owner: Int = try await fixture.pool.query(
          """
          select job_id from writ_data.earlier_idempotency_key where key = $1
          """, [.text(key)])[0]["job_id"].decode()
        #expect(id == owner, "\(key) stands for job \(owner)")
      }
      let error = await #expect(throws: PostgresError.self) {
        try await fixture.order(
          "writ.create_user(email => 'other@acme.test', idempotency_key => 'done-1')")
      }
      #expect(error?.sqlState == "WR006")
      let bulk = try await fixture.database.withPool(.enqueuer) { pool in
        try await pool.query(
          """
          select jobs::bigint, known::bigint from writ.enqueue_many('create_user', '[
            {"email": "third@acme.test", "idempotency_key": "third-1"},
            {"email": "fresh@acme.test", "idempotency_key": "fresh-1"}
          ]'::jsonb)
          """)[0]
      }
      #expect(try bulk.decode("known", as: Int.self) == 1)
      #expect(try bulk.decode("jobs", as: Int.self) == 1)
    }

    private static func checkEffects(
      _ fixture: WritFixture, _ ada: String, _ grace: String
    ) async throws {
      let users = fixture.authOS.snapshot.users
      #expect(
        users.map(\.email).sorted() == [
          ada, "available@acme.test", "fresh@acme.test", grace, "lost@acme.test",
          "retryable@acme.test", "running@acme.test", "scheduled@acme.test", "third@acme.test",
        ])
      // The second order about her waited for the first.
      #expect(users.first { $0.email == ada }?.subscription?.planName == "free")
      #expect(users.first { $0.email == grace }?.subscription?.planName == "team")
    }

    /// Each job has one beginning and one end, as if there had been no upgrade.
    private static func checkTrail(_ fixture: WritFixture) async throws {
      let rows = try await fixture.pool.query(
        """
        select job_id, count(*) filter (where event = 'enqueued') as begun,
               count(*) filter (where event in ('completed', 'discarded', 'cancelled')) as ended
          from writ.audit_event where job_id is not null group by 1 order by 1
        """)
      for row in rows {
        let job: Int = try row.decode("job_id")
        let ends = job == Job.review ? 0 : job == Job.discarded ? 2 : 1
        #expect(try row.decode("begun", as: Int.self) == 1, "job \(job)")
        #expect(try row.decode("ended", as: Int.self) == ends, "job \(job)")
      }
      #expect(rows.count == 17)
    }

    private static func states(_ fixture: WritFixture) async throws -> [Int: String] {
      let rows = try await fixture.pool.query(
        "select id, concat_ws(' ', state, waiting_reason) as state from writ.job where id <= 16")
      return try rows.reduce(into: [:]) { states, row in
        states[try row.decode("id")] = try row.decode("state", as: String.self)
      }
    }
  }
}
