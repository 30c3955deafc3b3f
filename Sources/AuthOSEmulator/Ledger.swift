// The ledger of effects: what really happened, whatever the client was told.

public import JSON

/// What a request changed.
public enum Effect: String, Sendable, Hashable, CaseIterable {
  /// A user row was inserted.
  case userInserted
  /// A user was linked to the service.
  case linkInserted
  /// Every link of a user to the service was removed.
  case linkRemoved
  /// A subscription was inserted.
  case subscriptionInserted
  /// A subscription's status or period end was written.
  case subscriptionUpdated
  /// A subscription was deleted.
  case subscriptionDeleted
  /// An API key was created.
  case apiKeyCreated
  /// An API key was deleted.
  case apiKeyDeleted
  /// A service's OAuth client secret was replaced.
  case secretRotated
  /// A service's name was written.
  case serviceRenamed
  /// A login or an MFA code opened a session.
  case sessionOpened
  /// A session's tokens were replaced.
  case sessionRefreshed
  /// A session was deleted because a consumed refresh token was presented.
  case sessionEnded
  /// A provider's token was handed out.
  case providerTokenIssued
  /// A request for the user to act was stored.
  case providerTokenPending
}

/// One effect.
///
/// It never holds a secret: keys appear by their prefix, tokens not at all.
public struct LedgerRecord: Sendable, Hashable {
  /// The place in the ledger, from 1, without gaps.
  public var sequence: Int
  /// When it happened, by the clock that the request was served with.
  public var time: UTCTime
  /// What changed.
  public var effect: Effect
  /// The operation that changed it.
  public var operation: Operation
  /// The ordinal of the request among all requests, from 1.
  public var requestNumber: Int
  /// The prefix of the API key that the request was made with.
  public var actorKeyPrefix: String?
  /// The user whose session the request was made with.
  public var actorUserID: String?
  /// The service that it concerns.
  public var serviceID: String?
  /// The user that it concerns.
  public var userID: String?
  /// That user's email.
  public var email: String?
  /// The subscription that it concerns.
  public var subscriptionID: String?
  /// The plan's id.
  public var planID: String?
  /// The plan's name.
  public var planName: String?
  /// The subscription's status.
  public var status: String?
  /// The subscription's true period end.
  public var currentPeriodEnd: UTCTime?
  /// The status before an update.
  public var previousStatus: String?
  /// The true period end before an update.
  public var previousPeriodEnd: UTCTime?
  /// The id of the key that was created or deleted.
  public var apiKeyID: String?
  /// The prefix of the key that was created or deleted.
  public var apiKeyPrefix: String?
  /// The name of the key that was created or deleted, or the new name of the service.
  public var name: String?
  /// The name of the service before it was written.
  public var previousName: String?

  /// The record as JSON; members without a value are left out.
  public var json: JSONValue {
    var object = JSONObject([
      ("sequence", JSONValue(sequence)), ("time", .string(time.rfc3339)),
      ("effect", .string(effect.rawValue)), ("operation", .string(operation.rawValue)),
      ("request_number", JSONValue(requestNumber)),
    ])
    let optional = [
      ("actor_key_prefix", actorKeyPrefix), ("actor_user_id", actorUserID),
      ("service_id", serviceID), ("user_id", userID), ("email", email),
      ("subscription_id", subscriptionID), ("plan_id", planID), ("plan_name", planName),
      ("status", status), ("current_period_end", currentPeriodEnd?.rfc3339),
      ("previous_status", previousStatus), ("previous_period_end", previousPeriodEnd?.rfc3339),
      ("api_key_id", apiKeyID), ("api_key_prefix", apiKeyPrefix), ("name", name),
      ("previous_name", previousName),
    ]
    for (name, value) in optional {
      if let value { object[name] = .string(value) }
    }
    return .object(object)
  }
}
