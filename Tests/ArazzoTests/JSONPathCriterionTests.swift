// Criteria of type jsonpath, Selector Objects and JSONPath targets, as Arazzo uses them.

import JSON
import Testing

@testable import Arazzo

@Suite struct JSONPathCriterionTests {
  static func context() throws -> EvaluationContext {
    var context = EvaluationContext()
    context.response = EvaluationContext.Message(
      headers: [(name: "X-Count", value: "2")],
      body: try JSONValue(
        parsing: #"{"pets":[{"name":"O'Neil","age":2},{"name":"Rex \"1\"","age":7}],"none":[]}"#))
    context.inputs = JSONObject([
      ("name", "O'Neil"), ("other", #"Rex "1""#), ("age", 7), ("index", 1), ("list", .array(["x"])),
      ("trick", "x' || 'a' == 'a"), ("nothing", nil),
    ])
    return context
  }

  static let conditions: [(String, String, Bool)] = [
    ("$response.body", "$.pets[*]", true),
    ("$response.body", "$.none[*]", false),
    ("$response.body", "$.none", true),
    ("$response.body", "$.missing", false),
    ("$response.body", "$.pets[?@.age > 5]", true),
    ("$response.body", "$.pets[?@.age > 9]", false),
    ("$response.body#/pets/0", "$.name", true),
    // To the letter of RFC 9535, a filter on the root asks about the children of the root.
    ("$response.body", "$[?count(@.pets) > 0]", false),
    ("$response.body#/pets", "$[?count(@.name) > 0]", true),
    // Values in braces stay values.
    ("$response.body", "$.pets[?@.name == '{$inputs.name}']", true),
    ("$response.body", "$.pets[?@.name == \"{$inputs.other}\"]", true),
    ("$response.body", "$.pets[?@.name == '{$inputs.trick}']", false),
    ("$response.body", "$.pets[?@.age == {$inputs.age}]", true),
    ("$response.body", "$.pets[?@.age == {$response.header.X-Count}]", true),
    ("$response.body", "$.pets[{$inputs.index}]", true),
    ("$response.body", "$.pets[?@.age == {$inputs.name}]", false),
    ("$response.body", "$.pets[?@.age == {$inputs.list}]", false),
    ("$response.body", "$.pets[?@.name != '{$inputs.missing}']", false),
    // What is null or missing never holds.
    ("$inputs.nothing", "$", false),
    ("$inputs.missing", "$", false),
    ("$inputs.name", "$", true),
  ]

  @Test(arguments: conditions)
  func `a jsonpath criterion holds when its query selects something`(
    root: String, query: String, holds: Bool
  ) throws {
    let kind = Criterion.Kind.jsonPath(
      context: try RuntimeExpression.parse(root), query: try JSONPathTemplate(parsing: query))
    let criterion = Criterion(
      kind: kind, text: query, location: SourceLocation(file: "x", line: 1))
    #expect(try criterion.evaluate(in: Self.context()) == holds)
  }

  static let extras = """
      - stepId: pick
        operationId: findReader
        parameters: [{name: email, in: query, value: {context: $inputs.email, selector: $, type: jsonpath}}]
        successCriteria:
          - context: $response.body
            condition: $.readers[?@.email == '{$inputs.email}']
            type: {type: jsonpath, version: rfc9535}
        outputs:
          id: {context: $response.body, selector: "$.readers[0].id", type: jsonpath}
          ids:
            context: $response.body
            selector: $.readers[?@.id].id
            type: {type: jsonpath, version: rfc9535}
          first: {context: $response.body#/readers, selector: /0, type: jsonpointer}
      - stepId: add
        operationId: addReader
        requestBody:
          payload:
            email: {context: $steps.pick.outputs.first, selector: $.email, type: jsonpath}
            name: nobody
          replacements:
            - target: $[?@ == 'nobody']
              targetSelectorType: jsonpath
              value: {context: $steps.pick.outputs.ids, selector: "$[-1]", type: jsonpath}
        x-writ: {inDoubt: resend}
    """

  static let document = """
    arazzo: 1.1.0
    info: {title: Selectors, version: "1"}
    sourceDescriptions:
      - {name: library, url: openapi/library.yaml, type: openapi}
    workflows:
      - workflowId: select
        x-writ: {jobType: select_reader}
        inputs: {type: object, required: [email], properties: {email: {type: string}}}
        steps:
    """ + "\n" + extras.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n") + """

          outputs:
            last: {context: $steps.pick.outputs.ids, selector: "$[-1]", type: jsonpath}
      """

  @Test func `Selector Objects give values wherever values stand`() throws {
    let files = [
      DocumentText(path: "select.arazzo.yaml", text: Self.document),
      DocumentText(path: Library.openAPIPath, text: Library.openAPI),
    ]
    let workflow = try #require(Catalogue.load(files: files).jobType("select_reader")).workflow
    var context = EvaluationContext()
    context.inputs = JSONObject([("email", "a@b.de")])
    context.response = EvaluationContext.Message(
      body: ["readers": [["id": "7", "email": "a@b.de"], ["email": "x"], ["id": "9"]]])
    let pick = workflow.steps[0]
    #expect(pick.parameters[0].value.evaluate(in: context) == "a@b.de")
    #expect(pick.succeeds(in: context))
    let outputs = pick.outputs.map { ($0.name, $0.expression.evaluate(in: context)) }
    #expect(outputs.map(\.0) == ["id", "ids", "first"])
    #expect(outputs.map(\.1) == ["7", ["7", "9"], ["id": "7", "email": "a@b.de"]])
    context.steps["pick"] = JSONObject(
      outputs.compactMap { name, value in value.map { (name, $0) } })
    #expect(
      workflow.steps[1].requestBody?.evaluate(in: context)?.serialized()
        == #"{"email":"a@b.de","name":"9"}"#)
    #expect(workflow.outputs[0].expression.evaluate(in: context) == "9")
  }
}
