// What the machine does with secrets that are sealed.

import Arazzo
import JSON
import Secrets
import Testing

@testable import JobModel

private let document = """
  arazzo: 1.0.1
  info: {title: Test, version: 1.0.0}
  sourceDescriptions:
    - {name: authos, url: openapi/authos.yaml, type: openapi}
  workflows:
    - workflowId: w
      x-writ: {jobType: w}
      inputs:
        type: object
        required: [user_id, public_key]
        properties:
          user_id: {type: string}
          public_key: {type: string, format: writ-public-key}
      steps:
        - stepId: ask
          operationId: requestProviderToken
          requestBody: {payload: {user_id: $inputs.user_id, provider: github}}
          outputs:
            token: $response.body#/access_token
            provider: $response.body#/provider
          x-writ:
            inDoubt: resend
            outputs: {token: {secret: true}, provider: {record: clear}}
            sink: {token: {seal: $inputs.public_key}}
      outputs:
        token: $steps.ask.outputs.token
        provider: $steps.ask.outputs.provider
  """

@Suite struct `A machine with a secret to seal` {
  private let key = SealingPrivateKey()
  private var random = SeededRandom(seed: 1)

  private func machine(publicKey: String? = nil) throws -> WorkflowMachine {
    WorkflowMachine(
      definition: try jobType("w", arazzo: document),
      job: ClaimedJob(
        id: 9, type: "w", environment: "test",
        payload: JSONObject([
          ("user_id", "u"), ("public_key", .string(publicKey ?? key.publicKey.description)),
        ])), environment: [:])
  }

  private func answer(token: JSONValue?) -> WorkflowMachine.Event {
    var body = JSONObject([("status", "ok"), ("provider", "github")])
    body["access_token"] = token
    return .response(
      StepResponse(status: 200, json: .object(body)), duration: .zero,
      now: WallTime(secondsSince1970: 0))
  }

  @Test mutating func `records the sealed text and never the secret`() throws {
    var machine = try machine()
    guard case .send = machine.start(random: &random),
      case .seal(let seals) = machine.handle(answer(token: "canary"), random: &random)
    else {
      Issue.record("nothing to seal")
      return
    }
    #expect(seals.map(\.context.output) == ["ask.token"])
    let texts = try seals.map {
      try SealedText(sealing: $0.secret, to: $0.key, as: $0.context)
    }
    guard case .finish(.completed, let records) = machine.handle(.sealed(texts), random: &random)
    else {
      Issue.record("not completed")
      return
    }
    let written = records.map { $0.json(job: 9, attempt: 1).serialized() }.joined()
    #expect(!written.contains("canary"))
    guard case .complete(let result, let recorded)? = records.last,
      case .outcome(let outcome)? = records.first
    else {
      Issue.record("no result")
      return
    }
    #expect(result["token"] == .string(texts[0].description))
    #expect(outcome.outputs["token"] == .string(texts[0].description))
    // The trail outlives the keys, so not even the sealed text goes there.
    #expect(recorded.clear.names == ["provider"])
    #expect(outcome.recorded.clear.names == ["provider"])
    let text = try #require(result["token"]?.stringValue)
    let opened = try SealedText(text).open(with: key)
    #expect(opened == Secret("canary"))
  }

  @Test mutating func `sends no request when the public key cannot be used`() throws {
    var machine = try machine(publicKey: String(key.publicKey.description.dropLast()))
    guard case .finish(.discarded(let error), _) = machine.start(random: &random) else {
      Issue.record("not discarded")
      return
    }
    #expect(error.code == "unusable_value")
    #expect(error.text == "the public key of the input public_key cannot be used")
  }

  @Test(arguments: [("mine", true), ("a b", false), ("..", false), ("a/b", false), ("", false)])
  mutating func `sends no request when the secret would have no place`(
    name: String, isSent: Bool
  ) throws {
    let stored = document.replacing(
      "{seal: $inputs.public_key}", with: "{store: 'test/{$inputs.user_id}'}"
    ).replacing("token: $steps.ask.outputs.token", with: "user: $inputs.user_id")
    var machine = WorkflowMachine(
      definition: try jobType("w", arazzo: stored),
      job: ClaimedJob(
        id: 9, type: "w", environment: "test",
        payload: JSONObject([
          ("user_id", .string(name)), ("public_key", .string(key.publicKey.description)),
        ])), environment: [:])
    switch machine.start(random: &random) {
    case .send: #expect(isSent)
    case .finish(.discarded(let error), _):
      #expect(!isSent)
      #expect(error.code == "unusable_value")
      #expect(
        error.text == "the name under which token is to be stored is none that a secret can have")
    default: Issue.record("neither sent nor discarded")
    }
  }

  @Test mutating func `is in doubt when a secret could not be sealed, and asks again`() throws {
    var machine = try machine()
    guard case .send = machine.start(random: &random),
      case .seal = machine.handle(answer(token: "canary"), random: &random),
      case .finish(.retry(_, let error, _), let records) = machine.handle(
        .sealFailed, random: &random)
    else {
      Issue.record("not tried again")
      return
    }
    #expect(error.code == "secret_not_sealed")
    #expect(!records.map { $0.json(job: 9, attempt: 1).serialized() }.joined().contains("canary"))
  }

  @Test mutating func `has a person look at a success that lacks the secret`() throws {
    var machine = try machine()
    guard case .send = machine.start(random: &random),
      case .finish(.review(let error), _) = machine.handle(answer(token: nil), random: &random)
    else {
      Issue.record("no review")
      return
    }
    #expect(error.code == "unexpected_response")
  }
}
