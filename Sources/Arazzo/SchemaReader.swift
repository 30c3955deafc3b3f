// JSON Schema as it stands in OpenAPI: checked for known keywords, references resolved in place,
// and looked through for what `x-writ` marks as secret.

internal import JSON

struct SchemaReader {
  let references: ReferenceResolver
  let errors: ErrorCollector
  /// Whether the document is OpenAPI 3.0, which has this keyword.
  var allowsNullable = false

  private static let schemaKeywords: Set<String> = [
    "not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
  ]
  private static let listKeywords: Set<String> = ["allOf", "anyOf", "oneOf", "prefixItems"]
  private static let mapKeywords: Set<String> = [
    "properties", "patternProperties", "dependentSchemas", "$defs",
  ]
  private static let otherKeywords: Set<String> = [
    "$ref", "$comment", "title", "description", "default", "deprecated", "readOnly", "writeOnly",
    "example", "examples", "type", "enum", "const", "format", "multipleOf", "maximum",
    "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern",
    "maxItems", "minItems", "uniqueItems", "maxContains", "minContains", "maxProperties",
    "minProperties", "required", "dependentRequired", "contentEncoding", "contentMediaType",
    "contentSchema", "discriminator", "xml", "externalDocs",
  ]
  /// The most values that one schema may grow to when its references are put in place.
  private static let maximumSize = 20_000

  /// Reports what is wrong in a schema and in its parts, references not followed.
  func check(_ node: DocumentNode) {
    if node.scalar?.boolValue != nil { return }
    guard let members = node.members else {
      errors.report("a schema must be an object, true or false", at: node.location)
      return
    }
    for member in members { check(member) }
  }

  private func check(_ member: DocumentNode.Member) {
    let node = member.value
    switch member.name {
    case "$ref": _ = node.string.flatMap { references.target(of: $0, at: node) }
    case "x-writ": checkPolicy(node)
    case let name where Self.schemaKeywords.contains(name): check(node)
    case let name where Self.listKeywords.contains(name):
      guard let elements = node.elements else {
        return errors.report("'\(name)' must be a list of schemas", at: node.location)
      }
      for element in elements { check(element) }
    case let name where Self.mapKeywords.contains(name):
      guard let members = node.members else {
        return errors.report("'\(name)' must be an object of schemas", at: node.location)
      }
      for member in members { check(member.value) }
    case "nullable" where allowsNullable: break
    case "nullable":
      errors.report(
        "'nullable' belongs to OpenAPI 3.0; write type: [string, \"null\"]",
        at: member.nameLocation)
    case "$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$schema", "$vocabulary":
      errors.report("'\(member.name)' is not supported in schemas", at: member.nameLocation)
    case let name where Self.otherKeywords.contains(name) || name.hasPrefix("x-"): break
    default:
      errors.report("a schema has no keyword '\(member.name)'", at: member.nameLocation)
    }
  }

  private func checkPolicy(_ node: DocumentNode) {
    guard
      let policy = ObjectReader(
        node, "x-writ of a schema", fields: ["record", "secret"], isExtensible: false,
        errors: errors)
    else { return }
    _ = policy.choice("record", as: RecordPolicy.self)
    _ = policy.boolean("secret")
  }

  /// The schema with references put in place; one that leads back to itself stays a reference.
  func read(_ node: DocumentNode) -> JSONValue {
    check(node)
    var remaining = Self.maximumSize
    let value = inline(node, visiting: [], remaining: &remaining)
    if remaining <= 0 {
      errors.report(
        "the schema grows too large when its references are resolved", at: node.location)
    }
    return value
  }

  private func inline(
    _ node: DocumentNode, visiting: [String], remaining: inout Int
  ) -> JSONValue {
    remaining -= 1
    guard remaining > 0 else { return nil }
    switch node.content {
    case .scalar(let value): return value
    case .array(let elements):
      return .array(elements.map { inline($0, visiting: visiting, remaining: &remaining) })
    case .object(let members):
      var result = JSONObject()
      var visiting = visiting
      if let reference = node["$ref"], let text = reference.string, !visiting.contains(text),
        let target = references.target(of: text, at: reference)
      {
        visiting.append(text)
        result = inline(target, visiting: visiting, remaining: &remaining).objectValue ?? result
      } else if let reference = node["$ref"] {
        result["$ref"] = reference.value
      }
      for member in members where member.name != "$ref" {
        result[member.name] = inline(member.value, visiting: visiting, remaining: &remaining)
      }
      return .object(result)
    }
  }
}

/// What a schema says about a value inside a body.
enum SchemaSecrets {
  /// Whether the value that the tokens lead to is, or contains, something marked secret.
  ///
  /// - Parameter orHoldsSecret: Whether something secret inside counts.
  static func isSecret(
    _ schema: JSONValue, _ tokens: ArraySlice<String>, orHoldsSecret: Bool = true
  ) -> Bool {
    if schema["x-writ"]?["secret"] == true { return true }
    let branches = ["allOf", "anyOf", "oneOf"].flatMap { schema[$0]?.arrayValue ?? [] }
    if branches.contains(where: { isSecret($0, tokens, orHoldsSecret: orHoldsSecret) }) {
      return true
    }
    guard let token = tokens.first else {
      guard orHoldsSecret else { return false }
      let parts =
        (schema["properties"]?.objectValue?.members.map(\.value) ?? [])
        + [schema["items"], schema["additionalProperties"]].compactMap { $0 }
      return parts.contains { isSecret($0, []) }
    }
    let rest = tokens.dropFirst()
    if let property = schema["properties"]?[token] {
      return isSecret(property, rest, orHoldsSecret: orHoldsSecret)
    }
    if Int(token) != nil, let items = schema["items"] {
      return isSecret(items, rest, orHoldsSecret: orHoldsSecret)
    }
    return schema["additionalProperties"].map {
      isSecret($0, rest, orHoldsSecret: orHoldsSecret)
    } ?? false
  }
}
