// Reads CSV (RFC 4180) from pieces of bytes that may be cut anywhere.

/// One cell.
struct CSVCell: Sendable, Hashable {
  var bytes: [UInt8] = []
  /// Whether it stood in quotes: an empty cell without them has no value.
  var isQuoted = false
}

/// One record and where it stands.
struct CSVRecord: Sendable, Hashable {
  /// The line on which it begins.
  var line: Int
  /// The line on which it ends; another one only where line ends stand in quotes.
  var lastLine: Int
  var cells: [CSVCell] = []
  /// The first thing that is wrong with it, and a quote that is left open; its cells then mean nothing.
  var faults: [RowFileFault] = []

  init(line: Int) {
    self.line = line
    lastLine = line
  }
}

/// Splits bytes into records; fields may be quoted, and then hold commas, quotes (doubled) and line
/// ends.
///
/// A record that breaks the rules is handed out with its faults, and reading goes on after it.
struct CSVRecords {
  private enum State { case cellStart, plain, quoted, quoteInQuoted, carriageReturn }

  private var state = State.cellStart
  private var line = 1
  /// The character of the line that is read next, from 1.
  private var column = 1
  /// Where the quote of the cell was opened.
  private var quote = (line: 1, column: 1)
  private var record = CSVRecord(line: 1)
  private var cell = CSVCell()
  /// Records longer than this are refused: the file is no CSV, or its quotes do not match.
  private let limit: Int
  private var size = 0

  init(limit: Int = 1_048_576) { self.limit = limit }

  /// Takes a piece, and hands out the records that it completes.
  ///
  /// - Throws: ``RowFileFault`` where nothing more can be read.
  mutating func read(_ piece: some Sequence<UInt8>, _ body: (CSVRecord) -> Void) throws {
    for byte in piece {
      size += 1
      if size > limit { throw tooLong }
      take(byte, body)
      if byte == UInt8(ascii: "\n") {
        column = 1
      } else if byte & 0xC0 != 0x80 {  // no continuation of a character
        column += 1
      }
    }
  }

  /// The end of the file; hands out a last record without a line end.
  mutating func finish(_ body: (CSVRecord) -> Void) {
    switch state {
    case .quoted:
      record.faults.append(openQuote("is not closed before the end of the file"))
      endRecord(body)
    case .cellStart where record.cells.isEmpty: break
    default: endRecord(body)
    }
  }

  private var tooLong: RowFileFault {
    guard state != .quoted, line == record.line else {
      return openQuote("is not closed within 1 MiB")
    }
    return RowFileFault(
      line: line, description: "the record has more than 1 MiB", hidesLines: true)
  }

  private func openQuote(_ rule: String) -> RowFileFault {
    RowFileFault(
      line: quote.line, column: quote.column, description: "the quote that opens here \(rule)",
      hidesLines: true)
  }

  private mutating func take(_ byte: UInt8, _ body: (CSVRecord) -> Void) {
    switch (state, byte) {
    case (.quoted, UInt8(ascii: "\"")): state = .quoteInQuoted
    case (.quoted, _):
      if byte == UInt8(ascii: "\n") { line += 1 }
      cell.bytes.append(byte)
    case (.quoteInQuoted, UInt8(ascii: "\"")):
      cell.bytes.append(byte)
      state = .quoted
    case (_, UInt8(ascii: "\n")): endRecord(body)
    case (.carriageReturn, _):
      refuse("a carriage return stands outside of quotes")
      state = .plain
    case (_, UInt8(ascii: "\r")): state = .carriageReturn
    case (_, UInt8(ascii: ",")): endCell()
    case (.cellStart, UInt8(ascii: "\"")):
      cell.isQuoted = true
      quote = (line, column)
      state = .quoted
    case (.quoteInQuoted, _):
      refuseTextAfterQuote()
      state = .plain
    case (_, UInt8(ascii: "\"")):
      refuse("a quote stands inside of a cell without quotes")
      state = .plain
    default:
      cell.bytes.append(byte)
      state = .plain
    }
  }

  private mutating func refuse(_ rule: String) {
    guard record.faults.isEmpty else { return }
    record.faults.append(RowFileFault(line: line, column: column, description: rule))
  }

  /// A quote that was forgotten ends at the next one, which was to open a cell some lines below.
  private mutating func refuseTextAfterQuote() {
    guard quote.line < line else {
      return refuse("text follows a closing quote; inside of quotes, a quote is doubled")
    }
    guard record.faults.isEmpty else { return }
    record.faults.append(openQuote("is closed on line \(line) only, and text follows it there"))
  }

  private mutating func endCell() {
    record.cells.append(cell)
    cell = CSVCell()
    state = .cellStart
  }

  /// Lines without anything on them are no records.
  private mutating func endRecord(_ body: (CSVRecord) -> Void) {
    endCell()
    record.lastLine = line
    let complete = record
    line += 1
    record = CSVRecord(line: line)
    size = 0
    let isEmpty = complete.cells == [CSVCell()] && complete.faults.isEmpty
    if !isEmpty { body(complete) }
  }
}
