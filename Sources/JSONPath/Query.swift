// The parts of a JSONPath query, as RFC 9535 names them.

import JSON

struct Query: Sendable, Hashable {
  /// Whether it starts at the root (`$`) or, inside a filter, at the current node (`@`).
  var isAbsolute: Bool
  var segments: [Segment]

  var isSingular: Bool {
    segments.allSatisfy { segment in
      guard !segment.isDescendant, segment.selectors.count == 1 else { return false }
      switch segment.selectors[0] {
      case .name, .index: return true
      case .wildcard, .slice, .filter: return false
      }
    }
  }
}

struct Segment: Sendable, Hashable {
  var isDescendant: Bool
  var selectors: [Selector]
}

indirect enum Selector: Sendable, Hashable {
  case name(String)
  case wildcard
  case index(Int)
  case slice(start: Int?, end: Int?, step: Int)
  case filter(LogicalExpression)
}

indirect enum LogicalExpression: Sendable, Hashable {
  case or([LogicalExpression])
  case and([LogicalExpression])
  case not(LogicalExpression)
  case comparison(Operand, Comparison, Operand)
  /// The query selects something.
  case exists(Query)
  /// A function whose result is a truth.
  case test(FunctionCall)
}

enum Comparison: String, Sendable, Hashable, CaseIterable {
  case equal = "=="
  case notEqual = "!="
  case lessOrEqual = "<="
  case greaterOrEqual = ">="
  case less = "<"
  case greater = ">"
}

/// What stands beside a comparison, or is passed to a function.
indirect enum Operand: Sendable, Hashable {
  case literal(JSONValue)
  case query(Query)
  case function(FunctionCall)
}

struct FunctionCall: Sendable, Hashable {
  var function: StandardFunction
  var arguments: [Operand]
}

/// The functions of RFC 9535, section 2.4, with their types.
enum StandardFunction: String, Sendable, Hashable, CaseIterable {
  case length, count, match, search, value

  enum ParameterType { case value, nodes }
  enum ResultType { case value, logical }

  var parameters: [ParameterType] {
    switch self {
    case .length: [.value]
    case .count, .value: [.nodes]
    case .match, .search: [.value, .value]
    }
  }

  var result: ResultType {
    switch self {
    case .length, .count, .value: .value
    case .match, .search: .logical
    }
  }
}
