// What an answer means: success or failure, which action follows, and what the journal gets.

import Arazzo
import JSON
import Secrets

/// The request that an event answers.
struct Answer: Sendable {
  var request: StepRequest
  var sequence: Int
  var duration: Duration = .zero
}

extension WorkflowMachine {
  mutating func answered(
    _ answer: Answer, _ response: StepResponse, now: WallTime,
    random: inout some RandomNumberGenerator
  ) -> Action {
    settle(answer, response, now: now, random: &random) ?? proceed(random: &random)
  }

  /// Takes in an answer; `nil` when the machine can go on by itself.
  mutating func settle(
    _ answer: Answer, _ response: StepResponse, now: WallTime,
    random: inout some RandomNumberGenerator
  ) -> Action? {
    let step = position.current.step
    guard !response.isUnreadable(for: step) else {
      return classified(
        answer, step, .unreadableResponse, status: response.status, random: &random)
    }
    let context = context(of: step, answer.request, response)
    guard step.succeeds(in: context) else {
      return failed(answer, step, response, in: context, now: now, random: &random)
    }
    var outputs = JSONObject()
    var writes: [SecretWrite] = []
    var seals: [SecretSeal] = []
    for output in step.outputs {
      let value = output.expression.evaluate(in: context)
      guard step.outputPolicy(output.name).isSecret else {
        outputs[output.name] = value
        continue
      }
      guard let sink = step.policy.sinks[output.name] else { continue }
      guard case .string(let text)? = value, !text.isEmpty else {
        return failedWithoutSecret(answer, step, response, random: &random)
      }
      switch sink {
      case .store(let template):
        guard let name = template.evaluateText(in: context) else {
          return failedWithoutSecret(answer, step, response, random: &random)
        }
        writes.append(SecretWrite(name: name, secret: Secret(text)))
      case .seal(let input, _):
        guard let key = sealingKey(input) else {
          return failedWithoutSecret(answer, step, response, random: &random)
        }
        seals.append(
          SecretSeal(
            output: output.name, secret: Secret(text), key: key,
            context: SealingContext(
              environment: job.environment, jobType: job.type, job: job.id,
              output: "\(answer.request.step).\(output.name)")))
      }
    }
    var outcome = StepOutcome(
      sequence: answer.sequence, step: answer.request.step, effect: answer.request.effect,
      result: .succeeded, status: response.status, duration: answer.duration, outputs: outputs,
      action: successAction(of: step, in: context),
      recorded: Redaction.outputs(outputs, of: step))
    if let policy = step.policy.rows {
      guard let rows = JobRow.rows(by: policy, in: context) else {
        return classified(
          answer, step, Classification.unexpectedSuccess, status: response.status, random: &random)
      }
      outcome.keep(rows)
    }
    guard seals.isEmpty else {
      expectation = .sealing(outcome, seals, then: writes, after: answer.request)
      return .seal(seals)
    }
    return store(writes, outcome, after: answer.request)
  }

  /// Has the secrets stored before the step counts as done; `nil` when there are none, and it does.
  mutating func store(
    _ writes: [SecretWrite], _ outcome: StepOutcome, after request: StepRequest
  ) -> Action? {
    guard writes.isEmpty else {
      expectation = .storing(outcome, after: request)
      return .store(writes)
    }
    commit(outcome)
    return nil
  }

  /// The public key in an input of the current workflow; `nil` where there is none that can be used.
  private func sealingKey(_ input: String) -> SealingPublicKey? {
    guard let text = position.current.inputs[input]?.stringValue else { return nil }
    return try? SealingPublicKey(text)
  }

  /// The input of a step's sinks that holds no usable public key: found before the request leaves.
  func unusableKey(for step: Step) -> String? {
    for case .seal(let input, _) in step.policy.sinks.values where sealingKey(input) == nil {
      return input
    }
    return nil
  }

  /// An output whose secret has no place to go: what is known already makes a name of it that no store takes.
  ///
  /// Found before the request leaves, since one that has left may have taken effect.
  func outputWithoutPlace(of step: Step) -> String? {
    let context = position.context()
    return step.policy.sinks.sorted { $0.key < $1.key }.first { _, sink in
      guard case .store(let template) = sink, let name = template.evaluateText(in: context) else {
        return false
      }
      return (try? SecretName(name)) == nil
    }?.key
  }

  /// Decides what follows a sub-workflow that has ended.
  mutating func complete(_ step: Step, _ ending: Ending) {
    var context = position.context()
    context.outputs = position.endedOutputs()
    if case .workflow(let reference) = step.target {
      context.workflows[reference.workflowId] = EvaluationContext.WorkflowValues(
        outputs: context.outputs)
    }
    let isDone = ending.outcome == .completed && step.succeeds(in: context)
    var outputs = context.outputs
    if !step.outputs.isEmpty {
      outputs = JSONObject(
        step.outputs.compactMap { output in
          output.expression.evaluate(in: context).map { (output.name, $0) }
        })
    }
    let path = position.path
    var outcome = StepOutcome(
      sequence: nextSequence(for: path), step: path, effect: .none,
      result: isDone ? .succeeded : .failed, outputs: isDone ? outputs : JSONObject(),
      action: StepAction(.next))
    if isDone {
      outcome.action = successAction(of: step, in: context)
      outcome.recorded = Redaction.outputs(outputs, of: step)
    } else {
      outcome.errorCode = "workflow_failed"
      let fallback = hasChanged ? EndOutcome.review : .discard
      // Waiting out a retry is for requests; a sub-workflow is run again at once.
      outcome.action =
        failureAction(of: step, path: path, in: context)?.action
        ?? StepAction(
          .end(
            ending.outcome == .completed ? fallback : ending.outcome, reason: ending.reason),
          rule: lastOutcome?.action.rule)
    }
    commit(outcome)
  }

  private func context(
    of step: Step, _ request: StepRequest, _ response: StepResponse
  ) -> EvaluationContext {
    var context = position.context()
    let parameters = { (location: ParameterLocation) in
      position.values(of: step.parameters.filter { $0.location == location }, in: context)
    }
    context.request = EvaluationContext.Message(
      headers: request.headers, body: step.requestBody?.evaluate(in: context),
      query: parameters(.query), path: parameters(.path))
    context.url = request.path
    context.method = request.method
    context.statusCode = response.status
    context.response = EvaluationContext.Message(
      headers: response.headers, body: response.bodyValue)
    return context
  }

  private func successAction(of step: Step, in context: EvaluationContext) -> StepAction {
    guard let action = step.onSuccess.first(where: { $0.applies(in: context) }) else {
      return StepAction(.next)
    }
    switch action.kind {
    case .end(let policy):
      return StepAction(.end(policy.outcome, reason: policy.reason), rule: action.name)
    case .goto(let target): return StepAction(goto(target, in: context), rule: action.name)
    }
  }

  /// The first failure action that applies; a `retry` action whose limit is reached is passed over,
  /// as the standard wants it: later actions have their turn once the retries are used up.
  func failureAction(
    of step: Step, path: String, in context: EvaluationContext
  ) -> (action: StepAction, wait: Duration?, userAction: UserActionPolicy?)? {
    for action in step.onFailure where action.applies(in: context) {
      switch action.kind {
      case .end(let policy):
        return (
          StepAction(.end(policy.outcome, reason: policy.reason), rule: action.name), nil, nil
        )
      case .askUser(let policy):
        return (StepAction(.userAction(checks: 1), rule: action.name), nil, policy)
      case .goto(let target):
        return (StepAction(goto(target, in: context), rule: action.name), nil, nil)
      case .retry(let wait, let limit, let first):
        guard retries(of: path, by: action.name) < limit else { continue }
        return (
          StepAction(.retry(first: detour(first, in: context)), rule: action.name), wait, nil
        )
      }
    }
    return nil
  }

  /// How often an action has retried a step since the step was last done with.
  private func retries(of path: String, by rule: String) -> Int {
    var count = 0
    for entry in run.reversed() where entry.step == path {
      switch entry.action.flatMap(StepAction.init(json:)) {
      case let action? where action.kind == .again: continue
      case let action?:
        guard case .retry = action.kind else { return count }
        if action.rule == rule { count += 1 }
      case nil: return count
      }
    }
    return count
  }

  private func goto(_ target: ActionTarget, in context: EvaluationContext) -> StepAction.Kind {
    switch target {
    case .step(let step): .goto(step: step)
    case .workflow(let reference, let parameters):
      .gotoWorkflow(reference, inputs: inputs(parameters, in: context))
    }
  }

  private func detour(
    _ target: ActionTarget?, in context: EvaluationContext
  ) -> StepAction.RetryDetour? {
    switch target {
    case nil: nil
    case .step(let step)?: .step(step)
    case .workflow(let reference, let parameters)?:
      .workflow(reference, inputs: inputs(parameters, in: context))
    }
  }

  /// The inputs that are passed, or those of the workflow that goes elsewhere where none are.
  private func inputs(_ parameters: [Parameter], in context: EvaluationContext) -> JSONObject {
    parameters.isEmpty ? context.inputs : position.values(of: parameters, in: context)
  }
}

extension StepOutcome {
  /// Takes rows in; how many there were is an output, and no secret.
  fileprivate mutating func keep(_ rows: [JobRow]) {
    self.rows = rows
    let count = JSONValue(rows.count)
    outputs[RowsPolicy.countName] = count
    recorded.clear[RowsPolicy.countName] = count
  }
}

extension StepResponse {
  /// Whether a success that is described as JSON holds none, or not what the step reads from it although the
  /// service promises it: the answer was cut short, or is that of somebody in between.
  fileprivate func isUnreadable(for step: Step) -> Bool {
    guard let operation = step.operation, operation.describesSuccess(status),
      let content = operation.response(for: status)?.content, !content.isEmpty,
      content.allSatisfy({
        $0.contentType.hasPrefix("application/json") || $0.contentType.hasSuffix("+json")
      })
    else { return false }
    guard let value = try? JSONValue(parsing: body) else { return true }
    return step.outputs.contains { output in
      // An answer without its secret is judged where the secret is taken.
      guard case .response(.body) = output.expression.source,
        let tokens = output.expression.pointer?.tokens, !step.outputPolicy(output.name).isSecret
      else { return false }
      return content.compactMap(\.schema).contains { Self.lacks(value, tokens[...], of: $0) }
    }
  }

  /// Whether a value has no member on this way that its schema requires.
  private static func lacks(
    _ value: JSONValue, _ tokens: ArraySlice<String>, of schema: JSONValue
  ) -> Bool {
    guard let token = tokens.first else { return false }
    let parts = [schema] + (schema["allOf"]?.arrayValue ?? [])
    guard let member = value[token] else {
      return parts.contains { $0["required"]?.arrayValue?.contains(.string(token)) == true }
    }
    return parts.contains { part in
      part["properties"]?[token].map { lacks(member, tokens.dropFirst(), of: $0) } ?? false
    }
  }

  /// The body as expressions see it: JSON where it is JSON, else text; `nil` where there is none.
  var bodyValue: JSONValue? {
    guard !body.isEmpty else { return nil }
    return (try? JSONValue(parsing: body)) ?? .string(String(decoding: body, as: UTF8.self))
  }

  /// Whether AuthOS took the key and missed a permission in it, which a 403 may also stand for something else
  /// than.
  package var lacksPermission: Bool {
    status == 403 && bodyValue?["error_code"] == "FORBIDDEN"
      && bodyValue?["error"]?.stringValue?.hasPrefix("Missing required permission") == true
  }

  /// `error_code` of an error body: a word of capitals, digits and `_`.
  ///
  /// Anything else was not written by the service, and is not written down by us.
  package var errorCode: String? {
    bodyValue?["error_code"]?.stringValue.flatMap(Self.word)
  }

  /// A text that is a word of capitals, digits and `_`.
  static func word(_ text: String) -> String? {
    guard (1...64).contains(text.utf8.count),
      text.utf8.allSatisfy({
        (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "_")
      })
    else { return nil }
    return text
  }
}
