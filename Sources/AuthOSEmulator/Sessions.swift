// Opening sessions and rotating their tokens.

import JSON

extension EmulatedState {
  private static let refreshLifetime = 30 * 86_400

  mutating func openSession(
    _ user: User, organizationSlug: String?, serviceSlug: String?, _ call: Call
  ) throws(Refusal) -> EmulatedResponse {
    var session = Session(
      id: random.uuid(), userID: user.id, organizationSlug: organizationSlug,
      serviceSlug: serviceSlug, accessDigest: digest(""), accessExpiresAt: call.now,
      refreshDigest: digest(""))
    let response = try issueTokens(&session, user, call)
    sessions.store(session)
    let service = serviceOf(session)
    if let service {
      loginEvents.append(LoginEvent(time: call.now, userID: user.id, serviceID: service.id))
    }
    record(.sessionOpened, call) {
      $0.userID = user.id
      $0.email = user.email
      $0.serviceID = service?.id
    }
    return response
  }

  private func serviceOf(_ session: Session) -> Service? {
    guard let slug = session.serviceSlug,
      let organization = session.organizationSlug.flatMap({ organization(slug: $0) })
    else { return nil }
    return service(slug: slug, organizationID: organization.id)
  }

  /// Gives a session new tokens; the caller stores it.
  private mutating func issueTokens(
    _ session: inout Session, _ user: User, _ call: Call
  ) throws(Refusal) -> EmulatedResponse {
    let lifetime = settings.accessTokenLifetime
    var claims = JSONObject([
      ("token_use", "management_access"), ("sub", .string(user.id)),
      ("email", .string(user.email)), ("is_platform_owner", false),
      ("jti", .string(random.uuid())), ("iss", .string(settings.baseURL)),
      ("aud", .string(Self.audience(session))), ("iat", JSONValue(call.now.seconds)),
      ("exp", JSONValue(call.now.seconds + lifetime)),
    ])
    if let slug = session.organizationSlug { claims["org"] = .string(slug) }
    if let slug = session.serviceSlug { claims["service"] = .string(slug) }
    let access = try signed(.object(claims), type: "authos-management+jwt")
    let refresh = random.refreshToken()
    session.accessDigest = digest(access)
    session.accessExpiresAt = UTCTime(seconds: call.now.seconds + lifetime)
    session.refreshDigest = digest(refresh)
    session.refreshExpiresAt = call.now.adding(seconds: Self.refreshLifetime)
    return .json([
      "access_token": .string(access), "refresh_token": .string(refresh),
      "expires_in": JSONValue(lifetime),
    ])
  }

  private static func audience(_ session: Session) -> String {
    guard let organization = session.organizationSlug else { return "platform" }
    return session.serviceSlug.map { "service:\(organization)/\($0)" } ?? "org:\(organization)"
  }

  func signed(_ claims: JSONValue, type: String) throws(Refusal) -> String {
    do {
      return try signer.sign(claims, type: type)
    } catch {
      throw .json(
        status: 500, code: "INTERNAL_SERVER_ERROR", text: "Failed to sign the token")
    }
  }

  mutating func refreshToken(_ call: Call) throws(Refusal) -> EmulatedResponse {
    let token = try JSONBody(of: call.request, family: .jsonError).string("refresh_token")
    guard token.contains(where: { !$0.isWhitespace }) else {
      throw .badRequest("Refresh token cannot be empty")
    }
    guard token.utf8.count <= 1000 else { throw .badRequest("Refresh token too long") }
    let presented = digest(token)
    guard var session = sessions.session(refresh: presented) else {
      throw .unauthorized("Invalid refresh token")
    }
    guard presented == session.refreshDigest else {
      // A consumed token: taken for theft, so the whole session ends.
      sessions.remove(session)
      record(.sessionEnded, call) { $0.userID = session.userID }
      throw .unauthorized("Invalid refresh token")
    }
    guard let expiry = session.refreshExpiresAt else { throw .unauthorized("Invalid session") }
    guard call.now < expiry else { throw .unauthorized("Refresh token expired") }
    guard let user = users[session.userID], mayStillUse(session) else {
      throw .unauthorized("Invalid refresh token")
    }
    let response = try issueTokens(&session, user, call)
    sessions.store(session)
    record(.sessionRefreshed, call) {
      $0.userID = user.id
      $0.email = user.email
    }
    return response
  }

  /// Whether the session's organization is active and its user is still linked to its service.
  private func mayStillUse(_ session: Session) -> Bool {
    guard let slug = session.organizationSlug else { return true }
    guard organization(slug: slug)?.status == "active" else { return false }
    guard session.serviceSlug != nil else { return true }
    guard let service = serviceOf(session) else { return false }
    return links.contains(Linkage(userID: session.userID, serviceID: service.id))
  }
}
