// A service that wants its user to act first: the job waits, and asks again until he has or his time is over.
// The address that he has to visit leaves the machine in `JobRecord.userAction` and nowhere else: not
// in the journal, not in the audit trail, not in a log.

import Arazzo
import JSON

extension WorkflowMachine {
  /// Takes in an answer that says that a user has to act; `nil` when the machine can go on by itself.
  mutating func askUser(
    _ answer: Answer, _ response: StepResponse, _ policy: UserActionPolicy, by rule: String?,
    in context: EvaluationContext, random: inout some RandomNumberGenerator
  ) -> Action? {
    guard let url = policy.url.evaluate(in: context)?.stringValue, Self.isAddress(url) else {
      return classified(
        answer, position.current.step, Classification.unexpectedSuccess, status: response.status,
        random: &random)
    }
    let code = policy.code?.evaluate(in: context)?.stringValue.flatMap(StepResponse.word)
    // Nothing was changed by the answer, whatever the step changes when it succeeds.
    var outcome = StepOutcome(
      sequence: answer.sequence, step: answer.request.step, effect: answer.request.effect,
      result: .failed, status: response.status, errorCode: code ?? "user_action",
      duration: answer.duration, action: StepAction(.userAction(checks: 1), rule: rule))
    if job.isPastActionDeadline {
      outcome.action = StepAction(
        .stop(
          hasChanged ? .review : .discard,
          reason: "the user had not acted when the time for it was over"),
        rule: "user_action_expired")
      commit(outcome)
      return nil
    }
    let checks = earlierChecks(of: answer.request.step) + 1
    outcome.action.kind = .userAction(checks: checks)
    commit(outcome)
    let delay = Self.delay(beforeCheck: checks, policy, random: &random)
    let error = error(of: outcome, policy.reason)
    return .finish(
      .userAction(after: delay, error),
      takePending() + [
        .userAction(
          UserActionRequest(url: url, delay: delay, deadline: policy.deadline, error: error))
      ])
  }

  /// How often the step's user was wanted before, as far as the journal still tells.
  private func earlierChecks(of step: String) -> Int {
    guard let last = run.last, last.step == step,
      case .userAction(let checks)? = last.action.flatMap(StepAction.init(json:))?.kind
    else { return 0 }
    return checks
  }

  /// The waits double up to the cap; the last quarter of each is random, so that jobs that were
  /// ordered together do not ask together.
  private static func delay(
    beforeCheck checks: Int, _ policy: UserActionPolicy,
    random: inout some RandomNumberGenerator
  ) -> Duration {
    let whole = min(policy.recheckBase * (1 << min(checks - 1, 20)), policy.recheckCap)
    return whole * Double.random(in: 0.75...1, using: &random)
  }

  /// Whether a text is an address that a person can be sent to.
  static func isAddress(_ text: String) -> Bool {
    (text.hasPrefix("https://") || text.hasPrefix("http://")) && text.utf8.count <= 2_048
      && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
  }
}
