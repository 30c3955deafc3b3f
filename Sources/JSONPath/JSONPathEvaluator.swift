// Applies a query to a value (RFC 9535, section 2), within a bound on the work: each value that is visited,
// compared or matched costs one, so a hostile query or body costs a known time and no more.

import JSON

struct JSONPathEvaluator {
  let root: JSONValue
  var remaining: Int
  /// Regular expressions that were compiled here; `nil` for a text that is none.
  private var compiled: [String: RegularExpression?] = [:]

  init(root: JSONValue, remaining: Int) {
    self.root = root
    self.remaining = remaining
  }

  private mutating func spend(_ amount: Int = 1) throws(WorkLimitExceeded) {
    remaining -= amount
    guard remaining >= 0 else { throw WorkLimitExceeded() }
  }

  mutating func nodes(
    of query: Query, from node: JSONPathNode
  ) throws(WorkLimitExceeded) -> [JSONPathNode] {
    var nodes = [query.isAbsolute ? JSONPathNode(value: root) : node]
    for segment in query.segments {
      var selected: [JSONPathNode] = []
      for node in nodes {
        try segment.isDescendant
          ? descend(node, segment.selectors, into: &selected)
          : select(node, segment.selectors, into: &selected)
      }
      nodes = selected
    }
    return nodes
  }

  // MARK: Selectors

  private mutating func descend(
    _ node: JSONPathNode, _ selectors: [Selector], into selected: inout [JSONPathNode]
  ) throws(WorkLimitExceeded) {
    try spend()
    try select(node, selectors, into: &selected)
    switch node.value {
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        try descend(node.child(.index(index), element), selectors, into: &selected)
      }
    case .object(let object):
      for (name, value) in object {
        try descend(node.child(.name(name), value), selectors, into: &selected)
      }
    default: break
    }
  }

  private mutating func select(
    _ node: JSONPathNode, _ selectors: [Selector], into selected: inout [JSONPathNode]
  ) throws(WorkLimitExceeded) {
    for selector in selectors {
      try spend()
      switch selector {
      case .name(let name): try selectName(name, of: node, into: &selected)
      case .index(let index): selectIndex(index, of: node, into: &selected)
      case .slice(let start, let end, let step):
        try selectSlice(start, end, step, of: node, into: &selected)
      case .wildcard:
        let children = node.children
        try spend(children.count)
        selected += children
      case .filter(let expression):
        for child in node.children {
          try spend()
          if try holds(expression, for: child) { selected.append(child) }
        }
      }
    }
  }

  private mutating func selectName(
    _ name: String, of node: JSONPathNode, into selected: inout [JSONPathNode]
  ) throws(WorkLimitExceeded) {
    guard case .object(let object) = node.value else { return }
    try spend(object.count / 16)
    if let value = object[name] { selected.append(node.child(.name(name), value)) }
  }

  private func selectIndex(
    _ index: Int, of node: JSONPathNode, into selected: inout [JSONPathNode]
  ) {
    guard case .array(let elements) = node.value else { return }
    let position = index < 0 ? elements.count + index : index
    guard elements.indices.contains(position) else { return }
    selected.append(node.child(.index(position), elements[position]))
  }

  /// Section 2.3.4.2.2, whose names are kept.
  private mutating func selectSlice(
    _ start: Int?, _ end: Int?, _ step: Int, of node: JSONPathNode,
    into selected: inout [JSONPathNode]
  ) throws(WorkLimitExceeded) {
    guard case .array(let elements) = node.value, step != 0 else { return }
    let length = elements.count
    func normalized(_ index: Int) -> Int { index >= 0 ? index : length + index }
    let nStart = normalized(start ?? (step > 0 ? 0 : length - 1))
    let nEnd = normalized(end ?? (step > 0 ? length : -length - 1))
    if step > 0 {
      let upper = min(max(nEnd, 0), length)
      var index = min(max(nStart, 0), length)
      while index < upper {
        try spend()
        selected.append(node.child(.index(index), elements[index]))
        index += step
      }
    } else {
      let lower = min(max(nEnd, -1), length - 1)
      var index = min(max(nStart, -1), length - 1)
      while index > lower {
        try spend()
        selected.append(node.child(.index(index), elements[index]))
        index += step
      }
    }
  }

  // MARK: Filters

  private mutating func holds(
    _ expression: LogicalExpression, for node: JSONPathNode
  ) throws(WorkLimitExceeded) -> Bool {
    switch expression {
    case .or(let alternatives):
      for alternative in alternatives where try holds(alternative, for: node) { return true }
      return false
    case .and(let conditions):
      for condition in conditions where try !holds(condition, for: node) { return false }
      return true
    case .not(let inner): return try !holds(inner, for: node)
    case .exists(let query): return try !nodes(of: query, from: node).isEmpty
    case .test(let call): return try matches(call, for: node)
    case .comparison(let left, let comparison, let right):
      return try compare(
        try value(of: left, for: node), comparison, try value(of: right, for: node))
    }
  }

  /// The value of an operand; `nil` is the special result Nothing.
  private mutating func value(
    of operand: Operand, for node: JSONPathNode
  ) throws(WorkLimitExceeded) -> JSONValue? {
    switch operand {
    case .literal(let value): return value
    case .query(let query): return try nodes(of: query, from: node).first?.value
    case .function(let call): return try result(of: call, for: node)
    }
  }

  private mutating func result(
    of call: FunctionCall, for node: JSONPathNode
  ) throws(WorkLimitExceeded) -> JSONValue? {
    try spend()
    switch call.function {
    case .length:
      switch try value(of: call.arguments[0], for: node) {
      case .string(let text)?:
        try spend(text.utf8.count / 64)
        return JSONValue(text.unicodeScalars.count)
      case .array(let elements)?: return JSONValue(elements.count)
      case .object(let object)?: return JSONValue(object.count)
      default: return nil
      }
    case .count: return JSONValue(try argumentNodes(of: call, for: node).count)
    case .value:
      // Not a conditional expression, in which `nil` would be the JSON value null.
      let nodes = try argumentNodes(of: call, for: node)
      if nodes.count == 1 { return nodes[0].value }
      return nil
    case .match, .search: return nil
    }
  }

  private mutating func argumentNodes(
    of call: FunctionCall, for node: JSONPathNode
  ) throws(WorkLimitExceeded) -> [JSONPathNode] {
    guard case .query(let query) = call.arguments[0] else { return [] }
    return try nodes(of: query, from: node)
  }

  private mutating func matches(
    _ call: FunctionCall, for node: JSONPathNode
  ) throws(WorkLimitExceeded) -> Bool {
    try spend()
    guard case .string(let text)? = try value(of: call.arguments[0], for: node),
      case .string(let pattern)? = try value(of: call.arguments[1], for: node),
      let expression = try regularExpression(pattern)
    else { return false }
    return call.function == .match
      ? try expression.matchesWhole(text, workLimit: &remaining)
      : try expression.matchesSomewhere(text, workLimit: &remaining)
  }

  private mutating func regularExpression(
    _ pattern: String
  ) throws(WorkLimitExceeded) -> RegularExpression? {
    if let known = compiled[pattern] { return known }
    try spend(pattern.utf8.count)
    let made = try? RegularExpression(pattern, .iRegexp)
    if compiled.count < 64 { compiled[pattern] = .some(made) }
    return made
  }

  // MARK: Comparison (section 2.3.5.2.2)

  private mutating func compare(
    _ left: JSONValue?, _ comparison: Comparison, _ right: JSONValue?
  ) throws(WorkLimitExceeded) -> Bool {
    switch comparison {
    case .equal: return try isEqual(left, right)
    case .notEqual: return try !isEqual(left, right)
    case .less: return try isLess(left, right)
    case .greater: return try isLess(right, left)
    case .lessOrEqual: return try isLess(left, right) ? true : isEqual(left, right)
    case .greaterOrEqual: return try isLess(right, left) ? true : isEqual(left, right)
    }
  }

  private mutating func isEqual(
    _ left: JSONValue?, _ right: JSONValue?
  ) throws(WorkLimitExceeded) -> Bool {
    try spend()
    // Not `== nil`, which would also be true of the JSON value null.
    guard let left else { if case .none = right { return true } else { return false } }
    guard let right else { return false }
    switch (left, right) {
    case (.null, .null): return true
    case (.bool(let left), .bool(let right)): return left == right
    case (.number(let left), .number(let right)): return left == right
    case (.string(let left), .string(let right)):
      try spend(left.utf8.count / 64)
      return left.isSame(as: right)
    case (.array(let left), .array(let right)):
      guard left.count == right.count else { return false }
      for (left, right) in zip(left, right) where try !isEqual(left, right) { return false }
      return true
    case (.object(let left), .object(let right)):
      guard left.count == right.count else { return false }
      for (name, value) in left {
        try spend(right.count / 16)
        guard let other = right[name], try isEqual(value, other) else { return false }
      }
      return true
    default: return false
    }
  }

  private mutating func isLess(
    _ left: JSONValue?, _ right: JSONValue?
  ) throws(WorkLimitExceeded) -> Bool {
    switch (left, right) {
    case (.number(let left)?, .number(let right)?):
      if let left = Int(left.text), let right = Int(right.text) { return left < right }
      return left.doubleValue < right.doubleValue
    case (.string(let left)?, .string(let right)?):
      try spend(left.utf8.count / 64)
      return left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars)
    default: return false
    }
  }
}

extension JSONPathNode {
  fileprivate func child(_ step: Step, _ value: JSONValue) -> JSONPathNode {
    JSONPathNode(value: value, parent: link, step: step)
  }

  fileprivate var children: [JSONPathNode] {
    switch value {
    case .array(let elements): elements.enumerated().map { child(.index($0.offset), $0.element) }
    case .object(let object): object.members.map { child(.name($0.name), $0.value) }
    default: []
    }
  }
}
