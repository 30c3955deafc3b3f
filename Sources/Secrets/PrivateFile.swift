// Secrets in single files outside a store: the private key of somebody who opens sealed texts, and what he
// opened.

import Glibc

/// A file that only its owner may read.
public enum PrivateFile {
  /// Reads a private key.
  ///
  /// - Throws: ``SecretStoreError`` where the file is not there, belongs to somebody else or is open to others;
  ///   ``SealingError`` where it holds no private key.
  public static func readKey(_ path: String) throws -> SealingPrivateKey {
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw SecretFiles.failure("cannot open", path) }
    defer { close(file) }
    try SecretFiles.checkFile(file, path)
    let text = try SecretFiles.readSecret(file, path: path)
    do throws(SealingError) {
      return try SealingPrivateKey(text)
    } catch {
      throw SealingError(error.code, "\(path): \(error.description)")
    }
  }

  /// Makes a file of mode 0600 with a secret and a line break; one that is there is never overwritten.
  ///
  /// - Throws: ``SecretStoreError``.
  public static func create(_ path: String, _ secret: Secret) throws {
    let file = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard file >= 0 else {
      guard errno == EEXIST else { throw SecretFiles.failure("cannot make", path) }
      throw SecretStoreError(
        .inputOutput, "\(path) exists already, and is not overwritten: name another file")
    }
    do {
      defer { close(file) }
      // The creation mask of the process can only take away.
      guard fchmod(file, 0o600) == 0 else { throw SecretFiles.failure("cannot close", path) }
      try secret.withBytes { try SecretFiles.write($0, to: file, path: path) }
      try [UInt8(ascii: "\n")].withUnsafeBytes { try SecretFiles.write($0, to: file, path: path) }
      guard fsync(file) == 0 else { throw SecretFiles.failure("cannot make durable", path) }
    } catch {
      unlink(path)
      throw error
    }
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    try SecretFiles.makeDurable(folder)
  }
}
