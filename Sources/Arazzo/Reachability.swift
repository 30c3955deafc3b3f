// What a job can reach: the steps of its workflow and of every workflow that it leads to, and what
// these need.

/// A target that the jobs of a type call over HTTP.
public struct TargetUse: Sendable, Hashable {
  /// The name of the source description: it ties the base URL and the secrets together.
  public var source: String
  /// The base URLs that the document names, for an environment that configures none.
  public var servers: [String]
  /// The schemes that the type's own credentials are used for, sorted by name.
  ///
  /// What a step authenticates with by `x-writ.credential` is not among them.
  public var schemes: [SecurityScheme]
  /// Whether requests are signed.
  public var signature: SignatureScheme

  /// The base URL that is used where an environment configures none: the first that is absolute.
  public var defaultURL: String? {
    servers.first { BaseURL.fault(in: $0) == nil }
  }

  /// The last words of the names of its secrets, sorted.
  public var secretWords: [String] {
    Set(schemes.flatMap(\.secretWords) + (signature == .none ? [] : ["signing"])).sorted()
  }

  /// Whether the worker logs in by itself.
  public var hasSession: Bool { schemes.contains { $0.session != nil } }
}

extension JobTypeDefinition {
  /// What a job of the type may call over HTTP, sorted by name.
  public var targets: [TargetUse] { Reachability.targets(of: workflow, in: document) }

  /// The description of a target that a job of the type may call.
  public func api(ofTarget name: String) -> OpenAPIDocument? {
    Reachability.workflows(from: workflow, in: document).lazy.compactMap { found in
      if case .openAPI(let api)? = found.document.sources[name] { api } else { nil }
    }.first
  }
}

/// A workflow that a job of a type can come to.
public struct ReachedWorkflow: Sendable, Hashable {
  /// Its `workflowId`, with the file where another document has one of the same name: unique within the
  /// job type.
  public var name: String
  /// The document that it stands in.
  public var document: ArazzoDocument
  /// The workflow.
  public var workflow: Workflow
}

extension JobTypeDefinition {
  /// The workflow of the type, then every other that a job of the type can come to, the nearest first:
  /// by `dependsOn`, by a step that calls it, by an action that leads to it.
  public var reachedWorkflows: [ReachedWorkflow] {
    let found = Reachability.workflows(from: workflow, in: document)
    return found.map { item in
      let id = item.workflow.workflowId
      let isUnique = found.filter { $0.workflow.workflowId == id }.count == 1
      return ReachedWorkflow(
        name: isUnique ? id : "\(id) of \(item.document.file)", document: item.document,
        workflow: item.workflow)
    }
  }
}

extension Workflow {
  /// The workflows that it leads to: those that it depends on; then, step by step, the one that the step
  /// calls and those to which its actions lead.
  public var references: [WorkflowReference] {
    dependsOn
      + steps.flatMap { step in
        var references: [WorkflowReference] = []
        if case .workflow(let reference) = step.target { references.append(reference) }
        return references + WorkflowGraph.workflowTargets(of: step).map(\.0)
      }
  }
}

/// What a job can reach.
enum Reachability {
  /// The permissions of every operation that a workflow, or one that it leads to, calls; sorted.
  ///
  /// Local operations need none, and a step with a credential of its own does not use the job type's
  /// key.
  static func permissions(of workflow: Workflow, in document: ArazzoDocument) -> [String] {
    Set(steps(of: workflow, in: document).flatMap { permissions(of: $0) }).sorted()
  }

  /// The steps that need a permission of the job type's key.
  static func steps(
    needing permission: String, from workflow: Workflow, in document: ArazzoDocument
  ) -> [String] {
    steps(of: workflow, in: document).filter { permissions(of: $0).contains(permission) }
      .map(\.stepId)
  }

  /// Every step of a workflow and of those that it leads to.
  static func steps(of workflow: Workflow, in document: ArazzoDocument) -> [Step] {
    workflows(from: workflow, in: document).flatMap { $0.workflow.steps }
  }

  /// A workflow and all that it leads to, the nearest first, each with the document that it stands in.
  static func workflows(
    from workflow: Workflow, in document: ArazzoDocument
  ) -> [(document: ArazzoDocument, workflow: Workflow)] {
    var found: [(document: ArazzoDocument, workflow: Workflow)] = []
    var seen: Set<[String]> = []
    var open = [(document, workflow)]
    var next = 0
    while next < open.count {
      let (document, workflow) = open[next]
      next += 1
      guard seen.insert([document.file, workflow.workflowId]).inserted else { continue }
      found.append((document, workflow))
      open += workflow.references.compactMap { document.resolve($0) }
        .map { ($0.document, $0.workflow) }
    }
    return found
  }

  private static func permissions(of step: Step) -> [String] {
    // A step with a credential of its own proves that one; the type's key never sends it.
    guard case .operation(let operation, _, isLocal: false) = step.target,
      step.policy.credential == nil
    else { return [] }
    return operation.requiredPermissions
  }

  /// The targets that a job can call, sorted by name.
  static func targets(of workflow: Workflow, in document: ArazzoDocument) -> [TargetUse] {
    var targets: [String: TargetUse] = [:]
    let steps = workflows(from: workflow, in: document).flatMap { found in
      found.workflow.steps.map { (found.document, $0) }
    }
    for (document, step) in steps {
      guard case .operation(let operation, let source, isLocal: false) = step.target else {
        continue
      }
      var target =
        targets[source]
        ?? TargetUse(source: source, servers: [], schemes: [], signature: .none)
      for server in operation.servers where !target.servers.contains(server) {
        target.servers.append(server)
      }
      if case .openAPI(let api)? = document.sources[source] {
        for scheme in api.schemes(of: operation)
        where !target.schemes.contains(scheme)
          && (step.policy.credential == nil || scheme.session != nil)
        {
          target.schemes.append(scheme)
        }
      }
      if operation.signature != .none { target.signature = operation.signature }
      targets[source] = target
    }
    return targets.values.sorted { $0.source < $1.source }.map { target in
      var target = target
      target.schemes.sort { $0.name < $1.name }
      return target
    }
  }
}
