// writ jobs rows: what a job has read, row by row.

import ArgumentParser
import JSON
import JobStore

struct JobsRowsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rows",
    abstract: "Print what a job has read, row by row.",
    discussion: """
      For job types that read lists or personal data, such as list_users. The rows are complete once the \
      job is completed, and kept for 30 days. With --json, each row is one line. Shown to the role that \
      ordered the job, and to writ_admin.

      EXAMPLES
        writ jobs rows 41872
        writ jobs rows 41872 --json > users.jsonl
      """)

  /// How many are asked for at once.
  static let pieceSize = 1_000

  @Argument(help: "The number of the job.")
  var id: Int
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    try await options.load().withStore { store in
      if format.json { try await printLines(store) } else { try await printTable(store) }
    }
  }

  private func printLines(_ store: JobStore) async throws {
    try await forEachPiece(store) { rows in
      for row in rows { Output.current.json(row.data) }
    }
  }

  /// A table needs the width of every row, so all are read first.
  private func printTable(_ store: JobStore) async throws {
    var all: [JSONValue] = []
    try await forEachPiece(store) { rows in all += rows.map(\.data) }
    guard !all.isEmpty else { return Output.current.note("no rows") }
    for line in Self.table(all).lines(usesColour: Output.current.usesColour) {
      Output.current.line(line)
    }
  }

  private func forEachPiece(
    _ store: JobStore, _ body: ([JobRowSummary]) throws -> Void
  ) async throws {
    var place = 0
    while true {
      let rows = try await store.jobRows(id, after: place, limit: Self.pieceSize)
      try body(rows)
      guard rows.count == Self.pieceSize, let last = rows.last else { return }
      place = last.place
    }
  }

  /// One column a field, in the order in which fields occur first.
  static func table(_ rows: [JSONValue]) -> Table {
    var names: [String] = []
    for row in rows {
      for name in row.objectValue?.names ?? [] where !names.contains(name) { names.append(name) }
    }
    var table = Table(fields: names)
    for row in rows { table.add(names.map { text(row[$0]) }) }
    return table
  }

  private static func text(_ value: JSONValue?) -> String {
    switch value {
    case nil, .null?: ""
    case .string(let text)?: text
    case let other?: other.serialized()
    }
  }
}
