// The object identifiers of the types that this client encodes and decodes, from PostgreSQL's
// catalog (`src/include/catalog/pg_type.dat`), where they are fixed for good.

/// The identity of an SQL type, as the wire protocol carries it.
struct TypeIdentifier: RawRepresentable, Hashable, Sendable {
  var rawValue: UInt32

  /// The server infers the type from its place in the statement.
  static let inferred = Self(rawValue: 0)
  static let bool = Self(rawValue: 16)
  static let bytea = Self(rawValue: 17)
  static let char = Self(rawValue: 18)
  static let name = Self(rawValue: 19)
  static let int8 = Self(rawValue: 20)
  static let int2 = Self(rawValue: 21)
  static let int4 = Self(rawValue: 23)
  static let text = Self(rawValue: 25)
  static let oid = Self(rawValue: 26)
  static let json = Self(rawValue: 114)
  static let float4 = Self(rawValue: 700)
  static let float8 = Self(rawValue: 701)
  static let unknown = Self(rawValue: 705)
  static let bpchar = Self(rawValue: 1042)
  static let varchar = Self(rawValue: 1043)
  static let timestamptz = Self(rawValue: 1184)
  static let interval = Self(rawValue: 1186)
  static let numeric = Self(rawValue: 1700)
  static let uuid = Self(rawValue: 2950)
  static let jsonb = Self(rawValue: 3802)

  static let boolArray = Self(rawValue: 1000)
  static let byteaArray = Self(rawValue: 1001)
  static let int4Array = Self(rawValue: 1007)
  static let textArray = Self(rawValue: 1009)
  static let int8Array = Self(rawValue: 1016)
  static let float8Array = Self(rawValue: 1022)
  static let timestamptzArray = Self(rawValue: 1185)
  static let uuidArray = Self(rawValue: 2951)
  static let jsonbArray = Self(rawValue: 3807)

  /// Types made by users (enums, composites, domains over them) are numbered from 16384
  /// (`FirstNormalObjectId`).
  var isUserDefined: Bool { rawValue >= 16_384 }

  /// The name in messages; types we do not know are named by number.
  var description: String {
    Self.names[self] ?? "the type with OID \(rawValue)"
  }

  private static let names: [Self: String] = [
    .bool: "bool", .bytea: "bytea", .char: "\"char\"", .name: "name", .int8: "int8", .int2: "int2",
    .int4: "int4", .text: "text", .oid: "oid", .json: "json", .float4: "float4", .float8: "float8",
    .unknown: "unknown", .bpchar: "char", .varchar: "varchar", .timestamptz: "timestamptz",
    .interval: "interval", .numeric: "numeric", .uuid: "uuid", .jsonb: "jsonb",
    .boolArray: "bool[]", .byteaArray: "bytea[]", .int4Array: "int4[]", .textArray: "text[]",
    .int8Array: "int8[]", .float8Array: "float8[]", .timestamptzArray: "timestamptz[]",
    .uuidArray: "uuid[]", .jsonbArray: "jsonb[]",
  ]
}
