// The `inputs` of a workflow to an InputSchema, refusing what has no counterpart in SQL.

internal import JSON

struct InputSchemaReader {
  let references: ReferenceResolver
  let errors: ErrorCollector
  /// Whether the document was checked already, by the version that published it.
  var isPublished = false

  private static let documentation = ["title", "description", "examples", "$comment", "deprecated"]

  func read(_ node: DocumentNode) -> InputSchema {
    guard let node = references.resolve(node),
      let object = reader(
        node, "an input schema",
        fields: ["type", "properties", "required", "additionalProperties"] + Self.documentation)
    else { return InputSchema() }
    if object.required("type", "an input schema") != nil, object["type"]?.string != "object" {
      object.report("the inputs must have type: object", at: object["type"])
    }
    if let additional = object["additionalProperties"], additional.scalar != false {
      object.report(
        "'additionalProperties' can only be false: inputs that are not listed are refused",
        at: additional)
    }
    var properties = object.map("properties").compactMap(readProperty)
    for (name, node) in object.strings("required") {
      if let index = properties.firstIndex(where: { $0.name == name }) {
        properties[index].isRequired = true
        if properties[index].policy.refusal != nil {
          object.report("'\(name)' is refused, so it cannot be required", at: node)
        }
      } else if object["properties"]?[name] == nil {
        object.report(
          "'\(name)' is required, but there is no such property"
            + Suggestion.question(
              name, among: object["properties"]?.members?.map(\.name) ?? []), at: node)
      }
    }
    return InputSchema(properties: properties, description: object.string("description"))
  }

  private func reader(
    _ node: DocumentNode, _ what: String, fields: [String], hasPolicy: Bool = false
  ) -> ObjectReader? {
    guard let members = node.members else {
      errors.report("\(what) must be an object", at: node.location)
      return nil
    }
    for member in members where !fields.contains(member.name) && !member.name.hasPrefix("x-") {
      errors.report(
        "\(what) does not support '\(member.name)' here; supported are "
          + fields.filter { !$0.hasPrefix("$") }.joined(separator: ", ") + " and $ref"
          + (member.name == "required" && member.value.scalar?.boolValue != nil
            ? "; the names of the required inputs are a list beside 'properties'" : ""),
        at: member.nameLocation)
    }
    return ObjectReader(
      node, what, fields: fields + members.map(\.name).filter { !$0.hasPrefix("x-") },
      hasPolicy: hasPolicy, errors: errors)
  }

  private func readProperty(_ member: DocumentNode.Member) -> InputProperty? {
    guard Self.isName(member.name) else {
      errors.report(
        "'\(member.name)' cannot be the name of an input: use at most 63 lower-case letters, "
          + "digits and _, starting with a letter", at: member.nameLocation)
      return nil
    }
    guard let node = references.resolve(member.value) else { return nil }
    guard let (kind, isNullable, fields) = readKind(node),
      let object = reader(
        node, "an input of \(Self.name(of: kind))",
        fields: ["type", "default"] + fields + Self.documentation, hasPolicy: true)
    else { return nil }
    var property = InputProperty(name: member.name, kind: kind, location: member.nameLocation)
    property.isNullable = isNullable
    property.description = object.string("description")
    property.constraints = readConstraints(object, kind)
    if kind == .json {
      property.constraints.jsonType = readType(node).flatMap { .init(rawValue: $0.type ?? "") }
    }
    property.extensions = object.extensions()
    if let policy = object["x-writ"] { property.policy = readPolicy(policy, kind) }
    if let value = object["default"] { readDefault(value, into: &property) }
    if let value = object["examples"]?.elements?.first?.value,
      property.violations(of: value).isEmpty
    {
      property.example = value
    }
    return property
  }

  /// Whether a text can name an SQL parameter and be read in an expression.
  static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 63 else { return false }
    let letters = UInt8(ascii: "a")...UInt8(ascii: "z")
    return letters.contains(first)
      && text.utf8.allSatisfy { byte in
        letters.contains(byte) || byte == UInt8(ascii: "_")
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      }
  }

  private static func name(of kind: InputProperty.Kind) -> String {
    switch kind {
    case .string, .uuid, .dateTime, .email, .uri, .publicKey: "type string"
    case .integer: "type integer"
    case .number: "type number"
    case .boolean: "type boolean"
    case .stringArray, .uuidArray, .integerArray: "type array"
    case .json: "free form"
    }
  }

  // MARK: Kinds

  private func readKind(
    _ node: DocumentNode
  ) -> (InputProperty.Kind, isNullable: Bool, fields: [String])? {
    guard let (type, isNullable) = readType(node) else { return nil }
    switch type {
    case "string"?:
      guard let kind = readFormat(node) else { return nil }
      return (kind, isNullable, ["format", "minLength", "maxLength", "pattern", "enum"])
    case "integer"?, "number"?:
      return (
        type == "integer" ? .integer : .number, isNullable, ["format", "minimum", "maximum"]
      )
    case "boolean"?: return (.boolean, isNullable, [])
    case "array"?:
      if let kind = readElements(node) {
        return (kind, isNullable, ["items", "minItems", "maxItems"])
      }
      return (.json, isNullable, Self.freeFields)
    default: return (.json, isNullable, Self.freeFields)
    }
  }

  /// The keywords of a free-form input: they document what is inside of it and are not checked.
  private static let freeFields = [
    "properties", "required", "items", "additionalProperties", "enum",
  ]

  /// The type, `nil` where the schema leaves it open.
  private func readType(_ node: DocumentNode) -> (type: String?, isNullable: Bool)? {
    guard let typeNode = node["type"] else { return (nil, true) }
    let names = typeNode.elements.map { $0.map(\.string) } ?? [typeNode.string]
    let known = ["string", "integer", "number", "boolean", "array", "object", "null"]
    guard names.allSatisfy({ $0.map(known.contains) ?? false }) else {
      errors.report("'type' must be one of \(known.joined(separator: ", "))", at: typeNode.location)
      return nil
    }
    let others = names.compactMap { $0 }.filter { $0 != "null" }
    guard others.count == 1 else {
      errors.report(
        "'type' must be one type, or one type and \"null\"; leave it out to accept any JSON",
        at: typeNode.location)
      return nil
    }
    return (others[0], names.contains("null"))
  }

  private func readFormat(_ node: DocumentNode) -> InputProperty.Kind? {
    guard let format = node["format"] else { return .string }
    switch format.string {
    case "uuid": return .uuid
    case "date-time": return .dateTime
    case "email": return .email
    case "uri": return .uri
    case "writ-public-key": return .publicKey
    default:
      errors.report(
        "'format' of a string must be one of uuid, date-time, email, uri, writ-public-key",
        at: format.location)
      return nil
    }
  }

  private func readElements(_ node: DocumentNode) -> InputProperty.Kind? {
    guard let items = node["items"].flatMap(references.resolve) else { return nil }
    switch (items["type"]?.string, items["format"]?.string) {
    case ("string", nil): return onlyType(items, .stringArray)
    case ("string", "uuid"?): return onlyType(items, .uuidArray)
    case ("integer", _): return onlyType(items, .integerArray)
    default: return nil
    }
  }

  private func onlyType(_ items: DocumentNode, _ kind: InputProperty.Kind) -> InputProperty.Kind {
    for member in items.members ?? []
    where !["type", "format"].contains(member.name) && !Self.documentation.contains(member.name) {
      errors.report(
        "the elements of an array cannot have '\(member.name)'; only type and format",
        at: member.nameLocation)
    }
    return kind
  }

  // MARK: x-writ and default

  private func readPolicy(
    _ node: DocumentNode, _ kind: InputProperty.Kind
  ) -> InputProperty.Policy {
    var policy = InputProperty.Policy()
    guard
      let object = ObjectReader(
        node, "x-writ of an input", fields: ["record", "from", "name", "normalize", "refuse"],
        isExtensible: false, errors: errors)
    else { return policy }
    policy.record = object.choice("record", as: RecordPolicy.self) ?? .never
    switch object.string("from") {
    case "environment"?:
      policy.environmentName = object.requiredString("name", "an input from the environment")
    case "job"?:
      policy.jobField = object.choice("name", as: InputProperty.JobField.self)
      if object["name"] == nil { object.report("an input from the job needs the field 'name'") }
    case nil:
      if object["name"] != nil {
        object.report("'name' belongs to from: environment or from: job", at: object["name"])
      }
    default: object.report("'from' must be one of environment, job", at: object["from"])
    }
    policy.normalization = object.choice("normalize", as: InputProperty.Normalization.self)
    readRefusal(object, into: &policy)
    if policy.normalization != nil, kind != .string && kind != .email {
      object.report("'normalize' is for texts and e-mail addresses only", at: object["normalize"])
    }
    return policy
  }

  private func readRefusal(_ object: ObjectReader, into policy: inout InputProperty.Policy) {
    guard let node = object["refuse"] else { return }
    policy.refusal = object.requiredString("refuse", "x-writ of an input")
    if let length = policy.refusal?.unicodeScalars.count, length > 500 {
      object.report("'refuse' must have at most 500 characters", at: node)
    }
    for other in ["record", "from", "normalize"] where object[other] != nil {
      object.report(
        "an input that is refused never has a value; remove '\(other)'", at: object[other])
    }
  }

  private func readDefault(_ node: DocumentNode, into property: inout InputProperty) {
    if property.policy.isSupplied {
      errors.report("an input from the environment or the job has no default", at: node.location)
      return
    }
    if property.policy.refusal != nil {
      errors.report("an input that is refused has no default", at: node.location)
      return
    }
    // What a published type takes was checked, and less strictly, by the version that published it.
    let isTaken = isPublished && property.kind == .json
    let violations = isTaken ? [] : property.violations(of: node.value)
    for violation in violations {
      errors.report("the default \(violation.rule)", at: node.location)
    }
    if violations.isEmpty { property.defaultValue = property.normalized(node.value) }
  }
}
