// A secret sealed to a public key: HPKE (RFC 9180) in base mode, with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256
// and ChaCha20-Poly1305, as text of one line:
//
//   writ-sealed-v1:ENVIRONMENT:JOB_TYPE:JOB:STEP.OUTPUT:KEY:ENCAPSULATED_KEY:CIPHERTEXT
//
// The last two fields are base64url. Everything before them is the `info` of the key schedule (RFC 9180, section
// 8.1: where a message is sealed by a call of its own, that is the place for what both sides must agree
// on), so none of it can be changed, and no ciphertext can pass for that of another job, type, step or
// output. KEY names the public key (``SealingPublicKey/identifier``), to tell a wrong key from altered text.
//
// Base mode says nothing about who sealed: whoever knows the public key can seal a text of his own.

import Crypto
import FoundationEssentials

/// What a secret is, as the one who opens it can be sure of.
public struct SealingContext: Sendable, Hashable {
  /// The environment of the job.
  public var environment: String
  /// The job's type.
  public var jobType: String
  /// The job's number.
  public var job: Int
  /// The step that brought the secret, with the sub-workflows around it, and the output's name:
  /// `request.access_token`.
  public var output: String

  /// A context.
  public init(environment: String, jobType: String, job: Int, output: String) {
    self.environment = environment
    self.jobType = jobType
    self.job = job
    self.output = output
  }
}

/// A sealed secret, which may be stored and shown.
public struct SealedText: Sendable, Hashable, CustomStringConvertible {
  /// How the text begins.
  public static let prefix = "writ-sealed-v1:"

  /// What was sealed, for which job.
  public let context: SealingContext
  /// Which public key it was sealed to.
  public let keyIdentifier: String
  private let encapsulatedKey: [UInt8]
  private let ciphertext: [UInt8]

  private static let ciphersuite = HPKE.Ciphersuite.Curve25519_SHA256_ChachaPoly

  /// Seals a secret; each call gives another text.
  ///
  /// - Throws: ``SealingError`` with ``SealingError/Code/notSealed``; a key that was read by
  ///   ``SealingPublicKey/init(_:)`` gives no reason to.
  public init(
    sealing secret: Secret, to key: SealingPublicKey, as context: SealingContext
  ) throws(SealingError) {
    self.context = context
    keyIdentifier = key.identifier
    do {
      let recipient = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: key.bytes)
      var sender = try HPKE.Sender(
        recipientKey: recipient, ciphersuite: Self.ciphersuite,
        info: Data(Self.header(context, keyIdentifier).utf8))
      encapsulatedKey = Array(sender.encapsulatedKey)
      ciphertext = Array(try secret.withBytes { try sender.seal(Data($0)) })
    } catch {
      throw SealingError(.notSealed, "the secret could not be sealed to the public key")
    }
  }

  /// Reads a sealed text; white space around it is passed over.
  ///
  /// - Throws: ``SealingError`` with ``SealingError/Code/invalidSealedText``.
  public init(_ text: String) throws(SealingError) {
    let fields = text.trimmed.split(separator: ":", omittingEmptySubsequences: false)
      .map(String.init)
    guard fields.count == 8, fields[0] + ":" == Self.prefix,
      fields[1...5].allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }
      ),
      let job = Int(fields[3]), String(job) == fields[3],
      let encapsulatedKey = Base64URL.decode(fields[6].utf8), encapsulatedKey.count == 32,
      let ciphertext = Base64URL.decode(fields[7].utf8), ciphertext.count > 16
    else {
      throw SealingError(
        .invalidSealedText,
        "this is no sealed text: it must be the whole line that begins with \(Self.prefix)")
    }
    context = SealingContext(
      environment: fields[1], jobType: fields[2], job: job, output: fields[4])
    keyIdentifier = fields[5]
    self.encapsulatedKey = encapsulatedKey
    self.ciphertext = ciphertext
  }

  /// The text, on one line.
  public var description: String {
    Self.header(context, keyIdentifier) + ":"
      + String(
        decoding: Base64URL.encode(encapsulatedKey) + Array(":".utf8)
          + Base64URL.encode(ciphertext), as: UTF8.self)
  }

  /// Opens what was sealed.
  ///
  /// - Throws: ``SealingError`` with ``SealingError/Code/wrongKey`` or ``SealingError/Code/altered``.
  public func open(with key: SealingPrivateKey) throws(SealingError) -> Secret {
    let identifier = key.publicKey.identifier
    guard identifier == keyIdentifier else {
      throw SealingError(
        .wrongKey,
        "this was sealed to another key: to \(keyIdentifier), and the private key opens "
          + "what is sealed to \(identifier)")
    }
    do {
      var recipient = try HPKE.Recipient(
        privateKey: key.key, ciphersuite: Self.ciphersuite,
        info: Data(Self.header(context, keyIdentifier).utf8),
        encapsulatedKey: Data(encapsulatedKey))
      return Secret(try recipient.open(Data(ciphertext)))
    } catch {
      throw SealingError(
        .altered,
        "this is not what was sealed: the text was cut off or altered, or put together from "
          + "others; read it again from the job")
    }
  }

  private static func header(_ context: SealingContext, _ key: String) -> String {
    prefix + "\(context.environment):\(context.jobType):\(context.job):\(context.output):\(key)"
  }
}

extension String {
  fileprivate var trimmed: Substring {
    var rest = self[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
