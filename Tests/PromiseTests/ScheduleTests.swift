// Schedules with whole processes: added by a command, fired once by several workers, carried out.

import AuthOSEmulator
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Schedules {
    @Test(.timeLimit(.minutes(1)))
    func `two workers fire every time of a schedule once, also when one of them is killed`()
      async throws
    {
      var options = FixtureOptions()
      options.worker = ["sweep-interval": "100ms"]
      try await WritFixture.with(options) { fixture in
        let added = try await fixture.run(
          [
            "schedules", "add", "create_user", "--name", "nightly", "--cron", "0 3 * * *",
            "--time-zone", "Europe/Berlin", "--input", "email=ada@acme.test",
          ], as: .admin)
        #expect(added.output.first?.hasPrefix("nightly  fires first at 20") == true)
        let first = try await fixture.startWorker("first")
        _ = try await fixture.startWorker("second")
        let rounds = 12
        for round in 1...rounds {
          if round == rounds / 2 { await first.destroy() }
          try await fixture.pool.execute(
            "update writ_data.schedule set next_fire_at = clock_timestamp()")
          try await awaiting("firing \(round)", within: .seconds(10), every: .milliseconds(20)) {
            try await Self.firings(fixture) >= round
          }
        }
        try await fixture.awaitEveryJob(within: .seconds(30))
        #expect(try await Self.firings(fixture) == rounds)
        let jobs = try await fixture.pool.query(
          "select count(*) as jobs from writ.job where actor = 'schedule nightly' and state = 'completed'"
        )[0]["jobs"].decode(as: Int.self)
        #expect(jobs == rounds)
        #expect(fixture.authOS.snapshot.users.map(\.email) == ["ada@acme.test"])
        let list = try await fixture.run(["schedules", "list"], as: .admin)
        #expect(list.output.last?.contains("completed") == true)
        let doctor = try await fixture.run(["doctor"], as: .admin)
        #expect(doctor.output.contains { $0.contains("1 schedule can order its job") })
      }
    }

    private static func firings(_ fixture: WritFixture) async throws -> Int {
      try await fixture.pool.query(
        "select count(*) as firings from writ.audit_event where event = 'schedule_fired'")[0][
          "firings"
        ].decode()
    }
  }
}
