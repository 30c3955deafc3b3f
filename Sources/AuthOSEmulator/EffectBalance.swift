// What is different after a run of effects, thing by thing: whether something was done twice.

/// What came of all effects together.
///
/// An effect that happened twice is no harm by itself: an update that is sent again writes what is there
/// already, and a key that was made twice may have been deleted once. So what is counted is what is left:
/// how many of each thing there are more or less, and through how many values each written thing went.
public struct EffectBalance: Sendable, Hashable {
  /// What an effect adds to the balance.
  enum Entry: Sendable, Hashable {
    /// One more of a thing.
    case makes(Thing)
    /// One less of a thing.
    case removes(Thing)
    /// A thing has another value; one that it has had before is no new one.
    case writes(Thing)
    /// Nothing: it lets somebody in, or only asks.
    ///
    /// A provider's token can be handed out any number of times, and a request for its user to act lapses
    /// by itself.
    case nothing
  }

  /// What effects are about.
  public enum Thing: String, Sendable, Hashable, CaseIterable {
    /// Users.
    case user
    /// Links of users to the service.
    case link
    /// Subscriptions.
    case subscription
    /// API keys.
    case apiKey = "API key"
    /// The client secret of the service.
    case clientSecret = "client secret"
    /// The name of the service.
    case serviceName = "service name"
  }

  private struct Written: Hashable {
    var thing: Thing
    /// The user who has it, or the service.
    var identifier: String?
  }

  private var left: [Thing: Int] = [:]
  private var values: [Written: Set<String>] = [:]

  /// The balance of some records of a ledger.
  public init(_ records: [LedgerRecord]) {
    var first: [Written: String] = [:]
    for record in records {
      switch record.effect.entry {
      case .makes(let thing): left[thing, default: 0] += 1
      case .removes(let thing): left[thing, default: 0] -= 1
      case .writes(let thing):
        let written = Written(thing: thing, identifier: record.userID ?? record.serviceID)
        // A secret's value is not in the ledger, and is another one each time.
        let value = record.valueText ?? "\(record.sequence)"
        let original = first[written] ?? record.previousValueText
        if original != value { values[written, default: []].insert(value) }
        first[written] = original
      case .nothing: break
      }
    }
  }

  /// What was done more often than in another run, in words; what was done less often is no doubling.
  ///
  /// A run that stopped early leaves things that the other took away, and the other way round: neither is
  /// too many.
  public func doubled(beyond other: EffectBalance) -> [String] {
    Thing.allCases.flatMap { thing -> [String] in
      let (now, then) = (left[thing, default: 0], other.left[thing, default: 0])
      var found: [String] = []
      if now > max(then, 0) {
        found.append("\(Self.counted(now - max(then, 0), thing)) too many")
      } else if now < min(then, 0) {
        found.append("\(Self.counted(min(then, 0) - now, thing)) too many taken away")
      }
      let (writes, expected) = (writes(of: thing), other.writes(of: thing))
      if writes > expected {
        let times = writes - expected == 1 ? "once" : "\(writes - expected) times"
        found.append("\(thing.rawValue) changed \(times) too often")
      }
      return found
    }
  }

  private func writes(of thing: Thing) -> Int {
    values.filter { $0.key.thing == thing }.reduce(0) { $0 + $1.value.count }
  }

  private static func counted(_ count: Int, _ thing: Thing) -> String {
    "\(count) \(thing.rawValue)\(count == 1 ? "" : "s")"
  }
}

extension Effect {
  /// Whether the effect is about a session: logins are means, not ends.
  public var isOfSession: Bool {
    switch self {
    case .sessionOpened, .sessionRefreshed, .sessionEnded: true
    default: false
    }
  }

  /// What the effect adds to a balance.
  var entry: EffectBalance.Entry {
    switch self {
    case .userInserted: .makes(.user)
    case .linkInserted: .makes(.link)
    case .linkRemoved: .removes(.link)
    case .subscriptionInserted: .makes(.subscription)
    case .subscriptionDeleted: .removes(.subscription)
    case .subscriptionUpdated: .writes(.subscription)
    case .apiKeyCreated: .makes(.apiKey)
    case .apiKeyDeleted: .removes(.apiKey)
    case .secretRotated: .writes(.clientSecret)
    case .serviceRenamed: .writes(.serviceName)
    case .sessionOpened, .sessionRefreshed, .sessionEnded: .nothing
    case .providerTokenIssued, .providerTokenPending: .nothing
    }
  }
}

extension LedgerRecord {
  /// Whether it has written what was there already.
  public var changedNothing: Bool { valueText != nil && valueText == previousValueText }

  /// What an effect that writes has written, where the ledger may know it.
  var valueText: String? {
    switch effect {
    case .subscriptionUpdated: "\(status ?? "") \(currentPeriodEnd?.rfc3339 ?? "")"
    case .serviceRenamed: name
    default: nil
    }
  }

  /// What was there before, in the same form.
  var previousValueText: String? {
    switch effect {
    case .subscriptionUpdated:
      "\(previousStatus ?? "") \(previousPeriodEnd?.rfc3339 ?? "")"
    case .serviceRenamed: previousName
    default: nil
    }
  }
}
