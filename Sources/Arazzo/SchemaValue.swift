// Values and schemas: one that fits, and where one does not.

public import JSON
internal import JSONPath

/// What a JSON Schema of an OpenAPI document says about values.
///
/// Made for trying a job type without the service that it calls. What a schema says only in keywords that
/// are not listed here (`not`, `if`, `multipleOf`, …) is neither kept nor checked.
public enum SchemaValue {
  /// A value by a schema: its first example, its default, or else the smallest one that fits `type`,
  /// `enum`, `const`, `format`, `pattern`, the limits of lengths and numbers, `properties`, `items`,
  /// `allOf`, and the first of `oneOf` and `anyOf`.
  ///
  /// Every property that is described is there, required or not; a schema that refers back to itself ends
  /// as an empty object.
  public static func example(_ schema: JSONValue) -> JSONValue {
    let schema = merged(schema, choosing: true)
    if let given = schema["example"] ?? schema["examples"]?[0] ?? schema["const"]
      ?? schema["default"] ?? schema["enum"]?[0]
    {
      return given
    }
    switch type(of: schema) {
    case "object":
      return .object(
        JSONObject(
          (schema["properties"]?.objectValue?.members ?? []).map { ($0.name, example($0.value)) }))
    case "array":
      let count = max(schema["minItems"]?.intValue ?? 1, schema["maxItems"]?.intValue == 0 ? 0 : 1)
      return .array(Array(repeating: example(schema["items"] ?? true), count: min(count, 1_000)))
    case "string": return .string(text(schema))
    case "integer", "number": return number(schema)
    case "boolean": return true
    case "null": return nil
    default: return .object(JSONObject())
    }
  }

  /// Where a value breaks a schema, and how: the first place, as a JSON Pointer; the value is not quoted.
  ///
  /// Looks at `type`, `enum`, `const`, `required`, `properties`, `additionalProperties: false`, `items` and
  /// `allOf`.
  public static func fault(_ value: JSONValue, _ schema: JSONValue, at place: String = "")
    -> String?
  {
    let schema = merged(schema, choosing: false)
    if schema == false { return "\(shown(place)) is not allowed" }
    let types = types(of: schema)
    if !types.isEmpty, !types.contains(where: { isOf(value, $0) }) {
      return "\(shown(place)) must be of type \(types.joined(separator: " or "))"
    }
    if let allowed = schema["enum"]?.arrayValue ?? schema["const"].map({ [$0] }),
      !allowed.contains(value)
    {
      return "\(shown(place)) is none of the values that are allowed"
    }
    if let object = value.objectValue {
      for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? []
      where object[name] == nil {
        return "\(shown("\(place)/\(name)")) is required"
      }
      for (name, member) in object.members {
        let property = schema["properties"]?[name] ?? schema["additionalProperties"]
        if let property, let fault = fault(member, property, at: "\(place)/\(name)") {
          return fault
        }
      }
    }
    if let items = schema["items"] {
      for (index, element) in (value.arrayValue ?? []).enumerated() {
        if let fault = fault(element, items, at: "\(place)/\(index)") { return fault }
      }
    }
    return nil
  }

  private static func shown(_ place: String) -> String { place.isEmpty ? "the body" : place }

  /// The schema with the parts of `allOf` in it, and for making a value the first of `oneOf` and `anyOf`.
  private static func merged(_ schema: JSONValue, choosing isChoosing: Bool) -> JSONValue {
    guard var object = schema.objectValue else { return schema }
    let first = isChoosing ? ["oneOf", "anyOf"].compactMap { object[$0]?[0] } : []
    let parts = (object["allOf"]?.arrayValue ?? []) + first
    guard !parts.isEmpty else { return schema }
    for name in ["allOf"] + (isChoosing ? ["oneOf", "anyOf"] : []) { object[name] = nil }
    for part in parts.map({ merged($0, choosing: isChoosing) }) {
      for (name, value) in part.objectValue?.members ?? [] {
        switch (object[name], name) {
        case (.object(var properties)?, "properties"):
          for (key, property) in value.objectValue?.members ?? [] where properties[key] == nil {
            properties[key] = property
          }
          object[name] = .object(properties)
        case (.array(let names)?, "required"):
          object[name] = .array(names + (value.arrayValue ?? []))
        case (nil, _): object[name] = value
        default: break
        }
      }
    }
    return .object(object)
  }

  private static func types(of schema: JSONValue) -> [String] {
    schema["type"]?.stringValue.map { [$0] }
      ?? schema["type"]?.arrayValue?.compactMap(\.stringValue) ?? []
  }

  private static func type(of schema: JSONValue) -> String? {
    types(of: schema).first { $0 != "null" } ?? types(of: schema).first
      ?? (schema["properties"] != nil ? "object" : schema["items"] != nil ? "array" : nil)
  }

  private static func isOf(_ value: JSONValue, _ type: String) -> Bool {
    switch type {
    case "object": value.objectValue != nil
    case "array": value.arrayValue != nil
    case "string": value.stringValue != nil
    case "integer": value.intValue != nil || value.doubleValue.map { $0 == $0.rounded() } == true
    case "number": value.doubleValue != nil
    case "boolean": value.boolValue != nil
    case "null": value.isNull
    default: true
    }
  }

  private static func number(_ schema: JSONValue) -> JSONValue {
    if let minimum = schema["minimum"] { return minimum }
    if let minimum = schema["exclusiveMinimum"]?.doubleValue {
      return .number(JSONNumber(minimum + 1))
    }
    if let maximum = schema["maximum"]?.doubleValue, maximum < 1 { return schema["maximum"] ?? 0 }
    return 1
  }

  /// A text by format, pattern and lengths.
  private static func text(_ schema: JSONValue) -> String {
    let formats = [
      "uuid": "00000000-0000-4000-8000-000000000001", "date-time": "2030-01-01T00:00:00Z",
      "date": "2030-01-01", "time": "00:00:00Z", "duration": "PT1H", "email": "ada@example.com",
      "uri": "https://example.com/", "url": "https://example.com/", "hostname": "example.com",
      "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    ]
    if let format = schema["format"]?.stringValue, let text = formats[format] { return text }
    if let pattern = schema["pattern"]?.stringValue,
      let example = (try? RegularExpression(pattern, .common))?.example
    {
      return example
    }
    var text = "example"
    while text.count < min(schema["minLength"]?.intValue ?? 0, 100_000) { text += "example" }
    return String(text.prefix(schema["maxLength"]?.intValue ?? text.count))
  }
}
