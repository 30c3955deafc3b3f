// The scalar types that columns can be decoded as.

extension TypeIdentifier {
  private static let scalars: Set<Self> = [
    .bool, .bytea, .char, .name, .int8, .int2, .int4, .text, .oid, .json, .float4, .float8,
    .unknown,
    .bpchar, .varchar, .timestamptz, .interval, .numeric, .uuid, .jsonb,
  ]

  /// Whether this is surely no array.
  var isScalar: Bool { Self.scalars.contains(self) }
}

extension Bool: PostgresDecodable {
  /// From `bool`.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> Bool {
    try value.bytes(of: .bool).integer(UInt8.self) != 0
  }
}

extension PostgresDecodable where Self: FixedWidthInteger {
  /// From `int2`, `int4`, `int8` and `oid`, if the number fits.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> Self {
    let bytes = try value.bytes(of: .int8, .int4, .int2, .oid)
    let number: Int64
    switch value.type {
    case .int8: number = try bytes.integer()
    case .int4: number = Int64(try bytes.integer(Int32.self))
    case .int2: number = Int64(try bytes.integer(Int16.self))
    default: number = Int64(try bytes.integer(UInt32.self))
    }
    guard let result = Self(exactly: number) else { throw .outOfRange }
    return result
  }
}

extension Int: PostgresDecodable {}
extension Int64: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int16: PostgresDecodable {}

extension UInt8: PostgresDecodable {
  /// From `"char"`, the one-byte type of the system catalogs.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> UInt8 {
    try value.bytes(of: .char).integer()
  }

  /// From `bytea`.
  public static func decodeArray(
    _ value: PostgresValue
  ) throws(PostgresDecodingFailure) -> [UInt8] {
    Array(try value.bytes(of: .bytea))
  }
}

extension Double: PostgresDecodable {
  /// From `float8`, `float4`, and `numeric` with a double's precision.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> Double {
    let bytes = try value.bytes(of: .float8, .float4, .numeric)
    switch value.type {
    case .float8: return Double(bitPattern: try bytes.integer())
    case .float4: return Double(Float(bitPattern: try bytes.integer()))
    default:
      guard let number = Double(try numericText(bytes)) else { throw .malformed }
      return number
    }
  }
}

extension String: PostgresDecodable {
  /// From text and its kin, `json` and `jsonb` (the JSON text), `uuid` (its canonical form),
  /// `numeric`, and enums.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> String {
    switch value.type {
    case .jsonb:
      var rest = try value.bytes(of: .jsonb)
      guard try rest.takeInteger(UInt8.self) == 1 else { throw .malformed }
      return try text(rest)
    case .uuid: return try uuidText(value.bytes(of: .uuid))
    case .numeric: return try numericText(value.bytes(of: .numeric))
    case let type where type.isUserDefined:
      // An enum's binary form is its label. Composites and ranges, which we do not decode, begin
      // with counts or flags, that is with bytes that no label has.
      guard let bytes = value.bytes else { throw .isNull }
      guard !bytes.contains(where: { $0 < 0x20 }) else { throw .wrongType }
      return try text(bytes)
    default:
      return try text(
        value.bytes(of: .text, .varchar, .bpchar, .name, .json, .char, .unknown))
    }
  }

  private static func text(_ bytes: ArraySlice<UInt8>) throws(PostgresDecodingFailure) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
    return text
  }
}

extension PostgresTimestamp: PostgresDecodable {
  /// From `timestamptz`.
  public static func decode(
    _ value: PostgresValue
  ) throws(PostgresDecodingFailure) -> PostgresTimestamp {
    PostgresTimestamp(microseconds: try value.bytes(of: .timestamptz).integer())
  }
}

extension Duration: PostgresDecodable {
  /// From an `interval` without months, whose length is not fixed; a day is 24 hours.
  public static func decode(_ value: PostgresValue) throws(PostgresDecodingFailure) -> Duration {
    var rest = try value.bytes(of: .interval)
    let microseconds = try rest.takeInteger(Int64.self)
    let days = try rest.takeInteger(Int32.self)
    guard try rest.integer(Int32.self) == 0 else { throw .outOfRange }
    return .microseconds(microseconds) + .seconds(86_400) * Int64(days)
  }
}

private func uuidText(_ bytes: ArraySlice<UInt8>) throws(PostgresDecodingFailure) -> String {
  guard bytes.count == 16 else { throw .malformed }
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(36)
  for (place, byte) in bytes.enumerated() {
    if [4, 6, 8, 10].contains(place) { text.append(UInt8(ascii: "-")) }
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// `numeric_send`: count of base-10000 digits, weight of the first, sign, display scale, digits.
private func numericText(_ bytes: ArraySlice<UInt8>) throws(PostgresDecodingFailure) -> String {
  var rest = bytes
  let count = Int(try rest.takeInteger(Int16.self))
  let weight = Int(try rest.takeInteger(Int16.self))
  let sign = try rest.takeInteger(UInt16.self)
  let scale = Int(try rest.takeInteger(Int16.self))
  switch sign {
  case 0xC000: return "NaN"
  case 0xD000: return "Infinity"
  case 0xF000: return "-Infinity"
  default: break
  }
  var groups: [Int: Int16] = [:]
  guard count >= 0, scale >= 0, count * 2 == rest.count else { throw .malformed }
  for place in 0..<count { groups[weight - place] = try rest.takeInteger(Int16.self) }
  func digits(_ group: Int) -> String {
    String(String(10_000 + Int(groups[group] ?? 0)).dropFirst())
  }

  var whole = ""
  if weight >= 0 {
    for group in stride(from: weight, through: 0, by: -1) { whole += digits(group) }
  }
  whole = String(whole.drop { $0 == "0" })
  var fraction = ""
  var group = -1
  while fraction.count < scale {
    fraction += digits(group)
    group -= 1
  }
  let tail = scale > 0 ? "." + fraction.prefix(scale) : ""
  return (sign == 0x4000 ? "-" : "") + (whole.isEmpty ? "0" : whole) + tail
}
