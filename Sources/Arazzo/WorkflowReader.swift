// A workflow object to a checked workflow.

internal import JSON

struct WorkflowReader {
  struct Result {
    let workflow: Workflow
    let declared: DeclaredNames
    let uses: [ExpressionUse]
  }

  let document: ArazzoReader
  var errors: ErrorCollector { document.errors }

  func read(_ node: DocumentNode) -> Result? {
    guard
      let object = ObjectReader(
        node, "a workflow",
        fields: [
          "workflowId", "summary", "description", "inputs", "dependsOn", "steps",
          "successActions", "failureActions", "outputs", "parameters",
        ], hasPolicy: true, errors: errors)
    else { return nil }
    let workflowId = object.requiredString("workflowId", "a workflow")
    if let workflowId, !ArazzoReader.isName(workflowId) {
      object.report("a workflowId is made of \(ArazzoReader.namePattern)", at: object["workflowId"])
    }
    var document = document
    document.inputNames = Set(declaredInputs(object))
    let uses = ExpressionUses()
    let inputs = object["inputs"].map {
      InputSchemaReader(
        references: document.inputReferences, errors: errors.own,
        isPublished: document.isPublished
      ).read($0)
    }
    let stepNodes = object.nonEmptyList("steps", "a workflow")
    let stepIds = stepNodes.compactMap { $0["stepId"]?.string }
    reportDuplicates(stepNodes)
    let steps = StepReader(
      document: document, stepIds: stepIds, workflow: object, uses: uses)
    let workflow = Workflow(
      workflowId: workflowId ?? "", summary: object.string("summary"),
      description: object.string("description"), inputs: inputs ?? InputSchema(),
      dependsOn: object.strings("dependsOn").compactMap { document.workflowReference($0.node) },
      steps: stepNodes.compactMap(steps.read),
      outputs: readOutputs(object, uses),
      policy: object["x-writ"].map {
        PolicyReader(
          errors: errors, uses: uses, isPublished: document.isPublished,
          inputNames: document.inputNames
        ).workflow(
          $0, inputs: inputs ?? InputSchema(), unreadInputs: unreadInputs(object, inputs))
      }
        ?? WorkflowPolicy(),
      extensions: object.extensions(), location: object.location)
    return workflowId == nil
      ? nil
      : Result(
        workflow: workflow, declared: declaredNames(object, stepNodes), uses: uses.all)
  }

  private func unreadInputs(_ object: ObjectReader, _ inputs: InputSchema?) -> Set<String> {
    Set(declaredInputs(object)).subtracting(inputs?.properties.map(\.name) ?? [])
  }

  private func declaredInputs(_ object: ObjectReader) -> [String] {
    let schema = object["inputs"].flatMap(document.silent.inputReferences.resolve)
    return schema?["properties"]?.members?.map(\.name) ?? []
  }

  private func declaredNames(
    _ object: ObjectReader, _ steps: [DocumentNode]
  ) -> DeclaredNames {
    let schema = object["inputs"].flatMap(document.inputReferences.resolve)
    var outputs: [String: [String]] = [:]
    for step in steps {
      guard let name = step["stepId"]?.string else { continue }
      outputs[name] = step["outputs"] == nil ? [] : step["outputs"]?.members?.map(\.name)
    }
    return DeclaredNames(
      inputs: schema?["properties"]?.members?.map(\.name) ?? [],
      steps: steps.compactMap { $0["stepId"]?.string }, outputs: outputs,
      workflowOutputs: object["outputs"]?.members?.map(\.name) ?? [])
  }

  private func readOutputs(_ object: ObjectReader, _ uses: ExpressionUses) -> [NamedExpression] {
    OutputReader(document: document).read(object) { expression, node, _ in
      uses.note([expression], at: node.location, .workflowOutput)
    }
  }

  private func reportDuplicates(_ steps: [DocumentNode]) {
    var seen: Set<String> = []
    for node in steps.compactMap({ $0["stepId"] }) {
      guard let name = node.string, !seen.insert(name).inserted else { continue }
      errors.report("there are two steps '\(name)' in this workflow", at: node.location)
    }
  }
}

/// What a workflow declares, also where it could not be read: so that one mistake is one error.
struct DeclaredNames {
  let inputs: [String]
  let steps: [String]
  /// By step; none for a step whose outputs are no object, which has been reported.
  let outputs: [String: [String]]
  let workflowOutputs: [String]
}

/// The `outputs` of a workflow or a step.
struct OutputReader {
  let document: ArazzoReader
  var errors: ErrorCollector { document.errors }

  func read(
    _ object: ObjectReader, note: (RuntimeExpression, DocumentNode, _ name: String) -> Void
  ) -> [NamedExpression] {
    object.map("outputs").compactMap { member in
      if !ArazzoReader.isName(member.name, allowsDots: true) {
        errors.report(
          "the name of an output is made of \(ArazzoReader.dottedNamePattern)",
          at: member.nameLocation)
      }
      let expression =
        member.value.members == nil
        ? errors.expression(member.value) : SelectorReader(document: document).read(member.value)
      guard let expression else { return nil }
      note(expression, member.value, member.name)
      return NamedExpression(name: member.name, expression: expression)
    }
  }
}
