// What is wrong with a file of rows, for people and for programs.

import JSON
import JobStore

/// One thing that is wrong with a file of rows; names the field and the rule, never a value.
struct BulkFault: Sendable, Hashable {
  /// The line; nil where the file as a whole is meant.
  var line: Int?
  /// The character of the line, from 1, where one is meant.
  var column: Int?
  /// The SQLSTATE of a row that the database refuses.
  var sqlState: String?
  var field: String?
  var reason: String
  var hint: String?
  /// Whether rows after it were not looked at because of it.
  var hidesLines = false

  init(
    line: Int?, column: Int? = nil, sqlState: String? = nil, field: String? = nil, reason: String,
    hint: String? = nil
  ) {
    self.line = line
    self.column = column
    self.sqlState = sqlState
    self.field = field
    self.reason = reason
    self.hint = hint
  }

  init(_ fault: RowFileFault) {
    self.init(line: fault.line, column: fault.column, reason: fault.description)
    hidesLines = fault.hidesLines
  }

  /// What the database says of a row, without the job type; why the text of it is no object, only
  /// this side can tell.
  init(_ fault: RowFault, type: String, line: Int, text: String) {
    let prefix = "\(type): "
    let rule =
      fault.message.hasPrefix(prefix)
      ? String(fault.message.dropFirst(prefix.count)) : fault.message
    self.init(
      line: line, sqlState: fault.sqlState, field: fault.field.isEmpty ? nil : fault.field,
      reason: rule, hint: fault.hint.isEmpty ? nil : fault.hint)
    if rule == "payload must be a JSON object" { (reason, column) = Self.whyNoObject(text) }
  }

  static let noRow = BulkFault(
    line: nil, reason: "there is no row in it, and a batch needs at least one")

  /// Why a text is no JSON object that the database takes; the character where one is meant.
  static func whyNoObject(_ text: String) -> (String, column: Int?) {
    do {
      let kind: String
      switch try JSONValue(parsing: text) {
      case .object:
        return (
          "the database cannot hold this JSON: it has a \\u0000, half a surrogate pair or a number "
            + "that is too large", nil
        )
      case .array: kind = "an array; write each of its objects on a line of its own"
      case .string: kind = "a string"
      case .number: kind = "a number"
      case .bool: kind = "a truth value"
      case .null: kind = "null"
      }
      return ("this is JSON, but no object: a row must be an object, and this is \(kind)", nil)
    } catch let error as JSONParseError {
      let column = String(decoding: text.utf8.prefix(error.offset), as: UTF8.self).count + 1
      return ("this is no JSON: \(error.reason)", column)
    } catch {
      return ("this is no JSON", nil)
    }
  }

  /// The fault as a person finds it.
  fileprivate func line(in place: String) -> String {
    place + (line.map { ":\($0)" } ?? "") + ": \(reason)"
      + (column.map { " (at character \($0))" } ?? "")
  }

  fileprivate func json(file: String) -> JSONValue {
    .members([
      ("file", .string(file)), ("line", line.map { JSONValue($0) }),
      ("column", column.map { JSONValue($0) }), ("sqlstate", sqlState.map { .string($0) }),
      ("field", field.map { .string($0) }), ("reason", .string(reason)),
      ("hint", hint.map { .string($0) }),
    ])
  }
}

/// All that is wrong with a file; nothing of it was ordered.
struct BulkFaults: Error, Sendable, Hashable {
  /// The path, or `-`.
  var file: String
  var faults: [BulkFault]
  /// Whether there are no others.
  var isComplete: Bool

  /// A line for each fault.
  var lines: [String] {
    let place = file == "-" ? "standard input" : file.printable
    return faults.map { $0.line(in: place) }
  }

  /// The last line of the report.
  var conclusion: String {
    isComplete ? "nothing was ordered" : "these are the first wrong rows; nothing was ordered"
  }

  /// The document that `--json` writes.
  var json: JSONValue {
    ["faults": .array(faults.map { $0.json(file: file) }), "complete": .bool(isComplete)]
  }
}
