// Unknown paths, wrong methods, and requests that cannot be read.

import AuthOSEmulator
import JSON
import Testing

@Suite struct RequestReadingTests {
  @Test(arguments: [
    "/", "/api", "/api/service", "/api/service/users/", "/api/service/plans",
    "/api/service/users/a/b", "/api/organizations/acme/services/portal",
    "/api/organizations/acme/services/portal/secret", "/api/auth/logout",
    "/.well-known/openid-configuration",
  ])
  func `an unknown path is 404 without body, whoever asks`(path: String) {
    let reply = Fixture().send("GET", path, headers: [])
    #expect(reply.summary == "404")
    #expect(reply.header("content-type") == nil)
    #expect(reply.header("x-content-type-options") == "nosniff")
  }

  @Test(arguments: [
    ("users", "GET,HEAD,POST"), ("users/u", "GET,HEAD,PATCH,DELETE"),
    ("provider-tokens", "POST"),
  ])
  func `a wrong method is 405 with Allow, but only for a valid key`(path: String, allow: String) {
    let fixture = Fixture()
    let reply = fixture.service("PUT", path)
    #expect(reply.summary == "405")
    #expect(reply.header("allow") == allow)
    #expect(fixture.service("PUT", path, key: "sk_a_b").status == 401)
  }

  @Test(arguments: [
    (nil, "{}", "415 Expected request with `Content-Type: application/json`"),
    ("text/json", "{}", "415 Expected request with `Content-Type: application/json`"),
    ("application/json", "", "400 Failed to parse the request body as JSON: "),
    ("application/json", "{\"email\":", "400 Failed to parse the request body as JSON: "),
    ("application/json; charset=utf-8", "{}", "422 \(shape): missing field `email`"),
    ("application/vnd.acme+json", "{}", "422 \(shape): missing field `email`"),
    ("application/json", "{\"email\":5}", "422 \(shape): email: invalid type"),
    ("application/json", "{\"email\":null}", "422 \(shape): email: invalid type"),
    ("application/json", "[]", "422 \(shape): "),
    ("application/json", "{\"email\":\"a@b\",\"email\":\"a@b\"}", "422 \(shape): duplicate field"),
  ])
  func `service routes refuse an unreadable body in plain text`(
    contentType: String?, body: String, expected: String
  ) {
    let fixture = Fixture()
    var headers = [(name: "x-api-key", value: fixture.key)]
    if let contentType { headers.append(("content-type", contentType)) }
    let reply = fixture.send("POST", "/api/service/users", headers: headers, body: body)
    #expect(reply.summary.hasPrefix(expected), "\(reply.summary)")
    #expect(reply.header("content-type") == "text/plain; charset=utf-8")
  }

  private static let shape = "Failed to deserialize the JSON body into the target type"

  @Test(arguments: [
    (nil, "{}", "Content-Type must be application/json"),
    ("application/json", "{", "JSON syntax error: Failed to parse the request body as JSON"),
    ("application/json", "{\"email\":\"a@b\"}", "Invalid JSON data: \(shape)"),
  ])
  func `login refuses an unreadable body as 400 in JSON`(
    contentType: String?, body: String, expected: String
  ) {
    let headers = contentType.map { [(name: "content-type", value: $0)] } ?? []
    let reply = Fixture().send("POST", "/api/auth/login", headers: headers, body: body)
    #expect(reply.summary == "400 BAD_REQUEST: \(expected)")
  }

  @Test func `bytes after the first JSON value and unknown members are ignored`() {
    let fixture = Fixture()
    let reply = fixture.send(
      "POST", "/api/service/users",
      headers: [("x-api-key", fixture.key), ("content-type", "application/json")],
      body: "{\"email\":\"ada@acme.test\",\"name\":\"Ada\"} and more")
    #expect(reply.status == 201)
  }

  @Test func `a body that says to be too large is refused before the key is looked at`() {
    let reply = Fixture().send(
      "POST", "/api/service/users", headers: [("content-length", "1048577")])
    #expect(reply.summary == "413 length limit exceeded")
    #expect(reply.header("x-frame-options") == nil)
  }

  @Test func `a chunked body over the limit is refused after key and content type`() {
    let fixture = Fixture()
    func send(_ path: String, _ headers: [(name: String, value: String)]) -> Reply {
      Reply(
        fixture.authOS.respond(
          to: EmulatedRequest(
            method: "POST", path: path, headers: headers, bodyExceedsLimit: true),
          at: fixture.now))
    }
    let json = (name: "content-type", value: "application/json")
    #expect(send("/api/service/users", [json]).status == 401)
    #expect(send("/api/service/users", [("x-api-key", fixture.key)]).status == 415)
    #expect(
      send("/api/service/users", [("x-api-key", fixture.key), json]).summary
        == "413 Failed to buffer the request body: length limit exceeded")
    #expect(
      send("/api/auth/refresh", [json]).summary
        == "400 BAD_REQUEST: JSON parsing error: Failed to buffer the request body")
  }

  @Test(arguments: [
    ("limit=abc", "invalid digit found in string"),
    ("limit=", "cannot parse integer from empty string"),
    ("offset=1.5", "invalid digit found in string"),
    ("limit=1&limit=2", "duplicate field `limit`"),
  ])
  func `a query of the wrong type is refused in plain text`(query: String, detail: String) {
    #expect(
      Fixture().service("GET", "users?\(query)").summary
        == "400 Failed to deserialize query string: \(detail)")
  }

  @Test(arguments: [
    ("limit=0", 1), ("limit=-5", 1), ("limit=1000", 100), ("", 50), ("offset=-1", 50),
    ("offset=100", 5), ("other=x", 50),
  ])
  func `pages are clamped, never refused`(query: String, count: Int) {
    let users = (0..<105).map { SeedUser(email: "user\($0)@acme.test") }
    let reply = Fixture(users: users).service("GET", "users?\(query)")
    #expect(reply["users"]?.arrayValue?.count == count)
    #expect(reply["total"] == 105)
  }

  @Test func `a path segment that is no UTF-8 is refused, other escapes are resolved`() {
    let fixture = Fixture()
    #expect(
      fixture.service("GET", "users/%FF").summary
        == "400 Invalid URL: Invalid UTF-8 in `user_id`")
    let id = fixture.user("ada@acme.test")
    #expect(fixture.service("GET", "users/\(id.replacing("-", with: "%2D"))").status == 200)
  }

  @Test func `every operation is found by its method and path`() {
    for operation in Operation.allCases {
      let template = operation.template
      let path = template.path.split(separator: "/").map { $0.hasPrefix("{") ? "x" : $0 }
      let fixture = Fixture(
        faults: FaultPlan(rules: [FaultRule(FaultRoute(operation), .emptyNotFound404)]))
      _ = fixture.send(template.method, "/" + path.joined(separator: "/"), headers: [])
      #expect(fixture.authOS.counts.faults == ["emptyNotFound404": 1], "\(operation)")
    }
  }
}
