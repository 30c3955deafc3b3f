// The components of an OpenAPI document, above all its security schemes.

internal import JSON

extension OpenAPIReader {
  func readComponents(_ object: ObjectReader) -> [String: SecurityScheme] {
    guard let node = object["components"],
      let components = ObjectReader(
        node, "components",
        fields: [
          "schemas", "responses", "parameters", "examples", "requestBodies", "headers",
          "securitySchemes", "links", "callbacks", "pathItems",
        ], errors: errors)
    else { return [:] }
    for member in components.map("schemas") { schemas.check(member.value) }
    for member in components.map("responses") { _ = readResponse(member.value, status: .default) }
    for member in components.map("parameters") { _ = readParameter(member.value) }
    for member in components.map("requestBodies") { _ = readRequestBody(member.value) }
    var schemes: [String: SecurityScheme] = [:]
    for member in components.map("securitySchemes") {
      schemes[member.name] = readSecurityScheme(member)
    }
    return schemes
  }

  private func readSecurityScheme(_ member: DocumentNode.Member) -> SecurityScheme? {
    guard let node = references.resolve(member.value),
      let object = ObjectReader(
        node, "a security scheme",
        fields: [
          "type", "description", "name", "in", "scheme", "bearerFormat", "flows",
          "openIdConnectUrl",
        ], hasPolicy: true, errors: errors),
      let kind = readSecurityKind(object)
    else { return nil }
    let policy = object["x-writ"].flatMap {
      ObjectReader(
        $0, "x-writ of a security scheme", fields: ["session"], isExtensible: false,
        errors: errors)
    }
    if let session = policy?["session"], session.members == nil {
      object.report("'session' must be an object", at: session)
    }
    return SecurityScheme(name: member.name, kind: kind, session: policy?["session"]?.value)
  }

  private func readSecurityKind(_ object: ObjectReader) -> SecurityScheme.Kind? {
    let supported = "apiKey in a header, http bearer and http basic are supported"
    guard let type = object.requiredString("type", "a security scheme") else { return nil }
    switch type {
    case "apiKey":
      guard let name = object.requiredString("name", "a security scheme of type apiKey"),
        let place = object.requiredString("in", "a security scheme of type apiKey")
      else { return nil }
      if place == "header" { return .apiKey(header: name) }
      object.report("a key in '\(place)' is not supported; \(supported)", at: object["in"])
    case "http":
      guard let scheme = object.requiredString("scheme", "a security scheme of type http")
      else { return nil }
      if scheme.lowercased() == "bearer" { return .bearer }
      if scheme.lowercased() == "basic" { return .basic }
      object.report("the scheme '\(scheme)' is not supported; \(supported)", at: object["scheme"])
    default:
      object.report("the type '\(type)' is not supported; \(supported)", at: object["type"])
    }
    return nil
  }
}
