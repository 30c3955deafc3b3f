// AuthOS as far as the job types see it, with a ledger of what really changed. Small on purpose: the
// emulator is the full model, this one is pure and lets a test stop time between any two lines.

import Arazzo
import JSON
import Secrets

@testable import JobModel

struct FakeAuthOS {
  struct Subscription: Equatable {
    var planID: String
    var status: String
    var periodEnd: String
  }

  struct Key: Equatable {
    var id: String
    var name: String
    var secret: String
    var permissions: [String]
    var prefix: String { String(secret.prefix(15)) }
  }

  /// What `GET` of a subscription answers where there is one.
  enum Database { case sqlite, server }

  var database = Database.sqlite
  var plans: Set<String> = ["plan-free", "plan-team"]
  var foreignPlans: Set<String> = ["plan-foreign"]
  var emails: [String: String] = [:]
  var linked: Set<String> = []
  var subscriptions: [String: Subscription] = [:]
  var keys: [Key] = []
  var keepsSubscriptionOnDelete = false
  var serviceName = "Portal"
  private(set) var clientSecret = "first"
  /// What every request is answered with, if set.
  var override: StepResponse?
  /// A list of so many users, made up when it is asked for.
  var imaginaryUsers: Int?
  /// Which pages of lists were asked for: `users 0`.
  private(set) var pages: [String] = []
  /// What requests for a provider's token are answered with, in order; the last one again and again.
  var tokenAnswers: [StepResponse] = []
  /// What changed, in order: `delete subscription u1`.
  private(set) var ledger: [String] = []
  private var made = 0

  mutating func answer(_ request: StepRequest, key: String?) -> StepResponse {
    let path = request.path.split(separator: "?")[0].split(separator: "/").map(String.init)
    let body = request.body.flatMap { try? JSONValue(parsing: $0) } ?? .null
    if let override { return override }
    let query = Self.query(of: request)
    switch (request.method, path.dropFirst().first, path.count) {
    case ("GET", "service", 3) where path[2] == "users":
      return page("users", query, linked.sorted().map { user($0).bodyValue ?? .null })
    case ("GET", "service", 3) where path[2] == "subscriptions": return listSubscriptions(query)
    case ("GET", "service", 3) where path[2] == "analytics": return analytics
    case ("PATCH", "service", 3): return rename(body)
    case ("PATCH", "service", 4) where path[2] == "users": return patchUser(path[3], body)
    case ("GET", "organizations", 6) where path[5] == "plans": return listPlans()
    case ("GET", "organizations", 7): return getKey(path[6])
    case ("POST", "organizations", 7): return rotateClientSecret()
    case ("POST", "service", 3) where path[2] == "users": return createUser(body)
    case ("POST", "service", 3) where path[2] == "provider-tokens":
      return tokenAnswers.count > 1 ? tokenAnswers.removeFirst() : tokenAnswers[0]
    case ("GET", "service", 4) where path[2] == "users": return getUser(path[3])
    case ("DELETE", "service", 4) where path[2] == "users": return deleteUser(path[3])
    case ("POST", "service", 3): return createSubscription(body)
    case ("GET", "service", 4): return getSubscription(path[3])
    case ("PATCH", "service", 4): return patchSubscription(path[3], body)
    case ("DELETE", "service", 4): return deleteSubscription(path[3])
    case ("GET", "service", 3): return info(key)
    case ("GET", "organizations", _): return listKeys(query)
    case ("POST", "organizations", _): return createKey(body)
    case ("DELETE", "organizations", _): return deleteKey(path[path.count - 1])
    default: return StepResponse(status: 404)
    }
  }

  private static func query(of request: StepRequest) -> [String: String] {
    let text = request.path.split(separator: "?").dropFirst().first ?? ""
    let pairs = text.split(separator: "&").map { $0.split(separator: "=").map(String.init) }
    return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") })
  }

  private mutating func page(
    _ name: String, _ query: [String: String], _ all: [JSONValue]
  ) -> StepResponse {
    let offset = query["offset"].flatMap(Int.init) ?? 0
    let limit = min(query["limit"].flatMap(Int.init) ?? 50, 100)
    pages.append("\(name) \(offset)")
    if let imaginaryUsers {
      let numbers = (offset..<max(offset, min(offset + limit, imaginaryUsers)))
      // The same key for all: what is tested is how far the pages go, not what they hold.
      let list = numbers.map { _ in JSONValue.object(JSONObject([("id", "x")])) }
      return StepResponse(
        status: 200, json: ["users": .array(list), "total": JSONValue(imaginaryUsers)])
    }
    return StepResponse(
      status: 200,
      json: .object(
        JSONObject([
          (name, .array(Array(all.dropFirst(offset).prefix(limit)))),
          ("total", JSONValue(all.count)),
        ])))
  }

  mutating func note(_ change: String) { ledger.append(change) }

  private mutating func number() -> Int {
    made += 1
    return made
  }

  private func refusal(_ status: Int, _ code: String, _ text: String) -> StepResponse {
    StepResponse(
      status: status,
      json: ["error": .string(text), "error_code": .string(code), "timestamp": "2026-01-01"])
  }

  private var notLinked: StepResponse {
    refusal(404, "NOT_FOUND", "User not found or has not authenticated with this service")
  }

  private func user(_ id: String) -> StepResponse {
    let email = emails.first { $0.value == id }?.key ?? ""
    return StepResponse(
      status: 200, json: ["id": .string(id), "email": .string(email), "created_at": "2026"])
  }

  private mutating func createUser(_ body: JSONValue) -> StepResponse {
    let email = body["email"]?.stringValue ?? ""
    let id = emails[email] ?? "user-\(number())"
    if emails[email] == nil { note("create user \(email)") }
    emails[email] = id
    var response = user(id)
    if linked.insert(id).inserted {
      note("link \(id)")
      response.status = 201
    }
    return response
  }

  private func getUser(_ id: String) -> StepResponse { linked.contains(id) ? user(id) : notLinked }

  private mutating func deleteUser(_ id: String) -> StepResponse {
    guard linked.remove(id) != nil else { return notLinked }
    note("unlink \(id)")
    if !keepsSubscriptionOnDelete, subscriptions.removeValue(forKey: id) != nil {
      note("delete subscription \(id)")
    }
    return StepResponse(status: 204)
  }

  private func row(
    _ id: String, _ subscription: Subscription, id number: String = "s"
  ) -> StepResponse {
    StepResponse(
      status: 200,
      json: [
        "id": .string(number), "user_id": .string(id), "plan_id": .string(subscription.planID),
        "plan_name": "p", "status": .string(subscription.status),
        "current_period_end": .string(subscription.periodEnd),
      ])
  }

  private mutating func createSubscription(_ body: JSONValue) -> StepResponse {
    let plan = body["plan_id"]?.stringValue ?? ""
    if foreignPlans.contains(plan) {
      return refusal(403, "FORBIDDEN", "Plan does not belong to this service")
    }
    guard plans.contains(plan) else { return refusal(404, "NOT_FOUND", "Plan not found") }
    let id = body["user_id"]?.stringValue ?? ""
    guard linked.contains(id) else { return notLinked }
    guard subscriptions[id] == nil else {
      return refusal(500, "DATABASE_ERROR", "Database error")
    }
    let subscription = Subscription(
      planID: plan, status: body["status"]?.stringValue ?? "active",
      periodEnd: body["current_period_end"]?.stringValue ?? "in 30 days")
    subscriptions[id] = subscription
    note("create subscription \(id) \(plan)")
    return row(id, subscription)
  }

  private func getSubscription(_ id: String) -> StepResponse {
    guard var subscription = subscriptions[id] else {
      return refusal(404, "NOT_FOUND", "Subscription not found for this user")
    }
    if database == .server { return refusal(500, "DATABASE_ERROR", "Database error") }
    subscription.periodEnd = "now"
    return row(id, subscription)
  }

  private mutating func patchSubscription(_ id: String, _ body: JSONValue) -> StepResponse {
    guard linked.contains(id) else { return notLinked }
    guard var subscription = subscriptions[id] else {
      return refusal(404, "NOT_FOUND", "Subscription not found for this user and service")
    }
    subscription.status = body["status"]?.stringValue ?? subscription.status
    subscription.periodEnd = body["current_period_end"]?.stringValue ?? subscription.periodEnd
    if subscription != subscriptions[id] { note("update subscription \(id)") }
    subscriptions[id] = subscription
    return row(id, subscription)
  }

  private mutating func deleteSubscription(_ id: String) -> StepResponse {
    guard linked.contains(id) else { return notLinked }
    guard subscriptions.removeValue(forKey: id) != nil else {
      return refusal(404, "NOT_FOUND", "Subscription not found for this user and service")
    }
    note("delete subscription \(id)")
    return StepResponse(status: 204)
  }

  private func info(_ secret: String?) -> StepResponse {
    guard let key = keys.first(where: { $0.secret == secret }) else {
      return refusal(401, "UNAUTHORIZED", "Invalid API key")
    }
    guard key.permissions.contains("read:service") else {
      return refusal(403, "FORBIDDEN", "Missing required permission: read:service")
    }
    return service
  }

  private var service: StepResponse {
    StepResponse(
      status: 200,
      json: [
        "id": "service", "name": .string(serviceName), "slug": "service", "service_type": "web",
        "created_at": "2026",
      ])
  }

  private mutating func rename(_ body: JSONValue) -> StepResponse {
    if let name = body["name"]?.stringValue, name != serviceName {
      serviceName = name
      note("rename service")
    }
    return service
  }

  private var analytics: StepResponse {
    StepResponse(
      status: 200,
      json: [
        "total_users": JSONValue(linked.count),
        "total_subscriptions": JSONValue(subscriptions.count),
        "active_subscriptions": JSONValue(subscriptions.values.count { $0.status == "active" }),
        "total_logins_30d": 5, "unique_users_30d": 3,
      ])
  }

  private func patchUser(_ id: String, _ body: JSONValue) -> StepResponse {
    guard body["email"]?.stringValue == nil else {
      return refusal(
        403, "FORBIDDEN", "Service API keys cannot update organization user profile fields")
    }
    return getUser(id)
  }

  private mutating func listSubscriptions(_ query: [String: String]) -> StepResponse {
    let matching = subscriptions.sorted { $0.key < $1.key }.filter {
      query["status"] == nil || $0.value.status == query["status"]
    }
    if database == .server, !matching.isEmpty {
      return refusal(500, "DATABASE_ERROR", "Database error")
    }
    return page(
      "subscriptions", query, matching.map { row($0.key, $0.value, id: $0.key).bodyValue ?? .null })
  }

  private mutating func listKeys(_ query: [String: String]) -> StepResponse {
    page("api_keys", query, keys.reversed().map(Self.json))
  }

  private static func json(_ key: Key) -> JSONValue {
    [
      "id": .string(key.id), "name": .string(key.name), "prefix": .string(key.prefix),
      "permissions": .array(key.permissions.map { .string($0) }),
    ]
  }

  private func getKey(_ id: String) -> StepResponse {
    guard let key = keys.first(where: { $0.id == id }) else {
      return refusal(404, "NOT_FOUND", "API key not found")
    }
    return StepResponse(status: 200, json: Self.json(key))
  }

  private mutating func rotateClientSecret() -> StepResponse {
    clientSecret = "secret-\(number())-" + String(repeating: "c", count: 64)
    note("rotate client secret")
    return StepResponse(
      status: 200,
      json: [
        "service": [
          "id": "service", "slug": "service", "client_id": "client", "client_secret": nil,
        ],
        "client_secret": .string(clientSecret),
      ])
  }

  private func listPlans() -> StepResponse {
    let list = plans.sorted().map { plan -> JSONValue in
      let count = subscriptions.values.count { $0.planID == plan && $0.status == "active" }
      return [
        "plan": ["id": .string(plan), "name": .string(plan), "price_cents": 0],
        "subscription_count": JSONValue(count),
      ]
    }
    return StepResponse(status: 200, json: .array(list))
  }

  private mutating func createKey(_ body: JSONValue) -> StepResponse {
    let number = number()
    let digits = String(repeating: "0", count: 12 - String(number).count) + String(number)
    let key = Key(
      id: "key-\(number)", name: body["name"]?.stringValue ?? "",
      secret: "sk_\(digits)_" + String(repeating: "c", count: 64),
      permissions: (body["permissions"]?.arrayValue ?? []).compactMap(\.stringValue))
    keys.append(key)
    note("create key \(key.id)")
    return StepResponse(
      status: 201,
      json: [
        "id": .string(key.id), "name": .string(key.name), "prefix": .string(key.prefix),
        "key": .string(key.secret),
      ])
  }

  private mutating func deleteKey(_ id: String) -> StepResponse {
    guard let index = keys.firstIndex(where: { $0.id == id }) else {
      return refusal(404, "NOT_FOUND", "API key not found")
    }
    keys.remove(at: index)
    note("delete key \(id)")
    return StepResponse(status: 204)
  }
}
