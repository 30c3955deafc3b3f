// The errors of sinks that seal. Each row is one change and the exact errors that it causes.

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
