// Steps that can never succeed, actions that are never taken, ways that never end. Each row is a workflow's steps
// and the exact faults.

import Testing

@testable import Arazzo

@Suite struct SuccessErrorTests {
  typealias Case = FlowErrorTests.Case

  private static func find(_ id: String, _ more: String = "") -> String {
    FlowErrorTests.find(id, more)
  }

  private static func criteria(_ conditions: String...) -> String {
    "[\(conditions.map { "{condition: \"\($0)\"}" }.joined(separator: ", "))]"
  }

  private static func remove(_ id: String, _ value: String, _ more: String = "") -> String {
    "- {stepId: \(id), operationPath: '{$sourceDescriptions.library.url}#/paths/~1readers~1{id}~1card/delete', "
      + "parameters: [{name: id, in: path, value: \(value)}], x-writ: {inDoubt: resend}\(more)}"
  }

  private static let steps = "flow.arazzo.yaml:9: $.workflows[0].steps[0]"

  static let cases: [Case] = [
    Case(
      "a step that leads to itself",
      find("a", ", onSuccess: [{name: again, type: goto, stepId: a}]"),
      "\(steps): the step 'a' always leads to itself, so that a job that comes here goes round for ever; let "
        + "a way lead out: a success action of type end or goto, or criteria that let the next step follow"
    ),
    Case(
      "a circle that all ways of a job come to",
      find("a") + "\n" + find("b") + "\n"
        + find("c", ", onSuccess: [{name: again, type: goto, stepId: b}]"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: the steps b, c lead only to each other, so that a job "
        + "that comes here goes round for ever; let a way lead out: a success action of type end or goto, or "
        + "criteria that let the next step follow"),
    Case(
      "a circle that only one way comes to",
      find(
        "a",
        ", onSuccess: [{name: trap, type: goto, stepId: c, criteria: \(criteria("$response.body#/x == 1"))}, {name: done, type: end}]"
      )
        + "\n" + find("c", ", onSuccess: [{name: again, type: goto, stepId: c}]"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: the step 'c' always leads to itself, so that a job that "
        + "comes here goes round for ever; let a way lead out: a success action of type end or goto, or "
        + "criteria that let the next step follow"),
    Case(
      "a workflow that continues as itself",
      find(
        "a",
        ", onSuccess: [{name: again, type: goto, workflowId: flow, parameters: [{name: email, value: $inputs.email}]}]"
      ),
      "\(steps): the step 'a' always leads to itself, so that a job that comes here goes round for ever; let "
        + "a way lead out: a success action of type end or goto, or criteria that let the next step follow"
    ),
    Case(
      "a circle that a failure ends on purpose",
      find(
        "a",
        ", onSuccess: [{name: again, type: goto, stepId: a}], onFailure: [{name: gone, type: end, criteria: \(criteria("$statusCode == 404"))}]"
      )),
    Case(
      "a circle with a way out by a condition",
      find(
        "a",
        ", onSuccess: [{name: again, type: goto, stepId: a, criteria: \(criteria("$response.body#/more == true"))}]"
      )),
    Case(
      "a detour comes back by itself",
      find(
        "a",
        ", onSuccess: [{name: done, type: end}], onFailure: [{name: fix, type: retry, stepId: b}]")
        + "\n" + find("b")),
    Case(
      "a detour that leads to itself",
      find(
        "a",
        ", onSuccess: [{name: done, type: end}], onFailure: [{name: fix, type: retry, stepId: b}]")
        + "\n" + find("b", ", onSuccess: [{name: again, type: goto, stepId: b}]"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: the step 'b' always leads to itself, so that a job that "
        + "comes here goes round for ever; let a way lead out: a success action of type end or goto, or "
        + "criteria that let the next step follow"),
    Case(
      "two statuses at once",
      find("a", ", successCriteria: \(criteria("$statusCode == 200", "$statusCode == 404"))"),
      "\(steps).successCriteria[0]: the step can never succeed: no status fulfils all of these criteria; where "
        + "one of several is enough, join them with || in one condition"),
    Case(
      "a status that a pattern excludes",
      find(
        "a",
        ", successCriteria: [{condition: $statusCode == 200}, {context: $statusCode, type: regex, condition: '^4'}]"
      ),
      "\(steps).successCriteria[0]: the step can never succeed: no status fulfils all of these criteria; where "
        + "one of several is enough, join them with || in one condition"),
    Case(
      "a status that is none",
      find("a", ", successCriteria: \(criteria("$statusCode == 2000"))"),
      "\(steps).successCriteria[0]: the step can never succeed: '$statusCode == 2000' holds for no answer"
    ),
    Case(
      "a criterion that is false",
      find("a", ", successCriteria: \(criteria("1 == 2"))"),
      "\(steps).successCriteria[0]: the step can never succeed: '1 == 2' holds for no answer"),
    Case(
      "a value that would have to be two",
      find(
        "a",
        ", successCriteria: \(criteria("$statusCode == 200 && $response.body#/state == 'open'", "$response.body#/state == 'done'"))"
      ),
      "\(steps).successCriteria[1]: the step can never succeed: $response.body#/state cannot be both 'open' and "
        + "'done'; where one of several is enough, join them with || in one condition"),
    Case(
      "what may hold together",
      find(
        "a",
        ", successCriteria: \(criteria("$statusCode >= 200", "$statusCode != 204 || $response.body == null", "$response.body#/a == 1", "$response.body#/a == '1.0'", "$response.body#/a == '1'", "$response.body#/b == 'X'", "$response.body#/b == 'x'", "!($statusCode == 404)"))"
      )),
    Case(
      "a status that the API does not describe may come",
      find("a", ", successCriteria: \(criteria("$statusCode == 299"))")),
    Case(
      "a success action for a failure",
      find(
        "a", ", onSuccess: [{name: none, type: end, criteria: \(criteria("$statusCode == 404"))}]"),
      "\(steps).onSuccess[0].criteria[0]: the action 'none' is never taken: its criteria never hold when the "
        + "step has succeeded; let successCriteria of the step take this answer for a success, or make it a "
        + "failure action"),
    Case(
      "a success action against the criteria of the step",
      find(
        "a",
        ", successCriteria: \(criteria("$statusCode == 200")), onSuccess: [{name: none, type: end, criteria: \(criteria("$statusCode == 404"))}]"
      ),
      "\(steps).onSuccess[0].criteria[0]: the action 'none' is never taken: its criteria never hold when the "
        + "step has succeeded; let successCriteria of the step take this answer for a success, or make it a "
        + "failure action"),
    Case(
      "a failure action that asks for two statuses",
      find(
        "a",
        ", onFailure: [{name: gone, type: end, criteria: \(criteria("$statusCode == 404", "$statusCode == 410"))}]"
      ),
      "\(steps).onFailure[0].criteria[0]: the action 'gone' is never taken: no status fulfils all of these "
        + "criteria; where one of several is enough, join them with || in one condition"),
    Case(
      "an action behind one that always applies",
      find(
        "a",
        ", onFailure: [{name: all, type: end}, {name: gone, type: end, criteria: \(criteria("$statusCode == 404"))}]"
      ),
      "\(steps).onFailure[1]: the action 'gone' is never taken: 'all' before it has no criteria, so that it "
        + "always applies; give it some, or put it last"),
    Case(
      "a retry is passed over in the end",
      find("a", ", onFailure: [{name: again, type: retry, retryLimit: 2}, {name: gone, type: end}]")
    ),
    Case(
      "a path parameter without a value", remove("a", "''"),
      "\(steps).parameters[0]: the path parameter 'id' can never be sent: it is empty or only dots, which would "
        + "be another path; give it a value, such as $inputs.id"),
    Case(
      "a path parameter that is null", remove("a", "null"),
      "\(steps).parameters[0]: the path parameter 'id' can never be sent: it is empty or only dots, which would "
        + "be another path; give it a value, such as $inputs.id"),
  ]

  @Test(arguments: cases)
  func `what can never succeed is a fault with its place and how to mend it`(item: Case) {
    #expect(Library.errors(item.files) == item.errors)
  }

  /// A flow whose workflow has actions that its steps inherit, and components.
  private static func errors(
    inherited: String, components: String = "", steps: String...
  ) throws -> [String] {
    let item = Case("", steps.joined(separator: "\n") + "\n")
    let text = try #require(
      Edit("    steps:\n", "    \(inherited)\n    steps:\n").applied(to: item.files[0].text))
    return Library.errors([
      DocumentText(path: "flow.arazzo.yaml", text: text + components), item.files[1],
    ])
  }

  @Test func `an inherited action that one step takes is no fault of another`() throws {
    let only200 = ", successCriteria: \(Self.criteria("$statusCode == 200"))"
    let also404 = ", successCriteria: \(Self.criteria("$statusCode == 200 || $statusCode == 404"))"
    let action = "{name: gone, type: end, criteria: \(Self.criteria("$statusCode == 404"))}"
    #expect(
      try Self.errors(
        inherited: "successActions: [\(action)]", steps: Self.find("a", only200),
        Self.find("b", also404), Self.find("c")) == [])
    #expect(
      try Self.errors(
        inherited: "successActions: [{reference: $components.successActions.gone}]",
        components: "components: {successActions: {gone: \(action)}}\n",
        steps: Self.find("a", only200), Self.find("b", also404)) == [])
  }

  @Test(arguments: ["successActions", "failureActions"])
  func `an inherited action that contradicts itself is one fault`(field: String) throws {
    let criteria = Self.criteria("$statusCode == 200", "$statusCode == 201")
    #expect(
      try Self.errors(
        inherited: "\(field): [{name: never, type: end, criteria: \(criteria)}]",
        steps: Self.find("a"), Self.find("b")) == [
          "flow.arazzo.yaml:8: $.workflows[0].\(field)[0].criteria[0]: the action 'never' is never taken: no "
            + "status fulfils all of these criteria; where one of several is enough, join them with || in one "
            + "condition"
        ])
  }

  /// Everything that conditions say about the status, decided stretch by stretch as status by status.
  @Test(arguments: [
    "$statusCode < 200", "$statusCode <= 199.5", "$statusCode > '299'", "200 >= $statusCode",
    "$statusCode != 404", "$statusCode == 404.5", "$statusCode == 'x'", "$statusCode < 'x'",
    "$statusCode", "!$statusCode", "$statusCode == $statusCode", "$statusCode == null",
    "($statusCode == 200) == true", "$statusCode > 1e9", "$statusCode > -1", "$statusCode >= 999",
    "$statusCode < 100", "$statusCode[200] == null", "1 == 1",
    "$statusCode == 99 || $statusCode == 1000 || ($statusCode > 100 && !($statusCode >= 300))",
  ])
  func `a condition of the status is decided for all statuses at once`(text: String) throws {
    let condition = try Condition(parsing: text)
    let decision = StatusDecision(condition)
    for status in StatusSet.range {
      var context = EvaluationContext()
      context.statusCode = status
      #expect(decision.holds.contains(status) == condition.evaluate(in: context), "\(status)")
      #expect(decision.fails.contains(status) != decision.holds.contains(status), "\(status)")
    }
  }

  @Test func `what depends on more than the status is open`() throws {
    let decision = StatusDecision(
      try Condition(parsing: "$statusCode == 200 && $response.body#/a == 1"))
    #expect(decision.holds.isEmpty)
    #expect(!decision.fails.contains(200) && decision.fails.contains(201))
  }

  @Test func `long conditions and many actions are judged in little time`() throws {
    let long = (300..<500).map { "$statusCode == \($0)" }.joined(separator: " || ")
    let actions = (0..<40).map {
      "{name: n\($0), type: end, criteria: \(Self.criteria("$statusCode == 2\($0 + 10)"))}"
    }.joined(separator: ", ")
    let steps = (0..<40).map {
      Self.find("s\($0)", ", successCriteria: \(Self.criteria(long)), onFailure: [\(actions)]")
    }.joined(separator: "\n")
    let clock = ContinuousClock()
    var errors: [String] = []
    let time = try clock.measure {
      errors = try Self.errors(inherited: "successActions: [\(actions)]", steps: steps)
    }
    #expect(errors == [])
    // Status by status this took minutes; the bound is wide, for busy machines.
    #expect(time < .seconds(30))
  }

  @Test(arguments: cases)
  func `what was published is not looked at again`(item: Case) {
    #expect(throws: Never.self) { try Catalogue.load(files: item.files, publishedType: "flow") }
  }

  /// A library whose readers are added in another content type.
  private static func errors(_ contentType: String, payload: String) throws -> [String] {
    let edit = Edit(
      "application/json:\n            schema:\n              type: object\n              required: [email]",
      "\(contentType):\n            schema:\n              type: object\n              required: [email]"
    )
    let openAPI = try #require(edit.applied(to: Library.openAPI))
    let item = Case(
      "",
      "- {stepId: a, operationId: addReader, requestBody: {payload: \(payload)}, x-writ: {inDoubt: resend}}"
    )
    return Library.errors([item.files[0], DocumentText(path: Library.openAPIPath, text: openAPI)])
  }

  @Test(arguments: [
    ("{email: $inputs.email}", "an object"), ("{email: a@example.org}", "an object"),
    ("[$inputs.email]", "a list"), ("7", "a number"),
  ])
  func `a text that is an object or a list can never be sent`(payload: String, kind: String) throws
  {
    let errors = try Self.errors("text/plain", payload: payload)
    #expect(
      errors == [
        "\(Self.steps).requestBody.payload: a body of the type text/plain is a text, but this is \(kind); "
          + "write a text in quotes, with expressions in braces"
      ])
  }

  @Test(arguments: ["$inputs.email", "\"for {$inputs.email}\"", "plain"])
  func `a text may be made of expressions`(payload: String) throws {
    #expect(try Self.errors("text/plain", payload: payload) == [])
  }

  @Test func `a field of a form that holds an object can never be sent`() throws {
    let form = "application/x-www-form-urlencoded"
    #expect(
      try Self.errors(form, payload: "{email: $inputs.email, name: [a, $inputs.email, 1]}") == [])
    #expect(
      try Self.errors(form, payload: "{email: $inputs.email, name: {first: $inputs.email}}") == [
        "\(Self.steps).requestBody.payload.name: a field of a form is one value or a list of such, but 'name' "
          + "has lists or objects in it; name each part as a field of its own"
      ])
    #expect(
      try Self.errors(form, payload: "[$inputs.email]") == [
        "\(Self.steps).requestBody.payload: a body of the type \(form) is an object or a text, but this is a "
          + "list; write a text in quotes, with expressions in braces"
      ])
  }

  @Test func `a step without criteria needs an operation that describes a success`() throws {
    let edit = Edit("\"204\": {description: Gone}", "\"404\": {description: Not there}")
    let openAPI = try #require(edit.applied(to: Library.openAPI))
    let api = DocumentText(path: Library.openAPIPath, text: openAPI)
    let item = Case("", Self.remove("a", "$inputs.email"))
    #expect(
      Library.errors([item.files[0], api]) == [
        "\(Self.steps): the step can never succeed: it has no successCriteria, and the operation DELETE "
          + "/readers/{id}/card describes no 2xx response; write successCriteria, such as condition: "
          + "$statusCode == 200, or describe the response in the API"
      ])
    let mended = Case(
      "",
      Self.remove("a", "$inputs.email", ", successCriteria: \(Self.criteria("$statusCode == 200"))")
    )
    #expect(Library.errors([mended.files[0], api]) == [])
  }
}
