// Sets of statuses, and at which statuses a condition surely holds or surely fails.
//
// Conditions compare the status with literals, so that one is decided alike by all statuses between two
// literals: each stretch is decided once, instead of each of the 900 statuses.

internal import JSON

/// A set of statuses.
struct StatusSet: Hashable {
  /// What a response can have as its status (RFC 9110, section 15: three digits).
  static let range = 100...999

  private var words = [UInt64](repeating: 0, count: (range.count + 63) / 64)

  static let none = StatusSet()
  static let all: StatusSet = {
    var set = StatusSet()
    set.insert(range)
    return set
  }()

  var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  func contains(_ status: Int) -> Bool {
    let bit = status - Self.range.lowerBound
    return Self.range.contains(status) && words[bit / 64] & (1 << UInt64(bit % 64)) != 0
  }

  mutating func insert(_ statuses: ClosedRange<Int>) {
    for status in statuses.clamped(to: Self.range) {
      let bit = status - Self.range.lowerBound
      words[bit / 64] |= 1 << UInt64(bit % 64)
    }
  }

  func union(_ other: StatusSet) -> StatusSet { combined(other, |) }

  func intersection(_ other: StatusSet) -> StatusSet { combined(other, &) }

  func subtracting(_ other: StatusSet) -> StatusSet { combined(other) { $0 & ~$1 } }

  private func combined(
    _ other: StatusSet, _ combine: (UInt64, UInt64) -> UInt64
  ) -> StatusSet {
    var result = self
    for index in words.indices { result.words[index] = combine(words[index], other.words[index]) }
    return result
  }
}

/// At which statuses a condition surely holds and surely fails; elsewhere it depends on more than the status.
struct StatusDecision {
  let holds: StatusSet
  let fails: StatusSet

  init(_ condition: Condition) {
    switch condition {
    case .not(let condition):
      let decision = StatusDecision(condition)
      (holds, fails) = (decision.fails, decision.holds)
    case .and(let left, let right):
      let (left, right) = (StatusDecision(left), StatusDecision(right))
      holds = left.holds.intersection(right.holds)
      fails = left.fails.union(right.fails)
    case .or(let left, let right):
      let (left, right) = (StatusDecision(left), StatusDecision(right))
      holds = left.holds.union(right.holds)
      fails = left.fails.intersection(right.fails)
    case .literal, .expression, .property, .element, .comparison:
      guard condition.expressions.allSatisfy(\.isStatus) else {
        (holds, fails) = (.none, .none)
        return
      }
      (holds, fails) = Self.evaluate(condition)
    }
  }

  private static func evaluate(_ condition: Condition) -> (holds: StatusSet, fails: StatusSet) {
    var starts: Set<Int> = [StatusSet.range.lowerBound]
    for number in condition.numbers where (99...1000).contains(number) {
      let whole = Int(number.rounded(.down))
      starts.formUnion([whole, whole + 1].filter(StatusSet.range.contains))
    }
    let sorted = starts.sorted()
    var holds = StatusSet.none
    for (index, start) in sorted.enumerated()
    where condition.evaluate(in: .of(status: start)) {
      let end = index + 1 < sorted.count ? sorted[index + 1] - 1 : StatusSet.range.upperBound
      holds.insert(start...end)
    }
    return (holds, StatusSet.all.subtracting(holds))
  }
}

extension Condition {
  /// The literals that a status may be compared with: numbers, also written as texts.
  fileprivate var numbers: [Double] {
    switch self {
    case .literal(.number(let number)): [number.doubleValue]
    case .literal(.string(let text)):
      (try? JSONValue(parsing: text))?.doubleValue.map { [$0] } ?? []
    case .literal, .expression: []
    case .property(let value, _), .not(let value): value.numbers
    case .element(let left, let right), .and(let left, let right), .or(let left, let right),
      .comparison(let left, _, let right):
      left.numbers + right.numbers
    }
  }
}

extension RuntimeExpression {
  var isStatus: Bool { source == .statusCode }
}

extension EvaluationContext {
  static func of(status: Int) -> EvaluationContext {
    var context = EvaluationContext()
    context.statusCode = status
    return context
  }
}
