// The client secret and the plans of a service.

import JSON

extension EmulatedState {
  mutating func rotateServiceSecret(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    var service = try managedService(call)
    guard call.membership?.mayManage(service.id) ?? false else {
      throw .forbidden("Insufficient permissions to rotate service secrets")
    }
    let secret = random.uuid()
    service.clientSecret = digest(secret)
    services[service.id] = service
    record(.secretRotated, call.call) { $0.serviceID = service.id }
    return .json(["service": json(service), "client_secret": .string(secret)])
  }

  private func json(_ service: Service) -> JSONValue {
    func scopes(_ provider: String) -> JSONValue {
      service.providers[provider].map { .array($0.scopes.map { .string($0) }) } ?? .null
    }
    return .object(
      JSONObject([
        ("id", .string(service.id)), ("org_id", .string(service.organizationID)),
        ("slug", .string(service.slug)), ("name", .string(service.name)),
        ("service_type", .string(service.serviceType)), ("client_id", .string(service.clientID)),
        ("client_secret", .null), ("github_scopes", scopes("github")),
        ("microsoft_scopes", scopes("microsoft")), ("google_scopes", scopes("google")),
        (
          "redirect_uris",
          service.redirectURIs.isEmpty ? .null : .array(service.redirectURIs.map { .string($0) })
        ),
        ("resource_uris", .null), ("device_activation_uri", .null), ("saml_enabled", false),
        ("saml_entity_id", .null), ("saml_acs_url", .null), ("saml_slo_url", .null),
        ("saml_name_id_format", .null), ("saml_attribute_mapping", .null),
        ("saml_sign_assertions", false), ("saml_sign_response", false),
        ("created_at", .string(service.createdAt.rfc3339)),
      ]))
  }

  func listServicePlans(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    let (service, membership) = try viewedService(call)
    guard membership.mayViewPlans(service.id) else {
      throw .forbidden("Insufficient permissions to view plans for this service")
    }
    let active = subscriptions.values.filter { $0.status == "active" }
    let rows = plans.values.filter { $0.serviceID == service.id }.map { plan in
      JSONValue.object(
        JSONObject([
          ("plan", json(plan)),
          ("subscription_count", JSONValue(active.count { $0.planID == plan.id })),
        ]))
    }
    return .json(.array(rows))
  }

  private func json(_ plan: Plan) -> JSONValue {
    .object(
      JSONObject([
        ("id", .string(plan.id)), ("service_id", .string(plan.serviceID)),
        ("name", .string(plan.name)), ("description", .null),
        ("price_cents", JSONValue(plan.priceCents)), ("currency", "usd"), ("features", "[]"),
        ("stripe_price_id", .null), ("is_default", .bool(plan.isDefault)),
        ("created_at", .string(plan.createdAt.rfc3339)),
      ]))
  }
}
