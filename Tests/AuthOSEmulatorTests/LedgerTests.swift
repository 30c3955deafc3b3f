// The ledger, the counts, and what a seed fixes.

import AuthOSEmulator
import JSON
import Testing

@Suite struct LedgerTests {
  @Test func `every record says who did what to whom, in order`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    fixture.subscribe(id)
    _ = fixture.service("DELETE", "users/\(id)")
    let records = fixture.authOS.ledger()
    #expect(records.map(\.sequence) == [1, 2, 3, 4, 5])
    #expect(records.map(\.requestNumber) == [1, 1, 2, 3, 3])
    #expect(records.allSatisfy { $0.actorKeyPrefix == String(fixture.key.prefix(15)) })
    #expect(records.allSatisfy { $0.userID == id && $0.email == "ada@acme.test" })
    #expect(records[2].planName == "pro")
    #expect(records[2].currentPeriodEnd?.rfc3339 == "2030-01-01T00:00:00Z")
    #expect(fixture.authOS.ledger(after: 3).map(\.effect) == [.linkRemoved, .subscriptionDeleted])
    #expect(fixture.authOS.ledger(after: 1, limit: 1).map(\.sequence) == [2])
    #expect(fixture.authOS.ledger(after: 9).isEmpty)
  }

  @Test func `neither ledger nor snapshot holds a secret`() {
    let fixture = Fixture(users: [
      SeedUser(
        email: "ada@acme.test",
        connectedAccounts: [
          SeedConnectedAccount(
            provider: "github", providerUserID: "42", scopes: ["repo"], grantedScopes: ["repo"],
            token: "gho_secret")
        ])
    ])
    let login = fixture.authenticate(
      "login", ["email": "owner@acme.test", "password": .string(Fixture.password)])
    let token = login["access_token"]?.stringValue ?? "-"
    let made = fixture.manage(
      "POST", "api-keys", ["name": "n", "permissions": ["read:users"]], token: token)
    let rotated = fixture.manage("POST", "secret/rotate", token: token)
    let provided = fixture.service(
      "POST", "provider-tokens",
      [
        "user_id": .string(fixture.authOS.seeded.userIDs["ada@acme.test"] ?? ""),
        "provider": "github", "scopes": ["repo"],
      ])
    #expect(provided["access_token"] == "gho_secret")
    let shown =
      fixture.authOS.ledger().map { $0.json.serialized() }.joined()
      + fixture.authOS.snapshot.json.serialized() + fixture.authOS.counts.json.serialized()
    let secrets = [
      Fixture.password, token, login["refresh_token"]?.stringValue ?? "-",
      made["key"]?.stringValue ?? "-", rotated["client_secret"]?.stringValue ?? "-", "gho_secret",
      fixture.key,
    ]
    for secret in secrets {
      #expect(secret.count > 5)
      #expect(!shown.contains(secret))
    }
  }

  @Test func `requests are counted by operation and status`() {
    let fixture = Fixture()
    _ = fixture.user("ada@acme.test")
    _ = fixture.user("ada@acme.test")
    _ = fixture.service("GET", "nothing")
    let counts = fixture.authOS.counts
    #expect(counts.total == 3)
    #expect(counts.answers[.init(operation: "createServiceUser", status: 201)] == 1)
    #expect(counts.answers[.init(operation: "createServiceUser", status: 200)] == 1)
    #expect(counts.answers[.init(operation: "unknown", status: 404)] == 1)
  }

  @Test func `the same seed gives the same identifiers`() {
    func seeded(_ number: UInt64) -> SeededValues {
      EmulatedAuthOS(
        seed: EmulatorSeed(number: number, users: [SeedUser(email: "ada@acme.test")]),
        at: Fixture.start
      ).seeded
    }
    #expect(seeded(1).planIDs == seeded(1).planIDs)
    #expect(seeded(1).userIDs == seeded(1).userIDs)
    #expect(seeded(1).serviceID != seeded(2).serviceID)
  }

  @Test func `the snapshot shows users, subscriptions, links and keys`() {
    let fixture = Fixture(users: [SeedUser(email: "b@acme.test", plan: "team", status: "paused")])
    _ = fixture.user("a@acme.test")
    let snapshot = fixture.authOS.snapshot
    #expect(snapshot.users.map(\.email) == ["a@acme.test", "b@acme.test"])
    #expect(snapshot.users[1].subscription?.planName == "team")
    #expect(snapshot.users[1].subscription?.status == "paused")
    #expect(snapshot.keys.map(\.name) == ["all", "none", "expired"])
  }
}
