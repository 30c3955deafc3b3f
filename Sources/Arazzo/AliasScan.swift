// Counts the aliases in the text of a document before it is parsed: a few dozen can stand for a
// value of any size, and comparing two such values never ends.

enum AliasScan {
  /// The most aliases of a document: so few stand for some 100,000 copies at the very most.
  static let maximumCount = 32

  /// The line of the first alias (`*name` for which there is an `&name`) that is too many.
  ///
  /// Both stand after white space or punctuation, as YAML wants it.
  static func lineOfExcess(in text: String) -> Int? {
    let bytes = Array(text.utf8)
    let anchors = Set(names(after: UInt8(ascii: "&"), in: bytes).map(\.name))
    guard !anchors.isEmpty else { return nil }
    let aliases = names(after: UInt8(ascii: "*"), in: bytes).filter { anchors.contains($0.name) }
    guard aliases.count > maximumCount else { return nil }
    return 1 + bytes[..<aliases[maximumCount].offset].count { $0 == UInt8(ascii: "\n") }
  }

  private static func names(
    after mark: UInt8, in bytes: [UInt8]
  ) -> [(name: ArraySlice<UInt8>, offset: Int)] {
    var found: [(ArraySlice<UInt8>, Int)] = []
    for (offset, byte) in bytes.enumerated() where byte == mark {
      guard offset == 0 || opens.contains(bytes[offset - 1]) else { continue }
      let name = bytes[(offset + 1)...].prefix { !ends.contains($0) }
      if !name.isEmpty { found.append((name, offset)) }
    }
    return found
  }

  private static let opens = Set(" \t\r\n[]{},:?-".utf8)
  private static let ends = Set(" \t\r\n[]{},:?".utf8)
}
