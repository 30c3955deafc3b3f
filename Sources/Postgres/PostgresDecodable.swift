// From the wire's binary forms to Swift values.

/// The bytes of one value, in PostgreSQL's binary form, with their SQL type.
public struct PostgresValue: Sendable {
  let type: TypeIdentifier
  /// Nil is a null.
  let bytes: ArraySlice<UInt8>?
}

/// Why a value is not of the type that was asked for; says nothing about the value itself.
public struct PostgresDecodingFailure: Error, Sendable {
  enum Reason: Sendable {
    case wrongType
    case isNull
    case malformed
    case outOfRange
    case manyDimensions
  }
  let reason: Reason

  func reason(for type: Any.Type) -> String {
    switch reason {
    case .wrongType: "cannot be decoded as \(type)"
    case .isNull: "is null and cannot be decoded as \(type); ask for an optional"
    case .malformed: "holds bytes that are not in its binary form, so it is no \(type)"
    case .outOfRange: "holds a number that does not fit into \(type)"
    case .manyDimensions: "has several dimensions and cannot be decoded as \(type)"
    }
  }

  static let wrongType = Self(reason: .wrongType)
  static let isNull = Self(reason: .isNull)
  static let malformed = Self(reason: .malformed)
  static let outOfRange = Self(reason: .outOfRange)
  static let manyDimensions = Self(reason: .manyDimensions)
}

/// What a column can be decoded as.
///
/// Bool, the integers, Double, String (text, varchar, char, name, enums, json, jsonb, uuid),
/// ``PostgresTimestamp``, `Duration` (intervals without months), `[UInt8]` (bytea), and arrays and
/// optionals of these.
public protocol PostgresDecodable {
  /// Decodes one value, which may be null.
  static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> Self
  /// Decodes an array of this type; `UInt8` overrides it, because an array of bytes is a bytea.
  static func decodeArray(_ value: PostgresValue) throws(PostgresDecodingFailure) -> [Self]
}

extension PostgresValue {
  /// The bytes of a value of one of these types that is not null.
  func bytes(of types: TypeIdentifier...) throws(PostgresDecodingFailure) -> ArraySlice<UInt8> {
    guard types.contains(type) else { throw .wrongType }
    guard let bytes else { throw .isNull }
    return bytes
  }
}

extension ArraySlice<UInt8> {
  /// The whole slice as one big-endian integer.
  func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(PostgresDecodingFailure) -> T {
    guard count == MemoryLayout<T>.size else { throw .malformed }
    return reduce(0) { $0 << 8 | T(truncatingIfNeeded: $1) }
  }

  /// Cuts an integer off the front.
  mutating func takeInteger<T: FixedWidthInteger>(
    _ type: T.Type = T.self
  ) throws(PostgresDecodingFailure) -> T {
    try take(MemoryLayout<T>.size).integer(type)
  }

  mutating func take(_ length: Int) throws(PostgresDecodingFailure) -> ArraySlice<UInt8> {
    guard length >= 0, length <= count else { throw .malformed }
    defer { removeFirst(length) }
    return prefix(length)
  }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
  /// Nil for a null.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> Wrapped? {
    value.bytes == nil ? nil : try Wrapped.decode(value)
  }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
  /// One dimension; a null element needs an optional `Element`.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> [Element] {
    try Element.decodeArray(value)
  }
}

extension PostgresDecodable {
  /// `array_send`: dimensions, whether there are nulls, element type, then length and lower bound
  /// of each dimension, then each element after its length (-1 is null).
  public static func decodeArray(
    _ value: PostgresValue
  ) throws(PostgresDecodingFailure) -> [Self] {
    // Arrays have many types; a scalar is recognised by its type, or by not having an array's form.
    guard !value.type.isScalar else { throw .wrongType }
    guard var rest = value.bytes else { throw .isNull }
    let dimensions = try rest.takeInteger(Int32.self)
    let flags = try rest.takeInteger(Int32.self)
    let element = TypeIdentifier(rawValue: try rest.takeInteger())
    guard (0...6).contains(dimensions), flags == 0 || flags == 1 else { throw .malformed }
    guard dimensions > 0 else { return [] }
    guard dimensions == 1 else { throw .manyDimensions }
    let count = Int(try rest.takeInteger(Int32.self))
    _ = try rest.takeInteger(Int32.self)
    // Every element has at least its length, so a false count cannot make us reserve much.
    guard count >= 0, count <= rest.count / 4 else { throw .malformed }
    var result: [Self] = []
    result.reserveCapacity(count)
    for _ in 0..<count {
      let length = Int(try rest.takeInteger(Int32.self))
      let bytes = length == -1 ? nil : try rest.take(length)
      result.append(try Self.decode(PostgresValue(type: element, bytes: bytes)))
    }
    guard rest.isEmpty else { throw .malformed }
    return result
  }
}
