// The grammar of filters (RFC 9535, sections 2.3.5 and 2.4), with the rules of well-typedness: they are
// checked where an operand is put to use, so that the message can say what is wrong there.

import JSON

extension JSONPathParser {
  mutating func parseLogical() throws(JSONPathError) -> LogicalExpression {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.greatestDepth else { throw failure("the filter is nested too deeply") }
    var alternatives = [try parseAnd()]
    while takeOperator("||") { alternatives.append(try parseAnd()) }
    return alternatives.count == 1 ? alternatives[0] : .or(alternatives)
  }

  private mutating func parseAnd() throws(JSONPathError) -> LogicalExpression {
    var conditions = [try parseBasic()]
    while takeOperator("&&") { conditions.append(try parseBasic()) }
    return conditions.count == 1 ? conditions[0] : .and(conditions)
  }

  /// Takes an operator with the white space around it; leaves both alone where it is not there.
  private mutating func takeOperator(_ text: String) -> Bool {
    let start = position
    skipSpace()
    guard take(text) else {
      position = start
      return false
    }
    skipSpace()
    return true
  }

  private mutating func parseBasic() throws(JSONPathError) -> LogicalExpression {
    if take("!") {
      skipSpace()
      if current == "(" { return .not(try parseGroup()) }
      let start = position
      let operand = try parseOperand()
      if try takeComparison() != nil {
        position = start
        throw failure(
          "! stands before a query, a function or a group: write !(\u{2026}) or turn the operator round"
        )
      }
      return .not(try test(operand, at: start))
    }
    if current == "(" { return try parseGroup() }
    let start = position
    let left = try parseOperand()
    guard let comparison = try takeComparison() else { return try test(left, at: start) }
    try checkComparable(left, at: start)
    let rightStart = position
    let right = try parseOperand()
    try checkComparable(right, at: rightStart)
    return .comparison(left, comparison, right)
  }

  private mutating func parseGroup() throws(JSONPathError) -> LogicalExpression {
    position += 1
    skipSpace()
    let inner = try parseLogical()
    skipSpace()
    guard take(")") else { throw failure("an operator or ) is expected") }
    return inner
  }

  private mutating func takeComparison() throws(JSONPathError) -> Comparison? {
    let start = position
    skipSpace()
    for comparison in Comparison.allCases where take(comparison.rawValue) {
      skipSpace()
      return comparison
    }
    if current == "=" { throw failure("write == to compare") }
    position = start
    return nil
  }

  // MARK: Operands

  private mutating func parseOperand() throws(JSONPathError) -> Operand {
    switch current {
    case "@"?, "$"?:
      let isAbsolute = current == "$"
      position += 1
      depth += 1
      defer { depth -= 1 }
      guard depth <= Self.greatestDepth else { throw failure("the filter is nested too deeply") }
      return .query(Query(isAbsolute: isAbsolute, segments: try parseSegments()))
    case "'"?, "\""?: return .literal(.string(try parseString()))
    case let scalar? where scalar == "-" || Self.isDigit(scalar): return .literal(try parseNumber())
    case let scalar? where ("a"..."z").contains(scalar): return try parseWord()
    default:
      throw failure(
        "a query (@\u{2026} or $\u{2026}), a function, a number, a quoted text, true, false or null "
          + "is expected")
    }
  }

  private mutating func parseNumber() throws(JSONPathError) -> JSONValue {
    let start = position
    _ = take("-")
    let digits = takeDigits()
    guard !digits.isEmpty, digits == "0" || digits.first != "0" else {
      position = start
      throw failure("a number has no leading zero")
    }
    if take("."), takeDigits().isEmpty { throw failure("a digit is expected after the point") }
    if current == "e" || current == "E" {
      position += 1
      if !take("+") { _ = take("-") }
      if takeDigits().isEmpty { throw failure("a digit is expected in the exponent") }
    }
    guard let value = try? JSONValue(parsing: string(from: start)) else {
      position = start
      throw failure("this is not a number")
    }
    return value
  }

  private mutating func parseWord() throws(JSONPathError) -> Operand {
    let start = position
    while let scalar = current,
      ("a"..."z").contains(scalar) || scalar == "_" || Self.isDigit(scalar)
    {
      position += 1
    }
    let word = string(from: start)
    if current == "(" { return .function(try parseCall(of: word, at: start)) }
    switch word {
    case "true": return .literal(true)
    case "false": return .literal(false)
    case "null": return .literal(nil)
    default:
      position = start
      throw failure("a query starts with @ or $, a text stands in quotes")
    }
  }

  // MARK: Functions

  private mutating func parseCall(
    of name: String, at start: Int
  ) throws(JSONPathError) -> FunctionCall {
    guard let function = StandardFunction(rawValue: name) else {
      position = start
      let all = StandardFunction.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure("there is no such function; the functions are \(all)")
    }
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.greatestDepth else { throw failure("the filter is nested too deeply") }
    position += 1
    skipSpace()
    var arguments: [Operand] = []
    if !take(")") {
      repeat {
        skipSpace()
        arguments.append(try parseArgument(arguments.count, of: function))
        skipSpace()
      } while take(",")
      guard take(")") else { throw failure("a comma or ) is expected") }
    }
    let count = function.parameters.count
    guard arguments.count == count else {
      position = start
      throw failure("\(name)() takes \(count) argument\(count == 1 ? "" : "s")")
    }
    return FunctionCall(function: function, arguments: arguments)
  }

  private mutating func parseArgument(
    _ index: Int, of function: StandardFunction
  ) throws(JSONPathError) -> Operand {
    let start = position
    if current == "!" || current == "(" {
      throw failure("\(function.rawValue)() takes no condition as an argument")
    }
    let operand = try parseOperand()
    let end = position
    skipSpace()
    if try takeComparison() != nil || take("&&") || take("||") {
      position = start
      throw failure("\(function.rawValue)() takes no condition as an argument")
    }
    position = end
    guard function.parameters.indices.contains(index) else { return operand }
    let wanted = function.parameters[index]
    switch (wanted, operand) {
    case (.nodes, .query): break
    case (.nodes, _):
      position = start
      throw failure("\(function.rawValue)() takes a query, such as @.items[*]")
    case (.value, .literal(let value)):
      if index == 1, case .string(let pattern) = value { noteRegularExpression(pattern, start) }
    case (.value, .query(let query)) where query.isSingular: break
    case (.value, .function(let call)) where call.function.result == .value: break
    case (.value, .query):
      position = start
      throw failure(
        "\(function.rawValue)() takes one value, but this query may select many; use only names "
          + "and indices, or value(\u{2026})")
    case (.value, .function(let call)):
      position = start
      throw failure("\(call.function.rawValue)() gives a truth, not a value")
    }
    return operand
  }

  private mutating func noteRegularExpression(_ pattern: String, _ start: Int) {
    do {
      _ = try RegularExpression(pattern, .iRegexp)
    } catch {
      unusableRegularExpressions.append(
        JSONPathError(
          reason: "the pattern is no I-Regexp (RFC 9485) and matches nothing: \(error.reason)",
          position: start + 1))
    }
  }

  // MARK: Types

  private func test(_ operand: Operand, at start: Int) throws(JSONPathError) -> LogicalExpression {
    switch operand {
    case .query(let query): return .exists(query)
    case .function(let call) where call.function.result == .logical: return .test(call)
    case .function(let call):
      throw JSONPathError(
        reason: "\(call.function.rawValue)() gives a value; compare it with something",
        position: start + 1)
    case .literal:
      throw JSONPathError(
        reason: "a value alone is no condition; compare it with something", position: start + 1)
    }
  }

  private func checkComparable(_ operand: Operand, at start: Int) throws(JSONPathError) {
    switch operand {
    case .literal: break
    case .query(let query) where query.isSingular: break
    case .query:
      throw JSONPathError(
        reason: "this query may select many nodes and cannot be compared; use only names and "
          + "indices, or count(\u{2026}) or value(\u{2026})", position: start + 1)
    case .function(let call) where call.function.result == .value: break
    case .function(let call):
      throw JSONPathError(
        reason: "\(call.function.rawValue)() gives a truth and cannot be compared; use it alone, "
          + "or with !", position: start + 1)
    }
  }
}
