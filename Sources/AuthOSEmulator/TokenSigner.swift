// RS256 JSON Web Tokens (RFC 7515, RFC 7519), written by hand: five lines of base64 and JSON around
// one signature.

import Crypto
import CryptoExtras
import JSON
import Synchronization

/// Signs and checks tokens with one RSA key of 2048 bits, made when it is first needed.
///
/// Making the key takes tenths of a second, so many emulated servers may share one signer.
public final class TokenSigner: Sendable {
  private struct Key {
    var privateKey: _RSA.Signing.PrivateKey
    var id: String
    var modulus: [UInt8]
    var exponent: [UInt8]
  }

  private let key = Mutex<Key?>(nil)

  /// A signer without a key as yet.
  public init() {}

  private func withKey<Value>(_ body: (Key) throws -> Value) throws -> Value {
    try key.withLock { key in
      let made = try key ?? Self.makeKey()
      key = made
      return try body(made)
    }
  }

  private static func makeKey() throws -> Key {
    let privateKey = try _RSA.Signing.PrivateKey(keySize: .bits2048)
    let primitives = try privateKey.publicKey.getKeyPrimitives()
    let modulus = Array(primitives.modulus)
    return Key(
      privateKey: privateKey, id: hexadecimal(SHA256.hash(data: modulus).prefix(8)),
      modulus: modulus, exponent: Array(primitives.publicExponent))
  }

  /// Makes the key now, so that the first login need not wait for it.
  func prepare() throws { try withKey { _ in } }

  func sign(_ claims: JSONValue, type: String) throws -> String {
    try withKey { key in
      let header: JSONValue = [
        "typ": .string(type), "alg": "RS256", "kid": .string(key.id),
      ]
      let signed = base64URL(header.serializedBytes()) + "." + base64URL(claims.serializedBytes())
      let signature = try key.privateKey.signature(
        for: SHA256.hash(data: Array(signed.utf8)), padding: .insecurePKCS1v1_5)
      return signed + "." + base64URL(Array(signature.rawRepresentation))
    }
  }

  /// The public key as a JWK set.
  func keySet() throws -> JSONValue {
    try withKey { key in
      [
        "keys": [
          [
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": .string(key.id),
            "n": .string(base64URL(key.modulus)), "e": .string(base64URL(key.exponent)),
          ]
        ]
      ]
    }
  }

  /// What a token says, once its signature and expiry are found good.
  struct Content {
    var type: String
    var claims: JSONValue
  }

  /// Checks a token.
  ///
  /// - Throws: The refusal that the management API answers with; a token is good until 60 seconds
  ///   after its expiry.
  func check(_ token: String, at now: UTCTime) throws(Refusal) -> Content {
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]),
      let signature = bytes(base64URL: parts[2]), header["alg"]?.stringValue == "RS256"
    else { throw .invalidToken }
    let verdict = try? withKey { key in
      guard header["kid"]?.stringValue == key.id else { return Verdict.unknownKey }
      let isValid = key.privateKey.publicKey.isValidSignature(
        _RSA.Signing.RSASignature(rawRepresentation: signature),
        for: SHA256.hash(data: Array("\(parts[0]).\(parts[1])".utf8)),
        padding: .insecurePKCS1v1_5)
      return isValid ? .good : .badSignature
    }
    if verdict == .unknownKey { throw .unauthorized("JWT key identifier is not recognized") }
    guard verdict == .good, let expiry = claims["exp"]?.intValue, now.seconds <= expiry + 60 else {
      throw .invalidToken
    }
    return Content(type: header["typ"]?.stringValue ?? "", claims: claims)
  }

  private enum Verdict { case good, badSignature, unknownKey }

  private static func json(_ part: Substring) -> JSONValue? {
    bytes(base64URL: part).flatMap { try? JSONValue(parsing: $0) }
  }
}
