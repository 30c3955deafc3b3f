// Logging in with a password, and the second factor.

import JSON

extension EmulatedState {
  private struct LoginRequest {
    var email: String
    var password: String
    var organizationSlug: String?
    var serviceSlug: String?
    var redirectURI: String?
  }

  mutating func login(_ call: Call) throws(Refusal) -> EmulatedResponse {
    let wanted = try loginRequest(call)
    let organization = try activeOrganization(wanted.organizationSlug)
    let mailbox = Mailbox(organizationID: organization?.id, email: wanted.email)
    let found = userIDs[mailbox].flatMap { users[$0] }
    if found?.loginRefusal == .managedDomain {
      throw .forbidden(
        "Password login is disabled for this managed domain. "
          + "Use your organization's identity provider.")
    }
    guard wanted.password.utf8.count <= 1024 else {
      throw .badRequest("Password must not exceed 1024 UTF-8 bytes")
    }
    if call.fault == .passwordHashingBusy {
      throw .json(
        status: 429, code: "TOO_MANY_REQUESTS",
        text: "Password processing is busy. Please try again shortly.")
    }
    guard let user = found, user.password?.accepts(wanted.password) ?? false
    else { throw .unauthorized("Invalid email or password") }
    guard user.emailIsVerified else {
      throw .unauthorized("Please verify your email address before logging in")
    }
    let service = try requestedService(wanted, organization: organization)
    if let service {
      guard links.hasLink(Linkage(userID: user.id, serviceID: service.id), provider: "password")
      else { throw .forbidden("You do not have access to this service") }
    } else if let organization, user.memberships[organization.id] == nil {
      throw .forbidden("You are not a member of this organization")
    }
    try checkLoginRefusal(user)
    guard user.totpSecret == nil else {
      return try preAuthorization(user, wanted.organizationSlug, wanted.serviceSlug, call)
    }
    return try openSession(
      user, organizationSlug: organization?.slug, serviceSlug: service?.slug, call)
  }

  private func checkLoginRefusal(_ user: User) throws(Refusal) {
    switch user.loginRefusal {
    case .suspicious:
      throw .forbidden("Suspicious login detected. Please contact support.")
    case .activeUserLimit(let limit):
      throw .json(
        status: 400, code: "SERVICE_LIMIT_EXCEEDED",
        text: "Monthly active user limit reached (\(limit)/\(limit)). "
          + "Please upgrade your plan to continue.")
    case .managedDomain, nil: break
    }
  }

  private func loginRequest(_ call: Call) throws(Refusal) -> LoginRequest {
    let body = try JSONBody(of: call.request, family: .jsonError)
    let email = try body.string("email")
    let password = try body.string("password")
    let organization = try body.optionalString("org_slug")
    let service = try body.optionalString("service_slug")
    let redirect = try body.optionalString("redirect_uri")
    _ = try body.optionalString("saml_state")
    return LoginRequest(
      email: email, password: password, organizationSlug: organization, serviceSlug: service,
      redirectURI: redirect)
  }

  private func activeOrganization(_ slug: String?) throws(Refusal) -> Organization? {
    guard let slug else { return nil }
    guard let organization = organization(slug: slug) else {
      throw .notFound("Organization not found")
    }
    guard organization.status == "active" else {
      throw .forbidden("Organization is not active. Current status: \(organization.status)")
    }
    return organization
  }

  private func requestedService(
    _ wanted: LoginRequest, organization: Organization?
  ) throws(Refusal) -> Service? {
    var found: Service?
    if let slug = wanted.serviceSlug {
      guard let organization else { throw .badRequest("service_slug requires org_slug") }
      guard let service = service(slug: slug, organizationID: organization.id) else {
        throw .notFound("Service not found")
      }
      found = service
    }
    if let uri = wanted.redirectURI {
      guard let found else {
        throw .badRequest("redirect_uri requires org_slug and service_slug")
      }
      try checkRedirect(uri, registered: found.redirectURIs)
    }
    return found
  }

  /// The answer that stands in for tokens until the second factor is shown.
  private mutating func preAuthorization(
    _ user: User, _ organizationSlug: String?, _ serviceSlug: String?, _ call: Call
  ) throws(Refusal) -> EmulatedResponse {
    var claims = JSONObject([
      ("token_use", "mfa_preauth"), ("sub", .string(user.id)), ("email", .string(user.email)),
      ("mfa_required", true), ("mfa_verified", false), ("jti", .string(random.uuid())),
      ("iss", .string(settings.baseURL)), ("iat", JSONValue(call.now.seconds)),
      ("exp", JSONValue(call.now.seconds + 300)),
    ])
    if let organizationSlug { claims["org"] = .string(organizationSlug) }
    if let serviceSlug { claims["service"] = .string(serviceSlug) }
    let token = try signed(.object(claims), type: "authos-mfa-preauth+jwt")
    return .json([
      "access_token": .string(token), "refresh_token": "", "expires_in": 300,
    ])
  }

  mutating func verifyMfa(_ call: Call) throws(Refusal) -> EmulatedResponse {
    let body = try JSONBody(of: call.request, family: .jsonError)
    let token = try body.string("preauth_token")
    let code = try body.string("code")
    _ = try body.optionalString("device_code_id")
    let content = try signer.check(token, at: call.now)
    guard content.type == "authos-mfa-preauth+jwt",
      let identifier = content.claims["jti"]?.stringValue,
      !usedPreAuthTokens.contains(identifier),
      let user = content.claims["sub"]?.stringValue.flatMap({ users[$0] }),
      let secret = user.totpSecret
    else { throw .invalidToken }
    guard TimeBasedCode.accepts(code, secret: secret, at: call.now) else {
      throw .unauthorized("Invalid MFA code")
    }
    usedPreAuthTokens.insert(identifier)
    return try openSession(
      user, organizationSlug: content.claims["org"]?.stringValue,
      serviceSlug: content.claims["service"]?.stringValue, call)
  }
}
