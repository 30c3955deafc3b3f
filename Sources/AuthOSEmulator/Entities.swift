// The rows that the emulator keeps. Secrets are kept as digests only, except provider tokens and the
// shared secrets of authenticator apps, which their protocols need in the clear.

import Crypto

struct Organization {
  var id: String
  var slug: String
  var status: String
}

struct ProviderSettings {
  var scopes: [String]
}

struct Service {
  var id: String
  var organizationID: String
  var slug: String
  var name: String
  var serviceType: String
  var clientID: String
  var clientSecret: SHA256Digest
  var providers: [String: ProviderSettings]
  var redirectURIs: [String]
  var createdAt: UTCTime
}

struct Plan {
  var id: String
  var serviceID: String
  var name: String
  var priceCents: Int
  var isDefault: Bool
  var createdAt: UTCTime
}

struct Password {
  var salt: String
  var digest: SHA256Digest

  init(_ text: String, salt: String) {
    self.salt = salt
    self.digest = AuthOSEmulator.digest("\(salt)\u{0}\(text)")
  }

  func accepts(_ text: String) -> Bool { Password(text, salt: salt).digest == digest }
}

struct User {
  var id: String
  /// The organization that the user belongs to, or `nil` for users of the platform.
  var organizationID: String?
  var email: String
  var createdAt: UTCTime
  var password: Password?
  var emailIsVerified = false
  /// The shared secret of the authenticator app, where one is set up.
  var totpSecret: [UInt8]?
  var loginRefusal: SeedAccount.LoginRefusal?
  var memberships: [String: Membership] = [:]
}

/// What a user may do in an organization.
enum Membership {
  case administrator
  case custom(capabilities: Set<String>)
  /// A plain member, with a grant (`manager` or `viewer`) for some services, by service id.
  case member(grants: [String: String])

  func mayManage(_ serviceID: String) -> Bool {
    switch self {
    case .administrator: true
    case .custom(let capabilities): capabilities.contains("services.manage")
    case .member(let grants): grants[serviceID] == "manager"
    }
  }

  func mayView(_ serviceID: String) -> Bool {
    switch self {
    case .member(let grants): grants[serviceID] != nil
    default: mayManage(serviceID)
    }
  }

  func mayViewPlans(_ serviceID: String) -> Bool {
    if case .custom(let capabilities) = self, capabilities.contains("services.view") { return true }
    return mayView(serviceID)
  }
}

/// Names a user together with a service.
struct Linkage: Hashable {
  var userID: String
  var serviceID: String
}

struct Subscription {
  var id: String
  var userID: String
  var serviceID: String
  var planID: String
  var status: String
  var currentPeriodEnd: UTCTime
}

struct APIKey {
  var id: String
  var serviceID: String
  var name: String
  var prefix: String
  var digest: SHA256Digest
  var permissions: [String]
  var expiresAt: UTCTime?
  var createdAt: UTCTime
  var createdBy: String
  var lastUsedAt: UTCTime?
  /// The place in the order of creation, since creation times have whole seconds only.
  var ordinal: Int
}

struct Session {
  var id: String
  var userID: String
  var organizationSlug: String?
  var serviceSlug: String?
  var accessDigest: SHA256Digest
  var accessExpiresAt: UTCTime
  var refreshDigest: SHA256Digest
  var refreshExpiresAt: UTCTime?
}

struct ConnectedAccount {
  var id: String
  var providerUserID: String
  var email: String?
  var displayName: String?
  var scopes: [String]
  var token: String?
  var tokenExpiresAt: UTCTime?
  /// The scopes granted to the service, or `nil` without an active grant.
  var grantedScopes: [String]?
}
