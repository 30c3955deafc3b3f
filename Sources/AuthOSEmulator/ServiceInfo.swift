// What a service says about itself: its data, its name, and its counts.

import JSON

extension EmulatedState {
  private func json(_ service: Service) -> JSONValue {
    .object(
      JSONObject([
        ("id", .string(service.id)), ("name", .string(service.name)),
        ("slug", .string(service.slug)), ("service_type", .string(service.serviceType)),
        ("created_at", .string(service.createdAt.rfc3339)),
      ]))
  }

  func getServiceInfo(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    try call.requirePermission()
    guard let service = services[call.serviceID] else { throw .notFound("Service not found") }
    return .json(json(service))
  }

  mutating func updateServiceInfo(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    let name = try JSONBody(of: call.request).optionalString("name")
    try call.requirePermission()
    guard var service = services[call.serviceID] else { throw .notFound("Service not found") }
    if let name {
      let previous = service.name
      service.name = name
      services[service.id] = service
      record(.serviceRenamed, call.call) {
        $0.serviceID = service.id
        $0.name = name
        $0.previousName = previous
      }
    }
    return .json(json(service))
  }

  func getServiceAnalytics(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    try call.requirePermission()
    let rows = subscriptions.values.filter { $0.serviceID == call.serviceID }
    let start = call.now.adding(seconds: -30 * 86_400)
    let logins = loginEvents.filter { $0.serviceID == call.serviceID && $0.time >= start }
    return .json([
      "total_users": JSONValue(links.count(serviceID: call.serviceID)),
      "total_subscriptions": JSONValue(rows.count),
      "active_subscriptions": JSONValue(rows.count { $0.status == "active" }),
      "total_logins_30d": JSONValue(logins.count),
      "unique_users_30d": JSONValue(Set(logins.map(\.userID)).count),
    ])
  }
}
