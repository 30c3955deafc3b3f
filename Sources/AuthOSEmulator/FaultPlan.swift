// Which requests go wrong, and how: by chance from a seed, or one after the other as written.

/// Which operations a rule is about.
public struct FaultRoute: Sendable, Hashable {
  /// The operations.
  public var operations: Set<Operation>
  /// The text that it was read from, for showing.
  public var text: String

  /// Single operations.
  public init(_ operations: Operation...) {
    self.operations = Set(operations)
    self.text = operations.map(\.rawValue).joined(separator: ",")
  }

  /// Reads `*` (every operation), an operation's name, several separated by commas, or a method and
  /// a path such as `DELETE /api/service/users/*`, where `*` as the method means any method and `*`
  /// at the end of the path any rest; `nil` where nothing matches.
  public init?(text: String) {
    self.text = text
    if text == "*" {
      operations = Set(Operation.allCases)
      return
    }
    let words = text.split(separator: " ")
    if words.count == 2 {
      let path = words[1]
      operations = Set(
        Operation.allCases.filter { operation in
          let template = operation.template
          guard words[0] == "*" || words[0] == template.method else { return false }
          return path.last == "*"
            ? template.path.hasPrefix(path.dropLast()) : template.path == path
        })
    } else {
      let names = text.split(separator: ",").map { Operation(rawValue: String($0)) }
      guard !names.contains(nil) else { return nil }
      operations = Set(names.compactMap(\.self))
    }
    guard !operations.isEmpty else { return nil }
  }

  /// All operations that are made with an API key.
  public static let service = FaultRoute(text: "* /api/service/*") ?? FaultRoute()
  /// All operations of the management API.
  public static let management = FaultRoute(text: "* /api/organizations/*") ?? FaultRoute()
}

/// One rule of a fault plan.
public struct FaultRule: Sendable, Hashable {
  /// When a rule applies to a request of its route.
  public enum Choice: Sendable, Hashable {
    /// To each with this probability (0 … 1), at most `limit` times.
    case chance(Fault, probability: Double, limit: Int?)
    /// To the first with the first entry, to the second with the second, and so on; `nil` leaves a
    /// request to the rules that follow, and after the last entry the rule is over.
    case script([Fault?])
  }

  /// The route.
  public var route: FaultRoute
  /// The choice of requests.
  public var choice: Choice

  /// A rule that applies by chance.
  public init(
    _ route: FaultRoute, _ fault: Fault, probability: Double = 1, limit: Int? = nil
  ) {
    self.route = route
    self.choice = .chance(fault, probability: probability, limit: limit)
  }

  /// A rule for the next requests of a route, one after the other.
  public init(_ route: FaultRoute, script: [Fault?]) {
    self.route = route
    self.choice = .script(script)
  }
}

/// A list of rules and the seed of their chances.
///
/// Of the rules that match a request, the first that applies decides; a script that matches counts
/// the request even where its entry is `nil`.
public struct FaultPlan: Sendable, Hashable {
  /// The seed: whether the n-th request that a rule sees is hit depends on nothing else.
  public var seed: UInt64
  /// The rules in order.
  public var rules: [FaultRule]

  /// A plan; without rules nothing goes wrong.
  public init(seed: UInt64 = 0, rules: [FaultRule] = []) {
    self.seed = seed
    self.rules = rules
  }

  /// A plan under which this share of the requests of the service and management routes goes wrong,
  /// spread evenly over every fault that leaves a client in doubt or makes it wait.
  public static func misbehaving(
    seed: UInt64, share: Double, slowness: Duration = .milliseconds(200), retryAfter: Int = 1
  ) -> FaultPlan {
    let faults: [Fault] = [
      .status500, .error500AfterEffect, .timeout408BeforeEffect, .timeout408AfterEffect,
      .dropBefore, .dropAfter, .slow(slowness), .tooManyRequests(retryAfter: retryAfter),
      .tooManyRequests(retryAfter: nil), .htmlBadGateway502, .htmlBadGateway502AfterEffect,
      .unavailable503(retryAfter: nil),
    ]
    let route = FaultRoute(text: "* /api/*") ?? .service
    // Rules are asked one after the other, so each takes its part of what the earlier ones left.
    var left = 1.0
    let part = share / Double(faults.count)
    let rules = faults.map { fault in
      defer { left -= part }
      return FaultRule(
        FaultRoute(keeping: route) { !$0.template.path.hasPrefix("/api/auth/") }, fault,
        probability: part / left)
    }
    return FaultPlan(seed: seed, rules: rules)
  }
}

extension FaultRoute {
  fileprivate init(keeping route: FaultRoute, where isKept: (Operation) -> Bool) {
    operations = route.operations.filter(isKept)
    text = operations.map(\.rawValue).sorted().joined(separator: ",")
  }
}

/// A plan and how far it has come.
struct FaultSchedule {
  let plan: FaultPlan
  private var seen: [Int]
  private var applied: [Int]

  init(_ plan: FaultPlan) {
    self.plan = plan
    seen = plan.rules.map { _ in 0 }
    applied = seen
  }

  mutating func next(for operation: Operation) -> Fault? {
    for (index, rule) in plan.rules.enumerated() where rule.route.operations.contains(operation) {
      let ordinal = seen[index]
      switch rule.choice {
      case .script(let faults):
        guard ordinal < faults.count else { continue }
        seen[index] += 1
        if let fault = faults[ordinal] { return fault }
      case .chance(let fault, let probability, let limit):
        seen[index] += 1
        guard applied[index] < limit ?? .max else { continue }
        var generator = SeededGenerator(
          seed: plan.seed &+ UInt64(index) << 48 &+ UInt64(truncatingIfNeeded: ordinal))
        // The first value of neighbouring seeds is as good as independent: the generator mixes it.
        guard Double.random(in: 0..<1, using: &generator) < probability else { continue }
        applied[index] += 1
        return fault
      }
    }
    return nil
  }
}
