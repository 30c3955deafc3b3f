// Tokens of connected accounts at other providers: handed out, or a request for the user to act.

import JSON

extension EmulatedState {
  private struct TokenRequest {
    var userID: String
    var provider: String
    var scopes: [String]
    var redirectURI: String?
  }

  private enum Decision {
    case ok(ConnectedAccount, token: String, granted: [String])
    case actionRequired(String, missing: [String])
  }

  mutating func requestProviderToken(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    var wanted = try tokenRequest(call)
    guard
      call.key.permissions.contains("read:provider_tokens:\(wanted.provider)")
        || call.key.permissions.contains("read:provider_tokens")
    else { throw .forbidden("Missing required permission: read:provider_tokens") }
    let user = try linkedUser(wanted.userID, call)
    let service = services[call.serviceID]
    let allowed = service?.providers[wanted.provider]?.scopes ?? []
    guard !allowed.isEmpty else {
      throw .forbidden("Service does not have \(wanted.provider) scopes configured")
    }
    let refused = wanted.scopes.filter { !allowed.contains($0) }
    guard refused.isEmpty else {
      throw .forbidden(
        "Requested scopes are not allowed for this service: \(refused.joined(separator: ", "))")
    }
    if wanted.scopes.isEmpty { wanted.scopes = allowed }
    let decision = try decide(wanted, allowed: allowed, at: call.now)
    let effect: Effect
    let response: EmulatedResponse
    switch decision {
    case .ok(let account, let token, let granted):
      effect = .providerTokenIssued
      response = .json(issued(account, token: token, granted: granted, provider: wanted.provider))
    case .actionRequired(let code, let missing):
      try checkRedirect(wanted.redirectURI, registered: service?.redirectURIs ?? [])
      let identifier = random.uuid()
      pendingConsents[identifier] = PendingConsent(
        userID: user.id, provider: wanted.provider, scopes: wanted.scopes,
        expiresAt: call.now.adding(seconds: PendingConsent.lifetime))
      pendingProviderRequests[
        Linkage(userID: user.id, serviceID: call.serviceID), default: 0] += 1
      effect = .providerTokenPending
      response = .json([
        "status": "action_required", "code": .string(code),
        "reauth_url": .string("\(settings.baseURL)\(PendingConsent.path)\(identifier)"),
        "missing_scopes": .array(missing.map { .string($0) }),
        "provider": .string(wanted.provider),
      ])
    }
    record(effect, call.call) {
      $0.userID = user.id
      $0.email = user.email
      $0.serviceID = call.serviceID
      $0.name = wanted.provider
    }
    return response
  }

  private func tokenRequest(_ call: ServiceCall) throws(Refusal) -> TokenRequest {
    let body = try JSONBody(of: call.request)
    let userID = try body.string("user_id")
    let provider = try body.string("provider")
    let scopes = try body.stringsOrEmpty("scopes")
    let redirectURI = try body.optionalString("redirect_uri")
    _ = try body.optionalString("state")
    let isBuiltIn = ["github", "google", "microsoft"].contains(provider.lowercased())
    return TokenRequest(
      userID: userID, provider: isBuiltIn ? provider.lowercased() : provider, scopes: scopes,
      redirectURI: redirectURI)
  }

  private func decide(
    _ wanted: TokenRequest, allowed: [String], at now: UTCTime
  ) throws(Refusal) -> Decision {
    let accounts =
      accounts[AccountKey(userID: wanted.userID, provider: wanted.provider)] ?? []
    guard !accounts.isEmpty else {
      return .actionRequired("PROVIDER_LINK_REQUIRED", missing: wanted.scopes)
    }
    let able = accounts.filter { Set($0.scopes).isSuperset(of: wanted.scopes) }
    guard !able.isEmpty else {
      return .actionRequired("PROVIDER_SCOPE_CONSENT_REQUIRED", missing: wanted.scopes)
    }
    let granted = able.compactMap { account in account.grantedScopes.map { (account, $0) } }
    guard let first = granted.first else {
      return .actionRequired("PROVIDER_GRANT_REQUIRED", missing: [])
    }
    guard let (account, scopes) = granted.first(where: { Set($0.1).isSuperset(of: wanted.scopes) })
    else {
      return .actionRequired(
        "PROVIDER_SCOPE_CONSENT_REQUIRED", missing: wanted.scopes.filter { !first.1.contains($0) })
    }
    guard let token = account.token else {
      throw .json(
        status: 500, code: "INTERNAL_SERVER_ERROR", text: "Connected account has no token")
    }
    let usable = Set(scopes).intersection(allowed)
    let expiresSoon = account.tokenExpiresAt.map { $0 < now.adding(seconds: 300) } ?? false
    guard usable.isSuperset(of: account.scopes), !expiresSoon else {
      return .actionRequired("PROVIDER_REAUTH_REQUIRED", missing: [])
    }
    return .ok(account, token: token, granted: scopes)
  }

  private func issued(
    _ account: ConnectedAccount, token: String, granted: [String], provider: String
  ) -> JSONValue {
    [
      "status": "ok", "access_token": .string(token),
      "expires_at": JSONValue(account.tokenExpiresAt?.rfc3339WithOffset),
      "scopes": .array(granted.map { .string($0) }), "provider": .string(provider),
      "account": [
        "id": .string(account.id), "provider_user_id": .string(account.providerUserID),
        "email": JSONValue(account.email), "display_name": JSONValue(account.displayName),
      ],
    ]
  }

  /// Checks where the user is to be sent afterwards; without a wish, to the first registered URI.
  func checkRedirect(_ uri: String?, registered: [String]) throws(Refusal) {
    guard let uri else {
      guard !registered.isEmpty else { throw .badRequest("redirect_uri is required") }
      return
    }
    guard !registered.isEmpty else {
      throw .badRequest("No redirect URIs are registered for this service")
    }
    guard registered.contains(uri) else {
      throw .badRequest("redirect_uri '\(uri)' is not registered for this service")
    }
  }
}
