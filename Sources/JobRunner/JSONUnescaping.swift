// What the strings of a JSON text say, whichever way their characters are written.

/// Takes the escapes out of text that is JSON, or that holds some.
enum JSONUnescaping {
  private static let backslash = UInt8(ascii: "\\")

  /// The text with each escape of JSON replaced by its character; `nil` where it holds none.
  ///
  /// Looks at no structure, so that broken JSON, several texts in one and JSON within other text are read
  /// as well. What is no escape stays; half a surrogate pair becomes U+FFFD. One pass over the text, and never
  /// longer than it.
  static func unescaped(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.contains(backslash) else { return nil }
    let bytes = Array(text)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var hasEscape = false
    var index = 0
    while index < bytes.count {
      guard bytes[index] == backslash, let escape = escape(in: bytes, at: index) else {
        result.append(bytes[index])
        index += 1
        continue
      }
      result.append(contentsOf: String(escape.character).utf8)
      index += escape.length
      hasEscape = true
    }
    return hasEscape ? result : nil
  }

  /// The escape that begins at a backslash.
  private static func escape(
    in bytes: [UInt8], at index: Int
  ) -> (character: Unicode.Scalar, length: Int)? {
    guard index + 1 < bytes.count else { return nil }
    switch bytes[index + 1] {
    case UInt8(ascii: "\""), backslash, UInt8(ascii: "/"):
      return (Unicode.Scalar(bytes[index + 1]), 2)
    case UInt8(ascii: "b"): return ("\u{8}", 2)
    case UInt8(ascii: "f"): return ("\u{c}", 2)
    case UInt8(ascii: "n"): return ("\n", 2)
    case UInt8(ascii: "r"): return ("\r", 2)
    case UInt8(ascii: "t"): return ("\t", 2)
    case UInt8(ascii: "u"): break
    default: return nil
    }
    guard let unit = codeUnit(in: bytes, at: index) else { return nil }
    if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
    guard UTF16.isLeadSurrogate(unit), let next = codeUnit(in: bytes, at: index + 6),
      UTF16.isTrailSurrogate(next)
    else { return ("\u{fffd}", 6) }
    let value = 0x10000 + (UInt32(unit & 0x3FF) << 10) + UInt32(next & 0x3FF)
    return Unicode.Scalar(value).map { ($0, 12) }
  }

  /// The number of `\uXXXX`, if that stands at a place.
  private static func codeUnit(in bytes: [UInt8], at index: Int) -> UInt16? {
    guard index + 6 <= bytes.count, bytes[index] == backslash,
      bytes[index + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt16 = 0
    for byte in bytes[index + 2..<index + 6] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }
}
