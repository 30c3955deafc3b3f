// Public keys as inputs: a wrong one is refused when the job is ordered, and not after a request left.

import JSON
import Postgres
import Testing

@testable import Secrets

@Suite struct `A public key as an input` {
  private static let type = JobTypes.type(
    "ask_token", hash: "ee",
    inputs: [["name": "public_key", "kind": "public_key", "required": true]], subject: nil,
    replay: "safe")

  private func with(_ body: @Sendable (TestDatabase) async throws -> Void) async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        "select writ.publish_job_type($1)", [.json(Self.type.serialized())])
      try await body(database)
    }
  }

  @Test func `is taken as writ keys generate prints it`() async throws {
    try await with { database in
      for _ in 0..<20 {
        let key = SealingPrivateKey().publicKey.description
        let job = try await database.number("select writ.ask_token($1)", [.text(key)])
        #expect(job > 0)
      }
    }
  }

  @Test func `is refused in one sentence that does not repeat it`() async throws {
    let key = SealingPrivateKey()
    let whole = key.publicKey.description
    let small = SealingPublicKey.pointsOfSmallOrder.map { SealingPublicKey(bytes: $0).description }
    let wrong =
      small + [
        String(whole.dropLast()), whole + "A", " " + whole, "", "ssh-ed25519 AAAA",
        String(whole.dropLast()) + (whole.hasSuffix("A") ? "B" : "A"),
        whole.replacing("v1", with: "v2"),
      ]
    try await with { database in
      for text in wrong {
        let error = try await database.refusal("select writ.ask_token('\(text)')")
        #expect(error.sqlState == "WR001", "\(text)")
        #expect(
          error.serverMessage == "ask_token: public_key must be a public key of writ keys generate")
        #expect(text.isEmpty || !error.description.contains(text))
      }
      #expect(try await database.number("select count(*) from writ_data.job") == 0)
    }
  }

  @Test func `is refused as a secret where a private key stands, wherever it stands`() async throws
  {
    let text = SealingPrivateKey().text.withBytes { String(decoding: $0, as: UTF8.self) }
    try await with { database in
      let error = try await database.refusal("select writ.ask_token('\(text)')")
      #expect(error.sqlState == "WR001")
      #expect(!error.description.contains(text))
      let other = try await database.refusal(
        "select writ.change_plan(user_id => '0a000000-0000-4000-8000-00000000c0de', plan => '\(text)')"
      )
      #expect(other.sqlState == "WR005")
      #expect(!other.description.contains(text))
    }
  }
}
