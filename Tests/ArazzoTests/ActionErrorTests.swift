// The errors of criteria and actions. Each row is one change and the exact errors that it causes.

import Testing

@Suite struct ActionErrorTests {
  static let edits: [Edit] = [
    Edit(
      "condition: $statusCode == 200",
      "condition: $statusCode = 200",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: write == to compare (at "
        + "character 13)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $statusCode == 200 &&",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: a value is expected, but "
        + "the condition ends (at character 22)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $status == 200",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: an expression starts with "
        + "one of $url, $method, $statusCode, $request, $response, $inputs, $outputs, "
        + "$steps, $workflows, $sourceDescriptions, $components, $self (at character 1)"),
    Edit(
      "condition: $statusCode == 200",
      #"condition: $response.body.state == "open""#,
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: a string stands in single "
        + "quotes (at character 25)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $response.body.state == 'open",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: the string has no closing "
        + "quote (at character 25)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: ($statusCode == 200",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: a closing ) is expected "
        + "(at character 20)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: 200 <= $statusCode < 300",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: comparisons do not chain: "
        + "join them with && (at character 19)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $statusCode == ok",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: a value is expected: an "
        + "expression ($…), a number, true, false, null, or a text in single quotes (at "
        + "character 16)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $inputs.state == 200",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: $inputs.state: there is "
        + "no input 'state' in the inputs of this workflow"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $.id[\n            context: $response.body\n            type: jsonpath",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: a selector is expected: a "
        + "quoted name, an index, a slice, * or ? (at character 6)"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $statusCode == 200\n            context: $response.body",
      "register_reader.arazzo.yaml:36: $.workflows[0].steps[0].successCriteria[0].context: "
        + "without 'type' this is a simple condition, which has no context: write type: "
        + "regex or type: jsonpath, or remove 'context'"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $.id\n            type: jsonpath",
      "register_reader.arazzo.yaml:35: $.workflows[0].steps[0].successCriteria[0]: a "
        + "criterion of type jsonpath needs the field 'context'"),
    Edit(
      "condition: $statusCode == 200",
      #"condition: $[?match(@.id, '\\d+')]"# + "\n            context: $response.body\n            "
        + "type: {type: jsonpath, version: draft-goessner-dispatch-jsonpath-00}",
      "register_reader.arazzo.yaml:35: "
        + "$.workflows[0].steps[0].successCriteria[0].condition: the pattern is no I-Regexp "
        + #"(RFC 9485) and matches nothing: this escape is not in I-Regexp; for \d write "#
        + #"[0-9], for \w write [A-Za-z0-9_] (at character 16)"#),
    Edit(
      "condition: $statusCode == 200",
      "condition: $.id\n            context: $response.body\n            "
        + "type: {type: jsonpath, version: rfc9535}",
      "register_reader.arazzo.yaml:37: "
        + "$.workflows[0].steps[0].successCriteria[0].type.version: the version rfc9535 "
        + "belongs to Arazzo 1.1, but this document is 1.0; write type: jsonpath, which "
        + "means the same"),
    Edit(
      "condition: $statusCode == 200",
      "condition: $.id\n            context: $response.body\n            type: jsonPath",
      "register_reader.arazzo.yaml:37: "
        + "$.workflows[0].steps[0].successCriteria[0].type: 'type' must be one of simple, "
        + "regex, jsonpath; did you mean jsonpath?"),
    Edit(
      "condition: $statusCode == 200",
      "condition: //id\n            context: $response.body\n            type: {type: "
        + "xpath, version: xpath-30}",
      "register_reader.arazzo.yaml:37: "
        + "$.workflows[0].steps[0].successCriteria[0].type.type: XPath is not supported; "
        + "use jsonpath"),
    Edit(
      "          - condition: $statusCode == 200\n",
      "          []\n",
      "register_reader.arazzo.yaml:35: $.workflows[0].steps[0].successCriteria: "
        + "'successCriteria' needs at least one element, or must be left out"),
    Edit(
      "- context: $statusCode\n          condition: ^5\\d\\d$",
      #"- condition: ^5\d\d$"#,
      "register_reader.arazzo.yaml:83: $.components.failureActions.again.criteria[0]: "
        + "a criterion of type regex needs the field 'context'"),
    Edit(
      #"condition: ^5\d\d$"#,
      #"condition: ^(5\d\d$"#,
      "register_reader.arazzo.yaml:84: "
        + "$.components.failureActions.again.criteria[0].condition: not a valid regular "
        + "expression: this ( is never closed (at character 2)"),
    Edit(
      "type: end",
      "type: stop",
      "register_reader.arazzo.yaml:38: $.workflows[0].steps[0].onSuccess[0].type: the "
        + "type of a success action must be one of end, goto",
      "register_reader.arazzo.yaml:39: $.workflows[0].steps[0].onSuccess[0].x-writ: "
        + "x-writ has a meaning only on an action of type end"),
    Edit(
      "type: end",
      "type: goto",
      "register_reader.arazzo.yaml:37: $.workflows[0].steps[0].onSuccess[0]: an action "
        + "of type goto needs stepId or workflowId",
      "register_reader.arazzo.yaml:39: $.workflows[0].steps[0].onSuccess[0].x-writ: "
        + "x-writ has a meaning only on an action of type end"),
    Edit(
      "type: end\n            x-writ: {outcome: completed, reason: The reader was "
        + "there already}",
      "type: goto\n            stepId: adds",
      "register_reader.arazzo.yaml:39: $.workflows[0].steps[0].onSuccess[0].stepId: "
        + "there is no step 'adds' in this workflow; did you mean add?"),
    Edit(
      "type: end",
      "type: end\n            stepId: add",
      "register_reader.arazzo.yaml:39: $.workflows[0].steps[0].onSuccess[0].stepId: "
        + "'stepId' belongs to type: goto"),
    Edit(
      "type: end",
      "type: end\n            retryLimit: 1",
      "register_reader.arazzo.yaml:39: "
        + "$.workflows[0].steps[0].onSuccess[0].retryLimit: a success action has no field "
        + "'retryLimit'; its fields are name, type, workflowId, stepId, parameters, "
        + "criteria"),
    Edit(
      "outcome: completed, reason: The reader was there already",
      "outcome: review",
      "register_reader.arazzo.yaml:39: $.workflows[0].steps[0].onSuccess[0].x-writ: an "
        + "end with outcome: review needs a 'reason' for the person who reviews"),
    Edit(
      "outcome: completed, reason: The reader was there already",
      "outcome: done",
      "register_reader.arazzo.yaml:39: "
        + "$.workflows[0].steps[0].onSuccess[0].x-writ.outcome: 'outcome' must be one of "
        + "completed, discard, review"),
    Edit(
      "retryLimit: 3",
      "retryLimit: 3.5",
      "register_reader.arazzo.yaml:81: $.components.failureActions.again.retryLimit: "
        + "'retryLimit' must be an integer from 0 to 1000"),
    Edit(
      "retryLimit: 3",
      "retryLimit: 3\n      stepId: add\n      workflowId: registerReader",
      "register_reader.arazzo.yaml:78: $.components.failureActions.again: an action "
        + "has either stepId or workflowId, not both"),
    Edit(
      "retryAfter: 1.5",
      "retryAfter: PT1S",
      "register_reader.arazzo.yaml:80: $.components.failureActions.again.retryAfter: "
        + "'retryAfter' must be a number of seconds from 0 to 86400"),
    Edit(
      "type: retry",
      "type: goto",
      "register_reader.arazzo.yaml:78: $.components.failureActions.again: an action of "
        + "type goto needs stepId or workflowId",
      "register_reader.arazzo.yaml:80: $.components.failureActions.again.retryAfter: "
        + "'retryAfter' belongs to type: retry",
      "register_reader.arazzo.yaml:81: $.components.failureActions.again.retryLimit: "
        + "'retryLimit' belongs to type: retry"),
  ]

  @Test(arguments: edits)
  func `an action that breaks a rule is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.arazzo), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }

  @Test func `a simple condition whose type is written may have the context that goes with it`()
    throws
  {
    let edit = Edit(
      "condition: $statusCode == 200",
      "condition: $statusCode == 200\n            type: simple\n            context: $response.body"
    )
    let document = try #require(edit.applied(to: Library.arazzo), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == [])
  }
}
