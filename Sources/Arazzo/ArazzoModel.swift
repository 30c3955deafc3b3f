// An Arazzo description as checked values: workflows, and the steps that they are made of.

public import JSON

/// A description that an Arazzo document builds on.
public indirect enum SourceDescription: Sendable, Hashable {
  /// An API.
  case openAPI(OpenAPIDocument)
  /// Other workflows.
  case arazzo(ArazzoDocument)

  /// The `type` of the source description.
  public var typeName: String {
    switch self {
    case .openAPI: "openapi"
    case .arazzo: "arazzo"
    }
  }
}

/// An Arazzo document of which every reference has been checked.
public struct ArazzoDocument: Sendable, Hashable {
  /// The file, as the catalogue named it.
  public var file: String
  /// The version of the standard, for example `1.0.1`.
  public var arazzoVersion: String
  /// `$self`: the document's own URI.
  public var selfURI: String?
  /// `info.title`.
  public var title: String
  /// `info.version`.
  public var version: String
  /// The source descriptions, by name.
  public var sources: [String: SourceDescription]
  /// `sourceDescriptions[].url`, by name.
  public var sourceURLs: [String: String]
  /// The workflows, in the order of the document.
  public var workflows: [Workflow]
  /// Other `x-` fields.
  public var extensions: JSONObject

  /// The workflow of a name, of this document.
  public func workflow(id: String) -> Workflow? { workflows.first { $0.workflowId == id } }

  /// The workflow that a reference names, with its document; never `nil` for a reference that
  /// this document holds.
  public func resolve(
    _ reference: WorkflowReference
  ) -> (document: ArazzoDocument, workflow: Workflow)? {
    guard let name = reference.source else {
      return workflow(id: reference.workflowId).map { (self, $0) }
    }
    guard case .arazzo(let document)? = sources[name] else { return nil }
    return document.workflow(id: reference.workflowId).map { (document, $0) }
  }
}

/// The name of a workflow, of this document or of a source description.
public struct WorkflowReference: Sendable, Hashable {
  /// The source description; `nil` for the same document.
  public var source: String?
  /// The workflow.
  public var workflowId: String

  /// A reference.
  public init(source: String? = nil, workflowId: String) {
    self.source = source
    self.workflowId = workflowId
  }
}

/// A workflow.
public struct Workflow: Sendable, Hashable {
  /// Its name, unique in the document.
  public var workflowId: String
  /// One line about it.
  public var summary: String?
  /// More about it.
  public var description: String?
  /// What it takes.
  public var inputs: InputSchema
  /// The workflows that must be completed before it; free of cycles.
  public var dependsOn: [WorkflowReference]
  /// The steps, in their order; at least one.
  ///
  /// Each already holds what it takes over from the
  /// workflow: parameters, success actions and failure actions.
  public var steps: [Step]
  /// What it gives, in the order of the document.
  public var outputs: [NamedExpression]
  /// What `x-writ` says.
  public var policy: WorkflowPolicy
  /// Other `x-` fields.
  public var extensions: JSONObject
  /// Where it is described.
  public var location: SourceLocation

  /// The step of a name.
  public func step(id: String) -> Step? { steps.first { $0.stepId == id } }

  /// The position of a step among ``steps``.
  public func index(ofStep id: String) -> Int? { steps.firstIndex { $0.stepId == id } }
}

/// An output: a name and where its value comes from.
public struct NamedExpression: Sendable, Hashable {
  /// The name.
  public var name: String
  /// Where the value comes from.
  public var expression: RuntimeExpression

  /// An output.
  public init(name: String, expression: RuntimeExpression) {
    self.name = name
    self.expression = expression
  }
}

/// What a step calls.
public enum StepTarget: Sendable, Hashable {
  /// An operation of the source description of this name; `isLocal` where the worker itself
  /// carries it out.
  case operation(Operation, source: String, isLocal: Bool)
  /// Another workflow.
  case workflow(WorkflowReference)
}

/// A step of a workflow.
public struct Step: Sendable, Hashable {
  /// Its name, unique in the workflow.
  public var stepId: String
  /// What it is for.
  public var description: String?
  /// What it calls.
  public var target: StepTarget
  /// What is passed, the workflow's parameters included.
  public var parameters: [Parameter]
  /// The body that is sent.
  public var requestBody: RequestBody?
  /// What must hold for the step to succeed, all together.
  ///
  /// Empty: a status that the operation
  /// describes and that is 2xx (``succeeds(in:)``).
  public var successCriteria: [Criterion]
  /// What to do after success: the first whose criteria hold; none: the next step.
  public var onSuccess: [SuccessAction]
  /// What to do after failure: the first whose criteria hold; none: the workflow fails.
  public var onFailure: [FailureAction]
  /// What it gives, in the order of the document.
  public var outputs: [NamedExpression]
  /// The longest wait for this step (`timeout`, Arazzo 1.1); `nil` for the workflow's.
  public var timeout: Duration?
  /// The steps of this workflow that must be completed before (`dependsOn`, Arazzo 1.1).
  public var dependsOn: [String]
  /// What `x-writ` says.
  public var policy: StepPolicy
  /// Other `x-` fields.
  public var extensions: JSONObject
  /// Where it is described.
  public var location: SourceLocation

  /// The operation that is called; `nil` for a sub-workflow.
  public var operation: Operation? {
    if case .operation(let operation, _, _) = target { operation } else { nil }
  }

  /// What holds for an output.
  public func outputPolicy(_ name: String) -> OutputPolicy {
    policy.outputs[name] ?? OutputPolicy()
  }

  /// Whether the journal keeps an output sealed.
  public func isSealed(_ output: String) -> Bool {
    if case .seal? = policy.sinks[output] { true } else { false }
  }

  /// Whether an output is a secret after the step: one that is sealed is none any more.
  public func holdsSecret(_ output: String) -> Bool {
    outputPolicy(output).isSecret && !isSealed(output)
  }

  /// Whether a response makes the step a success.
  ///
  /// Without criteria, the status must be one that the operation describes as 2xx; a sub-workflow
  /// without criteria succeeds when it ends well, which is for the caller to know: `true`.
  public func succeeds(in context: EvaluationContext) -> Bool {
    guard successCriteria.isEmpty else {
      return successCriteria.allSatisfy { $0.evaluate(in: context) }
    }
    guard let operation else { return true }
    return context.statusCode.map(operation.describesSuccess) ?? false
  }
}

/// A value that is passed to an operation or a workflow.
public struct Parameter: Sendable, Hashable {
  /// The name.
  public var name: String
  /// Where it stands in the request; `nil` for an input of a workflow.
  public var location: ParameterLocation?
  /// The value.
  public var value: ValueTemplate
  /// Where it is written.
  public var sourceLocation: SourceLocation
}
