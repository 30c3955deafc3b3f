// Everything that the emulated server remembers, and the few look-ups that many handlers share.

import Crypto

/// The tables, the ledger and the counters.
///
/// A value without clock or lock: whoever owns it passes the time in and serialises the calls.
struct EmulatedState {
  /// Names a user by email within an organization (`nil`: the platform).
  struct Mailbox: Hashable {
    var organizationID: String?
    var email: String
  }

  struct AccountKey: Hashable {
    var userID: String
    var provider: String
  }

  struct LoginEvent {
    var time: UTCTime
    var userID: String
    var serviceID: String
  }

  var settings: EmulatorSettings
  var random: any RandomNumberGenerator & Sendable
  let signer: TokenSigner

  var organizations: [String: Organization] = [:]
  var services: [String: Service] = [:]
  var plans: [String: Plan] = [:]
  var users: [String: User] = [:]
  var userIDs: [Mailbox: String] = [:]
  var links = LinkTable()
  var subscriptions: [Linkage: Subscription] = [:]
  var apiKeys: [String: APIKey] = [:]
  var apiKeyPrefixes: [String: String] = [:]
  var lastKeyOrdinal = 0
  var accounts: [AccountKey: [ConnectedAccount]] = [:]
  var pendingProviderRequests: [Linkage: Int] = [:]
  var pendingConsents: [String: PendingConsent] = [:]
  var loginEvents: [LoginEvent] = []

  var sessions = SessionTable()
  var usedPreAuthTokens: Set<String> = []
  var loginLimiter = RateLimiter(burst: 20)
  var mfaLimiter = RateLimiter(burst: 3)

  var ledger: [LedgerRecord] = []
  var counts = RequestCounts()
  var requests = RequestLog()
  var faults = FaultSchedule(FaultPlan())

  init(
    settings: EmulatorSettings, random: any RandomNumberGenerator & Sendable, signer: TokenSigner
  ) {
    self.settings = settings
    self.signer = signer
    self.random = random
  }

  func organization(slug: String) -> Organization? {
    organizations.values.first { $0.slug == slug }
  }

  func service(slug: String, organizationID: String) -> Service? {
    services.values.first { $0.slug == slug && $0.organizationID == organizationID }
  }

  /// The user, where linked to the service: a link exists and the user is of the organization.
  func linkedUser(_ userID: String, _ call: ServiceCall) throws(Refusal) -> User {
    guard links.contains(Linkage(userID: userID, serviceID: call.serviceID)),
      let user = users[userID], user.organizationID == call.organizationID
    else { throw .notLinked }
    return user
  }

  /// Appends an effect to the ledger.
  mutating func record(
    _ effect: Effect, _ call: Call, _ fill: (inout LedgerRecord) -> Void
  ) {
    var record = LedgerRecord(
      sequence: ledger.count + 1, time: call.now, effect: effect, operation: call.operation,
      requestNumber: call.number, actorKeyPrefix: call.actorKeyPrefix,
      actorUserID: call.actorUserID)
    fill(&record)
    ledger.append(record)
  }
}

extension LedgerRecord {
  /// Names the subscription with everything that it says.
  mutating func describe(_ subscription: Subscription, plan: Plan?, email: String?) {
    serviceID = subscription.serviceID
    userID = subscription.userID
    self.email = email
    subscriptionID = subscription.id
    planID = subscription.planID
    planName = plan?.name
    status = subscription.status
    currentPeriodEnd = subscription.currentPeriodEnd
  }

  mutating func describe(_ key: APIKey) {
    serviceID = key.serviceID
    apiKeyID = key.id
    apiKeyPrefix = key.prefix
    name = key.name
  }
}
