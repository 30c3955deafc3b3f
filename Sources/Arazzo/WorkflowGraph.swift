// Checks how the workflows of a document hang together: no circles, calls that fit, secrets that
// exist.

internal import JSON

struct WorkflowGraph {
  let document: ArazzoDocument
  let errors: ErrorCollector

  /// The workflows, with what is passed to them, that the actions of a step may lead to.
  static func workflowTargets(of step: Step) -> [(WorkflowReference, [Parameter], SourceLocation)] {
    let success = step.onSuccess.compactMap { action -> (ActionTarget, SourceLocation)? in
      if case .goto(let target) = action.kind { (target, action.location) } else { nil }
    }
    let failure = step.onFailure.compactMap { action -> (ActionTarget, SourceLocation)? in
      switch action.kind {
      case .end, .askUser: nil
      case .goto(let target): (target, action.location)
      case .retry(_, _, let first): first.map { ($0, action.location) }
      }
    }
    return (success + failure).compactMap { target, location in
      if case .workflow(let reference, let parameters) = target {
        (reference, parameters, location)
      } else {
        nil
      }
    }
  }

  func check(_ workflow: Workflow) {
    for step in workflow.steps { check(step, of: workflow) }
    reportCircle(from: workflow, "dependsOn", "depends on itself") { $0.dependsOn }
    reportCircle(from: workflow, "steps", "calls itself") { workflow in
      workflow.steps.compactMap { step in
        if case .workflow(let reference) = step.target { reference } else { nil }
      }
    }
  }

  private func reportCircle(
    from start: Workflow, _ field: String, _ what: String,
    _ next: (Workflow) -> [WorkflowReference]
  ) {
    var seen: Set<String> = []
    var open = [start]
    while let workflow = open.popLast() {
      for reference in next(workflow) where reference.source == nil {
        if reference.workflowId == start.workflowId {
          return errors.report(
            "the workflow '\(start.workflowId)' \(what) through its \(field)", at: start.location)
        }
        if seen.insert(reference.workflowId).inserted,
          let workflow = document.workflow(id: reference.workflowId)
        {
          open.append(workflow)
        }
      }
    }
  }

  private func check(_ step: Step, of workflow: Workflow) {
    if case .workflow(let reference) = step.target {
      checkCall(reference, step.parameters, at: step.location)
    }
    for (reference, parameters, location) in Self.workflowTargets(of: step) {
      checkCall(reference, parameters, at: location)
    }
    checkCredential(of: step, in: workflow)
    checkSeals(of: step, in: workflow)
  }

  private func checkCall(
    _ reference: WorkflowReference, _ parameters: [Parameter], at location: SourceLocation
  ) {
    guard let called = document.resolve(reference)?.workflow else { return }
    for parameter in parameters where called.inputs[parameter.name] == nil {
      errors.report(
        "the workflow '\(called.workflowId)' has no input '\(parameter.name)'"
          + Suggestion.question(parameter.name, among: called.inputs.parameters.map(\.name)),
        at: parameter.sourceLocation)
    }
    for property in called.inputs.parameters
    where property.isRequired && property.defaultValue == nil {
      if !parameters.contains(where: { $0.name == property.name }) {
        errors.report(
          "the workflow '\(called.workflowId)' needs the input '\(property.name)'", at: location)
      }
    }
  }

  private func checkCredential(of step: Step, in workflow: Workflow) {
    guard case .secretOf(let stepId, let output)? = step.policy.credential else { return }
    guard let source = workflow.step(id: stepId) else {
      return errors.report(
        "x-writ.credential.secretOf: there is no step '\(stepId)' in this workflow",
        at: step.location)
    }
    if !source.outputPolicy(output).isSecret {
      errors.report(
        "x-writ.credential.secretOf: the step '\(stepId)' has no secret output '\(output)'",
        at: step.location)
    } else if source.isSealed(output) {
      errors.report(
        "x-writ.credential.secretOf: the output '\(output)' of the step '\(stepId)' is sealed, so "
          + "that no worker can read it; store it instead", at: step.location)
    }
  }

  /// A secret can be sealed only to a key that was checked when the job was ordered: what is found
  /// wrong after the request is found too late.
  private func checkSeals(of step: Step, in workflow: Workflow) {
    for case (let output, .seal(let input, let location)) in step.policy.sinks {
      guard let property = workflow.inputs[input] else { continue }
      guard property.kind == .publicKey, property.isRequired, !property.isNullable else {
        errors.report(
          "x-writ.sink.\(output).seal: the input '\(input)' must be a required string of format "
            + "writ-public-key, so that a wrong key is refused when the job is ordered",
          at: location)
        continue
      }
    }
  }
}
