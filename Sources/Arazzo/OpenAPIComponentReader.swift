// The components of an OpenAPI document.

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
    for member in components.map("headers") { _ = readHeader(member) }
    for member in components.map("parameters") { _ = readParameter(member.value) }
    for member in components.map("requestBodies") { _ = readRequestBody(member.value) }
    var schemes: [String: SecurityScheme] = [:]
    for member in components.map("securitySchemes") {
      schemes[member.name] = readSecurityScheme(member)
    }
    return schemes
  }
}
