// A file of rows, NDJSON or CSV, as chunks of JSON texts with the line that each comes from.

import Arazzo
import Foundation
import JSON

/// How the rows of a file are written.
enum RowFormat: String, Sendable, CaseIterable {
  /// One JSON object a line.
  case ndjson
  /// A header of field names, then one record a job (RFC 4180).
  case csv

  /// By the name of the file; NDJSON for anything that is not called CSV.
  init(fileName: String) {
    self = fileName.lowercased().hasSuffix(".csv") ? .csv : .ndjson
  }
}

/// Rows that are sent together.
struct RowChunk: Sendable, Hashable {
  /// Each a JSON text.
  var texts: [String] = []
  /// The line of each.
  var lines: [Int] = []
  /// What stands between them and is no row.
  var faults: [RowFileFault] = []
  /// How many bytes of the file have been read when the last of them was complete.
  var bytesRead = 0

  fileprivate var size = 0
}

/// What a file says about its columns.
struct RowColumns: Sendable {
  /// The kind of each field, by its name.
  var kinds: [String: String]

  /// Fields that a row has besides those of its type.
  static let options = [
    "run_at": "date_time", "priority": "integer", "idempotency_key": "string",
    "expires_at": "date_time",
  ]

  /// From the inputs of a published type.
  init(inputs: JSONValue) {
    kinds = Self.options
    for input in inputs.arrayValue ?? [] {
      guard let name = input["name"]?.stringValue, let kind = input["kind"]?.stringValue else {
        continue
      }
      kinds[name] = kind
    }
  }
}

/// A place in a file that cannot be read, as a person finds it.
struct RowFileFault: Error, Sendable, Hashable {
  var line: Int
  /// The character of the line, from 1, where one is meant.
  var column: Int?
  var description: String
  /// Whether lines after it were taken for a part of it, or not read at all.
  var hidesLines = false
}

/// Reads a file chunk by chunk; holds no more than one in memory.
///
/// What is no row is a fault of its chunk; reading goes on behind it as long as lines can be told apart.
struct RowFile {
  /// A chunk ends with so many rows, or so many bytes of text.
  private static let (rowsOfChunk, bytesOfChunk) = (10_000, 4_194_304)
  /// A payload has at most 64 KiB; longer lines than this cannot hold one.
  private static let longestLine = 1_048_576

  private let readPiece: () throws -> [UInt8]
  private let format: RowFormat
  private let columns: RowColumns
  private var bytesRead = 0
  private var hasEnded = false
  private var ready = RowChunk()
  // NDJSON
  private var rest: [UInt8] = []
  private var line = 1
  // CSV
  private var records = CSVRecords()
  private var header: [(name: String, isText: Bool)]?
  /// What the cells mean is not known; only the form of the records is looked at.
  private var isHeaderWrong = false

  /// - Parameter readPiece: The next bytes; none at the end.
  init(format: RowFormat, columns: RowColumns, readPiece: @escaping () throws -> [UInt8]) {
    self.format = format
    self.columns = columns
    self.readPiece = readPiece
  }

  /// The next chunk; nil at the end.
  ///
  /// - Throws: Whatever reading a piece throws.
  mutating func nextChunk() throws -> RowChunk? {
    do {
      try fill()
    } catch let fault as RowFileFault {
      ready.faults.append(fault)
      hasEnded = true
    }
    return ready.texts.isEmpty && ready.faults.isEmpty ? nil : takeChunk()
  }

  private mutating func fill() throws {
    while !hasEnded, ready.texts.count + ready.faults.count < Self.rowsOfChunk,
      ready.size < Self.bytesOfChunk
    {
      var piece = try readPiece()
      hasEnded = piece.isEmpty
      if bytesRead == 0, piece.starts(with: [0xEF, 0xBB, 0xBF]) {
        piece.removeFirst(3)
        bytesRead += 3
      }
      bytesRead += piece.count
      switch format {
      case .ndjson: try readLines(piece)
      case .csv: try readRecords(piece)
      }
    }
  }

  private mutating func takeChunk() -> RowChunk {
    var chunk = RowChunk()
    let count = min(ready.texts.count, Self.rowsOfChunk)
    chunk.texts = Array(ready.texts.prefix(count))
    chunk.lines = Array(ready.lines.prefix(count))
    chunk.bytesRead = bytesRead
    let rest = ready.lines.dropFirst(count).first ?? .max
    chunk.faults = ready.faults.filter { $0.line < rest }
    ready.faults.removeAll { $0.line < rest }
    ready.texts.removeFirst(count)
    ready.lines.removeFirst(count)
    ready.size = ready.texts.reduce(0) { $0 + $1.utf8.count }
    return chunk
  }

  private mutating func add(_ text: String, line: Int) {
    ready.texts.append(text)
    ready.lines.append(line)
    ready.size += text.utf8.count
  }

  // MARK: NDJSON

  private mutating func readLines(_ piece: [UInt8]) throws {
    rest += piece
    var start = 0
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      try addLine(rest[start..<end])
      start = end + 1
    }
    if hasEnded, start < rest.count {
      try addLine(rest[start...])
      start = rest.count
    }
    rest.removeFirst(start)
    if rest.count > Self.longestLine { throw tooLong }
  }

  private var tooLong: RowFileFault {
    RowFileFault(
      line: line, description: "the line has more than 1 MiB, and a payload at most 64 KiB",
      hidesLines: true)
  }

  /// Empty lines are none.
  private mutating func addLine(_ bytes: ArraySlice<UInt8>) throws {
    defer { line += 1 }
    if bytes.count > Self.longestLine { throw tooLong }
    let isBlank = bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    if !isBlank {
      refusing { file throws(RowFileFault) in
        file.add(try Self.text(bytes, line: file.line), line: file.line)
      }
    }
  }

  /// A fault of one row, which ends nothing.
  private mutating func refusing(_ body: (inout Self) throws(RowFileFault) -> Void) {
    do {
      try body(&self)
    } catch {
      ready.faults.append(error)
    }
  }

  private static func text(
    _ bytes: some Collection<UInt8>, line: Int
  ) throws(RowFileFault) -> String {
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw RowFileFault(line: line, description: "the text is not UTF-8")
    }
    return text
  }

  // MARK: CSV

  private mutating func readRecords(_ piece: [UInt8]) throws {
    var complete: [CSVRecord] = []
    // The records before a place where nothing more can be read are rows like any others.
    defer { for record in complete { add(record) } }
    if hasEnded {
      records.finish { complete.append($0) }
    } else {
      try records.read(piece) { complete.append($0) }
    }
  }

  private mutating func add(_ record: CSVRecord) {
    let isFirst = header == nil && !isHeaderWrong
    if !record.faults.isEmpty {
      ready.faults += record.faults
      isHeaderWrong = isHeaderWrong || isFirst
    } else if isFirst {
      readHeader(record)
    } else if let header {
      refusing { file throws(RowFileFault) in
        file.add(try Self.object(record, header), line: record.line)
      }
    }
  }

  private mutating func readHeader(_ record: CSVRecord) {
    let kindsOfJSON: Set = [
      "integer", "number", "boolean", "string_array", "uuid_array", "integer_array", "json",
    ]
    let count = ready.faults.count
    var names: [(name: String, isText: Bool)] = []
    for (place, cell) in record.cells.enumerated() {
      refusing { file throws(RowFileFault) in
        let name = try Self.text(cell.bytes, line: record.line)
        let kind = try file.kind(ofField: name, cell: place + 1, line: record.line)
        guard !names.contains(where: { $0.name == name }) else {
          throw RowFileFault(line: record.line, description: "the field \(name) is named twice")
        }
        names.append((name, !kindsOfJSON.contains(kind)))
      }
    }
    isHeaderWrong = ready.faults.count > count
    if !isHeaderWrong { header = names }
  }

  /// A name is repeated only where it is nearly one of ours: where the header was forgotten, it is somebody's
  /// address or worse.
  private func kind(ofField name: String, cell: Int, line: Int) throws(RowFileFault) -> String {
    if let kind = columns.kinds[name] { return kind }
    let known = columns.kinds.keys.sorted()
    let suggestion = Suggestion.question(name, among: known)
    throw RowFileFault(
      line: line,
      description: (suggestion.isEmpty
        ? "cell \(cell) is no field of the job type; is the header missing?"
        : "there is no field \(name.printable.shortened(to: 60))\(suggestion)")
        + " (the first line may name \(known.joined(separator: ", ")))")
  }

  /// A cell of a field that is no text is JSON; what is not goes on as text, and is refused with the
  /// rule of the field.
  private static func object(
    _ record: CSVRecord, _ header: [(name: String, isText: Bool)]
  ) throws(RowFileFault) -> String {
    guard record.cells.count == header.count else {
      throw RowFileFault(
        line: record.line,
        description: "the record has \(record.cells.count.counting("cell")), and the first line "
          + "\(header.count)"
          + (record.lastLine > record.line
            ? "; in quotes it goes on to line \(record.lastLine)" : "")
      )
    }
    var members: [String] = []
    for (cell, column) in zip(record.cells, header) {
      if cell.bytes.isEmpty, !cell.isQuoted { continue }
      let value = try text(cell.bytes, line: record.line)
      let isJSON = !column.isText && (try? JSONValue(parsing: cell.bytes)) != nil
      members.append(
        "\"\(column.name)\":" + (isJSON ? value : JSONValue.string(value).serialized()))
    }
    return "{" + members.joined(separator: ",") + "}"
  }
}
