// A JSON value (RFC 8259) as an enum tree that keeps what the document said: member order and the
// exact digits of numbers.

/// A JSON value.
///
/// Equality compares content: objects are equal whatever the order of their members, numbers when
/// their values are equal.
public enum JSONValue: Sendable, Hashable {
  /// The literal `null`.
  case null
  /// The literals `true` and `false`.
  case bool(Bool)
  /// A number, kept with its exact text.
  case number(JSONNumber)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object.
  case object(JSONObject)
}

extension JSONValue {
  /// The string, or `nil` for any other kind of value.
  public var stringValue: String? {
    if case .string(let value) = self { value } else { nil }
  }

  /// The boolean, or `nil` for any other kind of value.
  public var boolValue: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  /// The number as an integer, or `nil` for other kinds and for numbers that are no 64-bit integer.
  public var intValue: Int? {
    if case .number(let value) = self { value.intValue } else { nil }
  }

  /// The number as a binary floating-point value, or `nil` for any other kind of value.
  public var doubleValue: Double? {
    if case .number(let value) = self { value.doubleValue } else { nil }
  }

  /// The elements, or `nil` for any other kind of value.
  public var arrayValue: [JSONValue]? {
    if case .array(let value) = self { value } else { nil }
  }

  /// The object, or `nil` for any other kind of value.
  public var objectValue: JSONObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// Whether this is the literal `null`.
  public var isNull: Bool { self == .null }

  /// The name of the kind of value in the words of JSON Schema, for example `boolean`.
  public var kindName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .number: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  /// The member of an object, or `nil` where this is no object or has no such member.
  public subscript(name: String) -> JSONValue? { objectValue?[name] }

  /// The element of an array, or `nil` where this is no array or the index is out of range.
  public subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A string value.
  public init(stringLiteral value: String) { self = .string(value) }
  /// A boolean value.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// A number value.
  public init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
  /// A number value.
  public init(floatLiteral value: Double) { self = .number(JSONNumber(value)) }
  /// An array value.
  public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  /// An object value; a later member replaces an earlier one of the same name.
  public init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements))
  }
  /// The value `null`.
  public init(nilLiteral: ()) { self = .null }
}

extension JSONValue {
  /// A number value.
  public init(_ value: Int) { self = .number(JSONNumber(value)) }
  /// A string value.
  public init(_ value: String) { self = .string(value) }
  /// A string value, or `null`.
  public init(_ value: String?) { self = value.map { .string($0) } ?? .null }
  /// A number value, or `null`.
  public init(_ value: Int?) { self = value.map { .number(JSONNumber($0)) } ?? .null }
}
