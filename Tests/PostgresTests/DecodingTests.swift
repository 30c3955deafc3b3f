// Every type, in and out, through a real server.

import Postgres
import Testing
import WritTesting

@Suite struct DecodingTests {
  @Test func `every scalar type comes back as it went`() async throws {
    let pool = try await makePool()
    let uuid = "0c9d2b6e-58a7-4c1b-9a50-1f0e6d3c2b1a"
    let moment = try #require(PostgresTimestamp("2026-05-02T10:14:07.123456Z"))
    let row = try await pool.query(
      """
      select $1 as bool, $2::int2 as int2, $3 as int4, $4 as int8, $5 as float8, $6::text as text,
             $7::varchar as varchar, $8 as uuid, $9 as moment, $10 as json, $11 as data,
             $12::name as name, $13 as length, 1.5::float4 as float4, '{"a":1}'::json as plain_json
      """,
      [
        true, .int16(-7), .int32(-70_000), .int(.max), 0.1, "grüße", "v", .uuid(uuid.uppercased()),
        .timestamp(moment), .json(#"{"b": [1, null]}"#), .bytes([0, 1, 255]), "n",
        .interval(.milliseconds(-90_061_001)),
      ])[0]
    #expect(try row.decode("bool", as: Bool.self))
    #expect(try row.decode("int2", as: Int16.self) == -7)
    #expect(try row.decode("int2", as: Int.self) == -7)
    #expect(try row.decode("int4", as: Int32.self) == -70_000)
    #expect(try row.decode("int8", as: Int64.self) == .max)
    #expect(try row.decode("float8", as: Double.self) == 0.1)
    #expect(try row.decode("float4", as: Double.self) == 1.5)
    #expect(try row.decode("text", as: String.self) == "grüße")
    #expect(try row.decode("varchar", as: String.self) == "v")
    #expect(try row.decode("name", as: String.self) == "n")
    #expect(try row.decode("uuid", as: String.self) == uuid)
    #expect(try row.decode("moment", as: PostgresTimestamp.self) == moment)
    #expect(try row.decode("json", as: String.self) == #"{"b": [1, null]}"#)
    #expect(try row.decode("plain_json", as: String.self) == #"{"a":1}"#)
    #expect(try row.decode("data", as: [UInt8].self) == [0, 1, 255])
    #expect(try row.decode("length", as: Duration.self) == .milliseconds(-90_061_001))
    await pool.close()
  }

  @Test func `every array type comes back as it went, nulls included`() async throws {
    let pool = try await makePool()
    let uuid = "0c9d2b6e-58a7-4c1b-9a50-1f0e6d3c2b1a"
    let row = try await pool.query(
      """
      select $1 as bools, $2 as ints, $3 as int4s, $4 as doubles, $5 as texts, $6 as uuids,
             $7 as moments, $8 as jsons, $9 as datas, $10 as none
      """,
      [
        .bools([true, nil, false]), .ints([1, nil, -3]), .int32s([5]), .doubles([0.5, nil]),
        .texts(["", nil, "a,\"b\"\\{}", "NULL"]), .uuids([uuid, nil]),
        .timestamps([.infinity, nil]), .jsons(["1", nil]), .byteStrings([[], [0], nil]),
        .ints([]),
      ])[0]
    #expect(try row.decode("bools", as: [Bool?].self) == [true, nil, false])
    #expect(try row.decode("ints", as: [Int?].self) == [1, nil, -3])
    #expect(try row.decode("int4s", as: [Int32].self) == [5])
    #expect(try row.decode("doubles", as: [Double?].self) == [0.5, nil])
    #expect(try row.decode("texts", as: [String?].self) == ["", nil, "a,\"b\"\\{}", "NULL"])
    #expect(try row.decode("uuids", as: [String?].self) == [uuid, nil])
    #expect(try row.decode("moments", as: [PostgresTimestamp?].self) == [.infinity, nil])
    #expect(try row.decode("jsons", as: [String?].self) == ["1", nil])
    #expect(try row.decode("datas", as: [[UInt8]?].self) == [[], [0], nil])
    #expect(try row.decode("none", as: [Int].self) == [])
    await pool.close()
  }

  @Test func `every kind of null is nil`() async throws {
    let pool = try await makePool()
    let row = try await pool.query(
      """
      select $1 as bool, $2 as int8, $3 as float8, $4::text as text, $5 as uuid, $6 as moment,
             $7 as json, $8 as data, $9 as ints, $10::text as untyped
      """,
      [
        .bool(nil), .int(nil), .double(nil), .text(nil), .uuid(nil), .timestamp(nil), .json(nil),
        .bytes(nil), .ints(nil), nil,
      ])[0]
    #expect(try row.decode("bool", as: Bool?.self) == nil)
    #expect(try row.decode("int8", as: Int?.self) == nil)
    #expect(try row.decode("float8", as: Double?.self) == nil)
    #expect(try row.decode("text", as: String?.self) == nil)
    #expect(try row.decode("uuid", as: String?.self) == nil)
    #expect(try row.decode("moment", as: PostgresTimestamp?.self) == nil)
    #expect(try row.decode("json", as: String?.self) == nil)
    #expect(try row.decode("data", as: [UInt8]?.self) == nil)
    #expect(try row.decode("ints", as: [Int]?.self) == nil)
    #expect(row["untyped"].isNull)
    await pool.close()
  }

  @Test func `enums are text in both directions`() async throws {
    let pool = try await makePool()
    try await pool.execute("create type state as enum ('available', 'running')")
    let rows = try await pool.query(
      "select state, array[state, null] as states from unnest($1::state[]) as state where state = $2",
      [.texts(["available", "running"]), "running"])
    #expect(try rows.map { try $0.decode("state", as: String.self) } == ["running"])
    #expect(try rows[0].decode("states", as: [String?].self) == ["running", nil])
    await pool.close()
  }

  @Test(arguments: [
    "0", "1", "-1", "10000", "0.0001", "-12345678.90120", "1e30", "0.00", "NaN", "123456789012.5",
  ])
  func `a numeric is the text that the server prints`(number: String) async throws {
    let pool = try await makePool()
    let row = try await pool.query(
      "select $1::numeric as n, $1::numeric::text as t", [.text(number)])[0]
    #expect(try row.decode("n", as: String.self) == row.decode("t", as: String.self))
    await pool.close()
  }

  @Test(arguments: [
    ("select 1 as x", "column \"x\" of type int4 cannot be decoded as String"),
    ("select 'secret' as x", "column \"x\" of type text cannot be decoded as Bool"),
    (
      "select null::bool as x",
      "column \"x\" of type bool is null and cannot be decoded as Bool; ask for an optional"
    ),
    ("select 70000 as x", "column \"x\" of type int4 holds a number that does not fit into Int16"),
    ("select 1 as y", "the result has no column \"x\""),
    (
      "select array[1, null] as x",
      "column \"x\" of type int4[] is null and cannot be decoded as Array<Int>; ask for an optional"
    ),
    (
      "select array[[1], [2]] as x",
      "column \"x\" of type int4[] has several dimensions and cannot be decoded as Array<Int>"
    ),
    ("select 5::int8 as x", "column \"x\" of type int8 cannot be decoded as Array<Int>"),
    (
      "select row(1, 'a') as x",
      "column \"x\" of type the type with OID 2249 cannot be decoded as String"
    ),
  ])
  func `a wrong type names the column and both types`(sql: String, message: String) async throws {
    let pool = try await makePool()
    let row = try await pool.query(Statement(sql: sql))[0]
    let error = #expect(throws: PostgresError.self) {
      if message.contains("Bool") { _ = try row.decode("x", as: Bool.self) }
      if message.contains("Int16") { _ = try row.decode("x", as: Int16.self) }
      if message.contains("Array") { _ = try row.decode("x", as: [Int].self) }
      _ = try row.decode("x", as: String.self)
    }
    #expect(error?.description == message)
    #expect(error?.code == .decoding)
    await pool.close()
  }
}

@Suite struct TimestampTests {
  @Test(arguments: [
    ("2000-01-01T00:00:00Z", 0), ("1999-12-31T23:59:59.999999Z", -1),
    ("1970-01-01T00:00:00Z", -946_684_800_000_000),
    ("2026-05-02T10:14:07.120000Z", 831_032_047_120_000),
    ("2024-02-29T12:00:00Z", 762_523_200_000_000),
    ("0001-01-01T00:00:00Z", -63_082_281_600_000_000),
  ])
  func `text and microseconds say the same`(text: String, microseconds: Int) throws {
    let moment = PostgresTimestamp(microseconds: Int64(microseconds))
    #expect(moment.description == text)
    #expect(PostgresTimestamp(text) == moment)
  }

  @Test(arguments: [
    ("2026-05-02 10:14:07+00", "2026-05-02T10:14:07Z"),
    ("2026-05-02T10:14:07.5+02:00", "2026-05-02T08:14:07.500000Z"),
    ("2026-05-02T10:14:07.123456789-0130", "2026-05-02T11:44:07.123456Z"),
    ("infinity", "infinity"), ("-infinity", "-infinity"),
  ])
  func `other forms of ISO 8601 are read`(text: String, canonical: String) {
    #expect(PostgresTimestamp(text)?.description == canonical)
  }

  @Test(arguments: [
    "", "2026", "2026-05-02", "2026-05-02T10:14:07", "2026-13-02T10:14:07Z", "2026-02-29T10:14:07Z",
    "2026-05-02T24:00:00Z", "2026-05-02T10:14:07.Z", "2026-05-02T10:14:07Zx",
    "2026-05-02T10:14:07+",
  ])
  func `anything else is not a timestamp`(text: String) {
    #expect(PostgresTimestamp(text) == nil)
  }

  @Test func `durations are added and found`() throws {
    let moment = try #require(PostgresTimestamp("2026-05-02T10:14:07Z"))
    #expect((moment + .seconds(60)).description == "2026-05-02T10:15:07Z")
    #expect((moment - .milliseconds(1)).description == "2026-05-02T10:14:06.999000Z")
    #expect(moment + .seconds(60) - moment == .seconds(60))
    #expect(moment < moment + .microseconds(1))
  }
}
