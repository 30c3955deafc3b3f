// The rows that a statement returned, copied out of libpq's memory into Swift's.

/// What one statement returned: every value's bytes end to end, shared by all of its rows.
final class RowStorage: Sendable {
  struct Column: Sendable {
    var name: String
    var type: TypeIdentifier
  }

  let columns: [Column]
  /// Rows may have no columns at all (`select from …`), so they are counted apart.
  let rowCount: Int
  /// The binary form of every value.
  let bytes: [UInt8]
  /// Row by row, where each value lies in `bytes`; nil is a null.
  let cells: [Range<Int>?]

  init(columns: [Column], rowCount: Int, bytes: [UInt8], cells: [Range<Int>?]) {
    self.columns = columns
    self.rowCount = rowCount
    self.bytes = bytes
    self.cells = cells
  }

  /// All rows, in the server's order.
  var rows: [PostgresRow] {
    (0..<rowCount).map { PostgresRow(storage: self, index: $0) }
  }
}

/// One row of a result.
///
///     let id = try row.decode("id", as: Int.self)
///     let note: String? = try row["note"].decode()
public struct PostgresRow: Sendable {
  let storage: RowStorage
  let index: Int

  /// The names of the columns, in order.
  public var columnNames: [String] { storage.columns.map(\.name) }

  /// The first column of that name; a name that does not exist is reported when it is decoded.
  public subscript(_ name: String) -> PostgresCell {
    cell(storage.columns.firstIndex { $0.name == name }, "\"\(name)\"")
  }

  /// A column by its place, from 0; a place that does not exist is reported when it is decoded.
  public subscript(_ place: Int) -> PostgresCell {
    cell(storage.columns.indices.contains(place) ? place : nil, "number \(place)")
  }

  /// A column's value as a Swift type.
  ///
  /// - Throws: ``PostgresError/Code/decoding``, which names the column and both types, never the
  ///   value.
  public func decode<T: PostgresDecodable>(
    _ name: String, as type: T.Type = T.self
  ) throws(PostgresError) -> T {
    try self[name].decode(as: type)
  }

  /// A column's value as a Swift type, by its place from 0.
  ///
  /// - Throws: ``PostgresError/Code/decoding``, which names the column and both types, never the
  ///   value.
  public func decode<T: PostgresDecodable>(
    _ place: Int, as type: T.Type = T.self
  ) throws(PostgresError) -> T {
    try self[place].decode(as: type)
  }

  private func cell(_ column: Int?, _ label: String) -> PostgresCell {
    guard let column else { return PostgresCell(label: label, value: nil) }
    let entry = storage.columns[column]
    let range = storage.cells[index * storage.columns.count + column]
    return PostgresCell(
      label: "\"\(entry.name)\"",
      value: PostgresValue(type: entry.type, bytes: range.map { storage.bytes[$0] }))
  }
}

extension PostgresRow: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The columns' names and types; values are not for logs.
  public var description: String {
    "a row of "
      + storage.columns.map { "\($0.name) \($0.type.description)" }.joined(separator: ", ")
  }
  /// The same as ``description``.
  public var debugDescription: String { description }
  /// Shows nothing but the columns.
  public var customMirror: Mirror { Mirror(self, children: ["columns": description]) }
}

/// One value of a row, not decoded yet.
public struct PostgresCell: Sendable {
  let label: String
  /// Nil if there is no such column.
  let value: PostgresValue?

  /// Whether the column exists and holds an SQL null.
  public var isNull: Bool { value.map { $0.bytes == nil } ?? false }

  /// The value as a Swift type.
  ///
  /// - Throws: ``PostgresError/Code/decoding``, which names the column and both types, never the
  ///   value.
  public func decode<T: PostgresDecodable>(as type: T.Type = T.self) throws(PostgresError) -> T {
    guard let value else {
      throw PostgresError(.decoding, "the result has no column \(label)")
    }
    do {
      return try T.decode(value)
    } catch {
      throw PostgresError(
        .decoding, "column \(label) of type \(value.type.description) \(error.reason(for: T.self))")
    }
  }
}

extension PostgresCell: CustomReflectable {
  /// Shows nothing but the column.
  public var customMirror: Mirror { Mirror(self, children: ["column": label]) }
}
