// The other end of a `reauth_url`: where the real server sends the user on to the provider, this one takes the
// visit itself for his consent, so that a person or a test can play the user with one GET.

import JSON

/// A request for a user to act, for as long as its address is good.
struct PendingConsent {
  /// Where the addresses of such requests begin.
  static let path = "/connect/provider-token/"
  /// How long an address is good, in seconds.
  static let lifetime = 900

  var userID: String
  var provider: String
  var scopes: [String]
  var expiresAt: UTCTime
}

extension EmulatedState {
  /// Takes a visit to a `reauth_url` for the user's consent; `nil` for any other request.
  mutating func consent(_ request: EmulatedRequest, at now: UTCTime) -> EmulatedResponse? {
    guard request.method == "GET", request.path.hasPrefix(PendingConsent.path) else { return nil }
    let identifier = String(request.path.dropFirst(PendingConsent.path.count))
    guard let pending = pendingConsents.removeValue(forKey: identifier), now < pending.expiresAt
    else { return EmulatedResponse(status: 404) }
    let key = AccountKey(userID: pending.userID, provider: pending.provider)
    let token = "emulated-\(pending.provider)-\(random.uuid())"
    var account =
      accounts[key]?.first
      ?? ConnectedAccount(
        id: random.uuid(), providerUserID: random.uuid(), email: users[pending.userID]?.email,
        displayName: nil, scopes: [], token: nil, tokenExpiresAt: nil, grantedScopes: nil)
    let granted = account.grantedScopes ?? []
    account.grantedScopes = granted + pending.scopes.filter { !granted.contains($0) }
    account.scopes = account.grantedScopes ?? []
    account.token = account.token ?? token
    account.tokenExpiresAt = nil
    accounts[key] = [account] + (accounts[key]?.dropFirst() ?? [])
    return .json(["status": "connected", "provider": .string(pending.provider)])
  }
}
