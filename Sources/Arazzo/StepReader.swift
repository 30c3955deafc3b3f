// A step object to a checked step.

internal import JSON

struct StepReader {
  let document: ArazzoReader
  let stepIds: [String]
  let workflow: ObjectReader
  let uses: ExpressionUses
  var errors: ErrorCollector { document.errors }

  private static let asynchronous = "belongs to AsyncAPI, which is not supported"

  func read(_ node: DocumentNode) -> Step? {
    guard
      let object = ObjectReader(
        node, "a step",
        fields: [
          "stepId", "description", "operationId", "operationPath", "workflowId", "parameters",
          "requestBody", "successCriteria", "onSuccess", "onFailure", "outputs", "timeout",
          "dependsOn",
        ],
        refused: [
          "channelPath": "'channelPath' \(Self.asynchronous)",
          "correlationId": "'correlationId' \(Self.asynchronous)",
          "action": "'action' \(Self.asynchronous)",
        ], hasPolicy: true, errors: errors)
    else { return nil }
    let stepId = object.requiredString("stepId", "a step")
    if let stepId, !ArazzoReader.isName(stepId) {
      object.report("a stepId is made of \(ArazzoReader.namePattern)", at: object["stepId"])
    }
    let target = readTarget(object)
    let values = ParameterReader(document: document, uses: uses, stepId: stepId)
    let parameters = readParameters(object, values, target)
    let body = object["requestBody"].flatMap {
      RequestBodyReader(document: document, uses: uses, stepId: stepId).read($0, target: target)
    }
    if let target { checkCall(object, target, parameters, hasBody: object["requestBody"] != nil) }
    let actions = ActionReader(
      document: document, stepIds: stepIds, uses: uses, stepId: stepId)
    let outputs = OutputReader(document: document).read(object) { expression, node, name in
      uses.note([expression], at: node.location, .response, step: stepId, output: name)
    }
    let policy = PolicyReader(
      errors: errors, uses: uses, isPublished: document.isPublished,
      inputNames: document.inputNames
    ).step(object, stepId: stepId, target: target, stepIds: stepIds)
    let criteria = CriterionReader(document: document, uses: uses, stepId: stepId)
      .readList(object, "successCriteria", mayBeEmpty: false)
    let onSuccess = actions.readSuccess(object, inheriting: workflow)
    let onFailure = actions.readFailure(object, inheriting: workflow)
    let timeout = readTimeout(object)
    let dependsOn = readDependencies(object)
    guard let stepId, let target else { return nil }
    return Step(
      stepId: stepId, description: object.string("description"), target: target,
      parameters: parameters, requestBody: body, successCriteria: criteria,
      onSuccess: onSuccess, onFailure: onFailure, outputs: outputs, timeout: timeout,
      dependsOn: dependsOn, policy: policy, extensions: object.extensions(),
      location: object.location)
  }

  private func readTimeout(_ object: ObjectReader) -> Duration? {
    guard let node = object["timeout"] else { return nil }
    requireVersion1_1("timeout", node)
    return object.integer("timeout", in: 1...86_400_000).map { .milliseconds($0) }
  }

  private func readDependencies(_ object: ObjectReader) -> [String] {
    guard let node = object["dependsOn"] else { return [] }
    requireVersion1_1("dependsOn", node)
    return object.strings("dependsOn").compactMap { text, node in
      if stepIds.contains(text) { return text }
      object.report(
        text.hasPrefix("$")
          ? "a step can depend only on steps of its own workflow"
          : "there is no step '\(text)' in this workflow"
            + Suggestion.question(text, among: stepIds), at: node)
      return nil
    }
  }

  private func requireVersion1_1(_ field: String, _ node: DocumentNode) {
    if !document.allowsVersion1_1 {
      errors.report(
        "'\(field)' of a step belongs to Arazzo 1.1, but this document is 1.0", at: node.location)
    }
  }

  // MARK: Target

  private func readTarget(_ object: ObjectReader) -> StepTarget? {
    let given = ["operationId", "operationPath", "workflowId"].filter { object[$0] != nil }
    guard given.count == 1, let node = object[given[0]] else {
      object.report("a step needs exactly one of operationId, operationPath and workflowId")
      return nil
    }
    switch given[0] {
    case "workflowId": return document.workflowReference(node).map { .workflow($0) }
    case "operationId": return readOperationId(node)
    default: return readOperationPath(node)
    }
  }

  private func readOperationId(_ node: DocumentNode) -> StepTarget? {
    guard let text = node.string else {
      errors.report("'operationId' must be a text", at: node.location)
      return nil
    }
    if text.hasPrefix("$") {
      guard case .sourceDescription(let source, let name)? = errors.expression(node)?.source else {
        errors.report(
          "an operation is named by $sourceDescriptions.<name>.<operationId>", at: node.location)
        return nil
      }
      return document.openAPI(source, at: node).flatMap { operation(name, in: $0, source, node) }
    }
    let candidates = document.sources.compactMap { name, source in
      if case .openAPI(let document) = source { (name, document) } else { nil }
    }
    guard candidates.count + document.unreadSources.count <= 1 else {
      errors.report(
        "with several source descriptions, write $sourceDescriptions.<name>.\(text)",
        at: node.location)
      return nil
    }
    guard let (name, openAPI) = candidates.first else {
      if document.unreadSources.isEmpty {
        errors.report("no source description is an OpenAPI document", at: node.location)
      }
      return nil
    }
    return operation(text, in: openAPI, name, node)
  }

  private func operation(
    _ name: String, in openAPI: OpenAPIDocument, _ source: String, _ node: DocumentNode
  ) -> StepTarget? {
    if let operation = openAPI.operation(id: name) {
      return .operation(operation, source: source, isLocal: openAPI.isLocal)
    }
    errors.report(
      "there is no operation '\(name)' in \(openAPI.file)"
        + Suggestion.question(name, among: openAPI.operations.compactMap(\.operationId)),
      at: node.location)
    return nil
  }

  /// Reads `{$sourceDescriptions.<name>.url}#/paths/~1users/get`.
  private func readOperationPath(_ node: DocumentNode) -> StepTarget? {
    let text = node.string ?? ""
    guard let mark = text.firstIndex(of: "#"),
      case .text(let parts)? = try? ValueTemplate(parsing: String(text[..<mark])),
      parts.count == 1, case .expression(let expression) = parts[0],
      case .sourceDescription(let source, "url") = expression.source,
      let pointer = JSONPointer(ReferenceResolver.decoded(text[text.index(after: mark)...]))
    else {
      errors.report(
        "'operationPath' must look like {$sourceDescriptions.<name>.url}#/paths/~1users/get",
        at: node.location)
      return nil
    }
    guard let openAPI = document.openAPI(source, at: node) else { return nil }
    guard let operation = openAPI.operation(at: pointer) else {
      errors.report("'operationPath' leads to no operation in \(openAPI.file)", at: node.location)
      return nil
    }
    return .operation(operation, source: source, isLocal: openAPI.isLocal)
  }

  // MARK: Call

  private func readParameters(
    _ object: ObjectReader, _ reader: ParameterReader, _ target: StepTarget?
  ) -> [Parameter] {
    let needsLocation = target.map { if case .operation = $0 { true } else { false } }
    let own = reader.readList(object, needsLocation: needsLocation)
    let shared = reader.readList(workflow, needsLocation: needsLocation)
    return own
      + shared.filter { candidate in
        !own.contains { $0.name == candidate.name && $0.location == candidate.location }
      }
  }

  private func checkCall(
    _ object: ObjectReader, _ target: StepTarget, _ parameters: [Parameter], hasBody: Bool
  ) {
    switch target {
    case .operation(let operation, _, _):
      checkParameters(parameters, of: operation, object)
      if hasBody, operation.requestBody == nil {
        object.report(
          "the operation \(operation.name) takes no request body", at: object["requestBody"])
      }
      if !hasBody, operation.requestBody?.isRequired == true {
        object.report("the operation \(operation.name) needs a request body")
      }
    case .workflow:
      if hasBody {
        object.report(
          "a workflow takes no request body; pass parameters", at: object["requestBody"])
      }
    }
  }

  /// Where a parameter of this name is, or which one may be meant.
  private static func otherParameter(
    _ name: String, _ location: ParameterLocation, _ operation: Operation
  ) -> String {
    if let other = operation.parameters.first(where: { $0.name == name }) {
      return "; it is in: \(other.location.rawValue)"
    }
    return Suggestion.question(
      name, among: operation.parameters.filter { $0.location == location }.map(\.name))
  }

  private func checkParameters(
    _ parameters: [Parameter], of operation: Operation, _ object: ObjectReader
  ) {
    for parameter in parameters {
      guard let location = parameter.location else { continue }
      if let known = operation.parameter(parameter.name, in: location) {
        if parameter.value != .literal(.null), SchemaSecrets.isSecret(known.schema) {
          errors.own.report(SchemaSecrets.cannotBeSent, at: parameter.sourceLocation)
        }
        continue
      }
      errors.report(
        "the operation \(operation.name) has no \(location.rawValue) parameter "
          + "'\(parameter.name)'"
          + Self.otherParameter(parameter.name, location, operation), at: parameter.sourceLocation)
    }
    for needed in operation.parameters where needed.isRequired {
      let isPassed = parameters.contains { parameter in
        // A place that could not be read has been reported already.
        guard let location = parameter.location else { return parameter.name == needed.name }
        return operation.parameter(parameter.name, in: location) == needed
      }
      if !isPassed {
        object.report(
          "the operation \(operation.name) needs the \(needed.location.rawValue) parameter "
            + "'\(needed.name)'")
      }
    }
  }
}
