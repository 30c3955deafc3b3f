// The two ends of an attempt: finding the place where the journal stops, and the records with which the
// work on a job is over.

import Arazzo
import JSON

extension WorkflowMachine {
  /// Goes through the decisions of the journal up to its open intent or its end.
  ///
  /// A job that had ended and is claimed again was replayed by a person: one that waited for
  /// review goes on with the step that it stopped at (a sub-workflow that failed runs once more), any
  /// other begins from the start.
  ///
  /// - Returns: Whether the journal fits the definition.
  mutating func replayJournal() -> Bool {
    for entry in job.journal.sorted(by: { $0.sequence < $1.sequence }) {
      switch position.locate() {
      case .broken: return false
      case .ended: restart()
      case .operation, .completion: break
      }
      if case .broken = position.locate() { return false }
      guard position.path == entry.step else { return false }
      enter(entry)
      guard entry.result != nil else { continue }
      guard let action = entry.action.flatMap(StepAction.init(json:)) else { return false }
      let before = position
      position.apply(action, outputs: entry.result == .succeeded ? entry.outputs : nil)
      if case .ended(let ending) = position.locate(), ending.outcome == .review {
        position = before
        position.runSubworkflowAgain()
      }
    }
    switch position.locate() {
    case .broken: return false
    case .ended: restart()
    case .operation, .completion: break
    }
    return true
  }

  private mutating func restart() {
    position = origin
    run = []
  }

  /// If the next request may have left already: enters that, with what the step's rule says.
  mutating func resolveDoubt() -> Action? {
    guard case .operation(let step) = position.locate(), step.effect != .none else { return nil }
    let isOpen = run.last.map { $0.result == nil } ?? false
    guard isOpen || job.isUnresolved else { return nil }
    commit(
      StepOutcome(
        sequence: isOpen ? lastSequence : nextSequence(for: position.path), step: position.path,
        effect: step.effect, result: .ambiguous, errorCode: "interrupted",
        action: doubtAction(of: step)))
    return nil
  }

  /// The job's workflow has ended: the records that say so.
  mutating func finish() -> Action {
    guard case .ended(let ending) = position.locate() else { return giveUpOnJournal() }
    var error = JobError(
      code: "ended", text: ending.reason ?? "the workflow ended here", step: nil, status: nil)
    if let outcome = lastOutcome {
      error.step = outcome.step
      error.status = outcome.status
      let isOurs = ["classification", "in_doubt"].contains(outcome.action.rule)
      error.code = (isOurs ? outcome.errorCode : outcome.action.rule) ?? error.code
    }
    switch ending.outcome {
    case .completed:
      let root = position.frames[0]
      var result = Redaction.result(position.outputs(of: root), of: root.workflow)
      // The database puts their number in its place: only there is it known which came twice.
      if definition.keepsRows { result.clear[RowsPolicy.countName] = 0 }
      return .finish(
        .completed,
        takePending() + [
          .complete(
            result: result.clear, recorded: Redaction.shown(result, of: root.workflow))
        ])
    case .discard: return .finish(.discarded(error), takePending() + [.discard(error)])
    case .review: return .finish(.review(error), takePending() + [.review(error)])
    }
  }

  /// A journal that the definition cannot have led to: nothing is safe but a person's look.
  mutating func giveUpOnJournal() -> Action {
    let error = JobError(
      code: "journal_mismatch", text: "the journal does not fit the job's definition")
    return .finish(.review(error), takePending() + [.review(error)])
  }

  /// The worker does not know what a `from: environment` input asks for: wait until it is told.
  func waitForSettings() -> Action {
    let error = JobError(
      code: "setting_missing",
      text: "the environment \(job.environment) has no setting "
        + missingSettings.joined(separator: ", "))
    let record = JobRecord.retry(
      delay: Self.credentialWait, burnsAttempt: false, isUnresolved: job.isUnresolved, error)
    return .finish(.retry(after: Self.credentialWait, error, cause: .unauthorized), [record])
  }

  /// Calls the job off before a step that has not been sent.
  mutating func cancel(_ step: Step) -> Action {
    stop(at: step, .discard, code: "cancelled", text: "a person cancelled the job")
    return .finish(.cancelled, takePending() + [.cancel])
  }

  /// A person cancelled while the request had not left yet.
  mutating func cancelled(_ request: StepRequest, sequence: Int, hasIntent: Bool) -> Action {
    isCancelRequested = true
    guard !hasChanged, case .operation(let step) = position.locate() else {
      // Past its first change: the job goes on, and the intent holds.
      expectation = .answer(request, sequence: sequence, hasIntent: hasIntent)
      return .send(request, after: [])
    }
    return cancel(step)
  }

  /// The worker stops while the request had not left yet.
  mutating func handBack(_ request: StepRequest, sequence: Int, hasIntent: Bool) -> Action {
    if hasIntent {
      commit(
        StepOutcome(
          sequence: sequence, step: request.step, effect: request.effect, result: .failed,
          errorCode: "not_sent", action: StepAction(.again, rule: "shutdown")))
    }
    return .finish(.handedBack, takePending() + [.handBack(isUnresolved: false)])
  }
}
