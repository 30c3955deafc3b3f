// Random values: the generator that seeds repeat with, and the identifiers drawn from any generator.

import Crypto

/// SplitMix64: the same seed gives the same values.
///
/// For fault plans and fixed identifiers, never for anything that an attacker must not guess.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// A generator that starts at a seed.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

extension RandomNumberGenerator {
  mutating func bytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(count + 8)
    while result.count < count {
      withUnsafeBytes(of: next()) { result.append(contentsOf: $0) }
    }
    result.removeLast(result.count - count)
    return result
  }

  /// A random UUID, version 4, in lower case.
  mutating func uuid() -> String {
    var bytes = bytes(16)
    bytes[6] = bytes[6] & 0x0F | 0x40
    bytes[8] = bytes[8] & 0x3F | 0x80
    var text: [UInt8] = []
    text.reserveCapacity(36)
    for (index, byte) in bytes.enumerated() {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text.append(hexDigits[Int(byte >> 4)])
      text.append(hexDigits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// An API key: `sk_`, 12 and 64 hexadecimal digits.
  mutating func apiKey() -> String { "sk_\(hexadecimal(bytes(6)))_\(hexadecimal(bytes(32)))" }

  /// A refresh token: 43 URL-safe base64 characters.
  mutating func refreshToken() -> String { base64URL(bytes(32)) }
}

private let hexDigits = Array("0123456789abcdef".utf8)
private let base64Digits = Array(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  var text: [UInt8] = []
  for byte in bytes {
    text.append(hexDigits[Int(byte >> 4)])
    text.append(hexDigits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// Base64 with the URL-safe alphabet and no padding (RFC 4648, section 5).
func base64URL(_ bytes: some Collection<UInt8>) -> String {
  var text: [UInt8] = []
  var buffer = 0
  var bits = 0
  for byte in bytes {
    buffer = (buffer << 8 | Int(byte)) & 0xFFFF
    bits += 8
    while bits >= 6 {
      bits -= 6
      text.append(base64Digits[buffer >> bits & 63])
    }
  }
  if bits > 0 { text.append(base64Digits[buffer << (6 - bits) & 63]) }
  return String(decoding: text, as: UTF8.self)
}

/// The bytes of unpadded URL-safe base64, or `nil` for any other text.
func bytes(base64URL text: some StringProtocol) -> [UInt8]? {
  var result: [UInt8] = []
  var buffer = 0
  var bits = 0
  for character in text.utf8 {
    let value: UInt8
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): value = character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): value = character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "-"): value = 62
    case UInt8(ascii: "_"): value = 63
    default: return nil
    }
    buffer = (buffer << 6 | Int(value)) & 0xFFFF
    bits += 6
    if bits >= 8 {
      bits -= 8
      result.append(UInt8(buffer >> bits & 255))
    }
  }
  return result
}

/// The SHA-256 of a text: what is kept of keys, passwords and tokens.
///
/// One round is enough for secrets that exist only inside an emulator; equality of digests is
/// compared in constant time by Crypto.
func digest(_ text: String) -> SHA256Digest {
  var text = text
  return text.withUTF8 { SHA256.hash(data: $0) }
}
