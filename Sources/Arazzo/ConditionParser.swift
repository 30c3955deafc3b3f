// The grammar of `simple` conditions. From loosest to tightest: ||, &&, comparisons, !, and the
// postfix operators .name and [index].
//
// A chain of operators becomes a tree as deep as the chain is long, and whoever walks over that tree needs
// stack for each level: so the number of operators is bounded, and with it the tree.

internal import JSON

extension Condition {
  /// Parses a condition.
  ///
  /// - Throws: ``ExpressionError`` with the character at which the condition is wrong: also for one of
  ///   more than 16,384 characters, or of more than 500 operators, properties and indices.
  public init(parsing text: String) throws(ExpressionError) {
    guard text.count <= ConditionParser.greatestLength else {
      throw ExpressionError(
        reason: "a condition has at most \(ConditionParser.greatestLength) characters; "
          + "this one has \(text.count)", position: ConditionParser.greatestLength + 1)
    }
    var parser = ConditionParser(text: Array(text))
    self = try parser.parseCondition()
  }
}

private struct ConditionParser {
  let text: [Character]
  var position = 0
  var depth = 0
  /// The operators, properties and indices so far.
  var operators = 0
  static let maximumDepth = 64
  static let greatestLength = 16_384
  static let greatestOperators = 500

  init(text: [Character]) { self.text = text }

  func failure(_ reason: String) -> ExpressionError {
    ExpressionError(reason: reason, position: position + 1)
  }

  /// Counts what makes the tree deeper.
  mutating func countOperator() throws(ExpressionError) {
    operators += 1
    guard operators <= Self.greatestOperators else {
      throw failure(
        "a condition has at most \(Self.greatestOperators) operators, properties and indices; write "
          + "a shorter one")
    }
  }

  mutating func parseCondition() throws(ExpressionError) -> Condition {
    let condition = try parseOr()
    skipSpace()
    guard position == text.count else {
      throw failure("an operator (==, !=, <, <=, >, >=, &&, ||) or the end is expected")
    }
    return condition
  }

  mutating func parseOr() throws(ExpressionError) -> Condition {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth else { throw failure("the condition is nested too deeply") }
    var condition = try parseAnd()
    while take("||") {
      try countOperator()
      condition = .or(condition, try parseAnd())
    }
    return condition
  }

  mutating func parseAnd() throws(ExpressionError) -> Condition {
    var condition = try parseComparison()
    while take("&&") {
      try countOperator()
      condition = .and(condition, try parseComparison())
    }
    return condition
  }

  mutating func parseComparison() throws(ExpressionError) -> Condition {
    let left = try parseUnary()
    guard let comparison = takeComparison() else {
      if skipSpace(), text[position] == "=" { throw failure("write == to compare") }
      return left
    }
    try countOperator()
    let condition = Condition.comparison(left, comparison, try parseUnary())
    let end = position
    if takeComparison() != nil {
      position = end
      throw failure("comparisons do not chain: join them with &&")
    }
    return condition
  }

  mutating func takeComparison() -> Condition.Comparison? {
    let all: [Condition.Comparison] = [
      .lessOrEqual, .greaterOrEqual, .equal, .notEqual, .less, .greater,
    ]
    for comparison in all where take(comparison.rawValue) { return comparison }
    return nil
  }

  mutating func parseUnary() throws(ExpressionError) -> Condition {
    var negations = 0
    while skipSpace(), text[position] == "!", !isNext("!=") {
      position += 1
      negations += 1
    }
    let condition = try parsePostfix()
    return negations.isMultiple(of: 2)
      ? (negations == 0 ? condition : .not(.not(condition))) : .not(condition)
  }

  mutating func parsePostfix() throws(ExpressionError) -> Condition {
    var condition = try parsePrimary()
    while position < text.count {
      if text[position] == "." {
        position += 1
        try countOperator()
        let name = takeWord()
        guard !name.isEmpty else { throw failure("the name of a property is expected") }
        condition = .property(condition, name)
      } else if text[position] == "[" {
        position += 1
        try countOperator()
        let index = try parseOr()
        guard take("]") else { throw failure("a closing ] is expected") }
        condition = .element(condition, index)
      } else {
        break
      }
    }
    return condition
  }

  mutating func parsePrimary() throws(ExpressionError) -> Condition {
    guard skipSpace() else {
      throw failure("a value is expected, but the condition ends")
    }
    switch text[position] {
    case "(":
      position += 1
      let condition = try parseOr()
      guard take(")") else { throw failure("a closing ) is expected") }
      return condition
    case "$": return .expression(try RuntimeExpression.parse(text, from: &position))
    case "'": return .literal(.string(try parseString()))
    case "\"": throw failure("a string stands in single quotes")
    case "-", "0"..."9": return .literal(try parseNumber())
    default: return .literal(try parseWord())
    }
  }

  mutating func parseString() throws(ExpressionError) -> String {
    let start = position
    position += 1
    var content = ""
    while position < text.count {
      let character = text[position]
      position += 1
      guard character == "'" else {
        content.append(character)
        continue
      }
      guard position < text.count, text[position] == "'" else { return content }
      content.append("'")
      position += 1
    }
    position = start
    throw failure("the string has no closing quote")
  }

  mutating func parseNumber() throws(ExpressionError) -> JSONValue {
    let start = position
    while position < text.count, text[position].isASCII,
      text[position].isNumber || "+-.eE".contains(text[position])
    {
      position += 1
    }
    let literal = String(text[start..<position])
    guard let value = try? JSONValue(parsing: literal) else {
      position = start
      throw failure("this is not a number")
    }
    return value
  }

  mutating func parseWord() throws(ExpressionError) -> JSONValue {
    let start = position
    switch takeWord() {
    case "true": return true
    case "false": return false
    case "null": return nil
    default:
      position = start
      throw failure(
        "a value is expected: an expression ($…), a number, true, false, null, or a text in "
          + "single quotes")
    }
  }

  mutating func takeWord() -> String {
    let start = position
    while position < text.count,
      text[position].isLetter || text[position].isNumber || "_-".contains(text[position])
    {
      position += 1
    }
    return String(text[start..<position])
  }

  /// Skips white space; whether anything is left.
  @discardableResult
  mutating func skipSpace() -> Bool {
    while position < text.count, text[position].isWhitespace { position += 1 }
    return position < text.count
  }

  func isNext(_ expected: String) -> Bool {
    let end = position + expected.count
    return end <= text.count && text[position..<end].elementsEqual(expected)
  }

  mutating func take(_ expected: String) -> Bool {
    skipSpace()
    guard isNext(expected) else { return false }
    position += expected.count
    return true
  }
}
