// Files of rows: CSV and NDJSON cut into pieces anywhere, and what is wrong with them.

import JSON
import JobStore
import Testing

@testable import writ

@Suite struct RowFileTests {
  private static let columns = RowColumns(
    inputs: [
      ["name": "email", "kind": "email"], ["name": "note", "kind": "string"],
      ["name": "seats", "kind": "integer"], ["name": "tags", "kind": "string_array"],
    ])

  /// All rows and faults, read in pieces of a size.
  private func read(
    _ text: String, _ format: RowFormat, piece: Int = 7
  ) throws -> (rows: [(line: Int, text: String)], faults: [RowFileFault]) {
    var bytes = Array(text.utf8)[...]
    var file = RowFile(format: format, columns: Self.columns) {
      defer { bytes = bytes.dropFirst(piece) }
      return Array(bytes.prefix(piece))
    }
    var rows: [(line: Int, text: String)] = []
    var faults: [RowFileFault] = []
    while let chunk = try file.nextChunk() {
      rows += zip(chunk.lines, chunk.texts).map { ($0, $1) }
      faults += chunk.faults
    }
    return (rows, faults)
  }

  @Test(arguments: 1...20)
  func `NDJSON is one row a line, wherever the pieces are cut`(piece: Int) throws {
    let text = "\u{FEFF}{\"email\": \"a@b.cd\"}\r\n\n   \n{\"email\": \"ä\"}\n{\"x\": 1}"
    let (rows, faults) = try read(text, .ndjson, piece: max(piece, 3))
    #expect(faults.isEmpty)
    #expect(rows.map(\.line) == [1, 4, 5])
    #expect(rows.map(\.text) == ["{\"email\": \"a@b.cd\"}\r", "{\"email\": \"ä\"}", "{\"x\": 1}"])
  }

  @Test(arguments: 1...20)
  func `CSV is one row a record, with quotes and line ends in quotes`(piece: Int) throws {
    let text =
      "email,note,seats,tags\r\n"
      + "a@b.cd,\"two\nlines, and a \"\"quote\"\"\",5,\"[\"\"a\"\"]\"\r\n\n"
      + "c@d.ef,\"\",,\n\"g@h.ij\",7,x,"
    let (rows, faults) = try read(text, .csv, piece: piece)
    #expect(faults.isEmpty)
    #expect(rows.map(\.line) == [2, 5, 6])
    #expect(
      rows.map(\.text) == [
        #"{"email":"a@b.cd","note":"two\nlines, and a \"quote\"","seats":5,"tags":["a"]}"#,
        #"{"email":"c@d.ef","note":""}"#, #"{"email":"g@h.ij","note":"7","seats":"x"}"#,
      ])
  }

  @Test(arguments: [
    ("email,emial\n", 1, "there is no field emial; did you mean email? (the first line may name "),
    (
      "email,sk_live_canary0123456789\n", 1,
      "cell 2 is no field of the job type; is the header missing? (the first line may name "
    ),
    ("email,email\n", 1, "the field email is named twice"),
    ("email\na@b.cd\nb@c.de,7\n", 3, "the record has 2 cells, and the first line 1"),
    ("email,note\na@b.cd\n", 2, "the record has 1 cell, and the first line 2"),
    (
      "email,note\n\"a@b.cd,x\nb@c.de\"\n", 2,
      "the record has 1 cell, and the first line 2; in quotes it goes on to line 3"
    ),
    ("email\n\"a\"b\n", 2, "text follows a closing quote; inside of quotes, a quote is doubled"),
    ("email\na\"b\n", 2, "a quote stands inside of a cell without quotes"),
    ("email\na\rb\n", 2, "a carriage return stands outside of quotes"),
    ("email\n\u{0}\n", 2, "the text is not UTF-8"),
  ])
  func `a record that cannot be read is a fault of its line, and the others are read`(
    text: String, line: Int, message: String
  ) throws {
    let (rows, faults) = try read(text + (text.contains("note") ? "z@b.cd,\n" : "z@b.cd\n"), .csv)
    #expect(faults.map(\.line) == [line])
    #expect(faults.first?.description.hasPrefix(message) == true, "\(faults)")
    #expect(faults.first?.hidesLines == false)
    // What the cells of a record mean, only a right first line tells.
    #expect(rows.last?.text == (line == 1 ? nil : #"{"email":"z@b.cd"}"#))
  }

  @Test(arguments: 1...20)
  func `a quote that is left open is told with its place, behind whatever else is wrong`(
    piece: Int
  ) throws {
    let (rows, faults) = try read(
      "email,note\na@b.cd,x\nb@c.de\nc@\"d.ef,y\nä@b.cd,\"z\n\ne@f.gh,\n", .csv, piece: piece)
    #expect(rows.map(\.line) == [2])
    #expect(faults.map(\.line) == [3, 4, 5])
    #expect(
      faults.last
        == RowFileFault(
          line: 5, column: 8,
          description: "the quote that opens here is not closed before the end of the file",
          hidesLines: true))
  }

  @Test func `a quote that was forgotten is told where it opens, not where it meets another`()
    throws
  {
    let (rows, faults) = try read(
      "email,note\n\"a@b.cd,x\nb@c.de,\"y\"\nc@d.ef,z\n", .csv)
    #expect(
      faults == [
        RowFileFault(
          line: 2, column: 1,
          description:
            "the quote that opens here is closed on line 3 only, and text follows it there",
          hidesLines: true)
      ])
    #expect(rows.map(\.line) == [4])
  }

  @Test func `a wrong first line hides no open quote`() throws {
    let faults = try read("emial,sets\na@b.cd,1\nb@c.de,\"1\n", .csv).faults
    #expect(faults.map(\.line) == [1, 1, 3])
    #expect(faults.map(\.hidesLines) == [false, false, true])
  }

  @Test func `a record without an end is told with the quote that opens it`() throws {
    let text = "email\na@b.cd\n\"" + String(repeating: "x\n", count: 600_000)
    let (rows, faults) = try read(text, .csv, piece: 100_000)
    #expect(rows.map(\.line) == [2])
    #expect(
      faults == [
        RowFileFault(
          line: 3, column: 1, description: "the quote that opens here is not closed within 1 MiB",
          hidesLines: true)
      ])
  }

  @Test func `rows around a place that cannot be read are handed out with it`() throws {
    var pieces: [[UInt8]] = [Array("{}\n{}\n".utf8) + [0xFF, 0x0A] + Array("{}\n".utf8)]
    var file = RowFile(format: .ndjson, columns: Self.columns) { pieces.popLast() ?? [] }
    let chunk = try #require(try file.nextChunk())
    #expect(chunk.lines == [1, 2, 4])
    #expect(chunk.faults == [RowFileFault(line: 3, description: "the text is not UTF-8")])
    #expect(try file.nextChunk() == nil)
  }

  @Test func `a fault belongs to the chunk of the rows around it`() throws {
    var pieces: [[UInt8]] = [
      Array((String(repeating: "{}\n", count: 15_000)).utf8) + [0xFF, 0x0A] + Array("{}\n".utf8)
    ]
    var file = RowFile(format: .ndjson, columns: Self.columns) { pieces.popLast() ?? [] }
    #expect(try file.nextChunk()?.faults == [])
    #expect(try file.nextChunk()?.faults.map(\.line) == [15_001])
    #expect(try file.nextChunk() == nil)
  }

  @Test func `a file of many rows is handed out in chunks`() throws {
    var left = 25_000
    var file = RowFile(format: .ndjson, columns: Self.columns) {
      defer { left = max(0, left - 1_000) }
      return Array(String(repeating: "{}\n", count: min(left, 1_000)).utf8)
    }
    var sizes: [Int] = []
    while let chunk = try file.nextChunk() { sizes.append(chunk.texts.count) }
    #expect(sizes == [10_000, 10_000, 5_000])
  }

  @Test func `a line that is longer than any payload ends the reading`() throws {
    let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 262_144)
    var pieces = 0
    var file = RowFile(format: .ndjson, columns: Self.columns) {
      pieces += 1
      return piece
    }
    #expect(throws: Never.self) {
      let chunk = try file.nextChunk()
      #expect(chunk?.texts == [])
      #expect(chunk?.faults.map(\.hidesLines) == [true])
    }
    #expect(pieces <= 6)
  }
}

@Suite struct BulkFaultTests {
  @Test(arguments: [
    (#"{"email": "ä@b.cd" "x": 1}"#, "a comma or a closing bracket is expected", 20),
    (#"{"email"}"#, "a colon is expected", 9),
    ("{", "a member name is expected", 2),
    ("hunter2", "a value is expected", 1),
    (#"{"a": 1} x"#, "text after the value", 10),
    (#"{"a": "b"#, "the text ends inside a string", 9),
  ])
  func `a line that is no JSON is told with the character and what is expected`(
    text: String, expected: String, column: Int
  ) {
    #expect(BulkFault.whyNoObject(text) == ("this is no JSON: \(expected)", column))
  }

  @Test(arguments: [
    ("[{}]", "an array; write each of its objects on a line of its own"), ("7", "a number"),
    (#""hunter2""#, "a string"), ("true", "a truth value"), ("null", "null"),
  ])
  func `JSON that is no object is told apart from what is no JSON`(text: String, kind: String) {
    #expect(
      BulkFault.whyNoObject(text)
        == ("this is JSON, but no object: a row must be an object, and this is \(kind)", nil))
  }

  @Test func `an object that the database cannot hold is not called none`() {
    #expect(
      BulkFault.whyNoObject(#"{"a": "\u0000"}"#).0.hasPrefix("the database cannot hold this JSON: ")
    )
  }

  @Test func `people get lines, and programs a document`() {
    let faults = BulkFaults(
      file: "-",
      faults: [
        BulkFault(line: 3, column: 8, reason: "it is wrong"),
        BulkFault(
          line: 4, sqlState: "WR001", field: "email", reason: "email is required", hint: "Pass it."),
        .noRow,
      ], isComplete: false)
    #expect(
      faults.lines == [
        "standard input:3: it is wrong (at character 8)", "standard input:4: email is required",
        "standard input: there is no row in it, and a batch needs at least one",
      ])
    #expect(faults.conclusion == "these are the first wrong rows; nothing was ordered")
    #expect(
      faults.json.serialized() == #"{"faults":["#
        + #"{"file":"-","line":3,"column":8,"reason":"it is wrong"},"#
        + #"{"file":"-","line":4,"sqlstate":"WR001","field":"email","reason":"email is required","hint":"Pass it."},"#
        + #"{"file":"-","reason":"there is no row in it, and a batch needs at least one"}],"complete":false}"#
    )
  }
}
