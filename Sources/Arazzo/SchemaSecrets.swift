// What a schema says about secrets: whether a part of a body, a header or a parameter is marked
// `x-writ: {secret: true}`, or may hold something that is.
//
// Every keyword that holds a schema counts, also those that only may apply (`then`, `anyOf`, `not`):
// a document that marks something as secret anywhere means it.

internal import JSON
internal import JSONPath

enum SchemaSecrets {
  /// The keywords whose schema is about the same value.
  private static let sameValue = ["if", "then", "else", "not", "contentSchema"]
  /// The keywords whose list of schemas is about the same value.
  private static let sameValueLists = ["allOf", "anyOf", "oneOf"]
  /// The keywords whose schema is about elements of the value.
  private static let ofElements = ["items", "contains", "unevaluatedItems"]
  /// Those whose schema is about members of the value.
  private static let ofMembers = [
    "additionalProperties", "unevaluatedProperties", "propertyNames",
  ]

  /// Why a step cannot send what is marked, and what to do.
  static let cannotBeSent =
    "the API marks this as secret, but what a step sends is on record; leave it out, and let the "
    + "worker authenticate: with a security scheme of the API, which may log in (x-writ.session), or "
    + "with a secret of the store (x-writ.credential)"

  /// Whether the value that the tokens lead to is marked secret, or stands in one that is.
  ///
  /// - Parameters:
  ///   - tokens: The names and indices of a JSON Pointer; `nil` for any element of a list.
  ///   - orHoldsSecret: Whether something secret inside counts.
  static func isSecret(
    _ schema: JSONValue, _ tokens: [String?] = [], orHoldsSecret: Bool = true
  ) -> Bool {
    var schemas = alternatives([schema])
    for token in tokens {
      if schemas.contains(where: isMarked) { return true }
      schemas = alternatives(schemas.flatMap { parts(of: $0, at: token) })
    }
    if schemas.contains(where: isMarked) { return true }
    return orHoldsSecret && schemas.contains(where: holdsMark)
  }

  private static func isMarked(_ schema: JSONValue) -> Bool {
    schema["x-writ"]?["secret"] == true
  }

  /// The schemas, and those in them that are about the same value.
  private static func alternatives(_ schemas: [JSONValue]) -> [JSONValue] {
    var found: [JSONValue] = []
    var open = schemas
    while let schema = open.popLast() {
      found.append(schema)
      open += sameValue.compactMap { schema[$0] }
      open += sameValueLists.flatMap { schema[$0]?.arrayValue ?? [] }
      open += schema["dependentSchemas"]?.objectValue?.members.map(\.value) ?? []
    }
    return found
  }

  /// Whether a schema surely names a member, by `properties` or by a pattern.
  private static func isNamed(_ name: String, in schema: JSONValue) -> Bool {
    schema["properties"]?[name] != nil
      || schema["patternProperties"]?.objectValue?.names.contains { matches($0, name) } ?? false
      || schema["allOf"]?.arrayValue?.contains { isNamed(name, in: $0) } ?? false
  }

  /// The schemas that are about a member or an element of the value of a schema.
  private static func parts(of schema: JSONValue, at token: String?) -> [JSONValue] {
    guard let token else {
      return (schema["prefixItems"]?.arrayValue ?? []) + ofElements.compactMap { schema[$0] }
    }
    var parts: [JSONValue] = []
    if let property = schema["properties"]?[token] { parts.append(property) }
    for member in schema["patternProperties"]?.objectValue?.members ?? []
    where matches(member.name, token) { parts.append(member.value) }
    if parts.isEmpty, let others = schema["additionalProperties"] { parts.append(others) }
    if let others = schema["unevaluatedProperties"], !isNamed(token, in: schema) {
      parts.append(others)
    }
    if let index = Int(token) { parts += elements(of: schema, at: index) }
    return parts
  }

  private static func elements(of schema: JSONValue, at index: Int) -> [JSONValue] {
    let first = schema["prefixItems"]?.arrayValue ?? []
    guard first.indices.contains(index) else { return ofElements.compactMap { schema[$0] } }
    return [first[index]] + [schema["contains"]].compactMap { $0 }
  }

  /// Whether a pattern of `patternProperties` is about a name; one that cannot be read is about all.
  private static func matches(_ pattern: String, _ name: String) -> Bool {
    guard let expression = try? RegularExpression(pattern, .common) else { return true }
    var limit = JSONPath.standardWorkLimit
    return (try? expression.matchesSomewhere(name, workLimit: &limit)) ?? true
  }

  /// Whether anything in the value of a schema may be marked, however deep.
  private static func holdsMark(_ schema: JSONValue) -> Bool {
    var open = [schema]
    while let schema = open.popLast() {
      if isMarked(schema) { return true }
      open += (sameValue + ofElements + ofMembers).compactMap { schema[$0] }
      open += (sameValueLists + ["prefixItems"]).flatMap { schema[$0]?.arrayValue ?? [] }
      open += ["properties", "patternProperties", "dependentSchemas"].flatMap {
        schema[$0]?.objectValue?.members.map(\.value) ?? []
      }
    }
    return false
  }
}

extension Operation {
  /// The schemas of what an expression reads of a request or a response, whichever response it is.
  func schemas(of source: RuntimeExpression.Source) -> [JSONValue] {
    switch source {
    case .response(.body): responses.flatMap { $0.content.compactMap(\.schema) }
    case .response(.header(let name)):
      responses.flatMap(\.headers).filter { $0.name.lowercased() == name.lowercased() }
        .map(\.schema)
    case .request(.body): requestBody?.content.compactMap(\.schema) ?? []
    case .request(.header(let name)): [parameter(name, in: .header)?.schema].compactMap { $0 }
    case .request(.query(let name)): [parameter(name, in: .query)?.schema].compactMap { $0 }
    case .request(.path(let name)): [parameter(name, in: .path)?.schema].compactMap { $0 }
    default: []
    }
  }
}
