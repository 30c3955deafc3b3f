// An emulated server with known keys and a clock that tests move by hand.

import AuthOSEmulator
import JSON

/// One server and what tests need to talk to it.
///
/// Time stands still until ``now`` is set.
final class Fixture {
  static let start = UTCTime(seconds: 1_784_540_000, nanoseconds: 123_456_789)
  static let password = "correct horse battery staple"
  static let totpSecret = Array("12345678901234567890".utf8)

  static let allPermissions = [
    "read:users", "write:users", "delete:users", "read:subscriptions", "write:subscriptions",
    "delete:subscriptions", "read:analytics", "read:service", "write:service",
    "read:provider_tokens",
  ]

  static let signer = TokenSigner()

  let authOS: EmulatedAuthOS
  var now = Fixture.start

  init(
    settings: EmulatorSettings = EmulatorSettings(), users: [SeedUser] = [],
    faults: FaultPlan = FaultPlan(), redirectURIs: [String] = ["https://portal.acme.test/back"],
    accounts: [SeedAccount] = [], signer: TokenSigner = Fixture.signer
  ) {
    let seed = EmulatorSeed(
      accounts: [SeedAccount(email: "owner@acme.test", password: Fixture.password)] + accounts,
      users: users,
      apiKeys: [
        SeedAPIKey(name: "all", permissions: Fixture.allPermissions),
        SeedAPIKey(name: "none", permissions: ["read:provider_tokens:google"]),
        SeedAPIKey(
          name: "expired", permissions: Fixture.allPermissions,
          expiresAt: Fixture.start.adding(seconds: -1)),
      ],
      redirectURIs: redirectURIs)
    authOS = EmulatedAuthOS(
      seed: seed, settings: settings, faults: faults, random: SeededGenerator(seed: 7),
      signer: signer,
      at: Fixture.start)
  }

  var key: String { authOS.seeded.apiKeys["all"] ?? "" }
  var plans: [String: String] { authOS.seeded.planIDs }

  /// Sends a request; the fault plan is asked as a server would.
  func send(
    _ method: String, _ path: String, headers: [(name: String, value: String)], body: String = "",
    peer: String = "127.0.0.1"
  ) -> Reply {
    let parts = path.split(separator: "?", maxSplits: 1)
    let request = EmulatedRequest(
      method: method, path: String(parts[0]), query: parts.count > 1 ? String(parts[1]) : "",
      headers: headers, body: Array(body.utf8), peer: peer)
    let fault = authOS.nextFault(for: request)
    return Reply(authOS.respond(to: request, at: now, fault: fault))
  }

  /// Sends a request of the service API, by default with the key that may do everything.
  func service(
    _ method: String, _ path: String, _ body: JSONValue? = nil, key: String? = nil
  ) -> Reply {
    var headers: [(name: String, value: String)] = [("X-Api-Key", key ?? self.key)]
    if body != nil { headers.append(("Content-Type", "application/json")) }
    return send(
      method, "/api/service/\(path)", headers: headers, body: body?.serialized() ?? "")
  }

  /// Sends a request of the management API.
  func manage(
    _ method: String, _ path: String, _ body: JSONValue? = nil, token: String,
    organization: String = "acme", service: String = "portal"
  ) -> Reply {
    var headers: [(name: String, value: String)] = [("Authorization", "Bearer \(token)")]
    if body != nil { headers.append(("Content-Type", "application/json")) }
    return send(
      method, "/api/organizations/\(organization)/services/\(service)/\(path)", headers: headers,
      body: body?.serialized() ?? "")
  }

  /// Sends a request of the authentication API.
  func authenticate(_ path: String, _ body: JSONValue, peer: String = "127.0.0.1") -> Reply {
    send(
      "POST", "/api/auth/\(path)", headers: [("Content-Type", "application/json")],
      body: body.serialized(), peer: peer)
  }

  /// An access token of the owner, or of another account with the same password.
  func token(_ email: String = "owner@acme.test") -> String {
    let reply = authenticate(
      "login", ["email": .string(email), "password": .string(Fixture.password)])
    return reply["access_token"]?.stringValue ?? ""
  }

  /// Creates and links a user, and returns its id.
  func user(_ email: String) -> String {
    service("POST", "users", ["email": .string(email)])["id"]?.stringValue ?? ""
  }

  /// Subscribes a user, and returns the answer.
  @discardableResult func subscribe(
    _ userID: String, to plan: String = "pro", until end: String = "2030-01-01T00:00:00Z"
  ) -> Reply {
    service(
      "POST", "subscriptions",
      [
        "user_id": .string(userID), "plan_id": .string(plans[plan] ?? ""),
        "current_period_end": .string(end),
      ])
  }

  var effects: [Effect] { authOS.ledger().map(\.effect) }
}

/// An answer in the form that expectations compare.
struct Reply {
  let answer: EmulatedAnswer

  init(_ answer: EmulatedAnswer) { self.answer = answer }

  /// The status, or 0 where the connection was dropped.
  var status: Int { answer.response?.status ?? 0 }
  var text: String { String(decoding: answer.response?.body ?? [], as: UTF8.self) }
  var json: JSONValue? { try? JSONValue(parsing: text) }

  subscript(name: String) -> JSONValue? { json?[name] }

  func header(_ name: String) -> String? { answer.response?.header(name) }

  /// Status, code and text of an error body: `404 NOT_FOUND: Plan not found`.
  var summary: String {
    guard let code = self["error_code"]?.stringValue, let error = self["error"]?.stringValue else {
      return text.isEmpty ? "\(status)" : "\(status) \(text)"
    }
    return "\(status) \(code): \(error)"
  }
}

let notLinked =
  "404 NOT_FOUND: User not found or has not authenticated with this service"
let databaseError = "500 DATABASE_ERROR: Database error"
