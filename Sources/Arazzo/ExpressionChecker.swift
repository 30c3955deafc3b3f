// Checks every expression of a workflow: does what it names exist, has it a value at that place,
// and does no secret leave its sink?

internal import JSON

struct ExpressionChecker {
  let document: ArazzoDocument
  let workflow: Workflow
  let declared: DeclaredNames
  let workflowIds: Set<String>
  let errors: ErrorCollector

  func check(_ uses: [ExpressionUse]) {
    for use in uses { check(use) }
  }

  private func check(_ use: ExpressionUse) {
    switch use.expression.source {
    case .input(let name): checkInput(name, use)
    case _ where use.scope == .inputsOnly:
      report("only $inputs has a value here", use)
    case .url, .method, .statusCode, .request, .response: checkMessage(use)
    case .output(let name): checkOutput(name, use)
    case .step(let step, let output): checkStepOutput(step, output, use)
    case .workflow(let id, let field, let name): checkWorkflow(id, field, name, use)
    case .sourceDescription(let name, let reference): checkSource(name, reference, use)
    case .component:
      report("a component has no value; refer to it with 'reference'", use)
    case .selfURI:
      if document.selfURI == nil { report("this document has no $self", use) }
    }
  }

  private func report(_ reason: String, _ use: ExpressionUse) {
    errors.report("\(use.expression): \(reason)", at: use.location)
  }

  private func checkInput(_ name: String, _ use: ExpressionUse) {
    guard let property = Self.find(name, { workflow.inputs[$0] }) else {
      if Self.find(name, { declared.inputs.contains($0) ? $0 : nil }) != nil { return }
      return report(
        "there is no input '\(name)' in the inputs of this workflow"
          + Suggestion.question(name, among: declared.inputs), use)
    }
    if use.scope == .inputsOnly, property.policy.isSupplied {
      report(
        "the subject is fixed when a job is ordered, before the worker's environment supplies "
          + "'\(property.name)'", use)
    }
  }

  /// What a name with dots declares: the longest part before a dot that is known.
  private static func find<T>(_ name: String, _ find: (String) -> T?) -> T? {
    var name = name[...]
    while true {
      if let found = find(String(name)) { return found }
      guard let dot = name.lastIndex(of: ".") else { return nil }
      name = name[..<dot]
    }
  }

  // MARK: Messages

  private func checkMessage(_ use: ExpressionUse) {
    guard use.scope == .response else {
      return report(
        use.scope == .request
          ? "it has no value before the request is sent"
          : "it has a value only inside a step; give the step an output and use that", use)
    }
    guard let stepId = use.stepId, let step = workflow.step(id: stepId) else { return }
    guard let operation = step.operation else {
      return report(
        "this step calls a workflow, which has no request and no response; use $outputs", use)
    }
    checkRequestParameter(use, operation)
    checkSecret(use, step, operation)
  }

  private func checkRequestParameter(_ use: ExpressionUse, _ operation: Operation) {
    guard case .request(let part) = use.expression.source else { return }
    let isDeclared =
      switch part {
      case .query(let name): operation.parameter(name, in: .query) != nil
      case .path(let name): operation.parameter(name, in: .path) != nil
      case .header, .body: true
      }
    if !isDeclared { report("the operation \(operation.name) has no such parameter", use) }
  }

  private func checkSecret(_ use: ExpressionUse, _ step: Step, _ operation: Operation) {
    if use.mayBeSecret { return }
    if let output = use.output, step.outputPolicy(output).isSecret { return }
    let source = use.expression.source
    let isSecret = operation.schemas(of: source).contains {
      SchemaSecrets.isSecret($0, use.tokens, orHoldsSecret: use.isUsedWhole)
    }
    if isSecret { return reportSecret("the API marks this as secret", use) }
    for secret in step.outputs where step.outputPolicy(secret.name).isSecret {
      guard secret.expression.source.isSame(as: source) else { continue }
      let marked = secret.expression.fixedTokens
      if use.tokens.starts(with: marked) || use.isUsedWhole && marked.starts(with: use.tokens) {
        return reportSecret(
          "the output '\(secret.name)' of this step says that this is secret", use)
      }
    }
  }

  private func reportSecret(_ why: String, _ use: ExpressionUse) {
    if let output = use.output {
      report("\(why): write x-writ.outputs.\(output): {secret: true} and a sink", use)
    } else if use.isCondition {
      report(
        "\(why), and what is decided by it would be on record; ask for another property, or for the "
          + "status", use)
    } else {
      report(
        "\(why), and what is passed to a workflow is on record; give the step a secret output with a "
          + "sink, and let the workflow use x-writ.credential.stored", use)
    }
  }

  // MARK: Outputs

  private func checkOutput(_ name: String, _ use: ExpressionUse) {
    // What a step calls may be unreadable; that has been reported.
    if let stepId = use.stepId, workflow.step(id: stepId) == nil { return }
    guard use.scope == .response, let stepId = use.stepId,
      let step = workflow.step(id: stepId), case .workflow(let reference) = step.target
    else {
      return report(
        "$outputs has a value only after a step that calls a workflow; use $steps", use)
    }
    guard let called = document.resolve(reference)?.workflow else { return }
    if Self.find(name, { name in called.outputs.first { $0.name == name } }) == nil {
      report(
        "the workflow '\(called.workflowId)' has no output '\(name)'"
          + Suggestion.question(name, among: called.outputs.map(\.name)), use)
    }
  }

  private func checkStepOutput(_ stepId: String, _ output: String, _ use: ExpressionUse) {
    guard declared.steps.contains(stepId) else {
      return report(
        "there is no step '\(stepId)' in this workflow"
          + Suggestion.question(stepId, among: declared.steps), use)
    }
    guard let step = workflow.step(id: stepId) else { return }
    if step.policy.rows != nil, output == RowsPolicy.countName { return }
    guard
      let found = Self.find(output, { name in step.outputs.first { $0.name == name } })
    else {
      guard let names = declared.outputs[stepId] else { return }
      if Self.find(output, { names.contains($0) ? $0 : nil }) != nil { return }
      return report(
        "the step '\(stepId)' has no output '\(output)'"
          + Suggestion.question(output, among: names), use)
    }
    if step.holdsSecret(found.name) {
      report(
        "this is a secret, which may flow only into a sink; to authenticate with it, use "
          + "x-writ.credential.secretOf", use)
    }
  }

  private func checkWorkflow(
    _ id: String, _ field: RuntimeExpression.WorkflowField, _ name: String, _ use: ExpressionUse
  ) {
    guard workflowIds.contains(id) else {
      return report("there is no workflow '\(id)' in this document", use)
    }
    guard let other = document.workflow(id: id) else { return }
    let exists =
      switch field {
      case .inputs: Self.find(name, { other.inputs[$0] }) != nil
      case .outputs:
        Self.find(name, { name in other.outputs.first { $0.name == name } }) != nil
      }
    if !exists { report("the workflow '\(id)' has no \(field.rawValue.dropLast()) '\(name)'", use) }
  }

  private func checkSource(_ name: String, _ reference: String, _ use: ExpressionUse) {
    guard document.sourceURLs[name] != nil else {
      return report("there is no source description '\(name)'", use)
    }
    if !["url", "type", "name"].contains(reference) {
      report("of a source description, only its fields have a value: url, type, name", use)
    }
  }
}

extension RuntimeExpression.Source {
  /// Whether both read the same: names of headers are compared without regard to case.
  fileprivate func isSame(as other: Self) -> Bool {
    switch (self, other) {
    case (.response(.header(let left)), .response(.header(let right))),
      (.request(.header(let left)), .request(.header(let right))):
      left.lowercased() == right.lowercased()
    default: self == other
    }
  }
}
