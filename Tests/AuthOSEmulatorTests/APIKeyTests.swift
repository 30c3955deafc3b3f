// The checks before every service route.

import AuthOSEmulator
import JSON
import Testing

@Suite struct APIKeyTests {
  @Test(arguments: [
    (nil, "401 UNAUTHORIZED: Missing or invalid X-Api-Key header"),
    ("clé", "401 UNAUTHORIZED: Missing or invalid X-Api-Key header"),
    ("pk_a_b", "401 UNAUTHORIZED: Invalid API key format"),
    ("sk_a", "401 UNAUTHORIZED: Invalid API key format"),
    ("sk__b", "401 UNAUTHORIZED: Invalid API key format"),
    ("sk_a_", "401 UNAUTHORIZED: Invalid API key format"),
    ("sk_a_b", "401 UNAUTHORIZED: Invalid API key"),
  ])
  func `a key is refused with the text of its fault`(key: String?, expected: String) {
    let fixture = Fixture()
    let headers = key.map { [(name: "x-api-key", value: $0)] } ?? []
    #expect(fixture.send("GET", "/api/service/users", headers: headers).summary == expected)
  }

  @Test func `a key whose secret is wrong by its last digit is unknown`() {
    let fixture = Fixture()
    let key = fixture.key.dropLast() + (fixture.key.last == "0" ? "1" : "0")
    #expect(
      fixture.service("GET", "users", key: String(key)).summary
        == "401 UNAUTHORIZED: Invalid API key")
  }

  @Test func `an expired key is refused, and one that expires this instant is not`() {
    let fixture = Fixture()
    let key = fixture.authOS.seeded.apiKeys["expired"]
    #expect(
      fixture.service("GET", "users", key: key).summary
        == "401 UNAUTHORIZED: API key has expired")
    fixture.now = Fixture.start.adding(seconds: -1)
    #expect(fixture.service("GET", "users", key: key).status == 200)
  }

  @Test func `a suspended organization locks its keys until it is active again`() {
    let fixture = Fixture()
    fixture.authOS.organizationStatus = "suspended"
    #expect(
      fixture.service("GET", "users").summary
        == "401 UNAUTHORIZED: API key organization is not active")
    fixture.authOS.organizationStatus = "active"
    #expect(fixture.service("GET", "users").status == 200)
  }

  @Test(arguments: [
    ("GET", "users", "read:users"), ("POST", "users", "write:users"),
    ("GET", "users/u", "read:users"), ("PATCH", "users/u", "write:users"),
    ("DELETE", "users/u", "delete:users"), ("GET", "subscriptions", "read:subscriptions"),
    ("GET", "subscriptions/u", "read:subscriptions"),
    ("PATCH", "subscriptions/u", "write:subscriptions"),
    ("DELETE", "subscriptions/u", "delete:subscriptions"), ("GET", "analytics", "read:analytics"),
    ("GET", "info", "read:service"), ("PATCH", "info", "write:service"),
  ])
  func `each route names the permission that a key lacks`(
    method: String, path: String, permission: String
  ) {
    let fixture = Fixture()
    let body: JSONValue? = method == "PATCH" || method == "POST" ? ["email": "no at sign"] : nil
    let weak = fixture.authOS.seeded.apiKeys["none"]
    // `PATCH users/…` with an email is refused for lack of permission, not for the email.
    #expect(
      fixture.service(method, path, body, key: weak).summary
        == "403 FORBIDDEN: Missing required permission: \(permission)")
  }

  @Test func `the unreadable body of a caller without permission is refused as unreadable`() {
    let fixture = Fixture()
    let weak = fixture.authOS.seeded.apiKeys["none"]
    #expect(fixture.service("POST", "users", [:], key: weak).status == 422)
  }

  @Test func `last use is written at first and then every six minutes`() {
    let fixture = Fixture()
    let token = fixture.token()
    func lastUsed() -> String? {
      fixture.manage("GET", "api-keys?limit=1&offset=2", token: token)["api_keys"]?[0]?[
        "last_used_at"]?.stringValue
    }
    #expect(lastUsed() == nil)
    _ = fixture.service("GET", "users")
    #expect(lastUsed() == Fixture.start.rfc3339)
    fixture.now = Fixture.start.adding(seconds: 359)
    _ = fixture.service("GET", "users")
    #expect(lastUsed() == Fixture.start.rfc3339)
    fixture.now = Fixture.start.adding(seconds: 360)
    _ = fixture.service("GET", "users")
    #expect(lastUsed() == fixture.now.rfc3339)
  }

  @Test func `an error body has three members and the time with an offset`() {
    let reply = Fixture().service("GET", "users/none")
    #expect(reply.json?.objectValue?.names == ["error", "error_code", "timestamp"])
    #expect(reply["timestamp"] == "2026-07-20T09:33:20.123456789+00:00")
    #expect(reply.header("content-type") == "application/json")
    #expect(reply.header("www-authenticate") == nil)
    #expect(reply.header("x-frame-options") == "DENY")
  }
}
