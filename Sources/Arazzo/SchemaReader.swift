// JSON Schema as it stands in OpenAPI: checked for known keywords, references resolved in place.
// What it marks as secret is found by SchemaSecrets.

internal import JSON

struct SchemaReader {
  let references: ReferenceResolver
  let errors: ErrorCollector
  /// Whether the document is OpenAPI 3.0, which has this keyword.
  let allowsNullable: Bool
  /// Whether the document was checked already, by the version that published it.
  let isPublished: Bool

  init(
    references: ReferenceResolver, errors: ErrorCollector, allowsNullable: Bool = false,
    isPublished: Bool = false
  ) {
    self.references = references
    self.errors = errors
    self.allowsNullable = allowsNullable
    self.isPublished = isPublished
  }

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
  /// The most levels that it may grow to.
  private static let maximumDepth = 500
  private let secretReferences = SecretReferences()

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
    case let name where name.hasPrefix("x-"):
      if !isPublished { errors.reportMisspeltPolicy(member) }
    case let name where Self.otherKeywords.contains(name): break
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
  ///
  /// A reference that stays is marked as secret where anything behind it is, so that a reader of the
  /// schema need not follow it.
  func read(_ node: DocumentNode) -> JSONValue {
    check(node)
    var remaining = Self.maximumSize
    let value = inline(node, visiting: [], depth: 0, remaining: &remaining)
    if remaining <= 0 {
      errors.report(
        "the schema grows too large when its references are resolved", at: node.location)
    }
    return value
  }

  private func inline(
    _ node: DocumentNode, visiting: [String], depth: Int, remaining: inout Int
  ) -> JSONValue {
    remaining -= 1
    if depth > Self.maximumDepth { remaining = 0 }
    guard remaining > 0 else { return nil }
    switch node.content {
    case .scalar(let value): return value
    case .array(let elements):
      return .array(
        elements.map {
          inline($0, visiting: visiting, depth: depth + 1, remaining: &remaining)
        })
    case .object(let members):
      let reference = node["$ref"].flatMap { $0.string == nil ? nil : $0 }
      var visiting = visiting
      var result = JSONObject()
      if let reference, let text = reference.string {
        if !visiting.contains(text), let target = references.target(of: text, at: reference) {
          visiting.append(text)
          result =
            inline(target, visiting: visiting, depth: depth + 1, remaining: &remaining)
            .objectValue ?? result
        } else {
          result["$ref"] = reference.value
          if leadsToSecret(reference) { result["x-writ"] = Self.secretMark }
        }
      }
      var own = JSONObject()
      for member in members where member.name != "$ref" || reference == nil {
        own[member.name] = inline(
          member.value, visiting: visiting, depth: depth + 1, remaining: &remaining)
      }
      return .object(Self.joined(result, own))
    }
  }

  private static let secretMark: JSONValue = ["secret": true]

  /// What a reference leads to together with what stands beside it: both hold.
  private static func joined(_ target: JSONObject, _ own: JSONObject) -> JSONObject {
    let parts = schemaKeywords.union(listKeywords).union(mapKeywords)
    if own.names.contains(where: { parts.contains($0) && target[$0] != nil }) {
      var result = own
      result["allOf"] = .array((own["allOf"]?.arrayValue ?? []) + [.object(target)])
      return result
    }
    var result = target
    for member in own.members { result[member.name] = member.value }
    if target["x-writ"]?["secret"] == true { result["x-writ"] = secretMark }
    return result
  }

  /// Whether anything behind a reference is marked as secret, however deep.
  private func leadsToSecret(_ reference: DocumentNode) -> Bool {
    guard let start = reference.string else { return false }
    if let known = secretReferences[start] { return known }
    var isSecret = false
    var seen: Set<String> = [start]
    var open = [references.target(of: start, at: reference)].compactMap { $0 }
    while !isSecret, let node = open.popLast() {
      isSecret = node["x-writ"]?["secret"]?.scalar?.boolValue == true
      open += (node.members ?? []).map(\.value) + (node.elements ?? [])
      if let next = node["$ref"], let text = next.string, seen.insert(text).inserted,
        let target = references.target(of: text, at: next)
      {
        open.append(target)
      }
    }
    secretReferences[start] = isSecret
    return isSecret
  }
}

/// What has been found out about references: whether anything secret is behind them.
private final class SecretReferences {
  private var found: [String: Bool] = [:]

  subscript(reference: String) -> Bool? {
    get { found[reference] }
    set { found[reference] = newValue }
  }
}
