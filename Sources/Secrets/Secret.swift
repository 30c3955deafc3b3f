// A secret in memory: bytes that cannot be printed, encoded or reflected, and that are overwritten
// when the last reference goes.

import Crypto
import Glibc

/// A secret: an API key, a token or a password.
///
/// It prints as `<secret>`, wherever it stands; its bytes can only be had inside ``withBytes(_:)``.
public final class Secret: Sendable {
  // Written by `init` before anybody else can see it and by `deinit` when nobody can any more; in
  // between it is only read, so sharing it between threads is safe.
  private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

  /// A secret of these bytes; the caller's copy is the caller's to wipe.
  public init(_ bytes: some Collection<UInt8>) {
    storage = .allocate(byteCount: bytes.count, alignment: 1)
    storage.copyBytes(from: bytes)
  }

  /// A secret of a text's UTF-8 bytes.
  public convenience init(_ text: String) { self.init(Array(text.utf8)) }

  deinit {
    // glibc, explicit_bzero(3): "the compiler will not remove a call … even if the compiler
    // determines that the call is unnecessary".
    if let base = storage.baseAddress { explicit_bzero(base, storage.count) }
    storage.deallocate()
  }

  /// The number of bytes.
  public var count: Int { storage.count }

  /// Lends the bytes; they must not outlive the closure.
  public func withBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try body(UnsafeRawBufferPointer(storage))
  }
}

extension Secret: Hashable {
  /// Whether both hold the same bytes; takes equally long wherever they differ.
  public static func == (left: Secret, right: Secret) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    left.withBytes { a in
      right.withBytes { b in
        for index in 0..<a.count { difference |= a[index] ^ b[index] }
      }
    }
    return difference == 0
  }

  /// Hashes the length alone, so that no hash tells of the content.
  public func hash(into hasher: inout Hasher) { hasher.combine(count) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Always `<secret>`.
  public var description: String { "<secret>" }
  /// Always `<secret>`.
  public var debugDescription: String { "<secret>" }
  /// A mirror without children.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret {
  /// The first twelve hexadecimal digits of the SHA-256 of the secret, to tell keys apart.
  ///
  /// Only for secrets of 128 random bits and more: for a password it would be a way to guess it, so
  /// shorter ones than 32 bytes give `nil`.
  public var fingerprint: String? {
    guard count >= 32 else { return nil }
    return withBytes { bytes in
      let digits = Array("0123456789abcdef")
      return String(
        SHA256.hash(data: bytes).prefix(6).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
  }

  /// The public part of an AuthOS key, `sk_` and twelve hexadecimal digits; `nil` for anything of
  /// another shape, so that no part of a password can pass for a prefix.
  public var keyPrefix: String? {
    withBytes { bytes in
      let isHex = { (byte: UInt8) in
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
      }
      guard bytes.count == 80, bytes.prefix(3).elementsEqual("sk_".utf8),
        bytes[15] == UInt8(ascii: "_"), bytes[3..<15].allSatisfy(isHex),
        bytes[16...].allSatisfy(isHex)
      else { return nil }
      return String(decoding: bytes.prefix(15), as: UTF8.self)
    }
  }
}
