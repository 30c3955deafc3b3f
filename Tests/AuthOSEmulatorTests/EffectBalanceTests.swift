// What counts as done twice: by what is left, and by the values that something went through.

import AuthOSEmulator
import JSON
import Testing

@Suite struct EffectBalanceTests {
  /// What the second run did beyond the first; each at a server of its own that holds one subscriber.
  private static func doubled(
    _ second: (Fixture, _ user: String) -> Void, beyond first: (Fixture, _ user: String) -> Void
  ) -> [String] {
    func balance(_ run: (Fixture, String) -> Void) -> EffectBalance {
      let fixture = Fixture(users: [SeedUser(email: "ada@acme.test", plan: "free")])
      run(fixture, fixture.authOS.seeded.userIDs["ada@acme.test"] ?? "")
      return EffectBalance(fixture.authOS.ledger())
    }
    return balance(second).doubled(beyond: balance(first))
  }

  private static func update(_ fixture: Fixture, _ user: String, _ body: JSONValue) {
    #expect(fixture.service("PATCH", "subscriptions/\(user)", body).status == 200)
  }

  @Test func `an update that is sent again is written once`() {
    let ends: JSONValue = ["status": "paused", "current_period_end": "2031-01-01T00:00:00Z"]
    let once = { (fixture: Fixture, user: String) in Self.update(fixture, user, ends) }
    let twice = { (fixture: Fixture, user: String) in
      Self.update(fixture, user, ends)
      Self.update(fixture, user, ends)
    }
    #expect(Self.doubled(twice, beyond: once) == [])
    let fixture = Fixture(users: [SeedUser(email: "ada@acme.test", plan: "free")])
    twice(fixture, fixture.authOS.seeded.userIDs["ada@acme.test"] ?? "")
    #expect(fixture.authOS.ledger().map(\.changedNothing) == [false, true])
  }

  @Test func `a subscription that is extended twice is found`() {
    #expect(
      Self.doubled(
        {
          Self.update($0, $1, ["current_period_end": "2031-01-01T00:00:00Z"])
          Self.update($0, $1, ["current_period_end": "2032-01-01T00:00:00Z"])
        }, beyond: { Self.update($0, $1, ["current_period_end": "2031-01-01T00:00:00Z"]) })
        == ["subscription changed once too often"])
  }

  @Test func `what is put back is no change`() {
    #expect(
      Self.doubled(
        {
          Self.update($0, $1, ["status": "paused"])
          Self.update($0, $1, ["status": "active"])
          Self.update($0, $1, ["status": "paused"])
        }, beyond: { Self.update($0, $1, ["status": "paused"]) }) == [])
  }

  @Test func `a client secret that is rotated twice is found, and so is a second name`() {
    let rotate = { (fixture: Fixture, count: Int) in
      let token = fixture.token()
      for _ in 0..<count {
        #expect(fixture.manage("POST", "secret/rotate", token: token).status == 200)
      }
    }
    #expect(
      Self.doubled(
        { fixture, _ in rotate(fixture, 3) }, beyond: { fixture, _ in rotate(fixture, 1) })
        == ["client secret changed 2 times too often"])
    let rename = { (fixture: Fixture, names: [String]) in
      for name in names {
        #expect(fixture.service("PATCH", "info", ["name": .string(name)]).status == 200)
      }
    }
    #expect(
      Self.doubled(
        { fixture, _ in rename(fixture, ["A", "A", "B"]) },
        beyond: { fixture, _ in rename(fixture, ["A"]) })
        == ["service name changed once too often"])
  }

  @Test func `what is made twice and taken away once is made once`() {
    let make = { (fixture: Fixture, made: Int, removed: Int) in
      let token = fixture.token()
      for index in 0..<made {
        let key = fixture.manage(
          "POST", "api-keys", ["name": "n", "permissions": ["read:users"]], token: token)
        guard index < removed else { continue }
        _ = fixture.manage("DELETE", "api-keys/\(key["id"]?.stringValue ?? "")", token: token)
      }
    }
    #expect(
      Self.doubled(
        { fixture, _ in make(fixture, 2, 1) }, beyond: { fixture, _ in make(fixture, 1, 0) })
        == [])
    #expect(
      Self.doubled(
        { fixture, _ in make(fixture, 3, 0) }, beyond: { fixture, _ in make(fixture, 1, 0) })
        == ["2 API keys too many"])
  }

  @Test func `revoking is counted, and a revocation that did not come to its end is none too many`()
  {
    let remove = { (fixture: Fixture, users: [String]) in
      for user in users {
        #expect(fixture.service("DELETE", "users/\(user)").status == 204)
      }
    }
    #expect(Self.doubled({ _, _ in }, beyond: { remove($0, [$1]) }) == [])
    #expect(
      Self.doubled(
        { fixture, user in
          let other = fixture.authOS.plant(
            SeedUser(email: "g@acme.test", plan: "pro"), at: fixture.now)
          remove(fixture, [user, other])
        }, beyond: { remove($0, [$1]) }) == [
          "1 link too many taken away", "1 subscription too many taken away",
        ])
  }
}
