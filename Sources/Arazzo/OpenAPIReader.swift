// OpenAPI 3.1 to checked values. What jobs do not need (webhooks, links, callbacks) is let pass;
// what would change a request and is not supported is refused by name.

internal import JSON

struct OpenAPIReader {
  let root: DocumentNode
  let file: String
  let errors: ErrorCollector
  let schemas: SchemaReader
  let references: ReferenceResolver
  /// Whether the document was checked already, by the version that published it.
  let isPublished: Bool

  /// Reads a document; `nil` after reporting why it is none.
  static func read(
    _ root: DocumentNode, errors: ErrorCollector, isPublished: Bool
  ) -> OpenAPIDocument? {
    let references = ReferenceResolver(root: root, errors: errors)
    let reader = OpenAPIReader(
      root: root, file: root.location.file, errors: errors,
      schemas: SchemaReader(
        references: references, errors: errors,
        allowsNullable: root["openapi"]?.string?.hasPrefix("3.0.") ?? false,
        isPublished: isPublished),
      references: references, isPublished: isPublished)
    return reader.readDocument()
  }

  private func readDocument() -> OpenAPIDocument? {
    guard
      let object = ObjectReader(
        root, "an OpenAPI document",
        fields: [
          "openapi", "info", "jsonSchemaDialect", "servers", "paths", "webhooks", "components",
          "security", "tags", "externalDocs", "$self",
        ], hasPolicy: true, errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    if let version = object.requiredString("openapi", "an OpenAPI document"),
      !["3.0.", "3.1.", "3.2."].contains(where: { version.hasPrefix($0) })
    {
      object.report("only OpenAPI 3.0, 3.1 and 3.2 are supported", at: object["openapi"])
    }
    let info = object.required("info", "an OpenAPI document").flatMap {
      ObjectReader(
        $0, "info",
        fields: [
          "title", "summary", "description", "termsOfService", "contact", "license", "version",
        ], errors: errors)
    }
    let isLocal = object.boolean("x-writ-local") ?? false
    let servers = readServers(object, isLocal: isLocal)
    let schemes = readComponents(object)
    let inherited = Inherited(
      servers: servers, security: readSecurity(object, schemes) ?? [],
      signature: readSignature(object, "an OpenAPI document") ?? .none, schemes: schemes,
      isLocal: isLocal)
    let operations = object.map("paths").flatMap { member -> [Operation] in
      if member.name.hasPrefix("x-") { return [] }
      return readPathItem(member, inherited)
    }
    reportDuplicateNames(operations)
    return OpenAPIDocument(
      file: file, title: info?.requiredString("title", "info") ?? "",
      version: info?.requiredString("version", "info") ?? "", servers: servers,
      operations: operations,
      securitySchemes: schemes,
      isLocal: isLocal, extensions: object.extensions(except: ["x-writ-local"]))
  }

  /// Reports fields of an object that were surely meant to be x-writ.
  func reportMisspeltPolicies(_ object: ObjectReader) {
    if !isPublished { object.members.forEach(errors.reportMisspeltPolicy) }
  }

  private func reportDuplicateNames(_ operations: [Operation]) {
    var names: Set<String> = []
    for operation in operations {
      guard let name = operation.operationId, !names.insert(name).inserted else { continue }
      errors.report(
        "the operationId '\(name)' occurs twice; it must be unique in the document",
        at: operation.location)
    }
  }

  /// What an operation takes over where it says nothing itself.
  private struct Inherited {
    var servers: [String]
    var security: [[String]]
    var signature: SignatureScheme
    var schemes: [String: SecurityScheme]
    var isLocal: Bool
  }

  // MARK: Paths

  private func readPathItem(
    _ member: DocumentNode.Member, _ inherited: Inherited
  ) -> [Operation] {
    if !member.name.hasPrefix("/") {
      errors.report("a path starts with /", at: member.nameLocation)
    }
    let methods = HTTPMethod.allCases.map(\.rawValue)
    guard let node = references.resolve(member.value),
      let item = ObjectReader(
        node, "a path",
        fields: ["summary", "description", "servers", "parameters"] + methods, errors: errors)
    else { return [] }
    reportMisspeltPolicies(item)
    var inherited = inherited
    let itemServers = readServers(item, isLocal: inherited.isLocal)
    if !itemServers.isEmpty { inherited.servers = itemServers }
    let shared = (item.list("parameters") ?? []).compactMap(readParameter)
    return HTTPMethod.allCases.compactMap { method in
      guard let node = item[method.rawValue] else { return nil }
      return readOperation(node, method, member.name, shared: shared, inherited)
    }
  }

  private func readOperation(
    _ node: DocumentNode, _ method: HTTPMethod, _ path: String, shared: [OperationParameter],
    _ document: Inherited
  ) -> Operation? {
    guard
      let object = ObjectReader(
        node, "an operation",
        fields: [
          "tags", "summary", "description", "externalDocs", "operationId", "parameters",
          "requestBody", "responses", "callbacks", "deprecated", "security", "servers",
        ], hasPolicy: true, errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    let own = (object.list("parameters") ?? []).compactMap(readParameter)
    reportDuplicates(own, object)
    let inherited = shared.filter { candidate in
      !own.contains { $0.name == candidate.name && $0.location == candidate.location }
    }
    let ownServers = readServers(object, isLocal: document.isLocal)
    let operation = Operation(
      operationId: object["operationId"] == nil
        ? nil : object.requiredString("operationId", "an operation"),
      method: method, path: path, summary: object.string("summary"),
      parameters: inherited + own,
      requestBody: object["requestBody"].flatMap(readRequestBody),
      responses: readResponses(object),
      servers: ownServers.isEmpty ? document.servers : ownServers,
      security: readSecurity(object, document.schemes) ?? document.security,
      requiredPermissions: readPermissions(object), effect: readEffect(object, method),
      declaresEffect: object["x-effect"] != nil || method.onlyReads,
      signature: readSignature(object, "an operation") ?? document.signature,
      extensions: object.extensions(except: ["x-effect", "x-required-permission"]),
      location: object.location)
    reportPathParameters(operation)
    return operation
  }

  private func readPermissions(_ object: ObjectReader) -> [String] {
    let name = "x-required-permission"
    guard let node = object[name] else { return [] }
    if let text = node.string, !text.isEmpty { return [text] }
    if node.elements != nil { return Set(object.strings(name).map(\.text)).sorted() }
    object.report("'\(name)' must be a permission or a list of permissions", at: node)
    return []
  }

  private func readEffect(_ object: ObjectReader, _ method: HTTPMethod) -> OperationEffect {
    if object["x-effect"] != nil {
      return object.choice("x-effect", as: OperationEffect.self) ?? .update
    }
    switch method {
    case .get, .head, .options, .trace: return .none
    case .post: return .create
    case .put, .patch: return .update
    case .delete: return .delete
    }
  }

  private func reportDuplicates(_ parameters: [OperationParameter], _ object: ObjectReader) {
    for (index, parameter) in parameters.enumerated()
    where parameters[..<index].contains(where: {
      $0.name == parameter.name && $0.location == parameter.location
    }) {
      object.report(
        "the \(parameter.location.rawValue) parameter '\(parameter.name)' is declared twice",
        at: object["parameters"])
    }
  }

  private func reportPathParameters(_ operation: Operation) {
    var inTemplate: [String] = []
    for piece in operation.path.split(separator: "{").dropFirst(operation.path.first == "{" ? 0 : 1)
    {
      guard let end = piece.firstIndex(of: "}") else { continue }
      inTemplate.append(String(piece[..<end]))
    }
    let declared = operation.parameters.filter { $0.location == .path }.map(\.name)
    for name in inTemplate where !declared.contains(name) {
      errors.report(
        "the path has {\(name)}, but no path parameter '\(name)' is declared",
        at: operation.location)
    }
    for name in declared where !inTemplate.contains(name) {
      errors.report(
        "the path parameter '\(name)' does not occur in the path \(operation.path)",
        at: operation.location)
    }
  }
}
