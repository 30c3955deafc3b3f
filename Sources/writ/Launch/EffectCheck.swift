// The emulator's ledger against the orders: every effect is there, each exactly once, and nothing else.

import AuthOSEmulator

/// Compares what was ordered with what really happened.
struct EffectCheck: Sendable {
  /// One line of the comparison.
  struct Line: Sendable, Hashable {
    var what: String
    var ordered: Int
    /// How many of them have their effect exactly once.
    var exactlyOnce: Int
    var note = ""

    var isRight: Bool { ordered == exactlyOnce }
  }

  let lines: [Line]
  /// Changes that no order asked for.
  let unexpected: [LedgerRecord]

  var isRight: Bool { unexpected.isEmpty && lines.allSatisfy(\.isRight) }

  /// - Parameters:
  ///   - ledger: Everything that changed, oldest first.
  ///   - keysInUse: The public part of the key in the secret store, by job type.
  init(
    orders: [DemoOrder], ledger: [LedgerRecord], snapshot: EmulatorSnapshot,
    keysInUse: [String: String]
  ) {
    let changes = ledger.filter { !$0.effect.isOfSession }
    let byEmail = Dictionary(grouping: changes.filter { $0.email != nil }) { $0.email ?? "" }
    let byUser = Dictionary(grouping: changes.filter { $0.userID != nil }) { $0.userID ?? "" }
    let keyChanges = changes.filter { $0.effect == .apiKeyCreated || $0.effect == .apiKeyDeleted }
    var expected = Set(keyChanges.map(\.sequence))
    var counts: [String: (ordered: Int, right: Int)] = [:]
    func count(_ what: String, _ isRight: Bool) {
      let old = counts[what] ?? (0, 0)
      counts[what] = (old.ordered + 1, old.right + (isRight ? 1 : 0))
    }

    var purposes: [String: [DemoOrder.Purpose]] = [:]
    for order in orders {
      switch order.purpose {
      case .create(let email):
        let found = byEmail[email] ?? []
        expected.formUnion(found.map(\.sequence))
        count("create_user", found.map(\.effect) == [.userInserted, .linkInserted])
      case .change(let userID, _), .revoke(let userID):
        purposes[userID, default: []].append(order.purpose)
      case .rotate: break
      }
    }
    for (userID, ordered) in purposes {
      let found = byUser[userID] ?? []
      expected.formUnion(found.map(\.sequence))
      var rest = found[...]
      for (index, purpose) in ordered.enumerated() {
        // After the last order, nothing more may have happened.
        let isTaken = Self.take(purpose, from: &rest)
        let isRight = isTaken && (index < ordered.count - 1 || rest.isEmpty)
        if case .revoke = purpose {
          count("revoke_access", isRight)
        } else {
          count("change_plan", isRight)
        }
      }
    }
    let rotations = Self.rotations(orders, keyChanges, snapshot, keysInUse)
    lines =
      ["create_user", "change_plan", "revoke_access"].compactMap { type in
        counts[type].map { Line(what: type, ordered: $0.ordered, exactlyOnce: $0.right) }
      } + rotations
    unexpected = changes.filter { !expected.contains($0.sequence) }
  }

  /// Takes the effects of one order from the front of what happened to its user.
  private static func take(
    _ purpose: DemoOrder.Purpose, from rest: inout ArraySlice<LedgerRecord>
  ) -> Bool {
    let pattern: [(Effect, String?)] =
      switch purpose {
      case .change(_, let plan): [(.subscriptionDeleted, nil), (.subscriptionInserted, plan)]
      case .revoke: [(.subscriptionDeleted, nil), (.linkRemoved, nil)]
      case .create, .rotate: []
      }
    for (effect, plan) in pattern {
      guard let next = rest.first, next.effect == effect, plan == nil || next.planName == plan
      else { return false }
      rest = rest.dropFirst()
    }
    return true
  }

  /// Each rotation puts one new key into use and deletes the one before.
  ///
  /// A key whose only answer was lost is useless: it has to be found, deleted and made again.
  private static func rotations(
    _ orders: [DemoOrder], _ changes: [LedgerRecord], _ snapshot: EmulatorSnapshot,
    _ keysInUse: [String: String]
  ) -> [Line] {
    var ordered: [String: Int] = [:]
    for order in orders {
      if case .rotate(let type) = order.purpose { ordered[type, default: 0] += 1 }
    }
    guard !ordered.isEmpty else { return [] }
    var right = 0
    var lost = 0
    for (type, count) in ordered {
      let created = changes.filter {
        $0.effect == .apiKeyCreated && $0.name?.hasPrefix("writ \(type) job ") == true
      }
      let jobs = Set(created.compactMap(\.name)).count
      let alive = snapshot.keys.filter {
        $0.name == "writ \(type)" || $0.name.hasPrefix("writ \(type) job ")
      }
      let deleted = changes.filter {
        $0.effect == .apiKeyDeleted
          && ($0.name == "writ \(type)" || $0.name?.hasPrefix("writ \(type) job ") == true)
      }
      let isCurrent = alive.map(\.prefix) == [keysInUse[type]].compactMap(\.self)
      lost += created.count - jobs
      if jobs == count, isCurrent, deleted.count == created.count { right += count }
    }
    let note =
      lost == 0 ? "" : "\(lost) key\(lost == 1 ? "" : "s") whose answer was lost deleted again"
    return [
      Line(
        what: "rotate_api_key", ordered: ordered.values.reduce(0, +), exactlyOnce: right, note: note
      )
    ]
  }
}
