// The pair of keys of somebody who wants to receive secrets: X25519 (RFC 7748), as text.
//
//   writ-public-v1-<48 characters>    may be shown to anybody; an input of a job
//   writ-private-v1-<48 characters>   stays in a file that only its owner may read
//
// The 48 characters are base64url of the 32 bytes of the key and 4 bytes to check it by: the first of the
// SHA-256 of the prefix and the key. So a key that was cut off, mistyped or mixed up with the other one is
// refused, in the database already (`writ_data.is_public_key` does the same).

import Crypto

/// The key to which secrets are sealed; everybody may know it.
public struct SealingPublicKey: Sendable, Hashable, CustomStringConvertible {
  /// How the text begins.
  public static let prefix = "writ-public-v1-"

  let bytes: [UInt8]

  /// The key of a text, such as `writ keys generate` prints.
  ///
  /// - Throws: ``SealingError`` with ``SealingError/Code/invalidPublicKey``; it does not repeat the text, which
  ///   may be the private key.
  public init(_ text: String) throws(SealingError) {
    guard let bytes = CheckedText.decode(text.utf8, prefix: Self.prefix) else {
      throw SealingError(
        .invalidPublicKey,
        "this is no public key: pass the whole line that begins with \(Self.prefix), as "
          + "`writ keys generate` prints it")
    }
    guard !Self.isUnusable(bytes) else {
      throw SealingError(
        .invalidPublicKey,
        "nothing can be sealed to this public key; make a pair with `writ keys generate`")
    }
    self.bytes = bytes
  }

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// The text of the key.
  public var description: String {
    String(decoding: CheckedText.encode(bytes, prefix: Self.prefix), as: UTF8.self)
  }

  /// The first sixteen hexadecimal digits of the SHA-256 of the key, to tell keys apart.
  public var identifier: String {
    let digits = Array("0123456789abcdef")
    return String(
      SHA256.hash(data: bytes).prefix(8).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
  }

  /// The points of small order, with which every secret key agrees on zero.
  ///
  /// Anybody could open what is sealed to one. RFC 9180, section 7.1.4, wants that checked; swift-crypto's X25519 leaves it to its
  /// callers. The highest bit is no part of a key.
  static let pointsOfSmallOrder: [[UInt8]] = [
    [0] + Array(repeating: 0, count: 31), [1] + Array(repeating: 0, count: 31),
    [
      0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4,
      0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49,
      0xb8, 0x00,
    ],
    [
      0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef,
      0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f,
      0x11, 0x57,
    ],
    [0xec] + Array(repeating: 0xff, count: 30) + [0x7f],
    [0xed] + Array(repeating: 0xff, count: 30) + [0x7f],
    [0xee] + Array(repeating: 0xff, count: 30) + [0x7f],
  ]

  private static func isUnusable(_ bytes: [UInt8]) -> Bool {
    bytes[31] & 0x80 != 0 || pointsOfSmallOrder.contains(bytes)
  }
}

/// The key that opens what was sealed to its public key.
public struct SealingPrivateKey: Sendable {
  /// How the text begins.
  public static let prefix = "writ-private-v1-"

  let key: Curve25519.KeyAgreement.PrivateKey

  /// A new key.
  public init() { key = Curve25519.KeyAgreement.PrivateKey() }

  /// The key of a text.
  ///
  /// - Throws: ``SealingError`` with ``SealingError/Code/invalidPrivateKey``.
  public init(_ text: Secret) throws(SealingError) {
    let bytes = text.withBytes { CheckedText.decode($0, prefix: Self.prefix) }
    guard let bytes, let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
    else {
      throw SealingError(
        .invalidPrivateKey,
        "this is no private key: it must be the one line, beginning with \(Self.prefix), that "
          + "`writ keys generate` wrote")
    }
    self.key = key
  }

  /// The text of the key.
  public var text: Secret {
    Secret(CheckedText.encode(Array(key.rawRepresentation), prefix: Self.prefix))
  }

  /// The key to which others seal.
  public var publicKey: SealingPublicKey {
    SealingPublicKey(bytes: Array(key.publicKey.rawRepresentation))
  }
}

extension SealingPrivateKey: CustomStringConvertible, CustomReflectable {
  /// Always `<private key>`.
  public var description: String { "<private key>" }
  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Thirty-two bytes as text: a prefix, and base64url of the bytes and of four to check them by.
private enum CheckedText {
  static func encode(_ bytes: [UInt8], prefix: String) -> [UInt8] {
    Array(prefix.utf8) + Base64URL.encode(bytes + check(bytes, prefix))
  }

  static func decode(_ text: some Collection<UInt8>, prefix: String) -> [UInt8]? {
    guard text.starts(with: prefix.utf8), text.count == prefix.utf8.count + 48,
      let all = Base64URL.decode(text.dropFirst(prefix.utf8.count)), all.count == 36
    else { return nil }
    let bytes = Array(all.prefix(32))
    return check(bytes, prefix).elementsEqual(all.suffix(4)) ? bytes : nil
  }

  private static func check(_ bytes: [UInt8], _ prefix: String) -> [UInt8] {
    Array(SHA256.hash(data: Array(prefix.utf8) + bytes).prefix(4))
  }
}
