// Where secrets are kept: what every store does.

/// Why a store cannot do what was asked; never holds a secret.
public struct SecretStoreError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// The name is not one that a store takes.
    case invalidName
    /// Others than the owner could read or change the secret.
    case unsafePermissions
    /// The file belongs to somebody else.
    case wrongOwner
    /// The path leads out of the store.
    case outsideStore
    /// The store cannot be written to.
    case readOnly
    /// The operating system refused.
    case inputOutput
    /// The secret is empty, too long, or spreads over several lines.
    case malformed
    /// There is nothing to promote.
    case missing
  }

  /// The kind.
  public let code: Code
  /// What happened, to which file, and what to do about it.
  public let description: String

  /// An error.
  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}

/// A place that keeps secrets under names.
///
/// Methods may block on the disk for a moment; they are safe to call from any thread.
public protocol SecretStore: Sendable {
  /// The secret of a name, as it is now; `nil` where there is none.
  ///
  /// - Throws: ``SecretStoreError``.
  func read(_ name: SecretName) throws -> Secret?

  /// Keeps a secret; when this returns, it survives a power failure. Replaces what was there.
  ///
  /// - Throws: ``SecretStoreError``.
  func write(_ name: SecretName, _ secret: Secret) throws

  /// Makes the pending key of a type its current one, and the current one its previous one.
  ///
  /// May be called again after a crash at any point: with no pending key it changes nothing.
  /// - Parameter prefix: The public part of the key that is to be in use afterwards; `nil` for any.
  /// - Throws: ``SecretStoreError``; ``SecretStoreError/Code/missing`` where there is neither a
  ///   pending nor a current key, or none with the prefix.
  func promoteKey(environment: String, jobType: String, prefix: String?) throws

  /// Forgets a secret; one that is not there is forgotten already.
  ///
  /// - Throws: ``SecretStoreError``.
  func delete(_ name: SecretName) throws

  /// The names of all secrets, sorted.
  ///
  /// - Throws: ``SecretStoreError``.
  func names() throws -> [SecretName]

  /// The job types for which there is a current key in an environment, sorted.
  ///
  /// - Throws: ``SecretStoreError``.
  func keyedTypes(environment: String) throws -> [String]

  /// The fingerprint of a secret as it is now; `nil` where there is no secret, or one too short to have
  /// a fingerprint. Cheap enough to ask before every request.
  ///
  /// - Throws: ``SecretStoreError``.
  func fingerprint(_ name: SecretName) throws -> String?
}

extension SecretStore {
  /// Reads the secret and takes its fingerprint.
  public func fingerprint(_ name: SecretName) throws -> String? { try read(name)?.fingerprint }

  /// Makes whatever key is pending the current one.
  public func promoteKey(environment: String, jobType: String) throws {
    try promoteKey(environment: environment, jobType: jobType, prefix: nil)
  }

  /// Takes them from the names.
  public func keyedTypes(environment: String) throws -> [String] {
    try names().compactMap { name in
      guard name.environment == environment, let key = name.key, key.role == .current else {
        return nil
      }
      return key.jobType
    }
  }
}

/// The name of a secret: an environment and a file name below it.
///
/// `production/create_user.key` is the key of a job type, `….pending.key` a new one that is not in use
/// yet, `….previous.key` the one before; `production/management.email` and
/// `production/management.password` open a session for the management routes. The secrets for another
/// API are called `production/<job type>.<target>.<word>`, or `production/targets.<target>.<word>` where
/// all types share them.
public struct SecretName: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The environment.
  public let environment: String
  /// What follows the slash.
  public let entry: String

  /// Which of the keys of a job type.
  public enum KeyRole: String, Sendable, Hashable, CaseIterable {
    /// The one in use.
    case current = "key"
    /// A new one that has not been proved yet.
    case pending = "pending.key"
    /// The one before, until it is proved dead.
    case previous = "previous.key"
  }

  /// A name from its text, for example `production/create_user.key`.
  ///
  /// Both parts begin with a letter or digit and go on with letters, digits, `_`, `-` and, in the
  /// second part, single dots; at most 100 and 200 characters. So no name leads out of the store.
  /// - Throws: ``SecretStoreError`` with ``SecretStoreError/Code/invalidName``; it does not repeat
  ///   the text, which may be a secret put in the wrong place.
  public init(_ text: String) throws(SecretStoreError) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, Self.isWord(parts[0]), Self.isEntry(parts[1]) else {
      throw SecretStoreError(
        .invalidName,
        "the name of a secret must read <environment>/<name>, of letters, digits, '_', '-' and single dots"
      )
    }
    environment = String(parts[0])
    entry = String(parts[1])
  }

  /// The name of a key of a job type.
  ///
  /// - Throws: as ``init(_:)``.
  public init(
    keyOf jobType: String, environment: String, role: KeyRole = .current
  ) throws(SecretStoreError) {
    try self.init("\(environment)/\(jobType).\(role.rawValue)")
  }

  /// The job type and which of its keys this names; `nil` for any other secret.
  public var key: (jobType: String, role: KeyRole)? {
    let parts = entry.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, let role = KeyRole(rawValue: String(parts[1])) else { return nil }
    return (String(parts[0]), role)
  }

  /// The name as text.
  public var description: String { "\(environment)/\(entry)" }

  /// Names in the order of their text.
  public static func < (left: Self, right: Self) -> Bool { left.description < right.description }

  private static func isWord(_ text: Substring) -> Bool {
    guard (1...100).contains(text.utf8.count), let first = text.utf8.first else { return false }
    return isAlphanumeric(first)
      && text.utf8.allSatisfy {
        isAlphanumeric($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
      }
  }

  private static func isEntry(_ text: Substring) -> Bool {
    text.utf8.count <= 200
      && text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isWord)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
  }
}
