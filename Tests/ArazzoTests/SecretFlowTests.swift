// The errors of sinks that seal, of ends that ask a user and of criteria that look at a secret. Each row is one change
// and the errors that it causes.

import Testing

@testable import Arazzo

/// The library's workflow, with the pin sealed to the key of whoever asked.
private let sealing = Library.arazzo
  .replacing(
    "required: [email]\n      properties:",
    with: "required: [email, reader_key]\n      properties:\n"
      + "        reader_key: {type: string, format: writ-public-key}"
  )
  .replacing(
    #"{store: "pins/{$steps.add.outputs.id}"}"#, with: "{seal: $inputs.reader_key}"
  )
  .replacing(
    "card: $steps.card.outputs.number",
    with: "card: $steps.card.outputs.number\n      pin: $steps.card.outputs.pin")

@Suite struct `A sink that seals` {
  static let edits: [Edit] = [
    Edit(
      "{seal: $inputs.reader_key}", "{seal: $inputs.email}",
      "register_reader.arazzo.yaml:71: $.workflows[0].steps[2].x-writ.sink.pin.seal: "
        + "x-writ.sink.pin.seal: the input 'email' must be a required string of format "
        + "writ-public-key, so that a wrong key is refused when the job is ordered"),
    Edit(
      "required: [email, reader_key]", "required: [email]",
      "register_reader.arazzo.yaml:71: $.workflows[0].steps[2].x-writ.sink.pin.seal: "
        + "x-writ.sink.pin.seal: the input 'reader_key' must be a required string of format "
        + "writ-public-key, so that a wrong key is refused when the job is ordered"),
    Edit(
      "{seal: $inputs.reader_key}", "{seal: $inputs.other_key}",
      "register_reader.arazzo.yaml:71: $.workflows[0].steps[2].x-writ.sink.pin.seal: "
        + "$inputs.other_key: there is no input 'other_key' in the inputs of this workflow"),
    Edit(
      "{seal: $inputs.reader_key}", "{seal: $steps.add.outputs.id}",
      "register_reader.arazzo.yaml:71: $.workflows[0].steps[2].x-writ.sink.pin.seal: 'seal' must be "
        + "the input that holds the public key, such as $inputs.public_key",
      "register_reader.arazzo.yaml:74: $.workflows[0].outputs.pin: $steps.card.outputs.pin: this is a "
        + "secret, which may flow only into a sink; to authenticate with it, use "
        + "x-writ.credential.secretOf"),
    Edit(
      "{seal: $inputs.reader_key}", "{seal: $inputs.reader_key, store: a/b}",
      "register_reader.arazzo.yaml:71: $.workflows[0].steps[2].x-writ.sink.pin: a sink needs either "
        + "'store' or 'seal'",
      "register_reader.arazzo.yaml:74: $.workflows[0].outputs.pin: $steps.card.outputs.pin: this is a "
        + "secret, which may flow only into a sink; to authenticate with it, use "
        + "x-writ.credential.secretOf"),
    Edit(
      "{secret: true}", "{secret: true, record: digest}",
      "register_reader.arazzo.yaml:70: $.workflows[0].steps[2].x-writ.outputs.pin.record: what is "
        + "sealed is recorded as it is: remove 'record', or write record: clear"),
    Edit(
      "inDoubt: review", "inDoubt: review\n          credential: {secretOf: card.pin}",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2]: x-writ.credential.secretOf: the "
        + "output 'pin' of the step 'card' is sealed, so that no worker can read it; store it instead"
    ),
  ]

  @Test func `takes a secret, which is none after it and may be a result`() throws {
    let catalogue = try Catalogue.load(files: Library.files(arazzo: sealing))
    let workflow = try #require(catalogue.jobTypes.first).workflow
    let step = try #require(workflow.step(id: "card"))
    #expect(step.isSealed("pin"))
    #expect(!step.holdsSecret("pin"))
    #expect(step.outputPolicy("pin").record == .clear)
  }

  @Test(arguments: edits)
  func `is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: sealing), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }
}

/// The library's workflow, where a reader may have to come in person first.
private let asking = Library.arazzo.replacing(
  "          - reference: $components.failureActions.again\n",
  with: """
              - name: come
                type: end
                criteria: [{condition: $statusCode == 202}]
                x-writ:
                  outcome: userAction
                  url: $response.body#/where
                  code: $response.body#/why
                  recheck: {base: PT1M, cap: PT5M}
                  deadline: PT2H
                  reason: The reader has to come.
              - reference: $components.failureActions.again

    """)

@Suite struct `An end with outcome userAction` {
  private static let place = "$.workflows[0].steps[0].onFailure[0].x-writ"

  static let edits: [Edit] = [
    Edit(
      "              url: $response.body#/where\n", "",
      "register_reader.arazzo.yaml:47: \(place): an end with outcome: userAction needs the field 'url'"
    ),
    Edit(
      "url: $response.body#/where", "url: $inputs.email",
      "register_reader.arazzo.yaml:48: \(place).url: this must be an expression over the response, "
        + "such as $response.body#/url"),
    Edit(
      "url: $response.body#/where", "url: https://library.example",
      "register_reader.arazzo.yaml:48: \(place).url: an expression starts with $ (at character 1)"),
    Edit(
      "              reason: The reader has to come.\n", "",
      "register_reader.arazzo.yaml:47: \(place): an end with outcome: userAction needs the field "
        + "'reason'"),
    Edit(
      "recheck: {base: PT1M, cap: PT5M}", "recheck: {base: PT9M, cap: PT5M}",
      "register_reader.arazzo.yaml:50: \(place).recheck: 'base' must not be longer than 'cap'"),
    Edit(
      "deadline: PT2H", "until: PT2H",
      "register_reader.arazzo.yaml:51: \(place).until: x-writ of an action with outcome: userAction "
        + "has no field 'until'; its fields are outcome, reason, url, code, recheck, deadline"),
    Edit(
      "outcome: completed, reason: The reader was there already",
      "outcome: userAction, reason: The reader was there already",
      "register_reader.arazzo.yaml:39: $.workflows[0].steps[0].onSuccess[0].x-writ.outcome: outcome: "
        + "userAction belongs to a failure action: a step whose user has not acted yet has not "
        + "succeeded, so let its successCriteria say so"),
  ]

  @Test func `says where the user has to go, how often to ask and for how long`() throws {
    let catalogue = try Catalogue.load(files: Library.files(arazzo: asking))
    let step = try #require(catalogue.jobTypes.first?.workflow.step(id: "find"))
    guard case .askUser(let policy)? = step.onFailure.first?.kind else {
      Issue.record("another kind")
      return
    }
    #expect(policy.url.description == "$response.body#/where")
    #expect(policy.code?.description == "$response.body#/why")
    #expect(policy.recheckBase == .seconds(60) && policy.recheckCap == .seconds(300))
    #expect(policy.deadline == .seconds(7_200))
    #expect(policy.reason == "The reader has to come.")
  }

  @Test(arguments: edits)
  func `is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: asking), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }
}

/// The library's workflow, whose card is judged by a criterion.
private func judging(_ criterion: String) -> String {
  Library.arazzo.replacing(
    "          - reference: $components.parameters.reader\n",
    with: "          - reference: $components.parameters.reader\n"
      + "        successCriteria:\n          - \(criterion)\n")
}

@Suite struct `A criterion that looks at a secret` {
  static let secret: [String] = [
    "condition: $response.body#/pin != null",
    "condition: $response.body.pin == $inputs.name",
    "condition: $response.body.pin",
    "condition: $response.body['pin'] == $inputs.name",
    "condition: ($response.body).pin == $inputs.name",
    "condition: $response.body[$inputs.name] == 'x'",
    "condition: $inputs.name == $response.body",
    "condition: $inputs.name == null || !($response.body.pin < '5')",
    "condition: $inputs.name[$response.body.pin] == null",
    "{context: $response.body, condition: '1', type: regex}",
    "{context: $response.body#/pin, condition: '1', type: regex}",
    "{context: $statusCode, condition: '{$response.body#/pin}', type: regex}",
    "{context: $response.body, condition: \"$[?@ == '{$inputs.name}']\", type: jsonpath}",
    "{context: $response.body, condition: $.number, type: jsonpath}",
  ]

  @Test(arguments: secret)
  func `is refused, however it gets there`(criterion: String) {
    let files = Library.files(arazzo: judging(criterion))
    let rule =
      ", and what is decided by it would be on record; ask for another property, or for the status"
    let errors = Library.errors(files)
    #expect(errors.count == 1, "\(errors)")
    #expect(errors.first?.hasSuffix("the API marks this as secret\(rule)") == true, "\(errors)")
  }

  @Test(arguments: secret)
  func `is refused where only an output says that it is one`(criterion: String) {
    let openAPI = Library.openAPI.replacing(", x-writ: {secret: true}", with: "")
    let errors = Library.errors(Library.files(arazzo: judging(criterion), openAPI: openAPI))
    #expect(errors.count == 1, "\(errors)")
    #expect(
      errors.first?.contains("the output 'pin' of this step says that this is secret, and what")
        == true, "\(errors)")
  }

  @Test(arguments: [
    "condition: $response.body.number == $inputs.name",
    "condition: $response.body['number'] == 'x'",
    "condition: $response.body#/number != null",
    "condition: $response.body != null",
    "condition: '!$response.body'",
    "{context: $response.body#/number, condition: '1', type: regex}",
    "{context: $response.body#/number, condition: '$[0]', type: jsonpath}",
  ])
  func `is none beside it`(criterion: String) {
    #expect(Library.errors(Library.files(arazzo: judging(criterion))) == [])
  }
}
