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

  /// All rows, read in pieces of a size.
  private func rows(
    _ text: String, _ format: RowFormat, piece: Int = 7
  ) throws -> [(line: Int, text: String)] {
    var bytes = Array(text.utf8)[...]
    var file = RowFile(format: format, columns: Self.columns) {
      defer { bytes = bytes.dropFirst(piece) }
      return Array(bytes.prefix(piece))
    }
    var rows: [(line: Int, text: String)] = []
    while let chunk = try file.nextChunk() {
      rows += zip(chunk.lines, chunk.texts).map { ($0, $1) }
    }
    return rows
  }

  private func fault(_ text: String, _ format: RowFormat) -> RowFileFault? {
    do {
      _ = try rows(text, format)
      return nil
    } catch {
      return error as? RowFileFault
    }
  }

  @Test(arguments: 1...20)
  func `NDJSON is one row a line, wherever the pieces are cut`(piece: Int) throws {
    let text = "\u{FEFF}{\"email\": \"a@b.cd\"}\r\n\n   \n{\"email\": \"ä\"}\n{\"x\": 1}"
    let rows = try rows(text, .ndjson, piece: max(piece, 3))
    #expect(rows.map(\.line) == [1, 4, 5])
    #expect(rows.map(\.text) == ["{\"email\": \"a@b.cd\"}\r", "{\"email\": \"ä\"}", "{\"x\": 1}"])
  }

  @Test(arguments: 1...20)
  func `CSV is one row a record, with quotes and line ends in quotes`(piece: Int) throws {
    let text =
      "email,note,seats,tags\r\n"
      + "a@b.cd,\"two\nlines, and a \"\"quote\"\"\",5,\"[\"\"a\"\"]\"\r\n\n"
      + "c@d.ef,\"\",,\n\"g@h.ij\",7,x,"
    let rows = try rows(text, .csv, piece: piece)
    #expect(rows.map(\.line) == [2, 5, 6])
    #expect(
      rows.map(\.text) == [
        #"{"email":"a@b.cd","note":"two\nlines, and a \"quote\"","seats":5,"tags":["a"]}"#,
        #"{"email":"c@d.ef","note":""}"#, #"{"email":"g@h.ij","note":"7","seats":"x"}"#,
      ])
  }

  @Test(arguments: [
    ("email,emial\n", 1, "there is no field emial; did you mean email? (the first line may name "),
    ("email,email\n", 1, "the field email is named twice"),
    ("email\na@b.cd\nb@c.de,7\n", 3, "the record has 2 cells, and the first line 1"),
    ("email\n\"a@b.cd\n", 2, "a quote is not closed"),
    ("email\n\"a\"b\n", 2, "text follows a closing quote; inside of quotes, a quote is doubled"),
    ("email\na\"b\n", 2, "a quote stands inside of a cell without quotes"),
    ("email\na\rb\n", 2, "a carriage return stands outside of quotes"),
    ("email\n\u{0}\n", 2, "the text is not UTF-8"),
  ])
  func `a CSV file that cannot be read is refused with the line`(
    text: String, line: Int, message: String
  ) {
    let fault = fault(text, .csv)
    #expect(fault?.line == line)
    #expect(fault?.description.hasPrefix(message) == true, "\(fault?.description ?? "no fault")")
  }

  @Test func `rows before a place that cannot be read are handed out first`() throws {
    var pieces: [[UInt8]] = [Array("{}\n{}\n".utf8) + [0xFF, 0x0A]]
    var file = RowFile(format: .ndjson, columns: Self.columns) { pieces.popLast() ?? [] }
    #expect(try file.nextChunk()?.lines == [1, 2])
    #expect(throws: RowFileFault(line: 3, description: "the text is not UTF-8")) {
      try file.nextChunk()
    }
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
    #expect(throws: RowFileFault.self) { try file.nextChunk() }
    #expect(pieces <= 6)
  }
}
