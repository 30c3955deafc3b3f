// The steps of a workflow as a graph: what is drawn for people, and what the checks walk over.

internal import JSON

/// The edges between the steps of a workflow, in the order in which they are considered.
public struct StepGraph: Sendable, Hashable {
  /// What has to happen for an edge to be taken.
  public enum Cause: String, Sendable, Hashable, CaseIterable {
    /// The step succeeded.
    case success
    /// The step failed, by the answer that it got.
    case failure
    /// It is unknown whether the request took effect.
    case inDoubt = "in doubt"
  }

  /// Where an edge leads.
  public enum Destination: Sendable, Hashable {
    /// To a step.
    case step(String)
    /// Out of the workflow.
    case end(EndOutcome, reason: String?)
    /// To another workflow, which takes the place of this one.
    case workflow(WorkflowReference)
    /// To the same step again after a wait, at most this often, after a detour if set.
    case again(after: Duration, limit: Int, detour: Detour?)
    /// To the same step again, by the retry policy of the job.
    case resend
  }

  /// What runs before a step is sent again.
  public enum Detour: Sendable, Hashable {
    /// A step.
    case step(String)
    /// A workflow.
    case workflow(WorkflowReference)
  }

  /// One edge.
  public struct Edge: Sendable, Hashable {
    /// The step that it leaves.
    public var from: String
    /// What has to happen.
    public var cause: Cause
    /// Where it leads.
    public var to: Destination
    /// The action that it stands for; `nil` where no action applies.
    public var action: String?
    /// The conditions of the action, as written; all must hold.
    public var conditions: [String]
    /// The steps that have surely succeeded when the edge is taken, since a condition has asked whether
    /// an output of theirs is `null`.
    var given: Set<String> = []
  }

  /// The edges, step by step.
  public let edges: [Edge]

  /// The graph of a workflow.
  ///
  /// A failure to which no action applies has no edge: the table of failures decides what becomes of
  /// the job.
  public init(_ workflow: Workflow) {
    edges = workflow.steps.indices.flatMap { Self.edges(of: workflow.steps[$0], at: $0, workflow) }
  }

  /// The edges that leave a step.
  public func edges(from step: String) -> [Edge] { edges.filter { $0.from == step } }

  private static func edges(of step: Step, at index: Int, _ workflow: Workflow) -> [Edge] {
    var edges: [Edge] = []
    var given: Set<String> = []
    func add(_ cause: Cause, _ to: Destination, _ action: String?, _ criteria: [Criterion]) {
      edges.append(
        Edge(
          from: step.stepId, cause: cause, to: to, action: action,
          conditions: criteria.map(\.text), given: given.union(criteria.flatMap(\.stepsGiven))))
    }
    for action in step.reachableSuccessActions {
      add(.success, action.destination, action.name, action.criteria)
      given.formUnion(action.criteria.stepsGivenOtherwise)
    }
    if step.reachableSuccessActions.last?.criteria.isEmpty != true {
      let next = index + 1
      add(
        .success,
        next < workflow.steps.count
          ? .step(workflow.steps[next].stepId) : .end(.completed, reason: nil), nil, [])
    }
    given = []
    for action in step.reachableFailureActions {
      add(.failure, action.destination, action.name, action.criteria)
      // A retry is also passed over when its limit is reached, whatever its criteria say.
      if case .retry = action.kind { continue }
      given.formUnion(action.criteria.stepsGivenOtherwise)
    }
    given = []
    switch step.policy.inDoubt {
    case .goto(let stepId)?: add(.inDoubt, .step(stepId), nil, [])
    case .resend?: add(.inDoubt, .resend, nil, [])
    case .review?: add(.inDoubt, .end(.review, reason: nil), nil, [])
    case nil: break
    }
    return edges
  }
}

extension Criterion {
  /// The steps that have succeeded if the criterion holds: it asks that an output is not `null`.
  fileprivate var stepsGiven: [String] {
    if case .simple(let condition) = kind { condition.stepsGiven } else { [] }
  }
}

extension [Criterion] {
  /// The steps that have succeeded if these criteria do not hold: all that they ask is whether an output
  /// is `null`.
  fileprivate var stepsGivenOtherwise: [String] {
    guard count == 1,
      case .simple(.comparison(.expression(let expression), .equal, .literal(.null))) = self[0].kind,
      case .step(let step, _) = expression.source
    else { return [] }
    return [step]
  }
}

extension Condition {
  fileprivate var stepsGiven: [String] {
    switch self {
    case .and(let left, let right): return left.stepsGiven + right.stepsGiven
    case .comparison(.expression(let expression), .notEqual, .literal(.null)):
      guard case .step(let step, _) = expression.source else { return [] }
      return [step]
    default: return []
    }
  }
}

extension Step {
  /// The success actions up to the first without criteria, which always applies.
  var reachableSuccessActions: [SuccessAction] {
    let end = onSuccess.firstIndex { $0.criteria.isEmpty }
    return Array(onSuccess[..<(end.map { $0 + 1 } ?? onSuccess.count)])
  }

  /// The failure actions up to the first that always applies; a retry is passed over once its limit
  /// is reached, so it never ends the list.
  var reachableFailureActions: [FailureAction] {
    let end = onFailure.firstIndex { action in
      if case .retry = action.kind { false } else { action.criteria.isEmpty }
    }
    return Array(onFailure[..<(end.map { $0 + 1 } ?? onFailure.count)])
  }
}

extension ActionTarget {
  fileprivate var destination: StepGraph.Destination {
    switch self {
    case .step(let step): .step(step)
    case .workflow(let reference, _): .workflow(reference)
    }
  }

  fileprivate var detour: StepGraph.Detour {
    switch self {
    case .step(let step): .step(step)
    case .workflow(let reference, _): .workflow(reference)
    }
  }
}

extension SuccessAction {
  fileprivate var destination: StepGraph.Destination {
    switch kind {
    case .end(let policy): .end(policy.outcome, reason: policy.reason)
    case .goto(let target): target.destination
    }
  }
}

extension FailureAction {
  fileprivate var destination: StepGraph.Destination {
    if case .end(let policy) = kind { return .end(policy.outcome, reason: policy.reason) }
    if case .goto(let target) = kind { return target.destination }
    if case .retry(let wait, let limit, let first) = kind {
      return .again(after: wait, limit: limit, detour: first?.detour)
    }
    // Whatever else there may be sends the step again by a policy of its own.
    return .resend
  }
}
