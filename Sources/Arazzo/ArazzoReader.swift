// An Arazzo document to checked values: the document itself, its sources and its workflows.

internal import JSON

/// What the readers of an Arazzo document share.
struct ArazzoReader {
  let root: DocumentNode
  var errors: ErrorCollector
  /// Whether the document may use what Arazzo 1.1 added.
  let allowsVersion1_1: Bool
  let sources: [String: SourceDescription]
  /// The source descriptions that could not be read; what refers to them is not reported again.
  let unreadSources: Set<String>
  let workflowIds: Set<String>
  var inputReferences: ReferenceResolver
  /// Whether the document was checked already, by the version that published it.
  let isPublished: Bool
  /// The inputs that the workflow that is being read declares.
  var inputNames: Set<String> = []

  /// The same, reporting nothing: to read again what has been reported on.
  var silent: ArazzoReader { reporting(to: ErrorCollector()) }

  func reporting(to errors: ErrorCollector) -> ArazzoReader {
    var reader = self
    reader.errors = errors
    reader.inputReferences = ReferenceResolver(root: root, errors: errors)
    return reader
  }

  /// A document, and the faults of each workflow: what they mean depends on whether a job type reaches
  /// the workflow, which only the loader knows.
  struct Reading {
    struct WorkflowFaults {
      let node: DocumentNode
      let errors: ErrorCollector
    }

    let document: ArazzoDocument
    let workflows: [WorkflowFaults]
  }

  static let namePattern = "letters, digits, _ and -"
  static let dottedNamePattern = "letters, digits, dots, _ and -"

  static func isName(_ text: String, allowsDots: Bool = false) -> Bool {
    !text.isEmpty
      && text.allSatisfy { character in
        character.isASCII
          && (character.isLetter || character.isNumber || character == "_" || character == "-"
            || allowsDots && character == ".")
      }
  }

  /// Reads a document.
  ///
  /// - Parameters:
  ///   - checksFlow: Whether to look for steps and values that can never be; what is published has
  ///     been looked at, by the version that published it.
  ///   - load: Gives the source description at a relative URL of this document, or
  ///     reports why there is none.
  static func read(
    _ root: DocumentNode, errors: ErrorCollector, checksFlow: Bool,
    load: (_ url: DocumentNode, _ type: String?) -> SourceDescription?
  ) -> Reading? {
    guard
      let object = ObjectReader(
        root, "an Arazzo document",
        fields: ["arazzo", "$self", "info", "sourceDescriptions", "workflows", "components"],
        errors: errors)
    else { return nil }
    let version = object.requiredString("arazzo", "an Arazzo document")
    if let version, !version.hasPrefix("1.0."), !version.hasPrefix("1.1.") {
      object.report("only Arazzo 1.0 and 1.1 are supported", at: object["arazzo"])
    }
    let isNew = version?.hasPrefix("1.1.") ?? true
    if let node = object["$self"] {
      if !isNew {
        object.report("'$self' belongs to Arazzo 1.1, but this document is 1.0", at: node)
      } else if node.string?.contains("#") == true {
        object.report("'$self' must not have a fragment (#…)", at: node)
      }
    }
    let info = object.required("info", "an Arazzo document").flatMap {
      ObjectReader(
        $0, "info", fields: ["title", "summary", "description", "version"], errors: errors)
    }
    let (sources, urls, unread) = readSources(object, load: load)
    let workflowNodes = object.nonEmptyList("workflows", "an Arazzo document")
    let reader = ArazzoReader(
      root: root, errors: errors, allowsVersion1_1: isNew, sources: sources,
      unreadSources: unread,
      workflowIds: Set(workflowNodes.compactMap { $0["workflowId"]?.string }),
      inputReferences: ReferenceResolver(root: root, errors: errors), isPublished: !checksFlow)
    reader.checkComponents(object)
    let collectors = workflowNodes.map { _ in ErrorCollector() }
    let read = zip(workflowNodes, collectors).map { node, errors in
      WorkflowReader(document: reader.reporting(to: errors)).read(node)
    }
    reader.reportDuplicates(workflowNodes)
    if checksFlow {
      for (node, errors) in zip(workflowNodes, collectors) { reportMisspeltPolicies(node, errors) }
    }
    let document = ArazzoDocument(
      file: root.location.file, arazzoVersion: version ?? "", selfURI: object.string("$self"),
      title: info?.requiredString("title", "info") ?? "",
      version: info?.requiredString("version", "info") ?? "", sources: sources,
      sourceURLs: urls, workflows: read.compactMap { $0?.workflow },
      extensions: object.extensions())
    for case (let item?, let errors) in zip(read, collectors) {
      ExpressionChecker(
        document: document, workflow: item.workflow, declared: item.declared,
        workflowIds: reader.workflowIds, errors: errors
      ).check(item.uses)
      WorkflowGraph(document: document, errors: errors).check(item.workflow)
      // A step that could not be read would make others look as if nothing led to them.
      if checksFlow, errors.errors.isEmpty {
        FlowChecker(workflow: item.workflow, errors: errors).check(item.uses)
        SuccessChecker(errors: errors).check(item.workflow)
      }
    }
    return Reading(
      document: document,
      workflows: zip(workflowNodes, collectors).map {
        Reading.WorkflowFaults(node: $0, errors: $1)
      })
  }

  private static func reportMisspeltPolicies(_ node: DocumentNode, _ errors: ErrorCollector) {
    for member in node.members ?? [] {
      errors.reportMisspeltPolicy(member)
      reportMisspeltPolicies(member.value, errors)
    }
    for element in node.elements ?? [] { reportMisspeltPolicies(element, errors) }
  }

  private static func readSources(
    _ object: ObjectReader, load: (DocumentNode, String?) -> SourceDescription?
  ) -> ([String: SourceDescription], [String: String], Set<String>) {
    var sources: [String: SourceDescription] = [:]
    var urls: [String: String] = [:]
    var unread: Set<String> = []
    for node in object.nonEmptyList("sourceDescriptions", "an Arazzo document") {
      guard
        let source = ObjectReader(
          node, "a source description", fields: ["name", "url", "type"], errors: object.errors),
        let name = source.requiredString("name", "a source description"),
        let url = source.requiredString("url", "a source description"), let urlNode = source["url"]
      else { continue }
      if !isName(name) {
        source.report(
          "the name of a source description is made of \(namePattern)", at: source["name"])
      }
      if urls[name] != nil {
        source.report("there are two source descriptions '\(name)'", at: source["name"])
      }
      urls[name] = url
      let type = source.string("type")
      switch type {
      case "asyncapi":
        source.report("AsyncAPI is not supported; only openapi and arazzo are", at: source["type"])
      case nil, "openapi", "arazzo": sources[name] = load(urlNode, type)
      default:
        source.report(
          "'type' must be one of openapi, arazzo"
            + Suggestion.question(type, among: ["openapi", "arazzo"]), at: source["type"])
      }
      if sources[name] == nil { unread.insert(name) }
      if case .openAPI(let api)? = sources[name], !api.isLocal { checkTargetName(name, source) }
    }
    return (sources, urls, unread)
  }

  /// The name of a target is part of the names of its secrets and of a key of the configuration.
  private static func checkTargetName(_ name: String, _ source: ObjectReader) {
    let taken = ["pending", "previous", "next"]
    if name.utf8.count > 63 || name.first.map({ $0 == "_" || $0 == "-" }) ?? true {
      source.report(
        "an API is named by at most 63 letters, digits, _ and -, starting with a letter or digit, "
          + "since its secrets are named after it", at: source["name"])
    } else if taken.contains(name.lowercased()) {
      source.report(
        "an API cannot be named '\(name)', which names keys that are being replaced",
        at: source["name"])
    }
  }

  private func reportDuplicates(_ workflows: [DocumentNode]) {
    var seen: Set<String> = []
    for node in workflows.compactMap({ $0["workflowId"] }) {
      guard let name = node.string, !seen.insert(name).inserted else { continue }
      errors.report("there are two workflows '\(name)'", at: node.location)
    }
  }

  // MARK: Components

  private func checkComponents(_ object: ObjectReader) {
    guard let node = object["components"],
      let components = ObjectReader(
        node, "components",
        fields: ["inputs", "parameters", "successActions", "failureActions"], errors: errors)
    else { return }
    for kind in ["inputs", "parameters", "successActions", "failureActions"] {
      for member in components.map(kind) where !Self.isName(member.name, allowsDots: true) {
        errors.report(
          "the name of a component is made of \(Self.dottedNamePattern)",
          at: member.nameLocation)
      }
    }
  }

  /// The component that a Reusable Object names: the object itself for anything else.
  ///
  /// - Returns: The object, and the value that replaces a parameter's.
  func reusable(_ node: DocumentNode, _ kind: String) -> (node: DocumentNode, value: DocumentNode?)?
  {
    guard let reference = node["reference"] else { return (node, nil) }
    guard
      let object = ObjectReader(
        node, "a reusable object",
        fields: kind == "parameters" ? ["reference", "value"] : ["reference"],
        isExtensible: false, errors: errors),
      let expression = errors.expression(reference)
    else { return nil }
    guard case .component(kind, let name) = expression.source else {
      object.report("'reference' must name a component: $components.\(kind).…", at: reference)
      return nil
    }
    guard let target = root["components"]?[kind]?[name] else {
      let names = root["components"]?[kind]?.members?.map(\.name) ?? []
      object.report(
        "there is no component '\(name)' in components.\(kind)"
          + Suggestion.question(name, among: names), at: reference)
      return nil
    }
    return (target, object["value"])
  }

  // MARK: References

  /// The workflow that a text names, of this document or of a source description.
  func workflowReference(_ node: DocumentNode) -> WorkflowReference? {
    guard let text = node.string else {
      errors.report("the name of a workflow is expected", at: node.location)
      return nil
    }
    guard text.hasPrefix("$") else {
      if workflowIds.contains(text) { return WorkflowReference(workflowId: text) }
      errors.report(
        "there is no workflow '\(text)' in this document"
          + Suggestion.question(text, among: workflowIds.sorted()), at: node.location)
      return nil
    }
    guard case .sourceDescription(let source, let name)? = errors.expression(node)?.source else {
      errors.report(
        "a workflow of another document is named by $sourceDescriptions.<name>.<workflowId>",
        at: node.location)
      return nil
    }
    if unreadSources.contains(source) { return nil }
    switch sources[source] {
    case .arazzo(let document)?:
      if document.workflow(id: name) != nil {
        return WorkflowReference(source: source, workflowId: name)
      }
      errors.report(
        "there is no workflow '\(name)' in \(document.file)"
          + Suggestion.question(name, among: document.workflows.map(\.workflowId)),
        at: node.location)
    case .openAPI?:
      errors.report(
        "the source description '\(source)' is an OpenAPI document; it has no workflows",
        at: node.location)
    case nil: reportMissing(source, at: node)
    }
    return nil
  }

  private func reportMissing(_ source: String, at node: DocumentNode) {
    errors.report(
      "there is no source description '\(source)'"
        + Suggestion.question(source, among: sources.keys.sorted()), at: node.location)
  }

  /// The OpenAPI document of a source description, or `nil` after reporting that there is none.
  func openAPI(_ source: String, at node: DocumentNode) -> OpenAPIDocument? {
    switch sources[source] {
    case .openAPI(let document)?: return document
    case .arazzo?:
      errors.report(
        "the source description '\(source)' is an Arazzo document; it has no operations",
        at: node.location)
    case nil where !unreadSources.contains(source): reportMissing(source, at: node)
    case nil: break
    }
    return nil
  }
}
