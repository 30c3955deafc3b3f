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

    @Test(.timeLimit(.minutes(1)))
    func `tells which targets answer nobody, and which types have no circuit`() async throws {
      try await WritFixture.with { fixture in
        #expect(
          try await Self.findings(fixture, about: "circuit") == ["ok  circuits  none is open"])
        try await fixture.pool.execute(
          """
          insert into writ_data.circuit
          values (timestamptz '2026-11-29 05:30:20Z', interval '10 s', 1, 10, 'default', 'authos',
            'bad_gateway');
          """)
        try await fixture.pool.execute(
          "update writ_data.job_type set targets = '{}' where name in ('get_user', 'change_plan')")
        #expect(
          try await Self.findings(fixture, about: "circuit") == [
            "warn  circuit default/authos  open since 2026-11-29T05:30:20Z for bad_gateway, 0 jobs parked; "
              + "see that the target answers, it closes by itself then"
          ])
        #expect(
          try await Self.findings(fixture, about: "job types").last
            == "warn  job types  published by a version before circuits, so that an outage uses up their attempts: "
            + "change_plan, get_user; run `writ types publish`")
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
