// One step of the schema, as a file of sql/migrations.

import Crypto

/// A migration that this program carries.
public struct Migration: Sendable, Hashable {
  /// Its place, from 1, without gaps.
  public let version: Int
  /// What it is about, from the name of its file.
  public let name: String
  /// Its text.
  public let sql: String
  /// The SHA-256 of the text, in hex.
  public let sha256: String

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

  /// All migrations of this program, in order.
  public static let all: [Migration] = {
    let found = EmbeddedFiles.contents
      .compactMap { path, sql in
        path.hasPrefix("sql/migrations/") ? Migration(path: path, sql: sql) : nil
      }
      .sorted { $0.version < $1.version }
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
