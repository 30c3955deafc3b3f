// What the parser accepts, what it refuses, and that writing and reading are inverse.
import JSON
import Testing

@Suite struct JSONParsingTests {
  @Test(arguments: [
    "null", "true", "false", "0", "-1", "1.50", "12345678901234567890", "1e400", "\"\"", "\"ä€𝄞\"",
    "[]", "{}", "[1,[2,[3]]]", #"{"b":1,"a":{"c":[null,false]}}"#, #""\"\\\n\r\t""#,
  ])
  func `a value is written as it was read`(_ text: String) throws {
    #expect(try JSONValue(parsing: text).serialized() == text)
  }

  @Test(arguments: [
    ("", "not valid JSON at byte 0: the text ends where a value is expected"),
    ("{", "not valid JSON at byte 1: a member name is expected"),
    ("{\"a\"}", "not valid JSON at byte 4: a colon is expected"),
    ("{\"a\":1,\"a\":2}", "not valid JSON at byte 10: a member name occurs twice"),
    ("[1 2]", "not valid JSON at byte 3: a comma or a closing bracket is expected"),
    ("[1,]", "not valid JSON at byte 3: a value is expected"),
    ("1 2", "not valid JSON at byte 2: text after the value"),
    ("01", "not valid JSON at byte 1: text after the value"),
    ("1.", "not valid JSON at byte 2: a digit is expected"),
    ("-", "not valid JSON at byte 1: a digit is expected"),
    ("nul", "not valid JSON at byte 0: a value is expected"),
    ("\"a", "not valid JSON at byte 2: the text ends inside a string"),
    ("\"\u{1}\"", "not valid JSON at byte 2: a control character inside a string"),
    (#""\x""#, "not valid JSON at byte 3: an unknown escape inside a string"),
    (#""\ud800""#, "not valid JSON at byte 7: half a surrogate pair inside a string"),
    (#""\u12g4""#, "not valid JSON at byte 3: four hexadecimal digits are expected"),
  ])
  func `what is not JSON is refused with the place and the reason`(
    _ text: String, _ message: String
  ) {
    let error = #expect(throws: JSONParseError.self) { try JSONValue(parsing: text) }
    #expect(error?.description == message)
  }

  @Test func `nesting deeper than 128 levels is refused`() throws {
    let fits = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    _ = try JSONValue(parsing: fits)
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: "[" + fits + "]") }
  }

  @Test func `bytes that are not UTF-8 are refused`() {
    #expect(throws: JSONParseError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22] as [UInt8]) }
  }

  @Test func `bytes after the value are ignored on request`() throws {
    #expect(try JSONValue(parsing: "{}garbage".utf8, allowsTrailingBytes: true) == [:])
  }

  @Test func `names that are written with other scalars are other names`() throws {
    let value = try JSONValue(parsing: "{\"e\u{301}\":1,\"\u{e9}\":2}")
    #expect(value["e\u{301}"] == 1)
    #expect(value["\u{e9}"] == 2)
    #expect(value["e"] == nil)
    #expect(try JSONValue(parsing: "{\"e\u{301}\":1}") != JSONValue(parsing: "{\"\u{e9}\":1}"))
  }

  @Test func `escapes are decoded`() throws {
    let value = try JSONValue(parsing: #""\u0041\ud834\udd1e\/\b\f""#)
    #expect(value == "A𝄞/\u{8}\u{C}")
  }
}

@Suite struct JSONValueTests {
  @Test func `objects are equal whatever the order of their members`() throws {
    let one = try JSONValue(parsing: #"{"a":1,"b":[true]}"#)
    let other = try JSONValue(parsing: #"{"b":[true],"a":1.0}"#)
    #expect(one == other)
    #expect(one.hashValue == other.hashValue)
  }

  @Test func `the canonical form sorts member names at every level`() throws {
    let value = try JSONValue(parsing: #"{"b":{"d":1,"c":2},"a":[{"z":0,"y":0}]}"#)
    #expect(value.canonical == #"{"a":[{"y":0,"z":0}],"b":{"c":2,"d":1}}"#)
  }

  @Test func `integers are integers however they are written`() {
    #expect(JSONValue(12).intValue == 12)
    #expect((1.0 as JSONValue).intValue == 1)
    #expect((1.5 as JSONValue).intValue == nil)
    #expect(("1" as JSONValue).intValue == nil)
  }

  @Test(arguments: [
    ("", #"{"a":[10,{"b/c":1,"d~e":2}]}"#), ("/a/0", "10"), ("/a/1/b~1c", "1"), ("/a/1/d~0e", "2"),
  ])
  func `a pointer finds its value`(_ pointer: String, _ expected: String) throws {
    let value = try JSONValue(parsing: #"{"a":[10,{"b/c":1,"d~e":2}]}"#)
    let found = value.value(at: try #require(JSONPointer(pointer)))
    #expect(try found == JSONValue(parsing: expected))
  }

  @Test(arguments: ["/a/2", "/a/01", "/a/-1", "/b", "/a/0/x"])
  func `a pointer to nothing finds nothing`(_ pointer: String) throws {
    let value = try JSONValue(parsing: #"{"a":[10,20]}"#)
    #expect(value.value(at: try #require(JSONPointer(pointer))) == nil)
  }

  @Test(arguments: ["a", "/~2", "/~"])
  func `text that is no pointer is refused`(_ text: String) {
    #expect(JSONPointer(text) == nil)
  }

  @Test func `replacing changes what the pointer names and adds missing members`() throws {
    let value = try JSONValue(parsing: #"{"a":[10,{"b":1}]}"#)
    let replaced = value.replacing(try #require(JSONPointer("/a/1/c")), with: "new")
    #expect(replaced?.serialized() == #"{"a":[10,{"b":1,"c":"new"}]}"#)
    #expect(value.replacing(try #require(JSONPointer("/x/y")), with: 1) == nil)
  }
}
