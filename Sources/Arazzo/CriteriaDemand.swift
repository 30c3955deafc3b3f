// What criteria ask of an answer, and whether any answer can give it.

internal import JSON

/// What criteria that all have to hold ask of an answer.
struct CriteriaDemand {
  /// The statuses at which none of the conditions surely fails.
  private var statuses = StatusSet.all
  /// The criteria that look at nothing but the status, in a way that only trying can tell.
  private var tests: [StatusTest] = []
  /// What has to equal which literals.
  private var values: [RuntimeExpression: [JSONValue]] = [:]
  /// Why no answer can give it; `nil` where that is not sure.
  private(set) var contradiction: Contradiction?

  struct Contradiction {
    let description: String
    let location: SourceLocation
  }

  init(of criteria: [Criterion], _ tests: StatusTests) {
    let single = criteria.map { CriteriaDemand(ofOne: $0, tests) }
    for demand in single {
      statuses = statuses.intersection(demand.statuses)
      self.tests += demand.tests
    }
    contradiction = findContradiction(in: criteria, single)
  }

  /// The demand for one of some statuses.
  init(statuses: StatusSet) { self.statuses = statuses }

  private init(ofOne criterion: Criterion, _ tests: StatusTests) {
    if case .simple(let condition) = criterion.kind {
      statuses = StatusSet.all.subtracting(StatusDecision(condition).fails)
    } else if criterion.expressions.allSatisfy(\.isStatus) {
      self.tests = [tests.test(of: criterion)]
    }
  }

  private mutating func findContradiction(
    in criteria: [Criterion], _ single: [CriteriaDemand]
  ) -> Contradiction? {
    for (criterion, demand) in zip(criteria, single) where !demand.hasStatus {
      return Contradiction(
        description: "'\(criterion.text)' holds for no answer", location: criterion.location)
    }
    let alternatives = "; where one of several is enough, join them with || in one condition"
    if let first = criteria.first, !hasStatus {
      return Contradiction(
        description: "no status fulfils all of these criteria" + alternatives,
        location: first.location)
    }
    var seen: Set<Equality> = []
    for criterion in criteria {
      for equality in criterion.equalities where seen.insert(equality).inserted {
        let (expression, value) = (equality.expression, equality.value)
        if let other = values[expression]?.first(where: { !Condition.canEqualBoth($0, value) }) {
          return Contradiction(
            description:
              "\(expression) cannot be both \(Self.written(other)) and \(Self.written(value))"
              + alternatives, location: criterion.location)
        }
        values[expression, default: []].append(value)
      }
    }
    return nil
  }

  /// Whether there is a status that fulfils it.
  private var hasStatus: Bool {
    if statuses.isEmpty { return false }
    if tests.isEmpty { return true }
    return StatusTests.order.contains { status in
      statuses.contains(status) && tests.allSatisfy { $0.mayHold(at: status) }
    }
  }

  /// Whether an answer can give both what this and what another demand asks.
  func canHold(with other: CriteriaDemand) -> Bool {
    var both = CriteriaDemand(statuses: statuses.intersection(other.statuses))
    both.tests = tests + other.tests
    return both.hasStatus
      && other.values.allSatisfy { expression, wanted in
        (values[expression] ?? []).allSatisfy { value in
          wanted.allSatisfy { Condition.canEqualBoth(value, $0) }
        }
      }
  }

  /// A literal as it stands in a condition.
  private static func written(_ value: JSONValue) -> String {
    value.stringValue.map { "'\($0)'" } ?? value.serialized()
  }
}

/// A criterion of the status that is no comparison with literals: a pattern or a query.
final class StatusTest {
  private let criterion: Criterion
  private let budget: StatusTests
  private var known: [Int: Bool] = [:]

  fileprivate init(_ criterion: Criterion, _ budget: StatusTests) {
    self.criterion = criterion
    self.budget = budget
  }

  /// Whether it holds at a status; also true where nobody has tried.
  func mayHold(at status: Int) -> Bool {
    if let known = known[status] { return known }
    guard budget.take() else { return true }
    let holds = criterion.evaluate(in: .of(status: status))
    known[status] = holds
    return holds
  }
}

/// The tests of a workflow, each tried once however many steps have it.
final class StatusTests {
  /// The statuses to try, first those that criteria are mostly about: the search ends with the first that fits.
  static let order =
    [200, 404, 201, 204, 403, 401, 400, 409, 422, 429, 500, 503, 202] + Array(StatusSet.range)

  private var tests: [Criterion.Kind: StatusTest] = [:]
  /// How often may still be tried, so that a document of many patterns is read in seconds.
  ///
  /// What is not tried is not reported.
  private var remaining = 20_000

  func test(of criterion: Criterion) -> StatusTest {
    if let test = tests[criterion.kind] { return test }
    let test = StatusTest(criterion, self)
    tests[criterion.kind] = test
    return test
  }

  fileprivate func take() -> Bool {
    remaining -= 1
    return remaining >= 0
  }
}

/// A value that has to equal a literal.
private struct Equality: Hashable {
  let expression: RuntimeExpression
  let value: JSONValue
}

extension Criterion {
  /// What has to equal which literal for the criterion to hold.
  fileprivate var equalities: [Equality] {
    if case .simple(let condition) = kind { condition.equalities } else { [] }
  }
}

extension Condition {
  fileprivate var equalities: [Equality] {
    switch self {
    case .and(let left, let right): left.equalities + right.equalities
    case .comparison(.expression(let expression), .equal, .literal(let value)),
      .comparison(.literal(let value), .equal, .expression(let expression)):
      [Equality(expression: expression, value: value)]
    default: []
    }
  }

  /// Whether one value can equal both: `'1'` and `'1.0'` are two texts, and the number 1 equals either.
  fileprivate static func canEqualBoth(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if compare(left, .equal, right) { return true }
    guard case .string(let text) = left, let number = try? JSONValue(parsing: text),
      case .number = number
    else { return false }
    return compare(number, .equal, right)
  }
}
