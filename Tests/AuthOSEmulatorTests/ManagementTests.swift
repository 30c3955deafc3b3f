// The management routes: rights, API keys, the client secret, and plans.

import AuthOSEmulator
import JSON
import Testing

@Suite struct ManagementTests {
  private let good: JSONValue = ["name": "worker", "permissions": ["read:users"]]

  private func fixture(_ role: SeedAccount.Role = .owner) -> Fixture {
    Fixture(accounts: [
      SeedAccount(email: "other@acme.test", password: Fixture.password, role: role)
    ])
  }

  @Test func `a new key works at once and is shown once`() {
    let fixture = fixture()
    let token = fixture.token()
    let made = fixture.manage("POST", "api-keys", good, token: token)
    #expect(made.status == 201)
    #expect(
      made.json?.objectValue?.names == [
        "id", "service_id", "name", "prefix", "permissions", "expires_at", "created_at",
        "created_by", "key",
      ])
    let key = made["key"]?.stringValue ?? ""
    #expect(key.wholeMatch(of: /sk_[0-9a-f]{12}_[0-9a-f]{64}/) != nil)
    #expect(made["prefix"]?.stringValue == String(key.prefix(15)))
    #expect(made["created_at"] == .string(fixture.now.rfc3339))
    #expect(fixture.service("GET", "users", key: key).status == 200)
    let id = made["id"]?.stringValue ?? ""
    let shown = fixture.manage("GET", "api-keys/\(id)", token: token)
    #expect(shown["key"] == nil)
    #expect(shown["created_at"] == "2026-07-20T09:33:20Z")
    #expect(fixture.effects == [.sessionOpened, .apiKeyCreated])
    #expect(fixture.authOS.ledger().last?.apiKeyPrefix == String(key.prefix(15)))
  }

  @Test(arguments: [
    ("{\"name\":\" \",\"permissions\":[]}", "API key name cannot be empty"),
    ("{\"name\":\"n\",\"permissions\":[]}", "API key must have at least one permission"),
    (
      "{\"name\":\"n\",\"permissions\":[\"read:users\",\"admin\"]}",
      "Invalid permission: admin. Valid permissions are: read:users, write:users, delete:users, "
        + "read:subscriptions, write:subscriptions, delete:subscriptions, read:analytics, "
        + "read:service, write:service, read:provider_tokens, read:provider_tokens:github, "
        + "read:provider_tokens:google, read:provider_tokens:microsoft "
        + "or read:provider_tokens:<provider>"
    ),
  ])
  func `a key's name and permissions are checked in order`(body: String, text: String) throws {
    let fixture = fixture()
    let reply = fixture.manage(
      "POST", "api-keys", try JSONValue(parsing: body), token: fixture.token())
    #expect(reply.summary == "400 BAD_REQUEST: \(text)")
  }

  @Test(arguments: [
    ("read:provider_tokens:my-idp_1.0", 201), ("read:provider_tokens:", 400),
    ("read:provider_tokens:a b", 400), ("READ:users", 400),
  ])
  func `permissions for providers may name any connection`(permission: String, status: Int) {
    let fixture = fixture()
    let body: JSONValue = ["name": "n", "permissions": [.string(permission)]]
    #expect(
      fixture.manage("POST", "api-keys", body, token: fixture.token()).status == status)
  }

  @Test func `a key lives for its days, none makes it expired, and absurdly many end the server`() {
    let fixture = fixture()
    let token = fixture.token()
    func make(_ days: JSONValue) -> Reply {
      fixture.manage(
        "POST", "api-keys",
        ["name": "n", "permissions": ["read:users"], "expires_in_days": days], token: token)
    }
    #expect(make(nil)["expires_at"] == .null)
    #expect(make("7").status == 422)
    #expect(make(1.5).status == 422)
    #expect(make(9_000_000_000_000_000_000).status == 0)
    let week = make(7)
    #expect(week["expires_at"] == .string(Fixture.start.adding(seconds: 604_800).rfc3339))
    let spent = make(-1)["key"]?.stringValue
    #expect(
      fixture.service("GET", "users", key: spent).summary
        == "401 UNAUTHORIZED: API key has expired")
    let key = week["key"]?.stringValue
    fixture.now = Fixture.start.adding(seconds: 604_800)
    #expect(fixture.service("GET", "users", key: key).status == 200)
    fixture.now = Fixture.start.adding(seconds: 604_801)
    #expect(fixture.service("GET", "users", key: key).status == 401)
  }

  @Test func `keys are listed newest first, expired ones too`() {
    let fixture = fixture()
    let token = fixture.token()
    _ = fixture.manage("POST", "api-keys", good, token: token)
    let reply = fixture.manage("GET", "api-keys", token: token)
    #expect(
      reply["api_keys"]?.arrayValue?.map { $0["name"] } == ["worker", "expired", "none", "all"])
    #expect(reply["total"] == 4)
    #expect(!reply.text.contains("\"key\""))
    #expect(fixture.manage("GET", "api-keys?limit=x", token: token).status == 400)
  }

  @Test func `a deleted key is unknown at once, and deleting it again is 404`() {
    let fixture = fixture()
    let token = fixture.token()
    let made = fixture.manage("POST", "api-keys", good, token: token)
    let id = made["id"]?.stringValue ?? ""
    #expect(fixture.manage("DELETE", "api-keys/\(id)", token: token).summary == "204")
    #expect(
      fixture.service("GET", "users", key: made["key"]?.stringValue).summary
        == "401 UNAUTHORIZED: Invalid API key")
    let gone = "404 NOT_FOUND: API key not found"
    #expect(fixture.manage("DELETE", "api-keys/\(id)", token: token).summary == gone)
    #expect(fixture.manage("GET", "api-keys/\(id)", token: token).summary == gone)
    #expect(fixture.effects.suffix(2) == [.apiKeyCreated, .apiKeyDeleted])
  }

  @Test func `rotating the secret gives another each time and leaves keys alone`() {
    let fixture = fixture()
    let token = fixture.token()
    let first = fixture.manage("POST", "secret/rotate", token: token)
    let second = fixture.manage("POST", "secret/rotate", token: token)
    #expect(first["client_secret"] != second["client_secret"])
    #expect(first["service"]?["client_secret"] == .null)
    #expect(first["service"]?["github_scopes"] == ["read:user", "repo"])
    #expect(first["service"]?.objectValue?.count == 22)
    #expect(fixture.service("GET", "users").status == 200)
    #expect(fixture.effects.suffix(2) == [.secretRotated, .secretRotated])
  }

  @Test func `plans are a bare array that counts active subscriptions`() {
    let fixture = fixture()
    fixture.subscribe(fixture.user("ada@acme.test"))
    let plans = fixture.manage("GET", "plans", token: fixture.token()).json?.arrayValue ?? []
    #expect(plans.count == 3)
    for plan in plans {
      let isPro = plan["plan"]?["name"] == "pro"
      #expect(plan["subscription_count"] == (isPro ? 1 : 0))
      #expect(plan["plan"]?["is_default"] == .bool(plan["plan"]?["name"] == "free"))
      #expect(plan["plan"]?["features"] == "[]")
    }
  }

  @Test(arguments: [
    (SeedAccount.Role.outsider, "member", "manage", "member"),
    (.member(grant: nil), "view", "manage", "plans"),
    (.member(grant: "viewer"), "ok", "manage", "ok"), (.member(grant: "manager"), "ok", "ok", "ok"),
    (.custom(capabilities: []), "view", "manage", "plans"),
    (.custom(capabilities: ["services.view"]), "view", "manage", "ok"),
    (.custom(capabilities: ["services.manage"]), "ok", "ok", "ok"), (.admin, "ok", "ok", "ok"),
  ])
  func `rights depend on the role`(
    role: SeedAccount.Role, reading: String, making: String, plans: String
  ) {
    let texts = [
      "member": "403 FORBIDDEN: Not a member of this organization",
      "view": "403 FORBIDDEN: Insufficient permissions to view API keys for this service",
      "plans": "403 FORBIDDEN: Insufficient permissions to view plans for this service",
      "manage": "403 FORBIDDEN: Insufficient permissions to manage API keys for this service",
    ]
    let fixture = fixture(role)
    let token = fixture.token("other@acme.test")
    func check(_ reply: Reply, _ expected: String) {
      if let text = texts[expected] {
        #expect(reply.summary == text)
      } else {
        #expect(reply.status < 300)
      }
    }
    check(fixture.manage("GET", "api-keys", token: token), reading)
    check(fixture.manage("POST", "api-keys", good, token: token), making)
    check(fixture.manage("GET", "plans", token: token), plans)
    if making != "ok" {
      #expect(
        fixture.manage("DELETE", "api-keys/x", token: token).summary
          == "403 FORBIDDEN: Insufficient permissions to delete API keys for this service")
      #expect(
        fixture.manage("POST", "secret/rotate", token: token).summary
          == "403 FORBIDDEN: Insufficient permissions to rotate service secrets")
    }
  }

  @Test func `checks come in order: session, organization, method, body, service, right`() {
    let fixture = fixture(.outsider)
    let token = fixture.token("other@acme.test")
    func create(_ token: String, organization: String = "acme", service: String = "none") -> String
    {
      fixture.manage(
        "POST", "api-keys", [:], token: token, organization: organization, service: service
      ).summary
    }
    #expect(create("x", organization: "none") == "401 JWT_ERROR: Invalid token")
    #expect(create(token, organization: "none") == "404 NOT_FOUND: Organization not found")
    #expect(create(token).hasPrefix("422 "))
    #expect(fixture.manage("PUT", "api-keys", token: token).header("allow") == "POST,GET,HEAD")
    #expect(fixture.manage("PUT", "api-keys", token: "x").status == 401)
    #expect(
      fixture.manage("POST", "api-keys", good, token: token, service: "none").summary
        == "404 NOT_FOUND: Service not found")
    #expect(
      fixture.manage("GET", "api-keys", token: token, service: "none").summary
        == "403 FORBIDDEN: Not a member of this organization")
    fixture.authOS.organizationStatus = "suspended"
    #expect(
      create(token) == "403 FORBIDDEN: Organization is not active. Current status: suspended. "
        + "This feature is only available for active organizations.")
  }
}
