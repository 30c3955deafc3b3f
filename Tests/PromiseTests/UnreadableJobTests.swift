// A job that no worker can read: what a person sees of it, and what he can do.

import AuthOSEmulator
import JSON
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `A job whose payload cannot be read` {
    @Test(.timeLimit(.minutes(1)))
    func `is shown as far as it can be, listed, replayed and cancelled`() async throws {
      var options = FixtureOptions()
      options.worker = ["sweep-interval": "200ms"]
      try await WritFixture.with(options) { fixture in
        let job = try await fixture.order("writ.create_user(email => 'ada@acme.test')")
        let deep = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
        _ = try await fixture.pool.query(
          "update writ_data.job set payload = $2 where id = $1",
          [.int(job), .json("{\"email\": \(deep)}")])
        _ = try await fixture.startWorker()
        try await fixture.awaitReview(of: job, attempt: 1)

        let shown = try await fixture.run(["jobs", "show", "\(job)"], as: .admin)
        #expect(shown.ended == .exited(0), "\(shown.errors)")
        let lines = shown.output.map { $0.replacing(#/ {2,}/#, with: "  ") }
        #expect(
          lines.contains(
            "  waits for a person: payload_unreadable: writ cannot read the job's payload; cancel the job, "
              + "and order it again: `writ jobs cancel \(job)`"))
        #expect(
          lines.contains(
            "  not shown  inputs: this version of writ cannot read it; in SQL: select payload from "
              + "writ.job where id = \(job)"))
        let asJSON = try await fixture.run(["jobs", "show", "\(job)", "--json"], as: .admin)
        let story = try JSONValue(parsing: asJSON.output.joined(separator: "\n"))
        #expect(story["job"]?["unreadable"] == ["payload"])
        #expect(story["job"]?["payload"] == nil)
        #expect(story["job"]?["last_error"]?["code"] == "payload_unreadable")
        let listed = try await fixture.run(["jobs", "list"], as: .admin)
        #expect(listed.output.contains { $0.contains("payload_unreadable") })

        let plan = try await fixture.run(["jobs", "replay", "\(job)", "--dry-run"], as: .admin)
        #expect(plan.ended == .exited(0), "\(plan.errors)")
        let replay = try await fixture.run(["jobs", "replay", "\(job)"], as: .admin)
        #expect(replay.ended == .exited(0), "\(replay.errors)")
        try await fixture.awaitReview(of: job, attempt: 2)
        let cancel = try await fixture.run(["jobs", "cancel", "\(job)"], as: .admin)
        #expect(cancel.ended == .exited(0), "\(cancel.errors)")
        let over = try await fixture.run(["jobs", "show", "\(job)"], as: .admin)
        #expect(over.ended == .exited(0), "\(over.errors)")
        #expect(fixture.authOS.snapshot.users.isEmpty)
      }
    }
  }
}

extension WritFixture {
  fileprivate func awaitReview(of job: Int, attempt: Int) async throws {
    try await awaiting("the job to wait for review", within: .seconds(20), every: .milliseconds(50))
    {
      try await self.pool.query(
        "select from writ.job where id = $1 and waiting_reason = 'review' and attempt = $2",
        [.int(job), .int(attempt)]
      ).count == 1
    }
  }
}
