// Why something cannot be sealed or opened.

/// Why something cannot be sealed or opened; never holds a secret.
public struct SealingError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// The text is no public key, or one to which nothing can be sealed.
    case invalidPublicKey
    /// The text is no private key.
    case invalidPrivateKey
    /// The text is no sealed text.
    case invalidSealedText
    /// It was sealed to another key.
    case wrongKey
    /// It was sealed for another job.
    case wrongJob
    /// It is not what was sealed.
    case altered
    /// The cryptographic library refused.
    case notSealed
  }

  /// The kind.
  public let code: Code
  /// What happened, and what to do about it.
  public let description: String

  /// An error.
  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
