// What to do after a step, by its success or failure.

/// A place to continue at.
public enum ActionTarget: Sendable, Hashable {
  /// A step of the same workflow.
  case step(String)
  /// A workflow, with the inputs that are passed to it.
  case workflow(WorkflowReference, parameters: [Parameter])
}

/// What to do after a step succeeded.
public struct SuccessAction: Sendable, Hashable {
  /// The kinds.
  public enum Kind: Sendable, Hashable {
    /// The workflow ends; the outcome is `completed` unless the policy says otherwise.
    case end(EndPolicy)
    /// Continue elsewhere.
    case goto(ActionTarget)
  }

  /// Its name.
  public var name: String
  /// What is done.
  public var kind: Kind
  /// When: all must hold.
  public var criteria: [Criterion]
  /// Where it is written.
  public var location: SourceLocation
  /// Whether other steps may have it too, since it is the workflow's or a component.
  public var isShared: Bool

  /// Whether all criteria hold.
  public func applies(in context: EvaluationContext) -> Bool {
    criteria.allSatisfy { $0.evaluate(in: context) }
  }
}

/// What to do after a step failed.
public struct FailureAction: Sendable, Hashable {
  /// The kinds.
  public enum Kind: Sendable, Hashable {
    /// The workflow ends; the outcome is `discard` unless the policy says otherwise.
    case end(EndPolicy)
    /// The job waits until a user has acted, and sends the step again to see whether he has.
    case askUser(UserActionPolicy)
    /// Continue elsewhere.
    case goto(ActionTarget)
    /// Send the step again after a wait, at most `limit` times, after running `first` if set. A
    /// `Retry-After` header of the response goes before the wait.
    case retry(after: Duration, limit: Int, first: ActionTarget?)
  }

  /// Its name.
  public var name: String
  /// What is done.
  public var kind: Kind
  /// When: all must hold.
  public var criteria: [Criterion]
  /// Where it is written.
  public var location: SourceLocation
  /// Whether other steps may have it too, since it is the workflow's or a component.
  public var isShared: Bool

  /// Whether all criteria hold.
  public func applies(in context: EvaluationContext) -> Bool {
    criteria.allSatisfy { $0.evaluate(in: context) }
  }
}
