// The job type request_provider_token against the emulator.

import AuthOSEmulator
import JSON
import JobStore
import Secrets
import Testing

@testable import JobRunner

@Suite struct ProviderTokenTests {
  private let key = SealingPrivateKey()

  private func payload(_ workshop: Workshop, scopes: [String] = ["repo"]) -> JSONValue {
    [
      "user_id": JSONValue(workshop.authOS.seeded.userIDs["ada@example.com"]),
      "provider": "github", "scopes": .array(scopes.map { .string($0) }),
      "public_key": .string(key.publicKey.description),
    ]
  }

  private func ada(_ accounts: [SeedConnectedAccount] = []) -> [SeedUser] {
    [SeedUser(email: "ada@example.com", connectedAccounts: accounts)]
  }

  private func account(
    scopes: [String], granted: [String]?, token: String? = "canary-token-1f2e"
  ) -> SeedConnectedAccount {
    SeedConnectedAccount(
      provider: "github", providerUserID: "4711", scopes: scopes, grantedScopes: granted,
      token: token)
  }

  private func opened(_ job: Int, _ workshop: Workshop) async throws -> Secret {
    let result = try await workshop.admin.status(job).result
    return try SealedText(result?["access_token"]?.stringValue ?? "").open(with: key)
  }

  @Test func `a token is sealed to the requester and stands nowhere as it is`() async throws {
    let accounts = [account(scopes: ["repo"], granted: ["repo"])]
    try await Workshop.open(users: ada(accounts)) { workshop in
      try await workshop.withWorker { _, _ in
        let job = try await workshop.order("request_provider_token", payload(workshop))
        try await workshop.expect(job, toBe: "completed")
        #expect(try await opened(job, workshop) == Secret("canary-token-1f2e"))
        let sealed = try SealedText(
          try await workshop.admin.status(job).result?["access_token"]?.stringValue ?? "")
        #expect(
          sealed.context
            == SealingContext(
              environment: "default", jobType: "request_provider_token", job: job,
              output: "request.access_token"))
      }
      #expect(!(try await workshop.dump()).contains("canary-token-1f2e"))
      #expect(workshop.effects(.providerTokenIssued) == 1)
    }
  }

  static let reasons: [(code: String, accounts: [SeedConnectedAccount])] = [
    ("PROVIDER_LINK_REQUIRED", []),
    (
      "PROVIDER_GRANT_REQUIRED",
      [
        SeedConnectedAccount(
          provider: "github", providerUserID: "1", scopes: ["repo"], grantedScopes: nil,
          token: "canary-token-1f2e")
      ]
    ),
    (
      "PROVIDER_SCOPE_CONSENT_REQUIRED",
      [
        SeedConnectedAccount(
          provider: "github", providerUserID: "1", scopes: ["repo"],
          grantedScopes: ["read:user"], token: "canary-token-1f2e")
      ]
    ),
    (
      "PROVIDER_REAUTH_REQUIRED",
      [
        SeedConnectedAccount(
          provider: "github", providerUserID: "1", scopes: ["repo", "admin"],
          grantedScopes: ["repo"], token: "canary-token-1f2e")
      ]
    ),
  ]

  @Test(arguments: reasons)
  func `a job waits until its user has acted, and then brings the token`(
    reason: (code: String, accounts: [SeedConnectedAccount])
  ) async throws {
    try await Workshop.open(users: ada(reason.accounts)) { workshop in
      try await workshop.withWorker { _, _ in
        let job = try await workshop.order("request_provider_token", payload(workshop))
        try await workshop.expect(job, toBe: "waiting")
        let status = try await workshop.admin.status(job)
        #expect(status.waitingReason == "user_action")
        #expect(status.errorCode == reason.code)
        let url = try #require(status.actionURL)
        let prefix = workshop.authOS.settings.baseURL + "/connect/provider-token/"
        #expect(url.hasPrefix(prefix))
        let visit = EmulatedRequest(
          method: "GET", path: String(url.dropFirst(workshop.authOS.settings.baseURL.count)))
        #expect(workshop.authOS.respond(to: visit, at: .now()).response?.status == 200)
        _ = try await workshop.admin.checkNow(job)
        try await workshop.expect(job, toBe: "completed")
        let token = try await opened(job, workshop)
        let text = token.withBytes { String(decoding: $0, as: UTF8.self) }
        #expect(reason.accounts.isEmpty ? text.hasPrefix("emulated-") : text == "canary-token-1f2e")
        #expect(try await workshop.admin.status(job).actionURL == nil)
      }
    }
  }

  @Test func `a refusal ends the job with its reason`() async throws {
    try await Workshop.open(users: ada()) { workshop in
      try await workshop.withWorker { _, _ in
        let job = try await workshop.order(
          "request_provider_token", payload(workshop, scopes: ["everything"]))
        try await workshop.expect(job, toBe: "discarded")
        #expect(try await workshop.admin.status(job).errorCode == "FORBIDDEN")
      }
    }
  }
}
