// The subscriptions of a service's users, one for each user, and the dates that GET gets wrong.

import JSON

extension EmulatedState {
  private func json(_ subscription: Subscription, periodEnd: UTCTime) -> JSONValue {
    .object(
      JSONObject([
        ("id", .string(subscription.id)), ("user_id", .string(subscription.userID)),
        ("plan_id", .string(subscription.planID)),
        ("plan_name", .string(plans[subscription.planID]?.name ?? "")),
        ("status", .string(subscription.status)),
        ("current_period_end", .string(periodEnd.rfc3339)),
      ]))
  }

  /// The period end as the GET routes show it: they read the column as text and put the clock in
  /// its place when that fails, or fail altogether where the driver refuses to give text.
  private func shownPeriodEnd(
    _ subscription: Subscription, _ call: ServiceCall
  ) throws(Refusal) -> UTCTime {
    switch settings.dateMode {
    case .sqlite: call.now
    case .sqlServer: throw .databaseError
    case .ideal: subscription.currentPeriodEnd
    }
  }

  private func periodEnd(_ body: JSONBody) throws(Refusal) -> String? {
    try body.optionalString("current_period_end")
  }

  private func parsed(_ periodEnd: String) throws(Refusal) -> UTCTime {
    do {
      return settings.stored(try UTCTime(rfc3339: periodEnd))
    } catch {
      throw .badRequest("Invalid current_period_end: \(error.rawValue)")
    }
  }

  func listServiceSubscriptions(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let query = try Query(of: call.request, reading: ["status", "limit", "offset"])
    let page = try query.page()
    try call.requirePermission()
    let status = query["status"]
    let matching = subscriptions.values
      .filter { $0.serviceID == call.serviceID && (status == nil || $0.status == status) }
      .sorted { ($1.currentPeriodEnd, $1.id) < ($0.currentPeriodEnd, $0.id) }
    var rows: [JSONValue] = []
    for subscription in matching.dropFirst(page.offset).prefix(page.limit) {
      rows.append(json(subscription, periodEnd: try shownPeriodEnd(subscription, call)))
    }
    return .json(["subscriptions": .array(rows), "total": JSONValue(matching.count)])
  }

  mutating func createServiceSubscription(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let body = try JSONBody(of: call.request)
    let userID = try body.string("user_id")
    let planID = try body.string("plan_id")
    let status = try body.optionalString("status")
    let periodEnd = try periodEnd(body)
    try call.requirePermission()
    guard let plan = plans[planID] else { throw .notFound("Plan not found") }
    guard plan.serviceID == call.serviceID else {
      throw .forbidden("Plan does not belong to this service")
    }
    let user = try linkedUser(userID, call)
    let end: UTCTime
    if let periodEnd {
      end = try parsed(periodEnd)
    } else {
      end = settings.stored(call.now.adding(seconds: 30 * 86_400))
    }
    try settings.check(status ?? "", atMost: 50)
    let linkage = Linkage(userID: userID, serviceID: call.serviceID)
    // The unique index; the violation is not told apart from any other failure of the database.
    guard subscriptions[linkage] == nil else { throw .databaseError }
    let subscription = Subscription(
      id: random.uuid(), userID: userID, serviceID: call.serviceID, planID: planID,
      status: status ?? "active", currentPeriodEnd: end)
    subscriptions[linkage] = subscription
    record(.subscriptionInserted, call.call) {
      $0.describe(subscription, plan: plan, email: user.email)
    }
    return .json(json(subscription, periodEnd: end))
  }

  func getServiceSubscription(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let userID = try call.call.parameter("user_id")
    try call.requirePermission()
    guard let row = subscriptions[Linkage(userID: userID, serviceID: call.serviceID)] else {
      throw .notFound("Subscription not found for this user")
    }
    return .json(json(row, periodEnd: try shownPeriodEnd(row, call)))
  }

  mutating func updateServiceSubscription(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let userID = try call.call.parameter("user_id")
    let body = try JSONBody(of: call.request)
    let status = try body.optionalString("status")
    let periodEnd = try periodEnd(body)
    try call.requirePermission()
    let user = try linkedUser(userID, call)
    var end: UTCTime?
    if let periodEnd { end = try parsed(periodEnd) }
    let linkage = Linkage(userID: userID, serviceID: call.serviceID)
    guard var subscription = subscriptions[linkage] else {
      throw .notFound("Subscription not found for this user and service")
    }
    try settings.check(status ?? "", atMost: 50)
    if status != nil || end != nil {
      let previous = subscription
      subscription.status = status ?? subscription.status
      subscription.currentPeriodEnd = end ?? subscription.currentPeriodEnd
      subscriptions[linkage] = subscription
      let plan = plans[subscription.planID]
      record(.subscriptionUpdated, call.call) {
        $0.describe(subscription, plan: plan, email: user.email)
        $0.previousStatus = previous.status
        $0.previousPeriodEnd = previous.currentPeriodEnd
      }
    }
    return .json(json(subscription, periodEnd: subscription.currentPeriodEnd))
  }

  mutating func deleteServiceSubscription(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let userID = try call.call.parameter("user_id")
    try call.requirePermission()
    _ = try linkedUser(userID, call)
    let linkage = Linkage(userID: userID, serviceID: call.serviceID)
    guard subscriptions[linkage] != nil else {
      throw .notFound("Subscription not found for this user and service")
    }
    deleteSubscription(linkage, call)
    return EmulatedResponse(status: 204)
  }
}
