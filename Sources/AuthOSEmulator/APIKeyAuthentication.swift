// What stands before every service route: the API key's checks, in the server's order.

extension EmulatedState {
  /// The service and organization of a valid key, with the call that they make.
  mutating func authenticateKey(_ call: Call) throws(Refusal) -> ServiceCall {
    let text = try Self.presentedKey(call.request)
    let prefix = try Self.prefix(of: text)
    guard let key = apiKeys[prefix], key.digest == digest(text) else {
      throw .unauthorized("Invalid API key")
    }
    if let expiry = key.expiresAt, expiry < call.now {
      throw .unauthorized("API key has expired")
    }
    guard let service = services[key.serviceID] else {
      throw .json(
        status: 500, code: "INTERNAL_SERVER_ERROR", text: "Service not found for API key")
    }
    guard organizations[service.organizationID]?.status == "active" else {
      throw .unauthorized("API key organization is not active")
    }
    if call.fault == .bookkeeping500 { throw .databaseError }
    // A write where at least six whole minutes have passed since the last, else only a read.
    if key.lastUsedAt.map({ call.now.seconds - $0.seconds >= 360 }) ?? true {
      apiKeys[prefix]?.lastUsedAt = settings.stored(call.now)
    }
    var call = call
    call.actorKeyPrefix = key.prefix
    return ServiceCall(call: call, key: key, organizationID: service.organizationID)
  }

  private static func presentedKey(_ request: EmulatedRequest) throws(Refusal) -> String {
    guard let text = request.header("x-api-key"),
      text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) || $0 == 0x09 })
    else { throw .unauthorized("Missing or invalid X-Api-Key header") }
    return text
  }

  /// The public part of a key of the form `sk_x_y`; neither length nor digits are checked.
  static func prefix(of key: String) throws(Refusal) -> String {
    let parts = key.split(separator: "_", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "sk", !parts[1].isEmpty, !parts[2].isEmpty else {
      throw .unauthorized("Invalid API key format")
    }
    return "sk_\(parts[1])"
  }
}
