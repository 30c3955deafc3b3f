// What a failure means: first the step's own failure actions, to the letter; only where none applies,
// the classification table.

import Arazzo
import JSON

extension WorkflowMachine {
  /// Takes in an answer that is no success; `nil` when the machine can go on by itself.
  mutating func failed(
    _ answer: Answer, _ step: Step, _ response: StepResponse, in context: EvaluationContext,
    now: WallTime, random: inout some RandomNumberGenerator
  ) -> Action? {
    let hasErrorCodes = step.operation?.describesErrorCode(response.status) ?? false
    let errorCode = hasErrorCodes ? response.errorCode : nil
    let wait = RetryAfter.wait(in: response, now: now)
    let row = Classification.of(
      status: response.status, errorCode: errorCode, hasErrorCodes: hasErrorCodes,
      namesWait: wait != nil, lacksPermission: response.lacksPermission)
    guard let chosen = failureAction(of: step, path: answer.request.step, in: context) else {
      return classified(
        answer, step, row, status: response.status, errorCode: errorCode, wait: wait,
        random: &random)
    }
    if let policy = chosen.userAction {
      return askUser(
        answer, response, policy, by: chosen.action.rule, in: context, random: &random)
    }
    var outcome = outcome(of: answer, row, status: response.status, errorCode: errorCode)
    outcome.action = chosen.action
    let detail = response.reason(of: answer.request)
    if let detail, case .end(let end, let reason) = chosen.action.kind {
      outcome.action.kind = .end(end, reason: reason.map { "\($0) \(detail)" } ?? detail)
    }
    commit(outcome)
    guard let delay = chosen.wait else { return nil }
    let error = error(
      of: outcome,
      "\(detail ?? row.text); asked again by \(outcome.action.rule ?? "rule")")
    return retry(after: wait ?? delay, burnsAttempt: false, error, cause: nil)
  }

  mutating func notAnswered(
    _ answer: Answer, _ failure: TransportFailure, random: inout some RandomNumberGenerator
  ) -> Action {
    var row = Classification.of(failure)
    var wait: Duration?
    switch failure {
    case .credentialMissing(let name) where SecretNaming.isOfRotation(name):
      // A rotation that got as far has put it into some store: only not into that of this worker.
      row = row.saying(
        "the secret \(name) is not in the store of the worker that took this step; it is left to a worker whose store has it"
      )
      wait = Self.otherStoreWait
    case .credentialMissing(let name):
      row = row.saying("the secret \(name) is missing or unusable")
    case .credentialUnusable(let name, let reason):
      row = row.saying("the secret \(name) is unusable: \(reason)")
    case .notSent(let reason) where reason.isAboutTLS:
      if case .remote(let source, _) = answer.request.target {
        row = row.saying(tlsText(reason, target: source))
      }
    case .loginFailed(let reason):
      row = row.saying("\(row.text): \(reason.text)")
      if case .limited(let named) = reason { wait = named }
    case .targetMissing(let setting):
      row = row.saying("the address of the target is not configured; set \(setting)")
    default: break
    }
    return classified(answer, position.current.step, row, wait: wait, random: &random)
      ?? proceed(random: &random)
  }

  /// What is wrong with the way to a target, and which setting decides about it.
  private func tlsText(_ reason: TransportFailure.NotSent, target: String) -> String {
    let key =
      "environments.\(job.environment)."
      + (target == SecretNaming.authOS ? "authos" : "targets.\(target)")
    switch reason {
    case .tlsUntrusted:
      return
        "the target \(target) shows a certificate that the worker does not trust: of an authority that it does not know, or expired; see \(key).ca-file"
    case .tlsOtherHost:
      return
        "the target \(target) shows a certificate for another host than that of its address; see \(key).url"
    default: return "no TLS connection to the target \(target) could be made; see \(key).url"
    }
  }

  mutating func storeFailed(
    _ answer: Answer, _ row: Classification, status: Int?,
    random: inout some RandomNumberGenerator
  ) -> Action {
    classified(answer, position.current.step, row, status: status, random: &random)
      ?? proceed(random: &random)
  }

  /// A success without the secret that it should have brought.
  mutating func failedWithoutSecret(
    _ answer: Answer, _ step: Step, _ response: StepResponse,
    random: inout some RandomNumberGenerator
  ) -> Action? {
    classified(
      answer, step, Classification.unexpectedSuccess, status: response.status, random: &random)
  }

  /// Decides by the table; `nil` when the machine can go on by itself.
  mutating func classified(
    _ answer: Answer, _ step: Step, _ row: Classification, status: Int? = nil,
    errorCode: String? = nil, wait: Duration? = nil, random: inout some RandomNumberGenerator
  ) -> Action? {
    var outcome = outcome(of: answer, row, status: status, errorCode: errorCode)
    if case .remote = answer.request.target { lastFailure = row }
    let isMutating = outcome.effect != .none
    let failures = job.failures + 1
    let isLast = failures >= job.maxAttempts
    let text = row.failureClass == .unauthorized ? credentialText(answer.request, row) : row.text
    let giveUp: EndOutcome = hasChanged || outcome.result == .ambiguous ? .review : .discard
    outcome.action = StepAction(.again, rule: "classification")
    var delay = Self.credentialWait
    var burnsAttempt = false
    switch row.failureClass {
    case .refused: outcome.action.kind = .end(giveUp, reason: text)
    case .unexpected: outcome.action.kind = .end(isMutating ? .review : giveUp, reason: text)
    // A service that refuses a credential does not say when it will take it.
    case .unauthorized: if status == nil, let wait { delay = wait }
    case .limited:
      delay =
        if let wait, wait > .zero {
          wait
        } else {
          max(
            RetryAfter.shortest,
            backoff.delay(failures: max(failures, triesInARow), random: &random))
        }
    case .transient, .ambiguous:
      burnsAttempt = !targetIsDown
      // A service that is back later than it says, or says "now", must not use up the attempts.
      let tries = targetIsDown ? max(failures, triesInARow) : failures
      delay = max(wait ?? .zero, backoff.delay(failures: tries, random: &random))
      if isLast, burnsAttempt {
        outcome.action.kind = .stop(
          giveUp,
          reason: "\(text); given up after \(failures) "
            + (failures == 1 ? "failure" : "failures"))
      } else if outcome.result == .ambiguous {
        outcome.action = doubtAction(of: step)
      }
    }
    commit(outcome)
    switch outcome.action.kind {
    case .end, .stop: return nil
    default:
      return retry(
        after: delay, burnsAttempt: burnsAttempt, error(of: outcome, text),
        cause: row.failureClass)
    }
  }

  /// The attempts since the one in which the job last got on, this one included: at least those that the
  /// present step was put off in.
  private var triesInARow: Int {
    let lastSettled = run.last { !$0.isWrittenOver } ?? job.journal.last { !$0.isWrittenOver }
    return job.attempt - (lastSettled?.attempt ?? 0)
  }

  /// The outcome of a failed step, without its action.
  private func outcome(
    of answer: Answer, _ row: Classification, status: Int?, errorCode: String?
  ) -> StepOutcome {
    let mayHaveActed = row.failureClass == .ambiguous || row.failureClass == .unexpected
    return StepOutcome(
      sequence: answer.sequence, step: answer.request.step, effect: answer.request.effect,
      result: mayHaveActed && answer.request.effect != .none ? .ambiguous : .failed,
      status: status, errorCode: errorCode ?? row.code, duration: answer.duration,
      action: StepAction(.again))
  }

  /// What the step's rule for doubt says; it is recorded at once, so that the next attempt simply
  /// goes on from there.
  func doubtAction(of step: Step) -> StepAction {
    switch step.policy.inDoubt {
    case .resend?: StepAction(.again, rule: "in_doubt")
    case .goto(let stepID)?: StepAction(.goto(step: stepID), rule: "in_doubt")
    case .review?, nil:
      StepAction(
        .stop(.review, reason: "it is unknown whether \(step.stepId) took effect"),
        rule: "in_doubt")
    }
  }

  private func credentialText(_ request: StepRequest, _ row: Classification) -> String {
    if row == Classification.permissionMissing { return permissionText(request, row) }
    guard row == Classification.unauthorized else { return row.text }
    switch request.credential {
    case .secrets(let uses):
      let isKey =
        uses.count == 1 && uses[0].names.allSatisfy { $0.allSatisfy { $0.hasSuffix(".key") } }
      return "the service does not accept the \(isKey ? "key" : "secret") "
        + uses.map(\.namesInWords).joined(separator: " with ")
    case .session(let scheme): return "the service does not accept the session of \(scheme.name)"
    case .none: return row.text
    }
  }

  /// Which credential lacks what, so that a person knows which key to widen.
  private func permissionText(_ request: StepRequest, _ row: Classification) -> String {
    let needed = position.current.step.operation?.requiredPermissions ?? []
    let names = needed.isEmpty ? "a permission" : "the permission \(needed.joined(separator: ", "))"
    guard case .secrets(let uses) = request.credential else { return row.text }
    return uses.map(\.namesInWords).joined(separator: " with ")
      + " lacks \(names) of \(request.operationID); rotate it, or give it the permission"
  }

  func error(of outcome: StepOutcome, _ text: String) -> JobError {
    JobError(
      code: outcome.errorCode ?? outcome.action.rule ?? outcome.result.rawValue, text: text,
      step: outcome.step, status: outcome.status)
  }

  mutating func retry(
    after delay: Duration, burnsAttempt: Bool, _ error: JobError, cause: FailureClass?
  ) -> Action {
    // Never unresolved: the outcome that leads here says what to do about any doubt.
    let record = JobRecord.retry(
      delay: delay, burnsAttempt: burnsAttempt, isUnresolved: false, error)
    return .finish(.retry(after: delay, error, cause: cause), takePending() + [record])
  }
}

extension StepResponse {
  /// What a local operation says in words about a refusal; never taken from an answer over HTTP, which
  /// could hold anything.
  fileprivate func reason(of request: StepRequest) -> String? {
    guard case .local = request.target else { return nil }
    return bodyValue?["reason"]?.stringValue
  }
}

extension TransportFailure.LoginFailure {
  /// What happened, for a person.
  fileprivate var text: String {
    switch self {
    case .unanswered(let reason): Classification.of(.ambiguous(reason)).text
    case .answered(let status) where (300...399).contains(status):
      "the login was answered with \(status), a redirect: the base URL is wrong"
    case .answered(404):
      "the login was answered with 404 and no error code: wrong base URL, wrong version or a proxy in between"
    case .answered(let status): "the login was answered with \(status)"
    case .withoutToken: "the answer to the login holds no token"
    case .limited: "the login was answered with 429"
    }
  }
}
