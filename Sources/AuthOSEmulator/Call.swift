// One request on its way through checks and handlers.

/// What every handler knows about its request.
struct Call {
  let request: EmulatedRequest
  let route: Route
  let operation: Operation
  let now: UTCTime
  let fault: Fault?
  let number: Int
  var actorKeyPrefix: String?
  var actorUserID: String?

  /// A path parameter, percent-decoded.
  func parameter(_ name: String) throws(Refusal) -> String {
    let segment = route.parameters.first { $0.name == name }?.segment ?? ""
    guard segment.utf8.contains(UInt8(ascii: "%")) else { return String(segment) }
    guard let text = String(validating: percentDecoded(segment), as: UTF8.self) else {
      throw .plainText(status: 400, text: "Invalid URL: Invalid UTF-8 in `\(name)`")
    }
    return text
  }

  /// Ends the request here where the fault says to stop half-way.
  func stopHalfWayIfAsked() throws(Refusal) {
    guard case .stopHalfWay(let interruption) = fault else { return }
    throw switch interruption {
    case .databaseError: .databaseError
    case .timeout: .timedOut
    case .connectionDropped: .connectionDropped
    }
  }
}

/// A call with a valid API key.
struct ServiceCall {
  let call: Call
  let key: APIKey
  let organizationID: String

  var request: EmulatedRequest { call.request }
  var now: UTCTime { call.now }
  var serviceID: String { key.serviceID }

  /// Refuses a key without the operation's permission.
  func requirePermission() throws(Refusal) {
    if let permission = call.operation.permission { try require(permission) }
  }

  func require(_ permission: String) throws(Refusal) {
    guard key.permissions.contains(permission) else {
      throw .forbidden("Missing required permission: \(permission)")
    }
  }
}

/// A call with a live management session, in an active organization.
struct ManagementCall {
  let call: Call
  let user: User
  let organization: Organization

  var request: EmulatedRequest { call.request }
  var now: UTCTime { call.now }
  var membership: Membership? { user.memberships[organization.id] }
}
