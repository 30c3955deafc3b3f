// Logging in, the second factor, and the limiters.

import AuthOSEmulator
import JSON
import Testing

@Suite struct LoginTests {
  private func fixture(_ change: (inout SeedAccount) -> Void = { _ in }) -> Fixture {
    var account = SeedAccount(email: "other@acme.test", password: Fixture.password)
    change(&account)
    return Fixture(
      users: [
        SeedUser(email: "user@acme.test", password: Fixture.password),
        SeedUser(email: "plain@acme.test"),
      ], accounts: [account])
  }

  private func login(
    _ fixture: Fixture, _ email: String = "other@acme.test", password: String = Fixture.password,
    more: (String, JSONValue)...
  ) -> Reply {
    let members = [("email", JSONValue(email)), ("password", JSONValue(password))] + more
    return fixture.authenticate("login", .object(JSONObject(members)))
  }

  @Test func `a login answers with a token pair for a day`() {
    let fixture = fixture()
    let reply = login(fixture)
    #expect(reply.status == 200)
    #expect(reply["expires_in"] == 86_400)
    #expect(reply["refresh_token"]?.stringValue?.wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil)
    #expect(fixture.effects == [.sessionOpened])
  }

  @Test(arguments: ["nobody@acme.test", "user@acme.test", "other@acme.test"])
  func `whatever is wrong with the credentials, the text is the same`(email: String) {
    #expect(
      login(fixture(), email, password: "wrong").summary
        == "401 UNAUTHORIZED: Invalid email or password")
  }

  @Test func `users made by a service have no password`() {
    let fixture = fixture()
    #expect(
      login(fixture, "plain@acme.test", more: ("org_slug", "acme")).summary
        == "401 UNAUTHORIZED: Invalid email or password")
  }

  @Test func `a password may have 1024 bytes`() {
    let fixture = fixture()
    #expect(login(fixture, password: String(repeating: "é", count: 512)).status == 401)
    #expect(
      login(fixture, password: String(repeating: "é", count: 512) + "x").summary
        == "400 BAD_REQUEST: Password must not exceed 1024 UTF-8 bytes")
  }

  @Test func `an unverified email is told after the password, a managed domain before`() {
    let unverified = fixture { $0.emailIsVerified = false }
    #expect(login(unverified, password: "wrong").status == 401)
    #expect(
      login(unverified).summary
        == "401 UNAUTHORIZED: Please verify your email address before logging in")
    #expect(
      login(fixture { $0.loginRefusal = .managedDomain }, password: "wrong").summary
        == "403 FORBIDDEN: Password login is disabled for this managed domain. "
        + "Use your organization's identity provider.")
  }

  @Test func `the risk engine and the user limit have their texts`() {
    #expect(
      login(fixture { $0.loginRefusal = .suspicious }).summary
        == "403 FORBIDDEN: Suspicious login detected. Please contact support.")
    #expect(
      login(fixture { $0.loginRefusal = .activeUserLimit(10) }).summary
        == "400 SERVICE_LIMIT_EXCEEDED: Monthly active user limit reached (10/10). "
        + "Please upgrade your plan to continue.")
  }

  @Test func `organization, service and redirect are checked in order`() {
    let fixture = fixture()
    let organization = ("org_slug", JSONValue("acme"))
    let service = ("service_slug", JSONValue("portal"))
    let user = "user@acme.test"
    #expect(
      login(fixture, more: ("org_slug", "none")).summary == "404 NOT_FOUND: Organization not found")
    #expect(
      login(fixture, more: service).summary == "400 BAD_REQUEST: service_slug requires org_slug")
    #expect(
      login(fixture, user, more: organization, ("service_slug", "none")).summary
        == "404 NOT_FOUND: Service not found")
    #expect(
      login(fixture, more: ("redirect_uri", "x")).summary
        == "400 BAD_REQUEST: redirect_uri requires org_slug and service_slug")
    #expect(
      login(fixture, user, more: organization, service, ("redirect_uri", "x")).summary
        == "400 BAD_REQUEST: redirect_uri 'x' is not registered for this service")
    #expect(
      login(fixture, user, more: organization).summary
        == "403 FORBIDDEN: You are not a member of this organization")
    fixture.authOS.organizationStatus = "suspended"
    #expect(
      login(fixture, user, more: organization).summary
        == "403 FORBIDDEN: Organization is not active. Current status: suspended")
  }

  @Test func `a removal through the service API takes the password login with it`() {
    let fixture = fixture()
    let slugs: [(String, JSONValue)] = [("org_slug", "acme"), ("service_slug", "portal")]
    #expect(login(fixture, "user@acme.test", more: slugs[0], slugs[1]).status == 200)
    #expect(fixture.service("GET", "analytics")["total_logins_30d"] == 1)
    let id = fixture.authOS.seeded.userIDs["user@acme.test"] ?? ""
    _ = fixture.service("DELETE", "users/\(id)")
    #expect(fixture.user("user@acme.test") == id)
    #expect(
      login(fixture, "user@acme.test", more: slugs[0], slugs[1]).summary
        == "403 FORBIDDEN: You do not have access to this service")
  }

  @Test func `hashing may be busy`() {
    let fixture = fixture()
    fixture.authOS.faults = FaultPlan(rules: [FaultRule(FaultRoute(.login), .passwordHashingBusy)])
    #expect(
      login(fixture).summary
        == "429 TOO_MANY_REQUESTS: Password processing is busy. Please try again shortly.")
  }

  @Test func `with a second factor the tokens come after the code, once`() {
    let fixture = fixture { $0.totpSecret = Fixture.totpSecret }
    fixture.now = UTCTime(seconds: 1_111_111_109)
    let first = login(fixture)
    #expect(first["refresh_token"] == "")
    #expect(first["expires_in"] == 300)
    let token = first["access_token"] ?? .null
    #expect(
      fixture.manage("GET", "api-keys", token: token.stringValue ?? "").summary
        == "401 UNAUTHORIZED: Token profile is not valid for the AuthOS API")
    func verify(_ code: String) -> Reply {
      fixture.authenticate("mfa/verify", ["preauth_token": token, "code": .string(code)])
    }
    #expect(verify("000000").summary == "401 UNAUTHORIZED: Invalid MFA code")
    // The test vector of RFC 6238 for this time is 07081804.
    let second = verify("081804")
    #expect(second["expires_in"] == 86_400)
    #expect(
      fixture.manage("GET", "api-keys", token: second["access_token"]?.stringValue ?? "").status
        == 200)
    fixture.now = fixture.now.adding(seconds: 10)
    #expect(verify("081804").summary == "401 JWT_ERROR: Invalid token")
  }

  @Test func `a pre-authorization ends after five minutes`() {
    let fixture = fixture { $0.totpSecret = Fixture.totpSecret }
    let token = login(fixture)["access_token"] ?? .null
    fixture.now = Fixture.start.adding(seconds: 361)
    #expect(
      fixture.authenticate("mfa/verify", ["preauth_token": token, "code": "1"]).summary
        == "401 JWT_ERROR: Invalid token")
  }

  @Test func `twenty logins burst, then one a second, for each client on its own`() {
    let fixture = fixture()
    func attempt(_ path: String = "login", peer: String = "10.0.0.1") -> Reply {
      fixture.authenticate(path, [:], peer: peer)
    }
    for _ in 0..<10 { #expect(attempt().status == 400) }
    for _ in 0..<10 { #expect(attempt("refresh").status == 400) }
    let limited = attempt()
    #expect(limited.summary == "429 Too Many Requests! Wait for 1s")
    #expect(limited.header("x-ratelimit-after") == "1")
    #expect(limited.header("retry-after") == nil)
    #expect(limited.header("content-type") == nil)
    fixture.now = UTCTime(
      seconds: Fixture.start.seconds, nanoseconds: Fixture.start.nanoseconds + 1)
    #expect(attempt().header("x-ratelimit-after") == "0")
    #expect(attempt(peer: "10.0.0.2").status == 400)
    fixture.now = Fixture.start.adding(seconds: 1)
    #expect(attempt().status == 400)
    #expect(attempt().status == 429)
  }

  @Test func `codes have a bucket of three of their own`() {
    let fixture = fixture()
    for _ in 0..<3 { #expect(fixture.authenticate("mfa/verify", [:]).status == 400) }
    #expect(fixture.authenticate("mfa/verify", [:]).status == 429)
    #expect(fixture.authenticate("login", [:]).status == 400)
  }
}
