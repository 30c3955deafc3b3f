// Users of a service, and the two statements that are not one transaction.

import AuthOSEmulator
import JSON
import Testing

@Suite struct ServiceUserTests {
  @Test func `creating a user twice answers 201, then 200 with the same body`() {
    let fixture = Fixture()
    let first = fixture.service("POST", "users", ["email": "ada@acme.test"])
    let second = fixture.service("POST", "users", ["email": "ada@acme.test"])
    #expect(first.status == 201)
    #expect(second.status == 200)
    #expect(first.text == second.text)
    #expect(first.json?.objectValue?.names == ["id", "email", "created_at"])
    #expect(first["created_at"] == "2026-07-20T09:33:20Z")
    #expect(fixture.effects == [.userInserted, .linkInserted])
  }

  @Test func `a user of the organization without a link is linked under the same id`() {
    let fixture = Fixture(users: [SeedUser(email: "ada@acme.test", isLinked: false)])
    let id = fixture.authOS.seeded.userIDs["ada@acme.test"] ?? ""
    #expect(fixture.service("GET", "users/\(id)").summary == notLinked)
    let reply = fixture.service("POST", "users", ["email": "ada@acme.test"])
    #expect(reply.status == 201)
    #expect(reply["id"] == .string(id))
    #expect(fixture.effects == [.linkInserted])
  }

  @Test func `platform users are not users of the organization, even with the same email`() {
    let fixture = Fixture()
    let reply = fixture.service("POST", "users", ["email": "owner@acme.test"])
    #expect(reply.status == 201)
    #expect(reply["id"] != fixture.authOS.seeded.accountIDs["owner@acme.test"].map { .string($0) })
  }

  @Test func `an email needs an at sign and is kept as it was sent`() {
    let fixture = Fixture()
    #expect(
      fixture.service("POST", "users", ["email": "ada"]).summary
        == "400 BAD_REQUEST: Invalid email format")
    #expect(fixture.service("POST", "users", ["email": " Ada@ACME.test "]).status == 201)
    #expect(fixture.service("POST", "users", ["email": "ada@acme.test"]).status == 201)
  }

  @Test func `lists show the newest link first, and a renewed link is new`() {
    let fixture = Fixture()
    let ids = ["a@x.test", "b@x.test", "c@x.test"].map { fixture.user($0) }
    _ = fixture.service("DELETE", "users/\(ids[0])")
    _ = fixture.user("a@x.test")
    let page = fixture.service("GET", "users?limit=2")
    #expect(page["users"]?.arrayValue?.map { $0["email"] } == ["a@x.test", "c@x.test"])
    #expect(page["total"] == 3)
    let rest = fixture.service("GET", "users?limit=2&offset=2")
    #expect(rest["users"]?.arrayValue?.map { $0["email"] } == ["b@x.test"])
  }

  @Test func `an update reads, and refuses any email before it looks for the user`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    let refused =
      "403 FORBIDDEN: Service API keys cannot update organization user profile fields"
    #expect(fixture.service("PATCH", "users/none", ["email": "x"]).summary == refused)
    #expect(fixture.service("PATCH", "users/none", ["email": nil]).summary == notLinked)
    #expect(fixture.service("PATCH", "users/\(id)", [:])["email"] == "ada@acme.test")
  }

  @Test func `deleting a user removes link and subscription, and the second time is 404`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    fixture.subscribe(id)
    let reply = fixture.service("DELETE", "users/\(id)")
    #expect(reply.summary == "204")
    #expect(fixture.service("DELETE", "users/\(id)").summary == notLinked)
    #expect(
      fixture.service("GET", "subscriptions/\(id)").summary
        == "404 NOT_FOUND: Subscription not found for this user")
    #expect(fixture.effects.suffix(2) == [.linkRemoved, .subscriptionDeleted])
  }

  @Test(arguments: Fault.Interruption.allCases)
  func `a creation that stops half-way leaves a user that a repetition links`(
    interruption: Fault.Interruption
  ) {
    let fixture = Fixture(
      faults: FaultPlan(rules: [
        FaultRule(FaultRoute(.createServiceUser), script: [.stopHalfWay(interruption)])
      ]))
    let first = fixture.service("POST", "users", ["email": "ada@acme.test"])
    #expect(
      first.status == [.databaseError: 500, .timeout: 408, .connectionDropped: 0][interruption])
    #expect(fixture.effects == [.userInserted])
    #expect(fixture.service("GET", "users")["total"] == 0)
    #expect(fixture.service("POST", "users", ["email": "ada@acme.test"]).status == 201)
    #expect(fixture.effects == [.userInserted, .linkInserted])
  }

  @Test(arguments: [Fault.stopHalfWay(.timeout), .silentSubscriptionDeleteFailure])
  func `a deletion cut short leaves an orphan that only linking again can remove`(fault: Fault) {
    let fixture = Fixture(
      faults: FaultPlan(rules: [FaultRule(FaultRoute(.deleteServiceUser), script: [fault])]))
    let id = fixture.user("ada@acme.test")
    fixture.subscribe(id)
    let first = fixture.service("DELETE", "users/\(id)")
    #expect(first.status == (fault == .silentSubscriptionDeleteFailure ? 204 : 408))
    #expect(fixture.service("DELETE", "users/\(id)").summary == notLinked)
    #expect(fixture.service("DELETE", "subscriptions/\(id)").summary == notLinked)
    #expect(fixture.service("GET", "subscriptions/\(id)").status == 200)
    #expect(fixture.user("ada@acme.test") == id)
    #expect(fixture.service("DELETE", "subscriptions/\(id)").status == 204)
    #expect(fixture.service("DELETE", "users/\(id)").status == 204)
    #expect(fixture.service("GET", "subscriptions/\(id)").status == 404)
  }

  @Test func `analytics count distinct users, all and active subscriptions`() {
    let fixture = Fixture()
    for (index, status) in ["active", "canceled", "Active"].enumerated() {
      let id = fixture.user("user\(index)@acme.test")
      fixture.subscribe(id)
      _ = fixture.service("PATCH", "subscriptions/\(id)", ["status": .string(status)])
    }
    _ = fixture.user("user3@acme.test")
    #expect(
      fixture.service("GET", "analytics").json == [
        "total_users": 4, "total_subscriptions": 3, "active_subscriptions": 1,
        "total_logins_30d": 0, "unique_users_30d": 0,
      ])
  }

  @Test func `a service can be renamed, even to nothing, and null renames nothing`() {
    let fixture = Fixture()
    let info = fixture.service("GET", "info")
    #expect(info.json?.objectValue?.names == ["id", "name", "slug", "service_type", "created_at"])
    #expect(fixture.service("PATCH", "info", ["name": nil]).text == info.text)
    #expect(fixture.service("PATCH", "info", ["name": ""])["name"] == "")
    #expect(fixture.effects == [.serviceRenamed])
  }
}
