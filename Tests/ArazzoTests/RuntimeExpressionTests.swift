// Runtime expressions and templates: what parses, what it gives, and what is refused.

import Arazzo
import JSON
import Testing

/// The object that a text holds.
private func object(_ text: String) throws -> JSONObject {
  try JSONValue(parsing: text).objectValue ?? JSONObject()
}

/// A context in which every kind of expression has a value.
func fullContext() throws -> EvaluationContext {
  var context = EvaluationContext()
  context.inputs = try object(
    #"{"email":"ada@example.com","age":36,"a.b":"dotted","address":{"city":"London","#
      + #""lines":["1","2"]},"nothing":null}"#)
  context.outputs = try object(#"{"total":3}"#)
  context.steps["find-it"] = try object(#"{"user":{"id":"u1"},"flag":true}"#)
  context.workflows["login"] = .init(
    inputs: try object(#"{"name":"x"}"#), outputs: try object(#"{"token":{"kind":"t"}}"#))
  context.sourceURLs["api"] = "openapi/api.yaml"
  context.selfURI = "https://library.example/self"
  context.url = "https://library.example/readers?email=x"
  context.method = "GET"
  context.statusCode = 200
  context.request = .init(
    headers: [("Accept", "application/json")], body: ["q": 1],
    query: try object(#"{"email":"x"}"#), path: try object(#"{"id":"7"}"#))
  context.response = .init(
    headers: [("X-Rate-Limit", "10"), ("x-rate-limit", "11")],
    body: try JSONValue(
      parsing: #"{"items":[{"id":1},{"id":2}],"a/b":{"c~d":true},"state":"Open"}"#))
  return context
}

@Suite struct RuntimeExpressionTests {
  static let values: [(String, String?)] = [
    ("$url", #""https://library.example/readers?email=x""#),
    ("$method", #""GET""#),
    ("$statusCode", "200"),
    ("$self", #""https://library.example/self""#),
    ("$request.header.accept", #""application/json""#),
    ("$request.query.email", #""x""#),
    ("$request.path.id", #""7""#),
    ("$request.body#/q", "1"),
    ("$response.header.x-rate-limit", #""10""#),
    ("$response.header.missing", nil),
    ("$response.body#/items/1/id", "2"),
    ("$response.body#/items/01", nil),
    ("$response.body#/a~1b/c~0d", "true"),
    ("$response.body#/missing/x", nil),
    ("$response.body#", nil),
    ("$inputs.email", #""ada@example.com""#),
    ("$inputs.a.b", #""dotted""#),
    ("$inputs.address.city", #""London""#),
    ("$inputs.address#/lines/1", #""2""#),
    ("$inputs.nothing", "null"),
    ("$inputs.missing", nil),
    ("$outputs.total", "3"),
    ("$steps.find-it.outputs.user#/id", #""u1""#),
    ("$steps.find-it.outputs.user.id", #""u1""#),
    ("$steps.other.outputs.user", nil),
    ("$workflows.login.inputs.name", #""x""#),
    ("$workflows.login.outputs.token#/kind", #""t""#),
    ("$sourceDescriptions.api.url", #""openapi/api.yaml""#),
    ("$components.parameters.id", nil),
  ]

  @Test(arguments: values)
  func `an expression gives the value that it names`(text: String, value: String?) throws {
    let expression = try RuntimeExpression.parse(text)
    #expect(expression.description == text)
    let expected =
      text == "$response.body#" ? try fullContext().response?.body?.serialized() : value
    #expect(try expression.evaluate(in: fullContext())?.serialized() == expected)
    #expect(expression.evaluate(in: EvaluationContext()) == nil)
  }

  static let refused: [(String, String)] = [
    ("inputs.x", "an expression starts with $ (at character 1)"),
    ("$inputs", "a dot and the name of an input are expected (at character 8)"),
    ("$inputs.", "the name of an input is expected (at character 9)"),
    ("$inputs.a b", "the expression should end here (at character 10)"),
    (
      "$inputs.a#b", "a JSON Pointer starts with / and writes ~ as ~0 and / as ~1 (at character 11)"
    ),
    (
      "$inputs.a#/~2",
      "a JSON Pointer starts with / and writes ~ as ~0 and / as ~1 (at character 11)"
    ),
    (
      "$statusCode#/a",
      "a JSON Pointer can follow only a body, an input or an output (at character 12)"
    ),
    ("$steps.a.b", ".outputs. is expected after the step (at character 9)"),
    (
      "$workflows.a.steps.b",
      ".inputs. or .outputs. is expected after the workflow (at character 13)"
    ),
    ("$response.query.a", ".header. or .body is expected (at character 10)"),
    ("$request.cookie.a", ".header., .query., .path. or .body is expected (at character 9)"),
    ("$response.header.", "the name of a header is expected (at character 18)"),
    ("$message.payload", "$message belongs to AsyncAPI, which is not supported (at character 1)"),
    (
      "$components.schemas.x",
      "parameters, successActions or failureActions is expected (at character 13)"
    ),
    (
      "$sourceDescriptions.a",
      "a dot and the name of an operation, a workflow or a field are expected (at character 22)"
    ),
  ]

  @Test(arguments: refused)
  func `what is no expression is refused with the place`(text: String, error: String) {
    #expect(Self.message(text) == error)
  }

  static func message(_ text: String) -> String? {
    do {
      _ = try RuntimeExpression.parse(text)
      return nil
    } catch {
      return error.description
    }
  }

  static let templates: [(String, String?)] = [
    ("plain", #""plain""#),
    ("$inputs.age", "36"),
    ("{$inputs.age}", #""36""#),
    ("user:{$inputs.email}!", #""user:ada@example.com!""#),
    ("{$steps.find-it.outputs.user}", #""{\"id\":\"u1\"}""#),
    ("{$inputs.nothing}", #""null""#),
    ("x{$inputs.missing}", nil),
    ("{a} {2} $5", #""{a} {2} $5""#),
    ("$5", #""$5""#),
    ("", #""""#),
  ]

  @Test(arguments: templates)
  func `a text keeps types as a whole and joins texts inside`(text: String, value: String?) throws {
    let template = try ValueTemplate(parsing: text)
    #expect(try template.evaluate(in: fullContext())?.serialized() == value)
  }

  @Test func `a text with a broken expression is refused with the place`() {
    #expect(throws: ExpressionError.self) { try ValueTemplate(parsing: "$unknown") }
    #expect(throws: ExpressionError.self) { try ValueTemplate(parsing: "a {$inputs.}") }
    #expect(throws: ExpressionError.self) { try ValueTemplate(parsing: "a {$inputs.b") }
  }
}
