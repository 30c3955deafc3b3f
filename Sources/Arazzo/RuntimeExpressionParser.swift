// The grammar of runtime expressions (Arazzo 1.0 and 1.1, "Runtime Expressions").

internal import JSON

extension RuntimeExpression {
  /// Parses a whole text.
  ///
  /// - Throws: ``ExpressionError``, also for `$message`, which belongs to AsyncAPI.
  public static func parse(_ text: String) throws(ExpressionError) -> RuntimeExpression {
    var parser = ExpressionParser(text: Array(text), position: 0, isInCondition: false)
    let expression = try parser.parseExpression()
    guard parser.position == parser.text.count else {
      let isPart = parser.text[parser.position] == "." || parser.text[parser.position] == "["
      throw parser.failure(
        expression.source.isBody && isPart
          ? "a part of the body is named by a JSON Pointer: write \(expression)#/id, not .id"
          : "the expression should end here")
    }
    return expression
  }

  /// Parses the expression that starts at a position of a condition; the position moves past it.
  ///
  /// Inside a condition, names end at white space and at operators, so a header named with `!`
  /// or `&` cannot be written there.
  static func parse(
    _ text: [Character], from position: inout Int
  ) throws(ExpressionError) -> RuntimeExpression {
    var parser = ExpressionParser(text: text, position: position, isInCondition: true)
    let expression = try parser.parseExpression()
    position = parser.position
    return expression
  }
}

extension RuntimeExpression.Source {
  fileprivate var isBody: Bool {
    switch self {
    case .request(.body), .response(.body): true
    default: false
    }
  }
}

private struct ExpressionParser {
  let text: [Character]
  var position: Int
  let isInCondition: Bool

  static let roots = """
    $url, $method, $statusCode, $request, $response, $inputs, $outputs, $steps, $workflows, \
    $sourceDescriptions, $components, $self
    """

  func failure(_ reason: String) -> ExpressionError {
    ExpressionError(reason: reason, position: position + 1)
  }

  mutating func parseExpression() throws(ExpressionError) -> RuntimeExpression {
    let start = position
    guard take("$") else { throw failure("an expression starts with $") }
    let rootStart = position
    let root = takeWhile { $0.isASCII && $0.isLetter }
    let source: RuntimeExpression.Source
    switch root {
    case "url": source = .url
    case "method": source = .method
    case "statusCode": source = .statusCode
    case "self": source = .selfURI
    case "request": source = .request(try parseMessagePart(isRequest: true))
    case "response": source = .response(try parseMessagePart(isRequest: false))
    case "inputs": source = .input(try parseName("the name of an input"))
    case "outputs": source = .output(try parseName("the name of an output"))
    case "steps": source = try parseStepOutput()
    case "workflows": source = try parseWorkflowField()
    case "sourceDescriptions": source = try parseSourceReference()
    case "components": source = try parseComponent()
    case "message":
      position = rootStart - 1
      throw failure("$message belongs to AsyncAPI, which is not supported")
    default:
      position = rootStart - 1
      let known = Self.roots.split(separator: ", ").map(String.init)
      throw failure(
        "an expression starts with one of \(Self.roots)"
          + (root.isEmpty
            ? "; a part of the body is $response.body#/id"
            : Suggestion.question("$\(root)", among: known)))
    }
    let pointer = try parsePointer(after: source)
    return RuntimeExpression(
      source: source, pointer: pointer, selector: nil, description: String(text[start..<position]))
  }

  mutating func parseMessagePart(
    isRequest: Bool
  ) throws(ExpressionError) -> RuntimeExpression.MessagePart {
    let kinds = isRequest ? ".header., .query., .path. or .body" : ".header. or .body"
    guard take(".") else { throw failure("\(kinds) is expected") }
    let kindStart = position
    switch takeWhile({ $0.isASCII && $0.isLetter }) {
    case "body": return .body
    case "header":
      guard take(".") else { throw failure("a dot and the name of a header are expected") }
      let name = takeWhile { [isInCondition] in
        Self.isTokenCharacter($0, isInCondition: isInCondition)
      }
      guard !name.isEmpty else { throw failure("the name of a header is expected") }
      return .header(name)
    case "query" where isRequest: return .query(try parseFreeName("a query parameter"))
    case "path" where isRequest: return .path(try parseFreeName("a path parameter"))
    default:
      position = kindStart - 1
      throw failure("\(kinds) is expected")
    }
  }

  mutating func parseFreeName(_ what: String) throws(ExpressionError) -> String {
    guard take(".") else { throw failure("a dot and the name of \(what) are expected") }
    let name = takeWhile { [isInCondition] in
      isInCondition ? Self.isNameCharacter($0) : $0 != "{" && $0 != "}"
    }
    guard !name.isEmpty else { throw failure("the name of \(what) is expected") }
    return name
  }

  mutating func parseName(_ what: String) throws(ExpressionError) -> String {
    guard take(".") else { throw failure("a dot and \(what) are expected") }
    return try parseBareName(what)
  }

  mutating func parseBareName(_ what: String) throws(ExpressionError) -> String {
    let name = takeWhile(Self.isNameCharacter)
    guard !name.isEmpty, name.last != "." else { throw failure("\(what) is expected") }
    return name
  }

  mutating func parseStrictName(_ what: String) throws(ExpressionError) -> String {
    guard take(".") else { throw failure("a dot and \(what) are expected") }
    let name = takeWhile { $0 != "." && Self.isNameCharacter($0) }
    guard !name.isEmpty else { throw failure("\(what) is expected") }
    return name
  }

  mutating func parseStepOutput() throws(ExpressionError) -> RuntimeExpression.Source {
    let step = try parseStrictName("the name of a step")
    guard take(".outputs.") else { throw failure(".outputs. is expected after the step") }
    return .step(step, output: try parseBareName("the name of an output"))
  }

  mutating func parseWorkflowField() throws(ExpressionError) -> RuntimeExpression.Source {
    let workflow = try parseStrictName("the name of a workflow")
    for field in [RuntimeExpression.WorkflowField.inputs, .outputs] where take(".\(field).") {
      return .workflow(workflow, field, try parseBareName("a name"))
    }
    throw failure(".inputs. or .outputs. is expected after the workflow")
  }

  mutating func parseSourceReference() throws(ExpressionError) -> RuntimeExpression.Source {
    let name = try parseStrictName("the name of a source description")
    return .sourceDescription(
      name, reference: try parseFreeName("an operation, a workflow or a field"))
  }

  mutating func parseComponent() throws(ExpressionError) -> RuntimeExpression.Source {
    let kindStart = position
    let kind = try parseStrictName("the kind of a component")
    guard ["parameters", "successActions", "failureActions", "inputs"].contains(kind) else {
      position = kindStart + 1
      throw failure("parameters, successActions or failureActions is expected")
    }
    return .component(kind, name: try parseName("the name of a component"))
  }

  mutating func parsePointer(
    after source: RuntimeExpression.Source
  ) throws(ExpressionError) -> JSONPointer? {
    guard position < text.count, text[position] == "#" else { return nil }
    switch source {
    case .request(.body), .response(.body), .input, .output, .step, .workflow: break
    default: throw failure("a JSON Pointer can follow only a body, an input or an output")
    }
    position += 1
    let pointerStart = position
    let pointerText = takeWhile { [isInCondition] character in
      if character == "{" || character == "}" { return false }
      return !isInCondition || !(character.isWhitespace || "()[]<>=!&|".contains(character))
    }
    guard let pointer = JSONPointer(pointerText) else {
      position = pointerStart
      throw failure("a JSON Pointer starts with / and writes ~ as ~0 and / as ~1")
    }
    return pointer
  }

  static func isNameCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
  }

  static func isTokenCharacter(_ character: Character, isInCondition: Bool) -> Bool {
    if isNameCharacter(character) { return true }
    return !isInCondition && "!#$%&'*+^`|~".contains(character)
  }

  mutating func take(_ expected: String) -> Bool {
    let end = position + expected.count
    guard end <= text.count, text[position..<end].elementsEqual(expected) else { return false }
    position = end
    return true
  }

  mutating func takeWhile(_ belongs: (Character) -> Bool) -> String {
    let start = position
    while position < text.count, belongs(text[position]) { position += 1 }
    return String(text[start..<position])
  }
}
