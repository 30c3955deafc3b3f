// Where a job stands in its workflow: a stack of frames that moves by the decisions of the journal.
// Nothing here asks the clock, the network or a random source, and nothing decides: the same decisions
// always lead to the same place, which is what makes resuming from a journal possible.

import Arazzo
import JSON

/// How a workflow ended.
struct Ending: Sendable, Hashable {
  var outcome: EndOutcome
  var reason: String?
}

/// One workflow under way.
struct WorkflowFrame: Sendable {
  /// Why it runs.
  enum Role: Sendable, Hashable {
    /// It is the job.
    case root
    /// A step of the frame below calls it.
    case calledByStep
    /// A `retry` action of the frame below runs it before it sends its step again.
    case detour
    /// The workflow of the frame below depends on it.
    case prerequisite
  }

  var role: Role
  var document: ArazzoDocument
  var workflow: Workflow
  var inputs: JSONObject
  /// What stands before the step in the journal; `nil` for the job's own workflow.
  var label: String?
  var index = 0
  /// Where to go back to once the step that a `retry` action put first is done.
  var returnIndex: Int?
  var stepOutputs: [String: JSONObject] = [:]
  var prerequisites: ArraySlice<WorkflowReference>
  var ending: Ending?

  init(
    role: Role, document: ArazzoDocument, workflow: Workflow, inputs: JSONObject, label: String?
  ) {
    self.role = role
    self.document = document
    self.workflow = workflow
    self.inputs = inputs
    self.label = label
    prerequisites = workflow.dependsOn[...]
  }

  var step: Step { workflow.steps[index] }
}

/// The stack of workflows under way.
struct WorkflowPosition: Sendable {
  /// What comes next.
  enum Place: Sendable {
    /// A step that calls an operation.
    case operation(Step)
    /// A step whose sub-workflow has ended; what follows has to be decided.
    case completion(Step, Ending)
    /// The job's workflow has ended.
    case ended(Ending)
    /// The decisions do not fit the workflow.
    case broken
  }

  private static let greatestDepth = 16

  private(set) var frames: [WorkflowFrame]
  private var isBroken = false
  private var finished: [String: EvaluationContext.WorkflowValues] = [:]

  init(definition: JobTypeDefinition, inputs: JSONObject) {
    frames = [
      WorkflowFrame(
        role: .root, document: definition.document, workflow: definition.workflow, inputs: inputs,
        label: nil)
    ]
  }

  /// The frame of the step that ``locate()`` named: below an ended sub-workflow, its caller's.
  private var currentIndex: Int {
    let last = frames.count - 1
    return frames[last].ending != nil && last > 0 ? last - 1 : last
  }

  /// The frame of the step that ``locate()`` named.
  var current: WorkflowFrame { frames[currentIndex] }

  /// The step that ``locate()`` named, with the workflows around it.
  var path: String {
    (frames[...currentIndex].compactMap(\.label) + [current.step.stepId]).joined(separator: "/")
  }

  /// Enters and leaves workflows until something has to be done or decided.
  mutating func locate() -> Place {
    while !isBroken, frames.count <= Self.greatestDepth {
      let last = frames.count - 1
      if let ending = frames[last].ending {
        switch frames[last].role {
        case .root: return .ended(ending)
        case .calledByStep: return .completion(current.step, ending)
        case .detour, .prerequisite: leave(ending)
        }
      } else if let reference = frames[last].prerequisites.popFirst() {
        guard
          finished[reference.workflowId] != nil
            || enter(
              reference, role: .prerequisite, inputs: frames[0].inputs,
              label: "@" + reference.workflowId)
        else { return .broken }
      } else if frames[last].index >= frames[last].workflow.steps.count {
        frames[last].ending = Ending(outcome: .completed)
      } else if case .workflow(let reference) = frames[last].step.target {
        let step = frames[last].step
        guard
          enter(
            reference, role: .calledByStep, inputs: values(of: step.parameters, in: context()),
            label: step.stepId)
        else { return .broken }
      } else {
        return .operation(frames[last].step)
      }
    }
    return .broken
  }

  /// Moves on by what was decided after the step that ``locate()`` named; a decision that names a
  /// step or a workflow that does not exist breaks the position.
  mutating func apply(_ action: StepAction, outputs: JSONObject?) {
    isBroken = !moves(by: action, outputs: outputs)
  }

  private mutating func moves(by action: StepAction, outputs: JSONObject?) -> Bool {
    if currentIndex < frames.count - 1 { frames.removeLast() }
    let last = frames.count - 1
    let step = frames[last].step
    if let outputs { frames[last].stepOutputs[step.stepId] = outputs }
    switch action.kind {
    case .again, .userAction, .retry(first: nil): return true
    case .next:
      frames[last].index = frames[last].returnIndex ?? frames[last].index + 1
      frames[last].returnIndex = nil
      return true
    case .goto(let step): return move(to: step, returningTo: nil)
    case .retry(first: .step(let step)?):
      return move(to: step, returningTo: frames[last].index)
    case .retry(first: .workflow(let reference, let inputs)?):
      return enter(reference, role: .detour, inputs: inputs, label: step.stepId + "~")
    case .gotoWorkflow(let reference, let inputs):
      guard let (document, workflow) = frames[last].document.resolve(reference) else {
        return false
      }
      let old = frames[last]
      frames[last] = WorkflowFrame(
        role: old.role, document: document, workflow: workflow, inputs: inputs, label: old.label)
      return true
    case .end(let outcome, let reason):
      frames[last].ending = Ending(outcome: outcome, reason: reason)
      return true
    case .stop(let outcome, let reason):
      frames.removeLast(last)
      frames[0].ending = Ending(outcome: outcome, reason: reason)
      return true
    }
  }

  /// Where a step's sub-workflow has ended: forgets that, so that the step runs it again.
  mutating func runSubworkflowAgain() {
    guard let top = frames.last, top.ending != nil, top.role == .calledByStep else { return }
    frames.removeLast()
  }

  /// What expressions of the current step can see, but for its request and response.
  func context() -> EvaluationContext { context(of: current) }

  /// The outputs of the sub-workflow that has just ended; empty without one.
  func endedOutputs() -> JSONObject {
    guard let top = frames.last, top.ending != nil else { return JSONObject() }
    return outputs(of: top)
  }

  /// The outputs of a frame's workflow.
  func outputs(of frame: WorkflowFrame) -> JSONObject {
    let context = context(of: frame)
    return JSONObject(
      frame.workflow.outputs.compactMap { output in
        output.expression.evaluate(in: context).map { (output.name, $0) }
      })
  }

  /// The values of parameters, those without a value left out.
  func values(of parameters: [Parameter], in context: EvaluationContext) -> JSONObject {
    JSONObject(
      parameters.compactMap { parameter in
        parameter.value.evaluate(in: context).map { (parameter.name, $0) }
      })
  }

  private func context(of frame: WorkflowFrame) -> EvaluationContext {
    var context = EvaluationContext()
    context.inputs = frame.inputs
    context.steps = frame.stepOutputs
    context.workflows = finished
    context.sourceURLs = frame.document.sourceURLs
    context.sourceTypes = frame.document.sources.mapValues(\.typeName)
    context.selfURI = frame.document.selfURI
    return context
  }

  private mutating func move(to step: String, returningTo index: Int?) -> Bool {
    let last = frames.count - 1
    guard let target = frames[last].workflow.index(ofStep: step) else { return false }
    frames[last].index = target
    frames[last].returnIndex = index
    return true
  }

  private mutating func enter(
    _ reference: WorkflowReference, role: WorkflowFrame.Role, inputs: JSONObject, label: String
  ) -> Bool {
    guard let (document, workflow) = frames[frames.count - 1].document.resolve(reference) else {
      return false
    }
    frames.append(
      WorkflowFrame(
        role: role, document: document, workflow: workflow, inputs: inputs, label: label))
    return true
  }

  /// Leaves a detour or a prerequisite; one that failed ends the workflow that wanted it.
  private mutating func leave(_ ending: Ending) {
    let left = frames.removeLast()
    if ending.outcome == .completed {
      finished[left.workflow.workflowId] = EvaluationContext.WorkflowValues(
        inputs: left.inputs, outputs: outputs(of: left))
    } else {
      frames[frames.count - 1].ending = ending
    }
  }
}
