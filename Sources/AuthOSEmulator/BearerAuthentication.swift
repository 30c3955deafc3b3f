// What stands before every management route: the session, then the organization.

import JSON

extension EmulatedState {
  /// The user and organization of a live management session.
  func authenticateBearer(_ call: Call) throws(Refusal) -> ManagementCall {
    let user = try sessionUser(call)
    var call = call
    call.actorUserID = user.id
    guard let organization = organization(slug: try call.parameter("org_slug")) else {
      throw .notFound("Organization not found")
    }
    guard organization.status == "active" else {
      throw .forbidden(
        "Organization is not active. Current status: \(organization.status). "
          + "This feature is only available for active organizations.")
    }
    return ManagementCall(call: call, user: user, organization: organization)
  }

  private func sessionUser(_ call: Call) throws(Refusal) -> User {
    guard let header = call.request.header("authorization"), header.hasPrefix("Bearer ") else {
      throw .unauthorized("Missing or invalid Authorization header")
    }
    let token = String(header.dropFirst("Bearer ".count))
    let session: Session
    if let found = sessions.session(access: digest(token)) {
      // The digest of a token that we signed ourselves: its signature is known to be good.
      session = found
      if call.now.seconds > session.accessExpiresAt.seconds + 60 { throw .invalidToken }
    } else {
      let content = try signer.check(token, at: call.now)
      guard content.type == "authos-management+jwt" else {
        throw .unauthorized("Token profile is not valid for the AuthOS API")
      }
      guard content.claims["token_use"]?.stringValue == "management_access" else {
        throw .unauthorized("JWT claims do not match the expected token profile")
      }
      throw .unauthorized("Session revoked or expired")
    }
    guard call.now < session.accessExpiresAt else {
      throw .unauthorized("Session revoked or expired")
    }
    guard let user = users[session.userID] else { throw .unauthorized("User not found") }
    return user
  }

  /// The service of the path; the slug is looked up within the organization.
  func managedService(_ call: ManagementCall) throws(Refusal) -> Service {
    let slug = try call.call.parameter("service_slug")
    guard let service = service(slug: slug, organizationID: call.organization.id) else {
      throw .notFound("Service not found")
    }
    return service
  }

  /// Membership and service of a route that reads.
  func viewedService(_ call: ManagementCall) throws(Refusal) -> (Service, Membership) {
    guard let membership = call.membership else {
      throw .forbidden("Not a member of this organization")
    }
    return (try managedService(call), membership)
  }
}
