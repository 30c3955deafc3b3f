// What goes to and comes from an operation: parameters, request bodies, responses.

internal import JSON

extension OpenAPIReader {
  func readParameter(_ node: DocumentNode) -> OperationParameter? {
    guard let node = references.resolve(node),
      let object = ObjectReader(
        node, "a parameter",
        fields: [
          "name", "in", "description", "required", "deprecated", "allowEmptyValue", "style",
          "explode", "schema", "example", "examples",
        ] + (node["in"]?.string == "querystring" ? ["content"] : []),
        refused: [
          "content": "a parameter with 'content' is not supported; use 'schema'",
          "allowReserved": "'allowReserved' is not supported; remove it",
        ], errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    guard let name = object.requiredString("name", "a parameter"),
      object.required("in", "a parameter") != nil
    else { return nil }
    guard let location = object.choice("in", as: ParameterLocation.self) else { return nil }
    // OpenAPI: a header parameter of these names is ignored.
    if location == .header, ["accept", "content-type", "authorization"].contains(name.lowercased())
    {
      return nil
    }
    if location == .header { checkHeaderName(name, object) }
    let style = location == .query || location == .cookie ? "form" : "simple"
    if let given = object.string("style"), given != style {
      object.report(
        "the style '\(given)' is not supported; a \(location.rawValue) parameter has the style "
          + style, at: object["style"])
    }
    let explodes = object.boolean("explode") ?? (style == "form")
    let isRequired = object.boolean("required") ?? false
    if location == .path, !isRequired {
      object.report("the path parameter '\(name)' must have required: true")
    }
    return OperationParameter(
      name: name, location: location, isRequired: isRequired || location == .path,
      explodes: explodes,
      schema: object["schema"].map(schemas.read)
        ?? (location == .querystring ? readContent(object).compactMap(\.schema).first : nil) ?? true
    )
  }

  /// A header field that says where a request goes or how it is framed is not for a workflow to set.
  private func checkHeaderName(_ name: String, _ object: ObjectReader) {
    if !Self.isToken(name) {
      object.report("'\(name)' cannot name a header", at: object["name"])
    } else if Self.ownHeaders.contains(name.lowercased()) {
      object.report("the header \(name) is set by the worker alone", at: object["name"])
    }
  }

  private static let ownHeaders: Set<String> = [
    "host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer",
    "webhook-id", "webhook-timestamp", "webhook-signature",
  ]

  func readRequestBody(_ node: DocumentNode) -> RequestBodyDescription? {
    guard let node = references.resolve(node),
      let object = ObjectReader(
        node, "a request body", fields: ["description", "content", "required"], errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    guard object.required("content", "a request body") != nil else { return nil }
    let content = readContent(object)
    if content.isEmpty, object["content"]?.members?.isEmpty == true {
      object.report("'content' needs at least one content type", at: object["content"])
    }
    return RequestBodyDescription(
      isRequired: object.boolean("required") ?? false, content: content)
  }

  private func readContent(_ object: ObjectReader) -> [MediaTypeDescription] {
    object.map("content").compactMap { member in
      guard
        let media = ObjectReader(
          member.value, "a content type", fields: ["schema", "example", "examples", "encoding"],
          errors: errors)
      else { return nil }
      reportMisspeltPolicies(media)
      let named = media["examples"]?.members?.first?.value
      return MediaTypeDescription(
        contentType: member.name, schema: media["schema"].map(schemas.read),
        example: (media["example"] ?? named?["value"])?.value)
    }
  }

  func readResponses(_ object: ObjectReader) -> [ResponseDescription] {
    guard object.required("responses", "an operation") != nil else { return [] }
    return object.map("responses").compactMap { member in
      if member.name.hasPrefix("x-") { return nil }
      guard let status = Self.status(member.name) else {
        errors.report(
          "a response is named by its status (such as 200), a range (2XX) or 'default'",
          at: member.nameLocation)
        return nil
      }
      return readResponse(member.value, status: status)
    }
  }

  private static func status(_ text: String) -> StatusPattern? {
    if text == "default" { return .default }
    guard text.count == 3, let first = text.first?.wholeNumberValue, (1...5).contains(first)
    else { return nil }
    if text.dropFirst() == "XX" { return .range(first) }
    return Int(text).map { .code($0) }
  }

  func readResponse(_ node: DocumentNode, status: StatusPattern) -> ResponseDescription? {
    guard let node = references.resolve(node),
      let object = ObjectReader(
        node, "a response", fields: ["description", "headers", "content", "links"],
        errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    return ResponseDescription(
      status: status, description: object.requiredString("description", "a response") ?? "",
      headers: object.map("headers").compactMap(readHeader), content: readContent(object))
  }

  func readHeader(_ member: DocumentNode.Member) -> HeaderDescription? {
    guard let node = references.resolve(member.value),
      let object = ObjectReader(
        node, "a header",
        fields: [
          "description", "required", "deprecated", "allowEmptyValue", "style", "explode",
          "allowReserved", "schema", "content", "example", "examples",
        ], errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    let schema = object["schema"].map(schemas.read)
    return HeaderDescription(
      name: member.name,
      schema: schema ?? readContent(object).compactMap(\.schema).first ?? true)
  }
}
