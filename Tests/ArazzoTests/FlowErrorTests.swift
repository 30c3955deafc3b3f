// Steps and values that can never be, secrets on the wrong way, privileges that do not fit: what an author
// cannot see by reading one step. Each row is a workflow's steps and the exact faults.

import Testing

@testable import Arazzo

@Suite struct FlowErrorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let steps: String
    let policy: String
    let errors: [String]

    init(_ name: String, _ steps: String, policy: String = "", _ errors: String...) {
      testDescription = name
      self.steps = steps
      self.policy = policy
      self.errors = errors
    }

    var files: [DocumentText] {
      let head = """
        arazzo: 1.1.0
        info: {title: Flow, version: "1"}
        sourceDescriptions: [{name: library, url: openapi/library.yaml, type: openapi}]
        workflows:
          - workflowId: flow
            x-writ: {jobType: flow\(policy)}
            inputs: {type: object, required: [email], properties: {email: {type: string}}}
            steps:
        """
      let body = steps.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "      \($0)" }.joined(separator: "\n")
      return [
        DocumentText(path: "flow.arazzo.yaml", text: head + "\n" + body + "\n"),
        DocumentText(path: Library.openAPIPath, text: Library.openAPI),
      ]
    }
  }

  /// Steps in one line each: what they call, and what the tests are about.
  static func find(_ id: String, _ more: String = "") -> String {
    "- {stepId: \(id), operationId: findReader, "
      + "parameters: [{name: email, in: query, value: $inputs.email}], "
      + "outputs: {id: $response.body#/readers/0/id}\(more)}"
  }

  static func add(_ id: String, _ email: String, _ more: String = ", x-writ: {inDoubt: resend}")
    -> String
  {
    "- {stepId: \(id), operationId: addReader, requestBody: {payload: {email: \(email)}}, "
      + "outputs: {id: $response.body#/id}\(more)}"
  }

  static let cases: [Case] = [
    Case("all is well", find("a") + "\n" + add("b", "$steps.a.outputs.id")),
    Case(
      "a step after an end",
      find("a", ", onSuccess: [{name: done, type: end}]") + "\n" + find("b"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: no job can get to the step 'b': the step before it, "
        + "'a', always goes elsewhere or ends, and nothing else leads here; lead to it by an action of "
        + "type goto or by inDoubt, or remove it"),
    Case(
      "steps that only lead to each other",
      find("a", ", onSuccess: [{name: done, type: end}]") + "\n" + find("b") + "\n"
        + find("c", ", onSuccess: [{name: back, type: goto, stepId: b}]"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: no job can get to the step 'b': the step before it, "
        + "'a', always goes elsewhere or ends, and nothing else leads here; lead to it by an action of "
        + "type goto or by inDoubt, or remove it",
      "flow.arazzo.yaml:11: $.workflows[0].steps[2]: no job can get to the step 'c': the step before it, "
        + "'b', always goes elsewhere or ends, and nothing else leads here; lead to it by an action of "
        + "type goto or by inDoubt, or remove it"),
    Case(
      "a step that only a doubt leads to",
      add(
        "a", "$inputs.email", ", x-writ: {inDoubt: {goto: b}}, onSuccess: [{name: done, type: end}]"
      )
        + "\n" + find("b")),
    Case(
      "an output of a later step",
      add("a", "$steps.b.outputs.id") + "\n" + find("b"),
      "flow.arazzo.yaml:9: $.workflows[0].steps[0].requestBody.payload.email: $steps.b.outputs.id: the "
        + "step 'b' has not succeeded on the way from the start; lead this way through it, or offer a list "
        + "of values, in which what is missing is null"),
    Case(
      "an output that one way goes around",
      find(
        "a",
        ", onSuccess: [{name: skip, type: goto, stepId: c, criteria: [{condition: $statusCode == 200}]}]"
      )
        + "\n" + find("b") + "\n" + add("c", "$steps.b.outputs.id"),
      "flow.arazzo.yaml:11: $.workflows[0].steps[2].requestBody.payload.email: $steps.b.outputs.id: the "
        + "step 'b' has not succeeded on the way a → c; lead this way through it, or offer a list of "
        + "values, in which what is missing is null"),
    Case(
      "an output of a step that failed",
      find("a", ", onFailure: [{name: on, type: goto, stepId: b}]") + "\n"
        + add("b", "$steps.a.outputs.id"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1].requestBody.payload.email: $steps.a.outputs.id: the "
        + "step 'a' has not succeeded on the way a → b; lead this way through it, or offer a list of "
        + "values, in which what is missing is null"),
    Case(
      "an output of a step that is in doubt",
      add("a", "$inputs.email", ", x-writ: {inDoubt: {goto: b}}") + "\n"
        + add("b", "$steps.a.outputs.id"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1].requestBody.payload.email: $steps.a.outputs.id: the "
        + "step 'a' has not succeeded on the way a → b; lead this way through it, or offer a list of "
        + "values, in which what is missing is null"),
    Case(
      "a detour comes back to its step, and what it needs must be there",
      find(
        "a",
        ", onFailure: [{name: fix, type: retry, stepId: c}], onSuccess: [{name: done, type: end}]")
        + "\n" + find("b") + "\n" + add("c", "$steps.a.outputs.id"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: no job can get to the step 'b': the step before it, "
        + "'a', always goes elsewhere or ends, and nothing else leads here; lead to it by an action of "
        + "type goto or by inDoubt, or remove it",
      "flow.arazzo.yaml:11: $.workflows[0].steps[2].requestBody.payload.email: $steps.a.outputs.id: the "
        + "step 'a' has not succeeded on the way a → c; lead this way through it, or offer a list of "
        + "values, in which what is missing is null"),
    Case(
      "a step that refers to itself",
      find("a", ", successCriteria: [{condition: $steps.a.outputs.id == 1}]"),
      "flow.arazzo.yaml:9: $.workflows[0].steps[0].successCriteria[0].condition: $steps.a.outputs.id: the "
        + "step refers to its own output, which it gives only when it is done; take the value from "
        + "$response or $request instead"),
    Case(
      "a missing value that is asked for",
      find("a", ", onFailure: [{name: on, type: goto, stepId: b}]") + "\n"
        + find(
          "b",
          ", successCriteria: [{condition: $steps.a.outputs.id == null || $steps.a.outputs.id == 7}]"
        )
    ),
    Case(
      "what a loop hands from one round to the next",
      add("a", "$steps.b.outputs.id") + "\n"
        + find(
          "b",
          ", onSuccess: [{name: more, type: goto, stepId: a, criteria: [{condition: $statusCode == 200}]}]"
        )
    ),
    Case(
      "a dependency that one way goes around",
      find("a", ", onFailure: [{name: on, type: goto, stepId: b}]") + "\n"
        + find("b", ", dependsOn: [a]"),
      "flow.arazzo.yaml:10: $.workflows[0].steps[1]: the step depends on 'a', which has not succeeded on "
        + "the way a → b; put it before, or lead this way through it"),
    Case(
      "a dependency on itself", find("a", ", dependsOn: [a]"),
      "flow.arazzo.yaml:9: $.workflows[0].steps[0]: the step depends on itself; remove 'a' from dependsOn"
    ),
    Case(
      "permissions that are exactly needed", find("a"), policy: ", permissions: [\"readers:read\"]"),
    Case(
      "a permission that is missing", find("a") + "\n" + add("b", "$inputs.email"),
      policy: ", permissions: [\"readers:read\"]",
      "flow.arazzo.yaml:6: $.workflows[0].x-writ.permissions: the key of this job type would need "
        + "'readers:write', which x-writ.permissions does not list; add it, or remove the steps that need "
        + "it: b"),
    Case(
      "permissions that nobody needs", find("a"),
      policy: ", permissions: [\"readers:read\", \"readers:reed\", \"cards:write\"]",
      "flow.arazzo.yaml:6: $.workflows[0].x-writ.permissions[1]: no step of this job type needs "
        + "'readers:reed'; remove it, so that the key may do no more than it has to; did you mean "
        + "readers:read?",
      "flow.arazzo.yaml:6: $.workflows[0].x-writ.permissions[2]: no step of this job type needs "
        + "'cards:write'; remove it, so that the key may do no more than it has to"),
    Case(
      "a secret in a criterion",
      card("successCriteria: [{condition: $response.body#/pin != null}]"),
      "flow.arazzo.yaml:9: $.workflows[0].steps[0].successCriteria[0].condition: $response.body#/pin: the "
        + "API marks this as secret, and what is decided by it would be on record; ask for another "
        + "property, or for the status"),
    Case(
      "a body with a secret in an output", card("outputs: {card: $response.body}"),
      "flow.arazzo.yaml:9: $.workflows[0].steps[0].outputs.card: $response.body: the API marks this as "
        + "secret: write x-writ.outputs.card: {secret: true} and a sink"),
    Case(
      "a secret passed to a workflow",
      card(
        "onSuccess: [{name: on, type: goto, workflowId: flow, parameters: [{name: email, value: $response.body#/pin}]}]"
      ),
      "flow.arazzo.yaml:9: $.workflows[0].steps[0].onSuccess[0].parameters[0].value: $response.body#/pin: "
        + "the API marks this as secret, and what is passed to a workflow is on record; give the step a "
        + "secret output with a sink, and let the workflow use x-writ.credential.stored"),
    Case(
      "an author's secret under another name",
      "- {stepId: a, operationId: addReader, requestBody: {payload: {email: $inputs.email}}, "
        + "outputs: {key: $response.body#/id, copy: $response.body#/id}, "
        + "x-writ: {inDoubt: resend, outputs: {key: {secret: true}}, sink: {key: {store: k}}}}",
      "flow.arazzo.yaml:9: $.workflows[0].steps[0].outputs.copy: $response.body#/id: the output 'key' of "
        + "this step says that this is secret: write x-writ.outputs.copy: {secret: true} and a sink"
    ),
  ]

  static func card(_ more: String) -> String {
    "- {stepId: a, operationId: issueCard, parameters: [{name: id, in: path, value: $inputs.email}], "
      + "x-writ: {inDoubt: review}, \(more)}"
  }

  @Test(arguments: cases)
  func `what can never be is a fault with its place and how to mend it`(item: Case) {
    #expect(Library.errors(item.files) == item.errors)
  }

  @Test func `what was published is not looked at again`() throws {
    let item = Self.cases[1]
    let published = try Catalogue.load(files: item.files, publishedType: "flow")
    #expect(published.jobType("flow")?.workflow.steps.count == 2)
  }
}
