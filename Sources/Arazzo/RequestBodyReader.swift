// The request body of a step, checked against what its operation takes.

internal import JSON

struct RequestBodyReader {
  let document: ArazzoReader
  let uses: ExpressionUses
  let stepId: String?
  var errors: ErrorCollector { document.errors }

  func read(_ node: DocumentNode, target: StepTarget?) -> RequestBody? {
    guard
      let object = ObjectReader(
        node, "a request body", fields: ["contentType", "payload", "replacements"],
        errors: errors)
    else { return nil }
    let described: RequestBodyDescription? =
      if case .operation(let operation, _, _)? = target { operation.requestBody } else { nil }
    let contentType = readContentType(object, described)
    let replacements = (object.list("replacements") ?? []).compactMap(readReplacement)
    let payload = object["payload"].map { readPayload($0, contentType) }
    if object["payload"] == nil, object["replacements"] == nil {
      object.report("a request body needs a payload or replacements")
    }
    if let schema = described?.content.first(where: { $0.contentType == contentType })?.schema {
      checkProperties(object, schema, replacements)
    }
    return RequestBody(contentType: contentType, payload: payload, replacements: replacements)
  }

  private func readContentType(
    _ object: ObjectReader, _ described: RequestBodyDescription?
  ) -> String {
    let offered = described?.content.map(\.contentType) ?? []
    guard let contentType = object.string("contentType") else {
      return offered.first { $0 == "application/json" } ?? offered.first ?? "application/json"
    }
    let base = contentType.split(separator: ";").first.map(String.init) ?? ""
    if base.hasSuffix("/xml") || base.hasSuffix("+xml") {
      object.report("XML is not supported", at: object["contentType"])
    } else if !Self.isSupported(base) {
      object.report(
        "the content type '\(base)' is not supported; application/json, …+json, "
          + "application/x-www-form-urlencoded and text/plain are", at: object["contentType"])
    } else if !offered.isEmpty, !offered.contains(contentType) {
      object.report(
        "the operation does not take '\(contentType)'; it takes "
          + offered.joined(separator: ", "), at: object["contentType"])
    }
    return contentType
  }

  private static func isSupported(_ contentType: String) -> Bool {
    ["application/json", "application/x-www-form-urlencoded", "text/plain"].contains(contentType)
      || contentType.hasSuffix("+json")
  }

  private func readPayload(_ node: DocumentNode, _ contentType: String) -> ValueTemplate {
    let value = ValueReader(errors: errors).read(node)
    let isText: Bool =
      switch value {
      case .text, .literal(.string): true
      default: false
      }
    if isText, contentType == "application/json" || contentType.hasSuffix("+json") {
      errors.report(
        "the payload of a JSON body must be an object, a list or an expression, not a text",
        at: node.location)
    }
    noteUses(node)
    return value
  }

  /// Notes each expression at its own line, which a template no longer knows.
  private func noteUses(_ node: DocumentNode) {
    switch node.content {
    case .scalar(.string(let text)):
      guard let template = try? ValueTemplate(parsing: text) else { return }
      uses.note(template.expressions, at: node.location, .request, step: stepId)
    case .scalar: break
    case .array(let elements): elements.forEach(noteUses)
    case .object(let members): members.forEach { noteUses($0.value) }
    }
  }

  private func readReplacement(_ node: DocumentNode) -> RequestBody.Replacement? {
    guard
      let object = ObjectReader(
        node, "a replacement", fields: ["target", "value", "targetSelectorType"], errors: errors)
    else { return nil }
    if let selector = object["targetSelectorType"] {
      let type = selector.string ?? selector["type"]?.string ?? ""
      if type != "jsonpointer" {
        object.report("only JSON Pointers are supported as targets, not '\(type)'", at: selector)
        return nil
      }
    }
    guard let text = object.requiredString("target", "a replacement"),
      let valueNode = object.required("value", "a replacement")
    else { return nil }
    guard let pointer = JSONPointer(text), !pointer.tokens.isEmpty else {
      object.report("'target' must be a JSON Pointer, such as /user/email", at: object["target"])
      return nil
    }
    let value = ValueReader(errors: errors).read(valueNode)
    noteUses(valueNode)
    return RequestBody.Replacement(target: pointer, value: value)
  }

  /// Reports members that a closed schema does not have, and required ones that are missing.
  private func checkProperties(
    _ object: ObjectReader, _ schema: JSONValue, _ replacements: [RequestBody.Replacement]
  ) {
    guard let payload = object["payload"], let members = payload.members else { return }
    let known = schema["properties"]?.objectValue?.names ?? []
    if schema["additionalProperties"] == false {
      for member in members where !known.contains(member.name) {
        errors.report(
          "the body has no property '\(member.name)'; its properties are "
            + known.joined(separator: ", "), at: member.nameLocation)
      }
    }
    let given = members.map(\.name) + replacements.compactMap(\.target.tokens.first)
    for name in (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
    where !given.contains(name) {
      errors.report("the body needs the property '\(name)'", at: payload.location)
    }
  }
}
