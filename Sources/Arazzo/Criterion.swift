// Criteria: the assertions by which steps succeed and actions are chosen.

public import JSON
internal import JSONPath

/// An assertion about a step.
public struct Criterion: Sendable, Hashable {
  /// The kinds that are supported.
  public enum Kind: Sendable, Hashable {
    /// A condition with operators.
    case simple(Condition)
    /// A regular expression that must match somewhere in the text of the context.
    case regex(context: RuntimeExpression, pattern: PatternTemplate)
    /// A JSONPath query that must select something in the context.
    case jsonPath(context: RuntimeExpression, query: JSONPathTemplate)
  }

  /// What is asserted.
  public var kind: Kind
  /// The condition as written.
  public var text: String
  /// Where it is written.
  public var location: SourceLocation

  /// Whether the assertion holds; what cannot be evaluated does not hold.
  public func evaluate(in context: EvaluationContext) -> Bool {
    switch kind {
    case .simple(let condition): return condition.evaluate(in: context)
    case .regex(let subject, let pattern):
      guard let value = subject.evaluate(in: context), !value.isNull,
        let expression = pattern.expression(in: context)
      else { return false }
      var limit = JSONPath.standardWorkLimit
      let matches = try? expression.matchesSomewhere(
        ValueTemplate.text(of: value), workLimit: &limit)
      return matches ?? false
    case .jsonPath(let root, let query):
      guard let value = root.evaluate(in: context), !value.isNull,
        let nodes = try? query.query(in: context)?.nodes(in: value)
      else { return false }
      return !nodes.isEmpty
    }
  }

  /// All expressions, in their order.
  public var expressions: [RuntimeExpression] {
    switch kind {
    case .simple(let condition): condition.expressions
    case .regex(let subject, let pattern):
      [subject] + ValueTemplate.text(pattern.parts).expressions
    case .jsonPath(let root, let query): [root] + ValueTemplate.text(query.parts).expressions
    }
  }
}

/// A parsed condition of type `simple`.
public indirect enum Condition: Sendable, Hashable {
  /// The comparisons.
  public enum Comparison: String, Sendable, Hashable {
    /// `<`, `<=`, `>`, `>=`, `==` and `!=`.
    case less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    /// Equality.
    case equal = "==", notEqual = "!="
  }

  /// A literal.
  case literal(JSONValue)
  /// A runtime expression.
  case expression(RuntimeExpression)
  /// A property of a value.
  case property(Condition, String)
  /// An element of an array, or a property of an object where the index is a string.
  case element(Condition, Condition)
  /// The opposite.
  case not(Condition)
  /// Both; the right side is looked at only if the left holds.
  case and(Condition, Condition)
  /// One of both; the right side is looked at only if the left does not hold.
  case or(Condition, Condition)
  /// A comparison.
  case comparison(Condition, Comparison, Condition)
}

extension Condition {
  /// Whether the condition holds: a value holds unless it is `false`, `null` or missing.
  public func evaluate(in context: EvaluationContext) -> Bool {
    switch value(in: context) {
    case nil, .null, .bool(false): false
    default: true
    }
  }

  /// All expressions, in their order.
  public var expressions: [RuntimeExpression] {
    switch self {
    case .literal: []
    case .expression(let expression): [expression]
    case .property(let value, _), .not(let value): value.expressions
    case .element(let left, let right), .and(let left, let right), .or(let left, let right),
      .comparison(let left, _, let right):
      left.expressions + right.expressions
    }
  }

  /// The expressions whose value the condition compares with `null`, or asks for its truth: a missing
  /// value has a meaning there.
  var nullTested: Set<RuntimeExpression> {
    switch self {
    case .comparison(let left, _, .literal(.null)): Set(left.expressions)
    case .comparison(.literal(.null), _, let right): Set(right.expressions)
    case .comparison, .literal: []
    case .expression, .property, .element: Set(expressions)
    case .not(let value): value.nullTested
    case .and(let left, let right), .or(let left, let right):
      left.nullTested.union(right.nullTested)
    }
  }

  private func value(in context: EvaluationContext) -> JSONValue? {
    switch self {
    case .literal(let value): return value
    case .expression(let expression): return expression.evaluate(in: context)
    case .property(let value, let name): return value.value(in: context)?[name]
    case .element(let value, let index):
      guard let value = value.value(in: context) else { return nil }
      switch index.value(in: context) {
      case .string(let name)?: return value[name]
      case .number(let number)?: return number.intValue.flatMap { value[$0] }
      default: return nil
      }
    case .not(let condition): return .bool(!condition.evaluate(in: context))
    case .and(let left, let right):
      return .bool(left.evaluate(in: context) && right.evaluate(in: context))
    case .or(let left, let right):
      return .bool(left.evaluate(in: context) || right.evaluate(in: context))
    case .comparison(let left, let comparison, let right):
      return .bool(
        Self.compare(left.value(in: context), comparison, right.value(in: context)))
    }
  }

  /// Compares as Arazzo says: strings without regard to case; a string that is a number equals
  /// that number; `null` equals only itself; values of different kinds are unequal and have no
  /// order.
  ///
  /// A missing value equals `null`, which is how to ask for it; every other comparison with it is
  /// false, so that two fields that are both absent do not pass for the same.
  static func compare(_ left: JSONValue?, _ comparison: Comparison, _ right: JSONValue?) -> Bool {
    guard let left, let right else {
      return comparison == .equal && (left ?? right)?.isNull == true
    }
    switch comparison {
    case .equal: return isEqual(left, right)
    case .notEqual: return !isEqual(left, right)
    case .less, .lessOrEqual, .greater, .greaterOrEqual: break
    }
    if let (left, right) = numbers(left, right) {
      if let left = left.intValue, let right = right.intValue {
        return isOrdered(left, comparison, right)
      }
      return isOrdered(left.doubleValue, comparison, right.doubleValue)
    }
    if case (.string(let left), .string(let right)) = (left, right) {
      return isOrdered(left.lowercased(), comparison, right.lowercased())
    }
    return false
  }

  private static func isEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if case (.string(let left), .string(let right)) = (left, right) {
      return left.lowercased() == right.lowercased()
    }
    if let (left, right) = numbers(left, right) { return left == right }
    return left == right
  }

  /// Both as numbers, where at least one is a number and the other one reads as a number.
  private static func numbers(
    _ left: JSONValue, _ right: JSONValue
  ) -> (JSONNumber, JSONNumber)? {
    switch (left, right) {
    case (.number(let left), .number(let right)): return (left, right)
    case (.number(let left), .string(let text)): return number(text).map { (left, $0) }
    case (.string(let text), .number(let right)): return number(text).map { ($0, right) }
    default: return nil
    }
  }

  private static func number(_ text: String) -> JSONNumber? {
    guard case .number(let number)? = try? JSONValue(parsing: text) else { return nil }
    return number
  }

  private static func isOrdered<T: Comparable>(
    _ left: T, _ comparison: Comparison, _ right: T
  ) -> Bool {
    switch comparison {
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    case .equal: left == right
    case .notEqual: left != right
    }
  }
}
