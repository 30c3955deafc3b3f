// Loads a set of documents: parses each once, follows source descriptions, finds the job types.

internal import JSON

extension Catalogue {
  /// Loads all documents of a catalogue.
  ///
  /// Every file named `….arazzo.yaml`, `.yml` or `.json` is read, and every OpenAPI document, also
  /// one that nothing refers to. Relative URLs of source descriptions are looked up among the
  /// files; an absolute URL is looked up among the `$self` of the Arazzo documents.
  ///
  /// The job type of an Arazzo document is the workflow that has `x-writ.jobType`. Where none has,
  /// it is the first workflow, under its workflowId, unless another document refers to this one:
  /// then the document only lends its workflows.
  ///
  /// - Throws: ``CatalogueError`` with every fault of every document.
  public static func load(files: [DocumentText]) throws(CatalogueError) -> Catalogue {
    let loader = CatalogueLoader(files: files)
    let jobTypes = loader.load()
    let errors = loader.errors.sorted
    guard errors.isEmpty else { throw CatalogueError(errors: errors) }
    return Catalogue(jobTypes: jobTypes)
  }

  /// The names that no input of a job type can have: every SQL function has these as options.
  public static let reservedInputNames = [
    "run_at", "priority", "idempotency_key", "environment", "queue", "traceparent", "expires_at",
  ]
}

private final class CatalogueLoader {
  let errors = ErrorCollector()
  private var files: [String: DocumentText] = [:]
  private var roots: [String: DocumentNode] = [:]
  private var unreadable: Set<String> = []
  private var loaded: [String: SourceDescription] = [:]
  private var failed: Set<String> = []
  private var open: [String] = []
  private var dependencies: [String: Set<String>] = [:]

  init(files: [DocumentText]) {
    for file in files {
      if self.files.updateValue(file, forKey: file.path) != nil {
        errors.report(
          "the file occurs twice in the catalogue",
          at: SourceLocation(file: file.path, line: 1))
      }
    }
  }

  func load() -> [JobTypeDefinition] {
    let paths = files.keys.sorted()
    for path in paths where Self.isArazzo(path) { _ = load(path) }
    for path in paths where !Self.isArazzo(path) && Self.isDocument(path) {
      if root(path)?["openapi"] != nil { _ = load(path) }
    }
    var jobTypes: [JobTypeDefinition] = []
    for path in paths where Self.isArazzo(path) {
      guard case .arazzo(let document)? = loaded[path] else { continue }
      guard let jobType = jobType(of: document) else { continue }
      if let other = jobTypes.first(where: { $0.name == jobType.name }) {
        errors.report(
          "the job type '\(jobType.name)' is already defined in \(other.document.file)",
          at: jobType.workflow.location)
      }
      jobTypes.append(jobType)
    }
    return jobTypes.sorted { $0.name < $1.name }
  }

  private static func isDocument(_ path: String) -> Bool {
    [".yaml", ".yml", ".json"].contains { path.hasSuffix($0) }
  }

  private static func isArazzo(_ path: String) -> Bool {
    [".arazzo.yaml", ".arazzo.yml", ".arazzo.json"].contains { path.hasSuffix($0) }
  }

  // MARK: Documents

  private func root(_ path: String) -> DocumentNode? {
    if let root = roots[path] { return root }
    guard let file = files[path], !unreadable.contains(path) else { return nil }
    let root = DocumentNode.parse(file, errors: errors)
    roots[path] = root
    if root == nil { unreadable.insert(path) }
    return root
  }

  private func load(_ path: String) -> SourceDescription? {
    if let document = loaded[path] { return document }
    guard !failed.contains(path), let root = root(path) else { return nil }
    open.append(path)
    defer { open.removeLast() }
    if root["openapi"] != nil, !Self.isArazzo(path) {
      loaded[path] = OpenAPIReader.read(root, errors: errors).map { .openAPI($0) }
    } else {
      let document = ArazzoReader.read(root, errors: errors) { url, type in
        self.source(url, type, of: path)
      }
      loaded[path] = document.map { .arazzo($0) }
    }
    if loaded[path] == nil { failed.insert(path) }
    return loaded[path]
  }

  private func source(_ url: DocumentNode, _ type: String?, of path: String) -> SourceDescription? {
    let text = url.string ?? ""
    guard let target = resolve(text, of: path), files[target] != nil else {
      errors.report(
        text.contains("://")
          ? "'\(text)' is on the network; put the document into the catalogue and refer to it by a "
            + "relative path" : "there is no document '\(text)' in the catalogue", at: url.location)
      return nil
    }
    guard !open.contains(target) else {
      errors.report("the documents refer to each other in a circle", at: url.location)
      return nil
    }
    guard let document = load(target) else { return nil }
    dependencies[path, default: []].formUnion([target])
    dependencies[path, default: []].formUnion(dependencies[target] ?? [])
    switch (document, type) {
    case (.openAPI, "arazzo"?):
      errors.report("'\(text)' is an OpenAPI document, not an Arazzo document", at: url.location)
      return nil
    case (.arazzo, "openapi"?):
      errors.report("'\(text)' is an Arazzo document, not an OpenAPI document", at: url.location)
      return nil
    default: return document
    }
  }

  /// The path that a URL means, seen from a document; `nil` where it leaves the catalogue.
  private func resolve(_ url: String, of path: String) -> String? {
    if url.contains("://") {
      return files.keys.sorted().first {
        Self.isArazzo($0) && root($0)?["$self"]?.string == url
      }
    }
    var parts = path.split(separator: "/").dropLast().map(String.init)
    for part in url.split(separator: "/", omittingEmptySubsequences: true) {
      switch part {
      case ".": continue
      case "..":
        if parts.isEmpty { return nil }
        parts.removeLast()
      default: parts.append(String(part))
      }
    }
    return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  // MARK: Job types

  private func jobType(of document: ArazzoDocument) -> JobTypeDefinition? {
    let marked = document.workflows.filter { $0.policy.jobType != nil }
    let isSource = dependencies.values.contains { $0.contains(document.file) }
    for workflow in marked.dropFirst() {
      errors.report(
        "a document defines one job type, and '\(marked[0].workflowId)' is it already; remove "
          + "x-writ.jobType or move the workflow to a file of its own", at: workflow.location)
    }
    let chosen = marked.first ?? (isSource ? nil : document.workflows.first)
    for workflow in document.workflows
    where workflow.workflowId != chosen?.workflowId && workflow.policy.jobType == nil
      && workflow.policy != WorkflowPolicy()
    {
      errors.report(
        "x-writ has a meaning only on the workflow that is the job type", at: workflow.location)
    }
    guard let workflow = chosen else { return nil }
    let name = workflow.policy.jobType ?? workflow.workflowId
    if !InputSchemaReader.isName(name), workflow.policy.jobType == nil {
      errors.report(
        "'\(name)' cannot name a job type (lower-case letters, digits and _); write "
          + "x-writ.jobType", at: workflow.location)
    }
    for property in workflow.inputs.parameters
    where Catalogue.reservedInputNames.contains(property.name) {
      errors.report(
        "'\(property.name)' is an option of every job type and cannot be an input",
        at: property.location)
    }
    let keepsRows = Reachability.steps(of: workflow, in: document).contains {
      $0.policy.rows != nil
    }
    if keepsRows, workflow.outputs.contains(where: { $0.name == RowsPolicy.countName }) {
      errors.report(
        "a job with x-writ.rows already has 'rows' in its result, their number; give this output "
          + "another name", at: workflow.location)
    }
    var workflowWithName = workflow
    workflowWithName.policy.jobType = name
    let paths = [document.file] + (dependencies[document.file] ?? [])
    return JobTypeDefinition(
      name: name, workflow: workflowWithName, document: document,
      leastPrivilege: Reachability.permissions(of: workflow, in: document),
      keepsRows: keepsRows,
      files: paths.sorted().compactMap { files[$0] })
  }
}

/// What a job can reach.
enum Reachability {
  /// The permissions of every operation that a workflow, or one that it leads to, calls; sorted.
  ///
  /// Local operations need none, and a step with a credential of its own does not use the job type's
  /// key.
  static func permissions(of workflow: Workflow, in document: ArazzoDocument) -> [String] {
    var permissions: Set<String> = []
    for step in steps(of: workflow, in: document) {
      // A step with a credential of its own proves that one; the type's key never sends it.
      guard case .operation(let operation, _, isLocal: false) = step.target,
        step.policy.credential == nil
      else { continue }
      permissions.formUnion(operation.requiredPermissions)
    }
    return permissions.sorted()
  }

  /// Every step of a workflow and of those that it leads to.
  static func steps(of workflow: Workflow, in document: ArazzoDocument) -> [Step] {
    var steps: [Step] = []
    var seen: Set<[String]> = []
    var open = [(document, workflow)]
    while let (document, workflow) = open.popLast() {
      guard seen.insert([document.file, workflow.workflowId]).inserted else { continue }
      var references = workflow.dependsOn
      for step in workflow.steps {
        if case .workflow(let reference) = step.target { references.append(reference) }
        references += WorkflowGraph.workflowTargets(of: step).map(\.0)
      }
      steps += workflow.steps
      open += references.compactMap { document.resolve($0) }.map { ($0.document, $0.workflow) }
    }
    return steps
  }
}
