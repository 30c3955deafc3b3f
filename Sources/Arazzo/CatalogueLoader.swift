// Loads a set of documents: parses each once, follows source descriptions, finds the job types.

internal import JSON

extension Catalogue {
  /// Loads all documents of a catalogue.
  ///
  /// Every file named `….arazzo.yaml`, `.yml` or `.json` is read, and every other one that is an Arazzo or
  /// an OpenAPI document, also one that nothing refers to. Nothing is fetched; ``CatalogueLoader`` says how URLs are looked up.
  ///
  /// A job type is a workflow that has `x-writ.jobType`; a document has at most one. A workflow that no job type
  /// reaches and that says nothing under `x-writ` is a plain workflow: what is wrong with it is a
  /// note, not a fault.
  ///
  /// - Parameter publishedType: The name of the job type when the files come from the database. They were
  ///   checked when they were published: steps and values that can never be are no faults then, and
  ///   the workflow of this name is the job type even if it does not say so.
  /// - Throws: ``CatalogueError`` with every fault of every document.
  public static func load(
    files: [DocumentText], publishedType: String? = nil
  ) throws(CatalogueError) -> Catalogue {
    let loader = CatalogueLoader(files: files, publishedType: publishedType)
    let jobTypes = loader.load()
    let errors = loader.errors.sorted
    guard errors.isEmpty else { throw CatalogueError(errors: errors) }
    return Catalogue(jobTypes: jobTypes, notes: loader.notes.sorted)
  }

  /// The names that no input of a job type can have: every SQL function has these as options.
  public static let reservedInputNames = [
    "run_at", "priority", "idempotency_key", "environment", "queue", "traceparent", "expires_at",
  ]
}

/// Loads a set of documents.
///
/// A URL of a source description is looked up in this order:
/// 1. an absolute URL, or a relative one of a document with an absolute `$self`: among the `$self` of all
///    documents;
/// 2. a relative URL: among the files, from the document's folder;
/// 3. an absolute URL: the file whose path, from the catalogue's folder or from the document's, is the
///    end of the URL's path. The longest path wins; one file never stands for two URLs.
private final class CatalogueLoader {
  let errors = ErrorCollector()
  let notes = ErrorCollector()
  private let publishedType: String?
  /// The faults of each workflow, by its place.
  private var workflowFaults: [SourceLocation: ArazzoReader.Reading.WorkflowFaults] = [:]
  /// The faults of each OpenAPI document, by its path.
  private var openAPIFaults: [String: ErrorCollector] = [:]
  /// The URL that a file stands for.
  private var remoteURLs: [String: String] = [:]
  private var files: [String: DocumentText] = [:]
  private var roots: [String: DocumentNode] = [:]
  private var unreadable: Set<String> = []
  private var loaded: [String: SourceDescription] = [:]
  private var failed: Set<String> = []
  private var open: [String] = []
  private var dependencies: [String: Set<String>] = [:]

  init(files: [DocumentText], publishedType: String?) {
    self.publishedType = publishedType
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
    for path in paths where isArazzo(path) { _ = load(path) }
    for path in paths where !isArazzo(path) && Self.isDocument(path) {
      if root(path)?["openapi"] != nil { _ = load(path) }
    }
    var jobTypes: [JobTypeDefinition] = []
    for path in paths where isArazzo(path) {
      guard case .arazzo(let document)? = loaded[path] else { continue }
      guard let jobType = jobType(of: document) else { continue }
      if let other = jobTypes.first(where: { $0.name == jobType.name }) {
        errors.report(
          "the job type '\(jobType.name)' is already defined in \(other.document.file)",
          at: jobType.workflow.location)
      }
      jobTypes.append(jobType)
    }
    settleFaults(jobTypes)
    noteDocumentsWithoutType(paths, jobTypes)
    return jobTypes.sorted { $0.name < $1.name }
  }

  private static func isDocument(_ path: String) -> Bool {
    [".yaml", ".yml", ".json"].contains { path.hasSuffix($0) }
  }

  /// Whether a file is an Arazzo document: by its name, or because it says so.
  private func isArazzo(_ path: String) -> Bool {
    [".arazzo.yaml", ".arazzo.yml", ".arazzo.json"].contains { path.hasSuffix($0) }
      || Self.isDocument(path) && root(path)?["arazzo"] != nil
  }

  // MARK: Documents

  private func root(_ path: String) -> DocumentNode? {
    if let root = roots[path] { return root }
    guard let file = files[path], !unreadable.contains(path) else { return nil }
    let root = DocumentNode.parse(
      file, isPublished: publishedType != nil, errors: errors)
    roots[path] = root
    if root == nil { unreadable.insert(path) }
    return root
  }

  private func load(_ path: String) -> SourceDescription? {
    if let document = loaded[path] { return document }
    guard !failed.contains(path), let root = root(path) else { return nil }
    open.append(path)
    defer { open.removeLast() }
    if root["openapi"] != nil, !isArazzo(path) {
      let faults = ErrorCollector()
      openAPIFaults[path] = faults
      loaded[path] = OpenAPIReader.read(
        root, errors: faults, isPublished: publishedType != nil
      ).map { .openAPI($0) }
    } else {
      let reading = ArazzoReader.read(
        root, errors: errors, checksFlow: publishedType == nil
      ) { url, type in
        self.source(url, type, of: path)
      }
      for workflow in reading?.workflows ?? [] {
        workflowFaults[workflow.node.location] = workflow
      }
      loaded[path] = reading.map { .arazzo($0.document) }
    }
    if loaded[path] == nil { failed.insert(path) }
    return loaded[path]
  }

  private func source(_ url: DocumentNode, _ type: String?, of path: String) -> SourceDescription? {
    let text = url.string ?? ""
    guard let target = resolve(text, of: path), files[target] != nil else {
      errors.report(
        text.contains("://")
          ? "'\(text)' is on the network, from where nothing is fetched; put the document into the "
            + "catalogue as '\(Self.fileName(of: text))'"
          : "there is no document '\(text)' in the catalogue"
            + Suggestion.question(text, among: files.keys.sorted()), at: url.location)
      return nil
    }
    if text.contains("://"), root(target)?["$self"]?.string != text {
      let other = remoteURLs.updateValue(text, forKey: target)
      if let other, other != text {
        errors.report(
          "'\(text)' and '\(other)' would both be the file '\(target)'; give the files longer paths, "
            + "each the end of its URL's path", at: url.location)
        return nil
      }
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
    let isAbsolute = url.contains("://") || url.hasPrefix("urn:")
    let base = root(path)?["$self"]?.string ?? ""
    let identity = isAbsolute ? url : Self.resolve(url, against: base)
    if let identity {
      let found = files.keys.sorted().first { root($0)?["$self"]?.string == identity }
      if let found { return found }
    }
    let folder = path.split(separator: "/").dropLast().map(String.init)
    guard isAbsolute else {
      guard let parts = Self.joined(folder, ReferenceResolver.decoded(url[...])) else { return nil }
      return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }
    return fileAtEnd(of: url, folder)
  }

  /// The file whose path is the end of a URL's path.
  private func fileAtEnd(of url: String, _ folder: [String]) -> String? {
    let parts = Self.pathParts(of: url)
    let candidates = files.keys.sorted().compactMap { file -> (file: String, length: Int)? in
      let whole = file.split(separator: "/").map(String.init)
      let local = whole.starts(with: folder) ? Array(whole.dropFirst(folder.count)) : []
      let lengths = [whole, local].filter { !$0.isEmpty && parts.suffix($0.count) == $0[...] }
        .map(\.count)
      return lengths.max().map { (file, $0) }
    }
    return candidates.max { ($0.length, $1.file) < ($1.length, $0.file) }?.file
  }

  private static func pathParts(of url: String) -> [String] {
    let bare = url.prefix { $0 != "?" && $0 != "#" }
    guard let scheme = bare.firstRange(of: "://") else { return [] }
    return bare[scheme.upperBound...].split(separator: "/").dropFirst()
      .map { ReferenceResolver.decoded($0) }
  }

  private static func fileName(of url: String) -> String {
    pathParts(of: url).last ?? "a file named like the end of its path"
  }

  /// A relative URL made absolute (RFC 3986, section 5.2, for paths); `nil` unless the base is
  /// absolute.
  private static func resolve(_ url: String, against base: String) -> String? {
    guard let scheme = base.firstRange(of: "://") else { return nil }
    let rest = base[scheme.upperBound...]
    let host = rest.prefix { $0 != "/" }
    let folder = rest.dropFirst(host.count).split(separator: "/").dropLast().map(String.init)
    guard let parts = joined(url.hasPrefix("/") ? [] : folder, url) else { return nil }
    return "\(base[..<scheme.upperBound])\(host)/\(parts.joined(separator: "/"))"
  }

  private static func joined(_ folder: [String], _ url: String) -> [String]? {
    var parts = folder
    for part in url.split(separator: "/", omittingEmptySubsequences: true) {
      switch part {
      case ".": continue
      case "..":
        if parts.isEmpty { return nil }
        parts.removeLast()
      default: parts.append(String(part))
      }
    }
    return parts
  }

  // MARK: Faults

  /// Makes faults of what a job type reaches or what speaks to Writ, and notes of the rest.
  private func settleFaults(_ jobTypes: [JobTypeDefinition]) {
    var reached: Set<SourceLocation> = []
    var sources: Set<String> = []
    for type in jobTypes {
      sources.formUnion(dependencies[type.document.file] ?? [])
      for item in Reachability.workflows(from: type.workflow, in: type.document) {
        reached.insert(item.workflow.location)
        reportUndeclaredEffects(of: item.workflow)
        reportUndescribedSuccess(of: item.workflow)
      }
      checkPermissions(of: type)
    }
    for (location, faults) in workflowFaults {
      let isOurs = reached.contains(location) || faults.node.mentionsWrit
      for error in faults.errors.errors { (isOurs ? errors : notes).report(error) }
      if isOurs { faults.errors.own.errors.forEach { errors.report($0) } }
    }
    for (path, faults) in openAPIFaults {
      let isOurs = sources.contains(path) || root(path)?.mentionsWrit == true
      for error in faults.errors { (isOurs ? errors : notes).report(error) }
    }
  }

  private func reportUndeclaredEffects(of workflow: Workflow) {
    for step in workflow.steps {
      guard let operation = step.operation, !operation.declaresEffect, step.policy.effect == nil
      else { continue }
      errors.report(
        "an operation with \(operation.method.name) must say what it does to the outside world: "
          + "x-effect: create, update, delete, or none if it only reads", at: operation.location)
    }
  }

  /// What could not be read of an API may have described the success.
  private func reportUndescribedSuccess(of workflow: Workflow) {
    guard publishedType == nil else { return }
    for step in workflow.steps {
      guard let file = step.operation?.location.file,
        openAPIFaults[file]?.errors.isEmpty ?? true
      else { continue }
      SuccessChecker.checkDescription(of: step, errors: errors)
    }
  }

  private func checkPermissions(of type: JobTypeDefinition) {
    guard publishedType == nil, let declared = type.workflow.policy.permissions else { return }
    let names = declared.permissions.map(\.name)
    for needed in type.leastPrivilege where !names.contains(needed) {
      errors.report(
        "the key of this job type would need '\(needed)', which x-writ.permissions does not list; add "
          + "it, or remove the steps that need it: "
          + Reachability.steps(needing: needed, from: type.workflow, in: type.document)
          .joined(separator: ", "), at: declared.location)
    }
    for permission in declared.permissions where !type.leastPrivilege.contains(permission.name) {
      errors.report(
        "no step of this job type needs '\(permission.name)'; remove it, so that the key may do no "
          + "more than it has to"
          + Suggestion.question(permission.name, among: type.leastPrivilege),
        at: permission.location)
    }
  }

  private func noteDocumentsWithoutType(_ paths: [String], _ jobTypes: [JobTypeDefinition]) {
    let used = Set(jobTypes.flatMap { [$0.document.file] + (dependencies[$0.document.file] ?? []) })
    for path in paths where isArazzo(path) && !used.contains(path) && loaded[path] != nil {
      notes.report(
        "no workflow here is a job type, and no job type reaches one; to make one, write "
          + "x-writ.jobType on the workflow", at: SourceLocation(file: path, line: 1))
    }
  }

  // MARK: Job types

  private func jobType(of document: ArazzoDocument) -> JobTypeDefinition? {
    let marked = document.workflows.filter { $0.policy.jobType != nil }
    for workflow in marked.dropFirst() {
      errors.report(
        "a document defines one job type, and '\(marked[0].workflowId)' is it already; remove "
          + "x-writ.jobType or move the workflow to a file of its own", at: workflow.location)
    }
    let chosen = marked.first ?? document.workflows.first { $0.workflowId == publishedType }
    for workflow in document.workflows
    where workflow.workflowId != chosen?.workflowId && workflow.policy.jobType == nil
      && workflow.policy != WorkflowPolicy()
    {
      // A misspelt jobType has been reported already.
      let isRead = workflowFaults[workflow.location]?.errors.errors.isEmpty ?? true
      guard isRead || !marked.isEmpty else { continue }
      errors.report(
        marked.isEmpty
          ? "this workflow has x-writ, but no x-writ.jobType, which makes it a job type"
          : "x-writ has a meaning only on the workflow that is the job type, "
            + "'\(marked[0].workflowId)'", at: workflow.location)
    }
    guard let workflow = chosen else { return nil }
    let name = workflow.policy.jobType ?? workflow.workflowId
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

extension DocumentNode {
  /// Whether a field somewhere inside speaks to Writ.
  fileprivate var mentionsWrit: Bool {
    switch content {
    case .scalar: false
    case .array(let elements): elements.contains(where: \.mentionsWrit)
    case .object(let members):
      members.contains {
        $0.name.hasPrefix("x-writ") || $0.name == "x-effect" || $0.name == "x-required-permission"
          || $0.value.mentionsWrit
      }
    }
  }
}
