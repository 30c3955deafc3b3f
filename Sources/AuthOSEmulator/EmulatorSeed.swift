// What an emulated server holds when it starts.

/// The organization `acme` with its service, plans, accounts, users and keys; and a second service
/// of the same organization with a plan of its own, for requests that name the wrong plan.
///
/// Identifiers are drawn from ``number``: the same seed gives the same ones.
public struct EmulatorSeed: Sendable {
  /// The seed of identifiers.
  public var number: UInt64
  /// The organization's slug.
  public var organizationSlug: String
  /// The organization's status; everything but `active` locks it.
  public var organizationStatus: String
  /// The service's slug.
  public var serviceSlug: String
  /// The service's name.
  public var serviceName: String
  /// The names of the service's plans; the first is the default plan and free of charge.
  public var planNames: [String]
  /// Accounts of the management API.
  public var accounts: [SeedAccount]
  /// Users of the organization.
  public var users: [SeedUser]
  /// API keys of the service.
  public var apiKeys: [SeedAPIKey]
  /// The scopes that the service may ask of each provider.
  public var providerScopes: [String: [String]]
  /// The service's registered redirect URIs.
  public var redirectURIs: [String]

  /// A seed.
  public init(
    number: UInt64 = 1, organizationSlug: String = "acme", organizationStatus: String = "active",
    serviceSlug: String = "portal", serviceName: String = "Portal",
    planNames: [String] = ["free", "pro", "team"], accounts: [SeedAccount] = [],
    users: [SeedUser] = [], apiKeys: [SeedAPIKey] = [],
    providerScopes: [String: [String]] = ["github": ["read:user", "repo"]],
    redirectURIs: [String] = ["https://portal.acme.test/connected"]
  ) {
    self.number = number
    self.organizationSlug = organizationSlug
    self.organizationStatus = organizationStatus
    self.serviceSlug = serviceSlug
    self.serviceName = serviceName
    self.planNames = planNames
    self.accounts = accounts
    self.users = users
    self.apiKeys = apiKeys
    self.providerScopes = providerScopes
    self.redirectURIs = redirectURIs
  }
}

/// A platform user with a password, and what it may do in the organization.
public struct SeedAccount: Sendable {
  /// A role in the organization.
  public enum Role: Sendable, Hashable {
    /// May do everything.
    case owner
    /// May do everything.
    case admin
    /// A custom role; `services.manage` and `services.view` are the capabilities that matter.
    case custom(capabilities: Set<String>)
    /// A plain member with a grant for the service, `manager` or `viewer`, or none.
    case member(grant: String?)
    /// Not a member.
    case outsider
  }

  /// A reason for refusing logins that has nothing to do with the password.
  public enum LoginRefusal: Sendable, Hashable {
    /// The email's domain belongs to an external identity provider.
    case managedDomain
    /// The risk engine finds every login suspicious.
    case suspicious
    /// The organization's monthly active users are used up.
    case activeUserLimit(Int)
  }

  /// The email to log in with.
  public var email: String
  /// The password to log in with.
  public var password: String
  /// The role.
  public var role: Role
  /// Whether the email is verified; without that nobody logs in.
  public var emailIsVerified: Bool
  /// The shared secret of an authenticator app; with one, login asks for a code.
  public var totpSecret: [UInt8]?
  /// A reason for refusing every login.
  public var loginRefusal: LoginRefusal?

  /// An account.
  public init(
    email: String, password: String, role: Role = .owner, emailIsVerified: Bool = true,
    totpSecret: [UInt8]? = nil, loginRefusal: LoginRefusal? = nil
  ) {
    self.email = email
    self.password = password
    self.role = role
    self.emailIsVerified = emailIsVerified
    self.totpSecret = totpSecret
    self.loginRefusal = loginRefusal
  }
}

/// A user of the organization.
public struct SeedUser: Sendable {
  /// The email.
  public var email: String
  /// Whether the user is linked to the service.
  public var isLinked: Bool
  /// A password for logging in to the service; it also verifies the email.
  public var password: String?
  /// The name of the plan that the user is subscribed to.
  public var plan: String?
  /// The subscription's status.
  public var status: String
  /// The subscription's period end; without one, 30 days from the start.
  public var currentPeriodEnd: UTCTime?
  /// Accounts at other providers.
  public var connectedAccounts: [SeedConnectedAccount]

  /// A user.
  public init(
    email: String, isLinked: Bool = true, password: String? = nil, plan: String? = nil,
    status: String = "active", currentPeriodEnd: UTCTime? = nil,
    connectedAccounts: [SeedConnectedAccount] = []
  ) {
    self.email = email
    self.isLinked = isLinked
    self.password = password
    self.plan = plan
    self.status = status
    self.currentPeriodEnd = currentPeriodEnd
    self.connectedAccounts = connectedAccounts
  }
}

/// A user's account at another provider.
public struct SeedConnectedAccount: Sendable {
  /// The provider, for example `github`.
  public var provider: String
  /// The user's id there.
  public var providerUserID: String
  /// The scopes of the stored token.
  public var scopes: [String]
  /// The scopes granted to the service, or `nil` without a grant.
  public var grantedScopes: [String]?
  /// The token, or `nil` where none is stored.
  public var token: String?
  /// When the token expires.
  public var tokenExpiresAt: UTCTime?

  /// A connected account.
  public init(
    provider: String, providerUserID: String, scopes: [String], grantedScopes: [String]?,
    token: String?, tokenExpiresAt: UTCTime? = nil
  ) {
    self.provider = provider
    self.providerUserID = providerUserID
    self.scopes = scopes
    self.grantedScopes = grantedScopes
    self.token = token
    self.tokenExpiresAt = tokenExpiresAt
  }
}

/// An API key of the service.
public struct SeedAPIKey: Sendable {
  /// The key's name, by which ``SeededValues/apiKeys`` returns it.
  public var name: String
  /// The permissions.
  public var permissions: [String]
  /// The whole key, or `nil` to have one generated.
  public var key: String?
  /// When it expires.
  public var expiresAt: UTCTime?

  /// An API key.
  public init(
    name: String, permissions: [String], key: String? = nil, expiresAt: UTCTime? = nil
  ) {
    self.name = name
    self.permissions = permissions
    self.key = key
    self.expiresAt = expiresAt
  }
}

/// The identifiers and keys that a seed led to.
public struct SeededValues: Sendable {
  /// The organization's id.
  public internal(set) var organizationID = ""
  /// The service's id.
  public internal(set) var serviceID = ""
  /// The slug of the other service of the organization.
  public internal(set) var otherServiceSlug = "backoffice"
  /// The id of the other service's plan.
  public internal(set) var otherServicePlanID = ""
  /// The ids of the service's plans by name.
  public internal(set) var planIDs: [String: String] = [:]
  /// The ids of accounts by email.
  public internal(set) var accountIDs: [String: String] = [:]
  /// The ids of users by email.
  public internal(set) var userIDs: [String: String] = [:]
  /// The whole API keys by name: secrets, returned here and nowhere else.
  public internal(set) var apiKeys: [String: String] = [:]
}
