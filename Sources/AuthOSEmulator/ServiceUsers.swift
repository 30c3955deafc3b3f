// The users of a service: list, create, read, the update that updates nothing, and the removal.

import JSON

extension EmulatedState {
  private func json(_ user: User) -> JSONValue {
    .object(
      JSONObject([
        ("id", .string(user.id)), ("email", .string(user.email)),
        ("created_at", .string(user.createdAt.rfc3339)),
      ]))
  }

  func listServiceUsers(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let page = try Query(of: call.request, reading: ["limit", "offset"]).page()
    try call.requirePermission()
    let rows = links.users(serviceID: call.serviceID, limit: page.limit, offset: page.offset)
      .compactMap { users[$0].map(json) }
    return .json([
      "users": .array(rows), "total": JSONValue(links.count(serviceID: call.serviceID)),
    ])
  }

  mutating func createServiceUser(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let email = try JSONBody(of: call.request).string("email")
    try call.requirePermission()
    guard email.utf8.contains(UInt8(ascii: "@")) else {
      throw .badRequest("Invalid email format")
    }
    let user: User
    let mailbox = Mailbox(organizationID: call.organizationID, email: email)
    if let found = userIDs[mailbox].flatMap({ users[$0] }) {
      user = found
      if links.contains(Linkage(userID: user.id, serviceID: call.serviceID)) {
        return .json(json(user))
      }
    } else {
      try settings.check(email, atMost: 254)
      user = User(
        id: random.uuid(), organizationID: call.organizationID, email: email,
        createdAt: settings.databaseTime(call.now))
      insert(user)
      record(.userInserted, call.call) {
        $0.userID = user.id
        $0.email = email
        $0.serviceID = call.serviceID
      }
      // Two statements, not one transaction: what stops here leaves a user without a link.
      try call.call.stopHalfWayIfAsked()
    }
    links.insert(
      Linkage(userID: user.id, serviceID: call.serviceID), provider: "service_api")
    record(.linkInserted, call.call) {
      $0.userID = user.id
      $0.email = email
      $0.serviceID = call.serviceID
    }
    return .json(json(user), status: 201)
  }

  mutating func insert(_ user: User) {
    users[user.id] = user
    userIDs[Mailbox(organizationID: user.organizationID, email: user.email)] = user.id
  }

  func getServiceUser(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let userID = try call.call.parameter("user_id")
    try call.requirePermission()
    return .json(json(try linkedUser(userID, call)))
  }

  func updateServiceUser(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let userID = try call.call.parameter("user_id")
    let email = try JSONBody(of: call.request).optionalString("email")
    try call.requirePermission()
    guard email == nil else {
      throw .forbidden("Service API keys cannot update organization user profile fields")
    }
    return .json(json(try linkedUser(userID, call)))
  }

  mutating func deleteServiceUser(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let userID = try call.call.parameter("user_id")
    try call.requirePermission()
    let user = try linkedUser(userID, call)
    let linkage = Linkage(userID: userID, serviceID: call.serviceID)
    links.remove(linkage)
    record(.linkRemoved, call.call) {
      $0.userID = userID
      $0.email = user.email
      $0.serviceID = call.serviceID
    }
    // What stops here leaves a subscription that no longer belongs to a linked user.
    try call.call.stopHalfWayIfAsked()
    pendingProviderRequests.removeValue(forKey: linkage)
    if call.call.fault != .silentSubscriptionDeleteFailure { deleteSubscription(linkage, call) }
    return EmulatedResponse(status: 204)
  }

  /// Deletes the subscription of a user for a service, where there is one.
  mutating func deleteSubscription(_ linkage: Linkage, _ call: ServiceCall) {
    guard let subscription = subscriptions.removeValue(forKey: linkage) else { return }
    let plan = plans[subscription.planID]
    let email = users[linkage.userID]?.email
    record(.subscriptionDeleted, call.call) {
      $0.describe(subscription, plan: plan, email: email)
    }
  }
}
