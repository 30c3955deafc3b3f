// Faults without a socket: what the client sees, what the ledger knows, and the plans.

import AuthOSEmulator
import JSON
import Testing

@Suite struct FaultTests {
  private func create(_ fault: Fault) -> (reply: Reply, effects: [Effect]) {
    let fixture = Fixture(
      faults: FaultPlan(rules: [FaultRule(FaultRoute(.createServiceUser), fault)]))
    let reply = fixture.service("POST", "users", ["email": "ada@acme.test"])
    return (reply, fixture.effects)
  }

  @Test(arguments: [
    (Fault.status500, 500, false), (.error500AfterEffect, 500, true),
    (.timeout408BeforeEffect, 408, false), (.timeout408AfterEffect, 408, true),
    (.dropBefore, 0, false), (.dropAfter, 0, true), (.tooManyRequests(retryAfter: nil), 429, false),
    (.htmlBadGateway502, 502, false), (.htmlBadGateway502AfterEffect, 502, true),
    (.unavailable503(retryAfter: 3), 503, false), (.emptyNotFound404, 404, false),
    (.bookkeeping500, 500, false), (.slow(.seconds(1)), 201, true),
    (.silentSubscriptionDeleteFailure, 201, true),
  ])
  func `a fault decides about answer and effect`(fault: Fault, status: Int, takesEffect: Bool) {
    let (reply, effects) = create(fault)
    #expect(reply.status == status)
    #expect(effects == (takesEffect ? [.userInserted, .linkInserted] : []))
  }

  @Test func `answers of proxies and of the time limit lack the server's headers`() {
    for fault in [Fault.timeout408AfterEffect, .emptyNotFound404] {
      #expect(create(fault).reply.summary == "\(fault == .emptyNotFound404 ? 404 : 408)")
      #expect(create(fault).reply.header("x-frame-options") == nil)
    }
    let gateway = create(.htmlBadGateway502).reply
    #expect(gateway.header("content-type") == "text/html")
    #expect(gateway.text.hasPrefix("<html>"))
    #expect(create(.status500).reply.summary == databaseError)
    #expect(create(.status500).reply.header("x-frame-options") == "DENY")
  }

  @Test func `a proxy says when to come back in seconds, by date, or not at all`() {
    #expect(create(.tooManyRequests(retryAfter: nil)).reply.header("retry-after") == nil)
    #expect(create(.tooManyRequests(retryAfter: 7)).reply.header("retry-after") == "7")
    #expect(create(.unavailable503(retryAfter: 3)).reply.header("retry-after") == "3")
    #expect(
      create(.tooManyRequestsUntil(secondsAhead: 40)).reply.header("retry-after")
        == "Mon, 20 Jul 2026 09:34:00 GMT")
  }

  @Test func `bookkeeping fails only for keys that are good`() {
    let fixture = Fixture(
      faults: FaultPlan(rules: [FaultRule(FaultRoute.service, .bookkeeping500)]))
    #expect(fixture.service("GET", "users").summary == databaseError)
    #expect(fixture.service("GET", "users", key: "sk_a_b").status == 401)
  }

  @Test func `a refusal is not hidden behind a 500 after the effect`() {
    let fixture = Fixture(
      faults: FaultPlan(rules: [FaultRule(FaultRoute.service, .error500AfterEffect)]))
    #expect(fixture.service("POST", "users", ["email": "x"]).status == 400)
    #expect(fixture.service("DELETE", "users/x").summary == notLinked)
  }

  @Test func `a script hits the next requests one by one, then no more`() {
    let fixture = Fixture(
      faults: FaultPlan(rules: [
        FaultRule(FaultRoute(.getServiceInfo), script: [.status500, nil, .emptyNotFound404])
      ]))
    let statuses = (0..<5).map { _ in
      _ = fixture.service("GET", "users")
      return fixture.service("GET", "info").status
    }
    #expect(statuses == [500, 200, 404, 200, 200])
    #expect(fixture.authOS.counts.faults == ["status500": 1, "emptyNotFound404": 1])
  }

  @Test func `chances depend on the seed alone and keep to their share and limit`() {
    func hits(seed: UInt64, limit: Int? = nil) -> [Bool] {
      let rule = FaultRule(
        FaultRoute(.getServiceInfo), .status500, probability: 0.2, limit: limit)
      let fixture = Fixture(faults: FaultPlan(seed: seed, rules: [rule]))
      return (0..<2000).map { _ in fixture.service("GET", "info").status == 500 }
    }
    let first = hits(seed: 1)
    #expect(first == hits(seed: 1))
    #expect(first != hits(seed: 2))
    #expect((340...460).contains(first.count { $0 }))
    #expect(hits(seed: 1, limit: 3).count { $0 } == 3)
  }

  @Test func `a misbehaving server fails the asked share, in every way`() {
    let fixture = Fixture(faults: .misbehaving(seed: 3, share: 0.24))
    for _ in 0..<3000 { _ = fixture.service("GET", "info") }
    let faults = fixture.authOS.counts.faults
    #expect(faults.count == 11)  // both kinds of 429 count as one
    #expect((620...820).contains(faults.values.reduce(0, +)))
    #expect(fixture.authenticate("login", [:]).status == 400)
  }

  @Test(arguments: [
    ("*", 27), ("createServiceUser", 1), ("login, refreshToken", nil), ("login,refreshToken", 2),
    ("POST /api/service/users", 1), ("* /api/service/*", 14), ("GET /api/service/users*", 2),
    ("PUT /api/service/users", nil), ("", nil), ("nothing", nil),
  ])
  func `a route names operations`(text: String, count: Int?) {
    #expect(FaultRoute(text: text)?.operations.count == count)
  }

  @Test func `a plan reads back as it was written`() throws {
    let text = """
      {"seed":7,"rules":[{"route":"createServiceUser","fault":"dropAfter","probability":0.25,\
      "limit":3},{"route":"* /api/service/*","script":["status500",null,\
      {"kind":"slow","milliseconds":200},{"kind":"tooManyRequests","retry_after":2},\
      "tooManyRequests",{"kind":"stopHalfWay","ending":"timeout"}]}]}
      """
    let plan = try FaultPlan(json: try JSONValue(parsing: text))
    #expect(plan.rules.count == 2)
    #expect(plan.json.serialized() == text)
  }

  @Test(arguments: [
    ("[]", "expected an object"),
    ("{\"rules\":[{}]}", "rules[0].route names no operation"),
    ("{\"rules\":[{\"route\":\"*\"}]}", "rules[0] has neither fault nor script"),
    ("{\"rules\":[{\"route\":\"*\",\"fault\":\"x\"}]}", "rules[0].fault is no kind of fault"),
    (
      "{\"rules\":[{\"route\":\"*\",\"fault\":\"status500\",\"probability\":2}]}",
      "rules[0].probability is not between 0 and 1"
    ),
    ("{\"rules\":[{\"route\":\"*\",\"script\":[1]}]}", "rules[0].script[0] is no kind of fault"),
    (
      "{\"rules\":[{\"route\":\"*\",\"fault\":{\"kind\":\"stopHalfWay\",\"ending\":\"x\"}}]}",
      "rules[0].fault.ending is unknown"
    ),
  ])
  func `a wrong plan is refused with its place`(text: String, expected: String) throws {
    let json = try JSONValue(parsing: text)
    let error = #expect(throws: FaultPlanError.self) { try FaultPlan(json: json) }
    #expect(error?.description == expected)
  }
}
