// Reads CSV (RFC 4180) from pieces of bytes that may be cut anywhere.

/// One cell.
struct CSVCell: Sendable, Hashable {
  var bytes: [UInt8] = []
  /// Whether it stood in quotes: an empty cell without them has no value.
  var isQuoted = false
}

/// One record with the number of the line on which it begins.
struct CSVRecord: Sendable, Hashable {
  var line: Int
  var cells: [CSVCell]
}

/// What keeps a file from being read as records.
struct CSVFault: Error, Sendable, Hashable {
  var line: Int
  var description: String
}

/// Splits bytes into records; fields may be quoted, and then hold commas, quotes (doubled) and line
/// ends.
struct CSVRecords {
  private enum State { case cellStart, plain, quoted, quoteInQuoted, carriageReturn }

  private var state = State.cellStart
  private var line = 1
  private var record = CSVRecord(line: 1, cells: [])
  private var cell = CSVCell()
  /// Records longer than this are refused: the file is no CSV, or its quotes do not match.
  private let limit: Int
  private var size = 0

  init(limit: Int = 1_048_576) { self.limit = limit }

  /// Takes a piece, and hands out the records that it completes.
  mutating func read(_ piece: some Sequence<UInt8>, _ body: (CSVRecord) throws -> Void) throws {
    for byte in piece {
      size += 1
      if size > limit {
        throw CSVFault(
          line: record.line,
          description: "the record has more than 1 MiB; a quote that is not closed?")
      }
      try take(byte, body)
    }
  }

  /// The end of the file; hands out a last record without a line end.
  mutating func finish(_ body: (CSVRecord) throws -> Void) throws {
    switch state {
    case .quoted:
      throw CSVFault(line: record.line, description: "a quote is not closed")
    case .cellStart where record.cells.isEmpty: break
    default: try endRecord(body)
    }
  }

  private mutating func take(_ byte: UInt8, _ body: (CSVRecord) throws -> Void) throws {
    switch (state, byte) {
    case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
    case (.quoted, _):
      if byte == UInt8(ascii: "\n") { line += 1 }
      cell.bytes.append(byte)
    case (.quoteInQuoted, UInt8(ascii: "\"")):
      cell.bytes.append(byte)
      state = .quoted
    case (.carriageReturn, UInt8(ascii: "\n")), (_, UInt8(ascii: "\n")):
      line += 1
      try endRecord(body)
    case (.carriageReturn, _):
      throw CSVFault(line: line, description: "a carriage return stands outside of quotes")
    case (_, UInt8(ascii: "\r")): state = .carriageReturn
    case (_, UInt8(ascii: ",")):
      record.cells.append(cell)
      cell = CSVCell()
      state = .cellStart
    case (.cellStart, UInt8(ascii: "\"")):
      cell.isQuoted = true
      state = .quoted
    case (.quoteInQuoted, _):
      throw CSVFault(
        line: line,
        description: "text follows a closing quote; inside of quotes, a quote is doubled")
    case (_, UInt8(ascii: "\"")):
      throw CSVFault(line: line, description: "a quote stands inside of a cell without quotes")
    default:
      cell.bytes.append(byte)
      state = .plain
    }
  }

  /// Lines without anything on them are no records.
  private mutating func endRecord(_ body: (CSVRecord) throws -> Void) throws {
    record.cells.append(cell)
    let isEmpty = record.cells.count == 1 && cell.bytes.isEmpty && !cell.isQuoted
    let complete = record
    cell = CSVCell()
    record = CSVRecord(line: line, cells: [])
    state = .cellStart
    size = 0
    if !isEmpty { try body(complete) }
  }
}
