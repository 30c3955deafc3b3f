// What a service holds at one moment, for tests and for the control routes.

public import JSON

/// The users, subscriptions and keys of a service.
public struct EmulatorSnapshot: Sendable {
  /// A user of the service's organization.
  public struct User: Sendable, Hashable {
    /// The id.
    public var id: String
    /// The email.
    public var email: String
    /// Whether the user is linked to the service.
    public var isLinked: Bool
    /// The user's subscription to the service; one without a link is an orphan.
    public var subscription: Subscription?
  }

  /// A subscription.
  public struct Subscription: Sendable, Hashable {
    /// The id.
    public var id: String
    /// The plan's name.
    public var planName: String
    /// The status.
    public var status: String
    /// The true period end.
    public var currentPeriodEnd: UTCTime
  }

  /// An API key without its secret.
  public struct Key: Sendable, Hashable {
    /// The id.
    public var id: String
    /// The name.
    public var name: String
    /// The public part.
    public var prefix: String
    /// The permissions.
    public var permissions: [String]
  }

  /// The users, sorted by email.
  public var users: [User]
  /// The keys, oldest first.
  public var keys: [Key]

  init(_ state: EmulatedState, serviceID: String) {
    let organizationID = state.services[serviceID]?.organizationID
    users = state.users.values.filter { $0.organizationID == organizationID }
      .sorted { $0.email < $1.email }
      .map { user in
        let linkage = Linkage(userID: user.id, serviceID: serviceID)
        let subscription = state.subscriptions[linkage].map {
          Subscription(
            id: $0.id, planName: state.plans[$0.planID]?.name ?? "", status: $0.status,
            currentPeriodEnd: $0.currentPeriodEnd)
        }
        return User(
          id: user.id, email: user.email, isLinked: state.links.contains(linkage),
          subscription: subscription)
      }
    keys = state.apiKeys.values.filter { $0.serviceID == serviceID }
      .sorted { $0.ordinal < $1.ordinal }
      .map { Key(id: $0.id, name: $0.name, prefix: $0.prefix, permissions: $0.permissions) }
  }

  /// The snapshot as JSON.
  public var json: JSONValue {
    let users = users.map { user in
      let subscription = user.subscription.map { subscription in
        JSONValue.object(
          JSONObject([
            ("id", .string(subscription.id)), ("plan_name", .string(subscription.planName)),
            ("status", .string(subscription.status)),
            ("current_period_end", .string(subscription.currentPeriodEnd.rfc3339)),
          ]))
      }
      return JSONValue.object(
        JSONObject([
          ("id", .string(user.id)), ("email", .string(user.email)),
          ("is_linked", .bool(user.isLinked)), ("subscription", subscription ?? .null),
        ]))
    }
    let keys = keys.map { key in
      JSONValue.object(
        JSONObject([
          ("id", .string(key.id)), ("name", .string(key.name)), ("prefix", .string(key.prefix)),
          ("permissions", .array(key.permissions.map { .string($0) })),
        ]))
    }
    return ["users": .array(users), "api_keys": .array(keys)]
  }
}
