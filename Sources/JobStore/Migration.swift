// One step of the schema: a file of sql/migrations, or all files of sql/functions together.

import Crypto

/// A change of the schema that this program carries.
///
/// Tables and types change by numbered migrations, each applied once. Functions and views have one text, in
/// `sql/functions`, which is applied as a whole after the migrations whenever it is not the one that the database has.
public struct Migration: Sendable, Hashable {
  /// Its place, from 1, without gaps; `nil` for the functions.
  public let version: Int?
  /// What it is about, from the name of its file.
  public let name: String
  /// Its text.
  public let sql: String
  /// The SHA-256 of the text, in hex.
  public let sha256: String

  /// Whether it is committed before what follows, which uses its words.
  public var commitsAlone: Bool { name == "vocabulary" }

  /// A migration from a file named `0002_tables.sql`; `nil` for any other name.
  init?(path: String, sql: String) {
    let file = path.split(separator: "/").last ?? ""
    guard file.hasSuffix(".sql"), file.dropFirst(4).first == "_",
      let version = Int(file.prefix(4))
    else { return nil }
    self.version = version
    name = String(file.dropFirst(5).dropLast(4))
    self.sql = sql
    sha256 = SHA256.hash(data: Array(sql.utf8)).hexadecimal
  }

  /// The functions and views, from the texts of their files.
  init(functions files: [(path: String, sql: String)]) {
    version = nil
    name = "functions"
    // Whatever owns them must not be the superuser who migrates; what a file refers to may come later.
    sql =
      "set local role writ_owner;\nset local check_function_bodies = off;\n\n"
      + files.sorted { $0.path < $1.path }.map(\.sql).joined(separator: "\n")
    sha256 = SHA256.hash(data: Array(sql.utf8)).hexadecimal
  }

  /// The functions and views of this program.
  public static let functions = Migration(
    functions: EmbeddedFiles.contents.filter { $0.key.hasPrefix("sql/functions/") }
      .map { (path: $0.key, sql: $0.value) })

  /// The numbered migrations of this program, in order.
  public static let all: [Migration] = {
    let found = EmbeddedFiles.contents
      .compactMap { path, sql in
        path.hasPrefix("sql/migrations/") ? Migration(path: path, sql: sql) : nil
      }
      .sorted { ($0.version ?? 0) < ($1.version ?? 0) }
    precondition(
      found.map(\.version) == Array(1...max(1, found.count)),
      "the migrations of this build are not numbered 1, 2, 3 …")
    return found
  }()
}

extension Sequence<UInt8> {
  /// Two lower-case hex digits a byte.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in self { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
    return String(decoding: text, as: UTF8.self)
  }
}
