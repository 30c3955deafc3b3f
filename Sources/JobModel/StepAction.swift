// What is decided after a step, in a form that the journal keeps: a later attempt replays the
// decision and evaluates nothing again.

public import Arazzo
public import JSON

/// What to do after a step.
public struct StepAction: Sendable, Hashable {
  /// The kinds of decision.
  public enum Kind: Sendable, Hashable {
    /// Go on with the step that follows; after the last one, the workflow is done.
    case next
    /// Go on with another step of the same workflow.
    case goto(step: String)
    /// Go on with another workflow, with these inputs, instead of this one.
    case gotoWorkflow(WorkflowReference, inputs: JSONObject)
    /// Send the step again because an Arazzo `retry` action says so, after running something first
    /// if set. Counted against the action's limit.
    case retry(first: RetryDetour?)
    /// Send the step again because the classification or the rule for doubt says so. Counted by the
    /// job's failures.
    case again
    /// Send the step again when a user may have acted; `checks` says how often he was wanted.
    case userAction(checks: Int)
    /// The workflow ends; a step of another workflow that called it goes on or fails by that.
    case end(EndOutcome, reason: String?)
    /// The job ends, whatever workflows are under way.
    case stop(EndOutcome, reason: String?)
  }

  /// What a `retry` action runs before it sends its step again.
  public enum RetryDetour: Sendable, Hashable {
    /// One step of the same workflow.
    case step(String)
    /// A workflow, with these inputs.
    case workflow(WorkflowReference, inputs: JSONObject)
  }

  /// The decision.
  public var kind: Kind
  /// The name of the Arazzo action that decided, or `in_doubt` or `classification`; `nil` where
  /// nothing had to be decided.
  public var rule: String?

  /// A decision.
  public init(_ kind: Kind, rule: String? = nil) {
    self.kind = kind
    self.rule = rule
  }
}

extension StepAction {
  /// The action as the journal keeps it: `{"do": "goto", "step": "look", "rule": "gone"}`.
  ///
  /// `do` is `next`, `goto`, `goto_workflow`, `retry`, `again`, `user_action`, `end` or `stop`; `step`,
  /// `workflow`, `source`, `inputs`, `checks`, `outcome` and `reason` go with it.
  public var json: JSONValue {
    var object = JSONObject()
    switch kind {
    case .next: object["do"] = "next"
    case .goto(let step):
      object["do"] = "goto"
      object["step"] = .string(step)
    case .gotoWorkflow(let reference, let inputs):
      object["do"] = "goto_workflow"
      Self.write(reference, inputs, to: &object)
    case .retry(let first):
      object["do"] = "retry"
      switch first {
      case .step(let step)?: object["step"] = .string(step)
      case .workflow(let reference, let inputs)?: Self.write(reference, inputs, to: &object)
      case nil: break
      }
    case .again: object["do"] = "again"
    case .userAction(let checks):
      object["do"] = "user_action"
      object["checks"] = JSONValue(checks)
    case .end(let outcome, let reason), .stop(let outcome, let reason):
      object["do"] = isStop ? "stop" : "end"
      object["outcome"] = .string(outcome.rawValue)
      object["reason"] = reason.map { .string($0) }
    }
    object["rule"] = rule.map { .string($0) }
    return .object(object)
  }

  /// Reads an action from the journal; `nil` for one that this version does not know.
  public init?(json: JSONValue) {
    rule = json["rule"]?.stringValue
    switch json["do"]?.stringValue {
    case "next": kind = .next
    case "goto":
      guard let step = json["step"]?.stringValue else { return nil }
      kind = .goto(step: step)
    case "goto_workflow":
      guard let (reference, inputs) = Self.workflow(in: json) else { return nil }
      kind = .gotoWorkflow(reference, inputs: inputs)
    case "retry":
      if let step = json["step"]?.stringValue {
        kind = .retry(first: .step(step))
      } else {
        kind = .retry(first: Self.workflow(in: json).map { .workflow($0, inputs: $1) })
      }
    case "again": kind = .again
    case "user_action": kind = .userAction(checks: json["checks"]?.intValue ?? 1)
    case "end", "stop":
      guard let outcome = json["outcome"]?.stringValue.flatMap(EndOutcome.init(rawValue:)) else {
        return nil
      }
      let reason = json["reason"]?.stringValue
      kind =
        json["do"] == "stop" ? .stop(outcome, reason: reason) : .end(outcome, reason: reason)
    default: return nil
    }
  }

  /// Whether the journal's row is written over by the next try of the step.
  var isWrittenOver: Bool {
    switch kind {
    case .again, .userAction: true
    default: false
    }
  }

  private var isStop: Bool {
    if case .stop = kind { true } else { false }
  }

  private static func write(
    _ reference: WorkflowReference, _ inputs: JSONObject, to object: inout JSONObject
  ) {
    object["workflow"] = .string(reference.workflowId)
    object["source"] = reference.source.map { .string($0) }
    object["inputs"] = .object(inputs)
  }

  private static func workflow(in json: JSONValue) -> (WorkflowReference, JSONObject)? {
    guard let workflow = json["workflow"]?.stringValue else { return nil }
    return (
      WorkflowReference(source: json["source"]?.stringValue, workflowId: workflow),
      json["inputs"]?.objectValue ?? JSONObject()
    )
  }
}
