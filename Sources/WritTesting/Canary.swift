// A secret that is planted to see where it turns up, and every form in which it could.

/// A secret under a name that may be shown.
public struct Canary: Sendable, Hashable {
  /// What it is, for reports; never the secret.
  public var name: String
  private let bytes: [UInt8]

  /// A canary of a text.
  ///
  /// - Parameter secret: at least 12 bytes, so that no chance can produce it.
  public init(_ name: String, _ secret: String) {
    precondition(secret.utf8.count >= 12, "a canary must have 12 bytes at least")
    self.name = name
    bytes = Array(secret.utf8)
  }

  /// A canary of an API key: `sk_`, a public prefix, `_`, and the secret part, which alone counts.
  public init(key name: String, _ key: String) {
    self.init(name, String(key.split(separator: "_").last ?? ""))
  }

  /// A form in which a secret can appear.
  public enum Form: String, Sendable, Hashable, CaseIterable {
    /// As it is.
    case raw
    /// As JSON writes it inside a string.
    case json
    /// As SQL writes it inside a literal.
    case sql
    /// Two lower-case digits a byte.
    case hex
    /// Two upper-case digits a byte.
    case hexUpper
    /// Standard alphabet, the secret beginning at a multiple of three bytes.
    case base64
    /// Standard alphabet, the secret beginning one byte later.
    case base64Shifted1
    /// Standard alphabet, the secret beginning two bytes later.
    case base64Shifted2
    /// URL-safe alphabet, three alignments.
    case base64URL, base64URLShifted1, base64URLShifted2
    /// Percent signs where a URL needs them.
    case percent
    /// The same with lower-case digits.
    case percentLower
    /// Percent signs for every byte.
    case percentAll
    /// As a form writes it: `+` for a space.
    case form
  }

  /// The parts that are searched for: a beginning and an end, so that a leak that was cut off is found too.
  var parts: [[UInt8]] {
    bytes.count > 40 ? [Array(bytes.prefix(24)), Array(bytes.suffix(24))] : [bytes]
  }

  /// Every form of every part, none twice.
  var needles: [(form: Form, bytes: [UInt8])] {
    var seen: Set<[UInt8]> = []
    return parts.flatMap { part in Form.allCases.map { ($0, Self.encode(part, as: $0)) } }
      .filter { seen.insert($0.1).inserted }
  }

  /// The whole secret in a form, as a leak would show it; for testing the scanner.
  public func leak(as form: Form) -> [UInt8] {
    switch form {
    case .base64, .base64URL: Self.base64(bytes, isForURL: form == .base64URL)
    case .base64Shifted1, .base64URLShifted1:
      Self.base64(Array("x".utf8) + bytes + Array("yz".utf8), isForURL: form == .base64URLShifted1)
    case .base64Shifted2, .base64URLShifted2:
      Self.base64(Array("xy".utf8) + bytes + Array("z".utf8), isForURL: form == .base64URLShifted2)
    default: Self.encode(bytes, as: form)
    }
  }

  private static func encode(_ bytes: [UInt8], as form: Form) -> [UInt8] {
    switch form {
    case .raw: bytes
    case .json: bytes.flatMap { $0 == 0x22 || $0 == 0x5C ? [0x5C, $0] : [$0] }
    case .sql: bytes.flatMap { $0 == 0x27 ? [$0, $0] : [$0] }
    case .hex: hex(bytes, "0123456789abcdef")
    case .hexUpper: hex(bytes, "0123456789ABCDEF")
    case .base64: base64(bytes, shift: 0, isForURL: false)
    case .base64Shifted1: base64(bytes, shift: 1, isForURL: false)
    case .base64Shifted2: base64(bytes, shift: 2, isForURL: false)
    case .base64URL: base64(bytes, shift: 0, isForURL: true)
    case .base64URLShifted1: base64(bytes, shift: 1, isForURL: true)
    case .base64URLShifted2: base64(bytes, shift: 2, isForURL: true)
    case .percent: percent(bytes, "0123456789ABCDEF")
    case .percentLower: percent(bytes, "0123456789abcdef")
    case .percentAll: bytes.flatMap { [0x25] + hex([$0], "0123456789ABCDEF") }
    case .form: percent(bytes, "0123456789ABCDEF", space: [0x2B])
    }
  }

  private static func hex(_ bytes: [UInt8], _ digits: String) -> [UInt8] {
    let digits = Array(digits.utf8)
    return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  }

  private static func percent(
    _ bytes: [UInt8], _ digits: String, space: [UInt8]? = nil
  ) -> [UInt8] {
    let unreserved = Set(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    return bytes.flatMap { byte in
      if byte == 0x20, let space { return space }
      return unreserved.contains(byte) ? [byte] : [0x25] + hex([byte], digits)
    }
  }

  /// The characters that the secret alone decides when `shift` bytes stand before it.
  private static func base64(_ bytes: [UInt8], shift: Int, isForURL: Bool) -> [UInt8] {
    let text = base64([UInt8](repeating: 0, count: shift) + bytes, isForURL: isForURL)
    let first = (shift * 8 + 5) / 6
    return Array(text[first..<((shift + bytes.count) * 8 / 6)])
  }

  private static func base64(_ bytes: [UInt8], isForURL: Bool) -> [UInt8] {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    let alphabet = Array((letters + (isForURL ? "-_" : "+/")).utf8)
    var text: [UInt8] = []
    var buffer = 0
    var bits = 0
    for byte in bytes {
      buffer = (buffer << 8 | Int(byte)) & 0xFFFF
      bits += 8
      while bits >= 6 {
        bits -= 6
        text.append(alphabet[buffer >> bits & 63])
      }
    }
    if bits > 0 { text.append(alphabet[buffer << (6 - bits) & 63]) }
    return text
  }
}
