// What `writ doctor` says of an installation that does not do what was ordered.

import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `The doctor` {
    @Test(.timeLimit(.minutes(1)))
    func `names each queue whose jobs have been due for long, and no other`() async throws {
      try await WritFixture.with { fixture in
        _ = try await fixture.startWorker()
        let lost = "writ.create_user(email => 'ada@acme.test', queue => 'nobody')"
        try await fixture.order(lost)
        #expect(try await Self.findings(fixture, about: "queue ").isEmpty)
        try await fixture.pool.execute(
          "update writ_data.job set run_at = clock_timestamp() - interval '2 hours'")
        try await fixture.order("writ.create_user(email => 'bob@acme.test', queue => 'reports')")
        #expect(
          try await Self.findings(fixture, about: "queue ") == [
            "warn  queue default/nobody  1 due, the oldest for 2 h 00 m; see that a live worker has it in "
              + "worker.queues, or add workers or slots"
          ])
        #expect(
          try await Self.findings(fixture, about: "backlog") == [
            "warn  backlog  2 due, the oldest for 2 h 00 m; see `writ jobs list --state available`"
          ])
      }
    }

    /// The lines about a subject, with two spaces between columns.
    private static func findings(
      _ fixture: WritFixture, about subject: String
    ) async throws -> [String] {
      let doctor = try await fixture.run(["doctor"], as: .admin)
      return doctor.output.map { $0.replacing(#/ {2,}/#, with: "  ") }.filter {
        $0.split(separator: "  ").dropFirst().first?.hasPrefix(subject) == true
      }
    }
  }
}
