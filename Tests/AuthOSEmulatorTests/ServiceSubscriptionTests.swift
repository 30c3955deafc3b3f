// Subscriptions: one for each user, 500 for a second, and dates that GET gets wrong.

import AuthOSEmulator
import JSON
import Testing

@Suite struct ServiceSubscriptionTests {
  private let notFound = "404 NOT_FOUND: Subscription not found for this user and service"

  @Test func `a subscription is made with 200 and the true period end`() {
    let fixture = Fixture()
    let reply = fixture.subscribe(
      fixture.user("ada@acme.test"), until: "2030-01-01T02:00:00.5+02:00")
    #expect(reply.status == 200)
    #expect(
      reply.json?.objectValue?.names == [
        "id", "user_id", "plan_id", "plan_name", "status", "current_period_end",
      ])
    #expect(reply["current_period_end"] == "2030-01-01T00:00:00.500Z")
    #expect(reply["plan_name"] == "pro")
    #expect(reply["status"] == "active")
  }

  @Test func `without a period end it is 30 days from now`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    let reply = fixture.service(
      "POST", "subscriptions",
      ["user_id": .string(id), "plan_id": .string(fixture.plans["free"] ?? ""), "status": ""])
    #expect(reply["current_period_end"] == "2026-08-19T09:33:20.123456789Z")
    #expect(reply["status"] == "")
  }

  @Test func `checks come in order: plan, its service, link, date, uniqueness`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    func create(_ userID: String, _ planID: String, _ end: String) -> String {
      fixture.service(
        "POST", "subscriptions",
        [
          "user_id": .string(userID), "plan_id": .string(planID),
          "current_period_end": .string(end),
        ]
      ).summary
    }
    let plan = fixture.plans["pro"] ?? ""
    let other = fixture.authOS.seeded.otherServicePlanID
    #expect(create("none", "none", "x") == "404 NOT_FOUND: Plan not found")
    #expect(create("none", other, "x") == "403 FORBIDDEN: Plan does not belong to this service")
    #expect(create("none", plan, "x") == notLinked)
    #expect(
      create(id, plan, "2030")
        == "400 BAD_REQUEST: Invalid current_period_end: premature end of input")
    #expect(create(id, plan, "2030-01-01T00:00:00Z").hasPrefix("200"))
    #expect(create(id, plan, "2030-01-01T00:00:00Z") == databaseError)
    #expect(create(id, fixture.plans["team"] ?? "", "2031-01-01T00:00:00Z") == databaseError)
    #expect(fixture.effects.filter { $0 == .subscriptionInserted }.count == 1)
  }

  @Test func `on SQLite every GET shows the clock, while PATCH shows the truth`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    fixture.subscribe(id)
    fixture.now = Fixture.start.adding(seconds: 5)
    let clock = JSONValue.string(fixture.now.rfc3339)
    #expect(fixture.service("GET", "subscriptions/\(id)")["current_period_end"] == clock)
    #expect(
      fixture.service("GET", "subscriptions")["subscriptions"]?[0]?["current_period_end"] == clock)
    #expect(
      fixture.service("PATCH", "subscriptions/\(id)", [:])["current_period_end"]
        == "2030-01-01T00:00:00Z")
  }

  @Test func `on SQL servers GET fails as soon as there is a row`() {
    let fixture = Fixture(settings: EmulatorSettings(dateMode: .sqlServer))
    let id = fixture.user("ada@acme.test")
    #expect(fixture.service("GET", "subscriptions/\(id)").status == 404)
    #expect(fixture.service("GET", "subscriptions").json == ["subscriptions": [], "total": 0])
    let made = fixture.subscribe(id, until: "2030-01-01T00:00:00.123456789Z")
    #expect(made["current_period_end"] == "2030-01-01T00:00:00.123456Z")
    #expect(fixture.service("GET", "subscriptions/\(id)").summary == databaseError)
    #expect(fixture.service("GET", "subscriptions").summary == databaseError)
    #expect(fixture.service("GET", "subscriptions?offset=1").status == 200)
    #expect(fixture.service("PATCH", "subscriptions/\(id)", [:]).status == 200)
  }

  @Test func `SQL servers refuse texts that are too long for their columns`() {
    let fixture = Fixture(settings: EmulatorSettings(dateMode: .sqlServer))
    let email = String(repeating: "a", count: 250) + "@x.test"
    #expect(fixture.service("POST", "users", ["email": .string(email)]).summary == databaseError)
    let id = fixture.user("ada@acme.test")
    fixture.subscribe(id)
    let status = JSONValue.string(String(repeating: "s", count: 51))
    #expect(
      fixture.service("PATCH", "subscriptions/\(id)", ["status": status]).summary == databaseError)
  }

  @Test func `in ideal mode GET shows the truth`() {
    let fixture = Fixture(settings: EmulatorSettings(dateMode: .ideal))
    let id = fixture.user("ada@acme.test")
    fixture.subscribe(id)
    #expect(
      fixture.service("GET", "subscriptions/\(id)")["current_period_end"] == "2030-01-01T00:00:00Z")
  }

  @Test func `lists follow the true period end even while they show the clock`() {
    let fixture = Fixture()
    for year in [2031, 2033, 2032] {
      fixture.subscribe(fixture.user("\(year)@x.test"), until: "\(year)-01-01T00:00:00Z")
    }
    let reply = fixture.service("GET", "subscriptions")
    let expected = ["2033@x.test", "2032@x.test", "2031@x.test"].map { fixture.user($0) }
    #expect(
      reply["subscriptions"]?.arrayValue?.compactMap { $0["user_id"]?.stringValue } == expected)
  }

  @Test func `a list can be narrowed to one exact status`() {
    let fixture = Fixture()
    for status in ["active", "canceled"] {
      let id = fixture.user("\(status)@x.test")
      fixture.subscribe(id)
      _ = fixture.service("PATCH", "subscriptions/\(id)", ["status": .string(status)])
    }
    #expect(fixture.service("GET", "subscriptions?status=canceled")["total"] == 1)
    #expect(fixture.service("GET", "subscriptions?status=Canceled")["total"] == 0)
    #expect(fixture.service("GET", "subscriptions?status=")["total"] == 0)
  }

  @Test func `an update takes status and date, ignores the plan, and all or nothing`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    #expect(fixture.service("PATCH", "subscriptions/none", [:]).summary == notLinked)
    #expect(fixture.service("PATCH", "subscriptions/\(id)", [:]).summary == notFound)
    fixture.subscribe(id)
    let bad = fixture.service(
      "PATCH", "subscriptions/\(id)", ["status": "paused", "current_period_end": "soon"])
    #expect(bad.summary.hasPrefix("400 BAD_REQUEST: Invalid current_period_end: "))
    let plan = JSONValue.string(fixture.plans["team"] ?? "")
    let unchanged = fixture.service("PATCH", "subscriptions/\(id)", ["plan_id": plan])
    #expect(unchanged["plan_name"] == "pro")
    #expect(unchanged["status"] == "active")
    #expect(!fixture.effects.contains(.subscriptionUpdated))
    let changed = fixture.service(
      "PATCH", "subscriptions/\(id)",
      ["status": "paused", "current_period_end": "2020-01-01 00:00:00z"])
    #expect(changed["status"] == "paused")
    #expect(changed["current_period_end"] == "2020-01-01T00:00:00Z")
    #expect(fixture.effects.last == .subscriptionUpdated)
  }

  @Test func `a deletion tells not linked from already gone`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    #expect(fixture.service("DELETE", "subscriptions/none").summary == notLinked)
    #expect(fixture.service("DELETE", "subscriptions/\(id)").summary == notFound)
    fixture.subscribe(id)
    #expect(fixture.service("DELETE", "subscriptions/\(id)").summary == "204")
    #expect(fixture.service("DELETE", "subscriptions/\(id)").summary == notFound)
  }

  @Test func `after a deletion another plan gets another id`() {
    let fixture = Fixture()
    let id = fixture.user("ada@acme.test")
    let first = fixture.subscribe(id, to: "pro")
    _ = fixture.service("DELETE", "subscriptions/\(id)")
    let second = fixture.subscribe(id, to: "team")
    #expect(second["plan_name"] == "team")
    #expect(first["id"] != second["id"])
  }
}
