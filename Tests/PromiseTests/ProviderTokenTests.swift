// A provider's token from the order to the requester's screen, with the user's consent in between.

import AuthOSEmulator
import Foundation
import JobStore
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `A provider token` {
    private static let token = "provider-token-of-grace-77f0"

    private static func status(_ fixture: WritFixture, _ job: Int) async throws -> JobStatus {
      try await fixture.database.withPool(.enqueuer) { try await JobStore(pool: $0).status(job) }
    }

    @Test(.timeLimit(.minutes(2)))
    func
      `waits for the user at the address that AuthOS gave, and is opened by its requester alone`()
      async throws
    {
      var options = FixtureOptions()
      options.users = [
        SeedUser(
          email: "grace@acme.test",
          connectedAccounts: [
            SeedConnectedAccount(
              provider: "github", providerUserID: "4711", scopes: ["repo"], grantedScopes: nil,
              token: Self.token)
          ])
      ]
      try await WritFixture.with(options) { fixture in
        fixture.authOS.baseURL = "http://127.0.0.1:\(fixture.port)"
        let file = "\(fixture.directory)/tokens.key"
        let made = try await fixture.run(["keys", "generate", "--output", file], as: .stranger)
        let publicKey = try #require(made.output.first)
        #expect(made.output.count == 1)
        _ = try await fixture.startWorker()
        let job = try await fixture.order(
          "writ.request_provider_token(user_id => '\(fixture.authOS.seeded.userIDs["grace@acme.test"] ?? "")',"
            + " provider => 'github', scopes => '{repo}', public_key => $1)", [.text(publicKey)])

        try await awaiting("the job to wait for its user", within: .seconds(30)) {
          try await Self.status(fixture, job).waitingReason == "user_action"
        }
        let waiting = try await Self.status(fixture, job)
        #expect(waiting.errorCode == "PROVIDER_GRANT_REQUIRED")
        let url = try #require(waiting.actionURL)
        let start = "http://127.0.0.1:\(fixture.port)/connect/provider-token/"
        #expect(url.hasPrefix(start) && UUID(uuidString: String(url.dropFirst(start.count))) != nil)
        let shown = try await fixture.run(["jobs", "show", "\(job)"], as: .admin)
        #expect(shown.output.contains { $0.contains("user must visit") && $0.contains(url) })
        let early = try await fixture.run(
          ["unseal", "--job", "\(job)", "--private-key", file], as: .enqueuer)
        #expect(early.output.isEmpty)
        #expect(
          early.errors.contains(
            "writ: job \(job) is waiting for user_action, and only a completed job has a result to open"
          ))

        // The user does what he is asked to.
        let visit = EmulatedRequest(
          method: "GET", path: String(url.dropFirst("http://127.0.0.1:\(fixture.port)".count)))
        #expect(fixture.authOS.respond(to: visit, at: .now()).response?.status == 200)
        let check = try await fixture.run(["jobs", "check", "\(job)"], as: .enqueuer)
        #expect(check.errors.isEmpty)
        try await fixture.awaitEveryJob(within: .seconds(30))

        let opened = try await fixture.run(
          ["unseal", "--job", "\(job)", "--private-key", file], as: .enqueuer)
        #expect(opened.output == [Self.token], "\(opened.errors)")
        let other = "\(fixture.directory)/other.key"
        _ = try await fixture.run(["keys", "generate", "--output", other], as: .stranger)
        let wrong = try await fixture.run(
          ["unseal", "--job", "\(job)", "--private-key", other], as: .enqueuer)
        #expect(wrong.output.isEmpty)
        #expect(wrong.errors.contains { $0.hasPrefix("writ: this was sealed to another key") })

        // The address was for the requester, not for the record.
        for table in ["writ.audit_event", "writ.journal", "writ.job"] {
          let rows = try await fixture.pool.query(
            Statement(
              sql: "select count(*) as n from \(table) as t where t::text like '%/connect/%'"))
          #expect(try rows[0]["n"].decode(as: Int.self) == 0, "\(table)")
        }
      }
    }
  }
}
