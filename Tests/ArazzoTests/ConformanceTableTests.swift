// docs/arazzo-conformance.md: every row names a test, and every test that it names exists.

import Foundation
import Testing

@Suite struct ConformanceTableTests {
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `every row of the conformance table names a test that exists`() throws {
    let page = try String(
      contentsOf: Self.root.appending(path: "docs/arazzo-conformance.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") }
      .map { $0.split(separator: " | ", omittingEmptySubsequences: false) }
      .filter { !$0[0].hasPrefix("| requirement") && !$0[0].hasPrefix("| ---") }
    #expect(rows.count > 70)
    let tests = try Self.testNames()
    for row in rows {
      #expect(row.count == 3, "a row has three columns: \(row[0])")
      let cell = row[row.count - 1].dropLast(2)
      let isQuoted = cell.count > 2 && cell.first == "`" && cell.last == "`"
      #expect(isQuoted, "the last column names a test: \(row[0])")
      let name = String(cell.dropFirst().dropLast())
      #expect(tests.contains(name), "there is no test '\(name)': \(row[0])")
    }
  }

  /// The names of all tests that are written as sentences.
  static func testNames() throws -> Set<String> {
    let folder = root.appending(path: "Tests")
    var names: Set<String> = []
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    where path.hasSuffix(".swift") {
      let text = try String(contentsOf: folder.appending(path: path), encoding: .utf8)
      for piece in text.split(separator: "func `").dropFirst() {
        if let end = piece.firstIndex(of: "`") { names.insert(String(piece[..<end])) }
      }
    }
    return names
  }
}
