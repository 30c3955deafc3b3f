// Secrets in single files outside a store: the private key of somebody who opens sealed texts, and what he
// opened.

import Glibc

/// Why a file that somebody named cannot be read or made; never holds a secret.
///
/// Unlike a ``SecretStoreError`` it is no fault of the installation, but of what was asked for.
public struct PrivateFileError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The kinds of failure.
  public enum Code: String, Sendable, Hashable, CaseIterable {
    /// The file is not one that is taken: not there, there already, open to others, of somebody else,
    /// or no single line.
    case unsuitable
    /// It could be made, but not written whole; what was written is removed.
    case notWritten
  }

  /// The kind.
  public let code: Code
  /// What happened, to which file, and what to do about it.
  public let description: String

  init(_ code: Code, _ error: SecretStoreError) {
    self.code = code
    description = error.description
  }
}

/// A file that only its owner may read.
public enum PrivateFile {
  /// Reads a private key.
  ///
  /// - Throws: ``PrivateFileError`` where the file is not there, belongs to somebody else or is open to others;
  ///   ``SealingError`` where it holds no private key.
  public static func readKey(_ path: String) throws -> SealingPrivateKey {
    let text = try named(.unsuitable) {
      let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
      guard file >= 0 else { throw SecretFiles.failure("cannot open", path) }
      defer { close(file) }
      try SecretFiles.checkFile(file, path)
      return try SecretFiles.readSecret(file, path: path)
    }
    do throws(SealingError) {
      return try SealingPrivateKey(text)
    } catch {
      throw SealingError(error.code, "\(path): \(error.description)")
    }
  }

  /// Makes a file of mode 0600 with a secret and a line break; one that is there is never overwritten.
  ///
  /// - Throws: ``PrivateFileError``.
  public static func create(_ path: String, _ secret: Secret) throws {
    let file = try named(.unsuitable) {
      let file = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard file >= 0 else {
        guard errno == EEXIST else { throw SecretFiles.failure("cannot make", path) }
        throw SecretStoreError(
          .inputOutput, "\(path) exists already, and is not overwritten: name another file")
      }
      return file
    }
    do {
      defer { close(file) }
      try named(.notWritten) {
        // The creation mask of the process can only take away.
        guard fchmod(file, 0o600) == 0 else { throw SecretFiles.failure("cannot close", path) }
        try secret.withBytes { try SecretFiles.write($0, to: file, path: path) }
        try [UInt8(ascii: "\n")].withUnsafeBytes {
          try SecretFiles.write($0, to: file, path: path)
        }
        guard fsync(file) == 0 else { throw SecretFiles.failure("cannot make durable", path) }
      }
    } catch {
      unlink(path)
      throw error
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    try named(.notWritten) { try SecretFiles.makeDurable(folder) }
  }

  /// What goes wrong with a file that a person named is told as such.
  private static func named<Value>(
    _ code: PrivateFileError.Code, _ body: () throws -> Value
  ) throws -> Value {
    do {
      return try body()
    } catch let error as SecretStoreError {
      throw PrivateFileError(code, error)
    }
  }
}
