// The values that statements are given. They travel beside the SQL text, never inside it.

/// One bound value of a statement, or one field of a row for `COPY`.
///
/// Literals work: `[1, "mail", true, nil]`. The factories take optionals, so that a null keeps its
/// type. The SQL type of each is given with its factory; strings and `nil` have the type that their
/// place in the statement asks for.
public struct PostgresParameter: Sendable {
  let type: TypeIdentifier
  let value: Value

  enum Value: Sendable {
    case null
    case bool(Bool)
    case integer(Int64, width: Int)
    case double(Double)
    case text(String)
    case timestamp(PostgresTimestamp)
    case json(String)
    case bytes([UInt8])
    case array([PostgresParameter], element: TypeIdentifier)
  }

  private init(_ type: TypeIdentifier, _ value: Value?) {
    self.type = type
    self.value = value ?? .null
  }

  /// A null of whatever type its place asks for.
  public static var null: Self { Self(.inferred, nil) }

  /// A `bool`.
  public static func bool(_ value: Bool?) -> Self { Self(.bool, value.map { .bool($0) }) }

  /// An `int8`.
  ///
  /// Where a function takes `int`, write `$1::int` or use ``int32(_:)``.
  public static func int(_ value: Int?) -> Self {
    Self(.int8, value.map { .integer(Int64($0), width: 8) })
  }

  /// An `int8`.
  public static func int64(_ value: Int64?) -> Self {
    Self(.int8, value.map { .integer($0, width: 8) })
  }

  /// An `int4`.
  public static func int32(_ value: Int32?) -> Self {
    Self(.int4, value.map { .integer(Int64($0), width: 4) })
  }

  /// An `int2`.
  public static func int16(_ value: Int16?) -> Self {
    Self(.int2, value.map { .integer(Int64($0), width: 2) })
  }

  /// A `float8`.
  public static func double(_ value: Double?) -> Self { Self(.float8, value.map { .double($0) }) }

  /// Text for whatever type its place asks for: text, varchar, an enum, uuid, interval and so on.
  ///
  /// Where any type fits (`jsonb_build_object`, `format`), write `$1::text`.
  public static func text(_ value: String?) -> Self { Self(.inferred, value.map { .text($0) }) }

  /// A `uuid` in its text form; the server refuses anything else.
  public static func uuid(_ value: String?) -> Self { Self(.uuid, value.map { .text($0) }) }

  /// A `timestamptz`.
  public static func timestamp(_ value: PostgresTimestamp?) -> Self {
    Self(.timestamptz, value.map { .timestamp($0) })
  }

  /// A `jsonb`, given as JSON text; the server refuses text that is not JSON.
  public static func json(_ value: String?) -> Self { Self(.jsonb, value.map { .json($0) }) }

  /// A `bytea`.
  public static func bytes(_ value: [UInt8]?) -> Self { Self(.bytea, value.map { .bytes($0) }) }

  /// An `interval` of microseconds.
  public static func interval(_ value: Duration?) -> Self {
    Self(.interval, value.map { .text("\($0.wholeMicroseconds) microseconds") })
  }
}

extension PostgresParameter {
  /// A `bool[]`.
  public static func bools(_ values: [Bool?]?) -> Self { array(.boolArray, .bool, values, bool) }
  /// An `int8[]`.
  public static func ints(_ values: [Int?]?) -> Self { array(.int8Array, .int8, values, int) }
  /// An `int8[]`.
  public static func int64s(_ values: [Int64?]?) -> Self { array(.int8Array, .int8, values, int64) }
  /// An `int4[]`.
  public static func int32s(_ values: [Int32?]?) -> Self { array(.int4Array, .int4, values, int32) }
  /// A `float8[]`.
  public static func doubles(_ values: [Double?]?) -> Self {
    array(.float8Array, .float8, values, double)
  }
  /// A `text[]`; cast it where another type is meant: `$1::writ.state[]`.
  public static func texts(_ values: [String?]?) -> Self { array(.textArray, .text, values, text) }
  /// A `uuid[]` of text forms.
  public static func uuids(_ values: [String?]?) -> Self { array(.uuidArray, .uuid, values, uuid) }
  /// A `timestamptz[]`.
  public static func timestamps(_ values: [PostgresTimestamp?]?) -> Self {
    array(.timestamptzArray, .timestamptz, values, timestamp)
  }
  /// A `jsonb[]` of JSON texts.
  public static func jsons(_ values: [String?]?) -> Self {
    array(.jsonbArray, .jsonb, values, json)
  }
  /// A `bytea[]`.
  public static func byteStrings(_ values: [[UInt8]?]?) -> Self {
    array(.byteaArray, .bytea, values, bytes)
  }

  private static func array<Element>(
    _ type: TypeIdentifier, _ element: TypeIdentifier, _ values: [Element?]?,
    _ parameter: (Element?) -> Self
  ) -> Self {
    Self(type, values.map { .array($0.map(parameter), element: element) })
  }
}

extension PostgresParameter: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral
{
  /// The same as ``null``.
  public init(nilLiteral: ()) { self = .null }
  /// The same as ``bool(_:)``.
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  /// The same as ``int(_:)``.
  public init(integerLiteral value: Int) { self = .int(value) }
  /// The same as ``double(_:)``.
  public init(floatLiteral value: Double) { self = .double(value) }
  /// The same as ``text(_:)``.
  public init(stringLiteral value: String) { self = .text(value) }
}

extension PostgresParameter: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// The type only: values are not for logs.
  public var description: String { "a parameter of type \(type.description)" }
  /// The same as ``description``.
  public var debugDescription: String { description }
  /// Shows nothing but the type.
  public var customMirror: Mirror { Mirror(self, children: ["type": type.description]) }
}
