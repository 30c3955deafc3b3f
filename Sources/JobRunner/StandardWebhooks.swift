// Signatures by the specification of Standard Webhooks 1.0.0: who receives a message can tell that it is
// ours, unchanged and fresh, and can drop it when it comes twice.

import Crypto
import FoundationEssentials
import Secrets

/// Signs messages.
enum StandardWebhooks {
  /// A key of a receiver.
  enum Key: Sendable {
    /// HMAC-SHA256, signature `v1`.
    case symmetric(SymmetricKey)
    /// Ed25519, signature `v1a`.
    case asymmetric(Curve25519.Signing.PrivateKey)
  }

  /// Why a secret is none; never holds it.
  struct UnusableKey: Error, CustomStringConvertible {
    var description: String
  }

  /// The keys of a secret: one, or several separated by blanks while one takes the place of the other.
  static func keys(_ secret: Secret) throws(UnusableKey) -> [Key] {
    let text = secret.withBytes { String(decoding: $0, as: UTF8.self) }
    let words = text.split(separator: " ").map(String.init)
    guard (1...4).contains(words.count) else {
      throw UnusableKey(description: "it must be one to four keys, separated by blanks")
    }
    var keys: [Key] = []
    for word in words { keys.append(try key(word)) }
    return keys
  }

  private static func key(_ text: String) throws(UnusableKey) -> Key {
    if text.hasPrefix("whsk_") {
      // The 32 bytes of the private key, or these and the 32 of the public one, as some tools write it.
      guard let bytes = Data(base64Encoded: String(text.dropFirst(5))),
        bytes.count == 32 || bytes.count == 64,
        let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes.prefix(32)),
        bytes.count == 32 || key.publicKey.rawRepresentation == bytes.suffix(32)
      else {
        throw UnusableKey(
          description:
            "after whsk_ it must be the base64 of a private key of Ed25519, 32 bytes, or "
            + "64 with the public key")
      }
      return .asymmetric(key)
    }
    guard text.hasPrefix("whsec_") else {
      throw UnusableKey(
        description: "a key begins with whsec_ (HMAC-SHA256) or whsk_ (Ed25519)")
    }
    guard let bytes = Data(base64Encoded: String(text.dropFirst(6))),
      (24...64).contains(bytes.count)
    else {
      throw UnusableKey(description: "after whsec_ it must be the base64 of 24 to 64 random bytes")
    }
    return .symmetric(SymmetricKey(data: bytes))
  }

  /// The header fields of a message.
  ///
  /// - Parameters:
  ///   - id: The same for every try of one message; without a full stop, which separates what is signed.
  ///   - timestamp: When this try leaves, in seconds since 1970.
  ///   - body: Exactly the bytes that are sent.
  static func headers(
    id: String, timestamp: Int, body: [UInt8], keys: [Key]
  ) -> [(name: String, value: String)] {
    precondition(!id.contains("."), "the id of a message has no full stop")
    let content = Array("\(id).\(timestamp).".utf8) + body
    let signatures = keys.compactMap { key -> String? in
      switch key {
      case .symmetric(let key):
        "v1,"
          + Data(HMAC<SHA256>.authenticationCode(for: content, using: key)).base64EncodedString()
      case .asymmetric(let key):
        (try? key.signature(for: content)).map { "v1a," + $0.base64EncodedString() }
      }
    }
    return [
      (name: "webhook-id", value: id), (name: "webhook-timestamp", value: "\(timestamp)"),
      (name: "webhook-signature", value: signatures.joined(separator: " ")),
    ]
  }

  /// The id of a message: the number of its job, to find it by, and a digest of all that makes it this
  /// message and no other.
  static func messageID(job: Int, identity: String) -> String {
    let digits = Array("0123456789abcdef")
    let digest = SHA256.hash(data: Array(identity.utf8)).prefix(16).flatMap {
      [digits[Int($0 >> 4)], digits[Int($0 & 15)]]
    }
    return "writ_\(job)_" + String(digest)
  }
}
