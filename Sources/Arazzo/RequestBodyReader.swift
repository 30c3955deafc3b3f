// The request body of a step, checked against what its operation takes.

internal import JSON
internal import JSONPath

struct RequestBodyReader {
  let document: ArazzoReader
  let uses: ExpressionUses
  let stepId: String?
  var errors: ErrorCollector { document.errors }

  private static let fields = ["contentType", "payload", "replacements"]

  func read(_ node: DocumentNode, target: StepTarget?) -> RequestBody? {
    guard
      let object = ObjectReader(
        node, "a request body", fields: Self.fields, errors: errors)
    else { return nil }
    let described: RequestBodyDescription? =
      if case .operation(let operation, _, _)? = target { operation.requestBody } else { nil }
    let contentType = readContentType(object, described)
    let replacements = (object.list("replacements") ?? []).compactMap(readReplacement)
    let payload = object["payload"].map { readPayload($0, contentType) }
    if object["payload"] == nil, object["replacements"] == nil {
      object.report("a request body needs a payload or replacements")
    }
    if let payload, let node = object["payload"], replacements.isEmpty, !document.isPublished,
      object["contentType"] == nil || Self.isSupported(MediaType.bare(contentType))
    {
      checkForm(of: payload, node, contentType)
    }
    let taken = described?.content.first {
      MediaType.bare($0.contentType) == MediaType.bare(contentType)
    }
    if let schema = taken?.schema {
      if let payload, let node = object["payload"], MediaType.isJSON(contentType),
        !document.isPublished, replacements.allSatisfy({ Self.member($0) != nil })
      {
        checkKind(of: payload, node, schema, object)
      }
      checkProperties(object, schema, replacements)
    }
    let schemas = described?.content.compactMap(\.schema) ?? []
    if let payload, let node = object["payload"] {
      reportSecrets(in: payload, at: [], of: node, schemas)
    }
    for (node, replacement) in zip(object["replacements"]?.elements ?? [], replacements) {
      reportSecrets(in: replacement, of: node, schemas)
    }
    return RequestBody(contentType: contentType, payload: payload, replacements: replacements)
  }

  private func readContentType(
    _ object: ObjectReader, _ described: RequestBodyDescription?
  ) -> String {
    let offered = described?.content.map(\.contentType) ?? []
    guard let contentType = object.string("contentType") else {
      return offered.first { MediaType.bare($0) == "application/json" } ?? offered.first
        ?? "application/json"
    }
    let base = MediaType.bare(contentType)
    if base.hasSuffix("/xml") || base.hasSuffix("+xml") {
      object.report("XML is not supported", at: object["contentType"])
    } else if !Self.isSupported(base) {
      object.report(
        "the content type '\(base)' is not supported; application/json, …+json, "
          + "application/x-www-form-urlencoded and text/plain are", at: object["contentType"])
    } else if !offered.isEmpty, !offered.contains(where: { MediaType.bare($0) == base }) {
      object.report(
        "the operation does not take '\(contentType)'; it takes "
          + offered.joined(separator: ", "), at: object["contentType"])
    }
    return contentType
  }

  private static func isSupported(_ contentType: String) -> Bool {
    ["application/json", MediaType.form, "text/plain"].contains(contentType)
      || contentType.hasSuffix("+json")
  }

  private func readPayload(_ node: DocumentNode, _ contentType: String) -> ValueTemplate {
    if MediaType.isJSON(contentType), let text = node.string, !text.hasPrefix("$") {
      return readJSONText(text, node)
    }
    let value = ValueReader(document: document).read(node)
    noteUses(node)
    return value
  }

  private func readJSONText(_ text: String, _ node: DocumentNode) -> ValueTemplate {
    do {
      let template = try JSONTextTemplate.parse(text)
      uses.note(template.expressions, at: node.location, .request, step: stepId)
      return template
    } catch {
      errors.report("\(error)", at: node.location)
      return .literal(.string(text))
    }
  }

  /// Notes each expression at its own line, which a template no longer knows.
  private func noteUses(_ node: DocumentNode) { noteUses(node, isInList: false) }

  private func noteUses(_ node: DocumentNode, isInList: Bool) {
    switch node.content {
    case .scalar(.string(let text)):
      guard let template = try? ValueTemplate(parsing: text) else { return }
      uses.note(
        template.expressions, at: node.location, .request, step: stepId, isOptional: isInList,
        mayBeLeftOut: text.hasPrefix("$"))
    case .scalar: break
    case .array(let elements):
      for element in elements { noteUses(element, isInList: true) }
    case .object where document.allowsVersion1_1 && node["selector"] != nil:
      // Noted as the Selector Object that it is; its faults have been reported.
      let value = ValueReader(document: document.silent).read(node)
      uses.note(
        value.expressions, at: node.location, .request, step: stepId, isOptional: isInList)
    case .object(let members): members.forEach { noteUses($0.value) }
    }
  }

  private func readReplacement(_ node: DocumentNode) -> RequestBody.Replacement? {
    guard
      let object = ObjectReader(
        node, "a replacement", fields: ["target", "value", "targetSelectorType"], errors: errors)
    else { return nil }
    guard let type = readTargetType(object),
      let text = object.requiredString("target", "a replacement"),
      let valueNode = object.required("value", "a replacement"),
      let target = readTarget(text, type, object)
    else { return nil }
    let value = ValueReader(document: document).read(valueNode)
    noteUses(valueNode)
    return RequestBody.Replacement(target: target, value: value)
  }

  private func readTargetType(_ object: ObjectReader) -> String? {
    guard let node = object["targetSelectorType"] else { return "jsonpointer" }
    if !document.allowsVersion1_1 {
      object.report(
        "'targetSelectorType' belongs to Arazzo 1.1, but this document is 1.0", at: node)
      return nil
    }
    return ExpressionTypeReader(document: document).readSelector("targetSelectorType", of: object)
  }

  private func readTarget(
    _ text: String, _ type: String, _ object: ObjectReader
  ) -> RequestBody.Replacement.Target? {
    if type == "jsonpath" {
      do {
        return .query(try JSONPath(parsing: text))
      } catch {
        object.report("\(error)", at: object["target"])
        return nil
      }
    }
    guard let pointer = JSONPointer(text), !pointer.tokens.isEmpty else {
      object.report("'target' must be a JSON Pointer, such as /user/email", at: object["target"])
      return nil
    }
    return .pointer(pointer)
  }

  /// The member of the body that a replacement is about.
  private static func member(_ replacement: RequestBody.Replacement) -> String? {
    switch replacement.target {
    case .pointer(let pointer): pointer.tokens.first
    case .query(let query): query.pointerTokens?.first
    }
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
          Suggestion.nearest(to: member.name, among: known).map {
            "the body has no property '\(member.name)'; did you mean \($0)?"
          }
            ?? "the body has no property '\(member.name)'; its properties are "
            + known.joined(separator: ", "), at: member.nameLocation)
      }
    }
    let given = members.map(\.name) + replacements.compactMap(Self.member)
    for name in (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
    where !given.contains(name) {
      let near =
        schema["additionalProperties"] == false
        ? nil
        : Suggestion.nearest(
          to: name, among: members.map(\.name).filter { !known.contains($0) })
      errors.report(
        "the body needs the property '\(name)'"
          + (near.map { "; '\($0)', which is none of its properties, stands there" } ?? ""),
        at: payload.location)
    }
  }
}

extension RequestBodyReader {
  /// Reports values that would be sent where the API marks the request as secret.
  ///
  /// - Parameters:
  ///   - tokens: The place of the value in the body.
  ///   - node: The value in the document.
  private func reportSecrets(
    in value: ValueTemplate, at tokens: [String?], of node: DocumentNode, _ schemas: [JSONValue]
  ) {
    switch value.opened {
    case .object(let members):
      for member in members {
        reportSecrets(
          in: member.value, at: tokens + [member.name], of: node[member.name] ?? node, schemas)
      }
    case .array(let elements):
      let nodes = node.elements ?? []
      for (index, element) in elements.enumerated() {
        reportSecrets(
          in: element, at: tokens + [String(index)],
          of: nodes.indices.contains(index) ? nodes[index] : node, schemas)
      }
    case .literal(.null): break
    case .literal, .expression, .text:
      if schemas.contains(where: { SchemaSecrets.isSecret($0, tokens) }) { reportSecret(at: node) }
    }
  }

  private func reportSecrets(
    in replacement: RequestBody.Replacement, of node: DocumentNode, _ schemas: [JSONValue]
  ) {
    let value = node["value"] ?? node
    switch replacement.target {
    case .pointer(let pointer):
      reportSecrets(in: replacement.value, at: pointer.tokens, of: value, schemas)
    case .query(let query):
      if let tokens = query.pointerTokens {
        reportSecrets(in: replacement.value, at: tokens, of: value, schemas)
      } else if schemas.contains(where: { SchemaSecrets.isSecret($0) }) {
        reportSecret(at: node["target"] ?? node)
      }
    }
  }

  private func reportSecret(at node: DocumentNode) {
    errors.own.report(SchemaSecrets.cannotBeSent, at: node.location)
  }
}

extension RequestBodyReader {
  /// Reports a payload that is of another kind than the API says, whatever its expressions give.
  private func checkKind(
    of payload: ValueTemplate, _ node: DocumentNode, _ schema: JSONValue, _ object: ObjectReader
  ) {
    guard let kind = payload.kind, let type = schema["type"] else { return }
    let types = (type.arrayValue ?? [type]).compactMap(\.stringValue)
    guard !types.isEmpty, !types.contains(kind), kind != "number" || !types.contains("integer"),
      // OpenAPI 3.0; later versions have "null" among the types.
      kind != "null" || schema["nullable"] != true
    else { return }
    let isEmpty = node.scalar == .some(.null)
    // What stands beside an empty payload instead of in it has been reported.
    if isEmpty, object.members.contains(where: { !Self.fields.contains($0.name) }) { return }
    let what = isEmpty ? "empty; indent what belongs to it further than 'payload'" : node.kindName
    errors.report(
      "the body must be of type \(types.joined(separator: " or ")), but this is \(what)",
      at: node.location)
  }

  /// Reports a payload that cannot be written in its content type, whatever its expressions give.
  private func checkForm(of payload: ValueTemplate, _ node: DocumentNode, _ contentType: String) {
    let type = MediaType.bare(contentType)
    switch payload.opened {
    case _ where MediaType.isJSON(contentType): break
    case .object(let members) where type == MediaType.form:
      for member in members where member.value.elements.contains(where: \.isNested) {
        errors.report(
          "a field of a form is one value or a list of such, but '\(member.name)' has "
            + "lists or objects in it; name each part as a field of its own",
          at: (node[member.name] ?? node).location)
      }
    case .literal(.string), .text, .expression: break
    case .object, .array, .literal:
      errors.report(
        "a body of the type \(type) is \(type == MediaType.form ? "an object or a text" : "a text"), but "
          + "this is \(node.kindName); write a text in quotes, with expressions in braces",
        at: node.location)
    }
  }
}

extension ValueTemplate {
  /// The value, with a list or an object without expressions taken apart like one that has some.
  fileprivate var opened: ValueTemplate {
    switch self {
    case .literal(.array(let elements)): .array(elements.map { .literal($0) })
    case .literal(.object(let object)):
      .object(object.members.map { Member(name: $0.name, value: .literal($0.value)) })
    default: self
    }
  }

  /// The elements of a list; anything else is one element.
  fileprivate var elements: [ValueTemplate] {
    if case .array(let elements) = opened { elements } else { [self] }
  }

  /// The type by JSON Schema, where it is the same whatever the expressions give.
  fileprivate var kind: String? {
    switch self {
    case .expression: nil
    case .text, .literal(.string): "string"
    case .array, .literal(.array): "array"
    case .object, .literal(.object): "object"
    case .literal(.bool): "boolean"
    case .literal(.number): "number"
    case .literal(.null): "null"
    }
  }

  fileprivate var isNested: Bool {
    switch opened {
    case .array, .object: true
    default: false
    }
  }
}
