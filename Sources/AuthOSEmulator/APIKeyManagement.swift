// Making, showing and deleting the API keys of a service.

import JSON

extension EmulatedState {
  private func json(_ key: APIKey) -> JSONValue {
    .object(
      JSONObject([
        ("id", .string(key.id)), ("service_id", .string(key.serviceID)),
        ("name", .string(key.name)), ("prefix", .string(key.prefix)),
        ("permissions", .array(key.permissions.map { .string($0) })),
        ("last_used_at", JSONValue(key.lastUsedAt?.rfc3339)),
        ("expires_at", JSONValue(key.expiresAt?.rfc3339)),
        ("created_at", .string(key.createdAt.rfc3339)), ("created_by", .string(key.createdBy)),
      ]))
  }

  mutating func createApiKey(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    let body = try JSONBody(of: call.request)
    let name = try body.string("name")
    let permissions = try body.strings("permissions")
    let days = try body.optionalInteger("expires_in_days")
    let service = try managedService(call)
    guard call.membership?.mayManage(service.id) ?? false else {
      throw .forbidden("Insufficient permissions to manage API keys for this service")
    }
    try Self.check(name: name, permissions: permissions)
    var expiry: UTCTime?
    if let days {
      // The date library ends at the year 262142; beyond it the server's arithmetic panics, which
      // ends the process.
      guard abs(days) < 94_000_000 else { throw .connectionDropped }
      expiry = settings.stored(call.now.adding(seconds: days * 86_400))
    }
    try settings.check(name, atMost: 100)
    let secret = random.apiKey()
    let key = insertKey(
      secret, name: name, permissions: permissions, serviceID: service.id, expiresAt: expiry,
      createdBy: call.user.id, at: call.now)
    record(.apiKeyCreated, call.call) { $0.describe(key) }
    guard var object = json(key).objectValue else { throw .databaseError }
    object["last_used_at"] = nil
    object["created_at"] = .string(call.now.rfc3339)
    object["key"] = .string(secret)
    return .json(.object(object), status: 201)
  }

  mutating func insertKey(
    _ secret: String, name: String, permissions: [String], serviceID: String,
    expiresAt: UTCTime?, createdBy: String, at now: UTCTime
  ) -> APIKey {
    lastKeyOrdinal += 1
    let key = APIKey(
      id: random.uuid(), serviceID: serviceID, name: name,
      prefix: (try? Self.prefix(of: secret)) ?? secret, digest: digest(secret),
      permissions: permissions,
      expiresAt: expiresAt, createdAt: settings.databaseTime(now), createdBy: createdBy,
      lastUsedAt: nil, ordinal: lastKeyOrdinal)
    apiKeys[key.prefix] = key
    apiKeyPrefixes[key.id] = key.prefix
    return key
  }

  private static let builtInPermissions = [
    "read:users", "write:users", "delete:users", "read:subscriptions", "write:subscriptions",
    "delete:subscriptions", "read:analytics", "read:service", "write:service",
    "read:provider_tokens", "read:provider_tokens:github", "read:provider_tokens:google",
    "read:provider_tokens:microsoft",
  ]

  private static func check(name: String, permissions: [String]) throws(Refusal) {
    guard name.contains(where: { !$0.isWhitespace }) else {
      throw .badRequest("API key name cannot be empty")
    }
    guard !permissions.isEmpty else {
      throw .badRequest("API key must have at least one permission")
    }
    for permission in permissions where !isValid(permission) {
      throw .badRequest(
        "Invalid permission: \(permission). Valid permissions are: "
          + "\(builtInPermissions.joined(separator: ", ")) or read:provider_tokens:<provider>")
    }
  }

  private static func isValid(_ permission: String) -> Bool {
    if builtInPermissions.contains(permission) { return true }
    let start = "read:provider_tokens:"
    guard permission.hasPrefix(start), permission.utf8.count > start.utf8.count else {
      return false
    }
    return permission.dropFirst(start.count).utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."):
        true
      default: false
      }
    }
  }

  private func viewedKeys(_ call: ManagementCall) throws(Refusal) -> Service {
    let (service, membership) = try viewedService(call)
    guard membership.mayView(service.id) else {
      throw .forbidden("Insufficient permissions to view API keys for this service")
    }
    return service
  }

  func listApiKeys(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    let page = try Query(of: call.request, reading: ["limit", "offset"]).page()
    let service = try viewedKeys(call)
    let keys = apiKeys.values.filter { $0.serviceID == service.id }
      .sorted { $0.ordinal > $1.ordinal }
    return .json([
      "api_keys": .array(keys.dropFirst(page.offset).prefix(page.limit).map(json)),
      "total": JSONValue(keys.count),
    ])
  }

  private func key(_ call: ManagementCall, of service: Service) throws(Refusal) -> APIKey {
    guard let key = apiKeyPrefixes[try call.call.parameter("api_key_id")].flatMap({ apiKeys[$0] }),
      key.serviceID == service.id
    else { throw .notFound("API key not found") }
    return key
  }

  func getApiKey(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    let service = try viewedKeys(call)
    return .json(json(try key(call, of: service)))
  }

  mutating func deleteApiKey(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    let service = try managedService(call)
    guard call.membership?.mayManage(service.id) ?? false else {
      throw .forbidden("Insufficient permissions to delete API keys for this service")
    }
    let key = try key(call, of: service)
    apiKeys.removeValue(forKey: key.prefix)
    apiKeyPrefixes.removeValue(forKey: key.id)
    record(.apiKeyDeleted, call.call) { $0.describe(key) }
    return EmulatedResponse(status: 204)
  }
}
