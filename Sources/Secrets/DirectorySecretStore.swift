// Secrets in a directory: one file each, `<directory>/<environment>/<entry>`. The layout that systemd
// credentials, Docker and Kubernetes secrets can be mounted in. Modes, owners and links are checked at each
// read, since they can change at any time.

import Glibc
import Synchronization

/// A secret store in a directory of files.
///
/// A secret is the file's content without one trailing line break. Refused, with the command that mends it:
/// files that group or others may read or change, directories that they may change, files of another
/// owner, links that lead out of the directory. A file is read again whenever it has changed.
public final class DirectorySecretStore: SecretStore {
  /// The largest file that is read, in bytes.
  public static let greatestSize = 64 * 1024

  private struct Version: Hashable {
    var device: UInt
    var inode: UInt
    var size: Int
    var seconds: Int
    var nanoseconds: Int
    var changeSeconds: Int
    var changeNanoseconds: Int
  }

  private struct Cached {
    var version: Version
    var secret: Secret
  }

  /// The directory, without symbolic links.
  public let directory: String
  private let cache = Mutex<[SecretName: Cached]>([:])

  /// A store in a directory that exists.
  ///
  /// - Throws: ``SecretStoreError`` where it does not, or where others may change it.
  public init(directory: String) throws {
    self.directory = try SecretFiles.realPath(directory)
    try SecretFiles.checkDirectory(self.directory)
  }

  /// The secret of a name, as the file has it now.
  public func read(_ name: SecretName) throws -> Secret? {
    guard let path = try path(of: name) else { return forget(name) }
    guard let file = try SecretFiles.open(path, inside: directory) else { return forget(name) }
    defer { close(file) }
    let version = try Self.version(of: file, path: path)
    if let cached = cache.withLock({ $0[name] }), cached.version == version {
      return cached.secret
    }
    let secret = try SecretFiles.readSecret(file, path: path)
    cache.withLock { $0[name] = Cached(version: version, secret: secret) }
    return secret
  }

  /// Writes a temporary file of mode 0600, makes it durable, and puts it in the place of the old one.
  public func write(_ name: SecretName, _ secret: Secret) throws {
    let folder = try makeFolder(name.environment)
    SecretFiles.removeRemains(in: folder)
    try SecretFiles.writeDurably(secret, to: folder + "/" + name.entry)
  }

  /// Puts the pending key in the current one's place, after keeping a copy of that as the previous one.
  ///
  /// A crash in between leaves the pending key where it is, and the repetition ends the same way.
  public func promoteKey(environment: String, jobType: String, prefix: String?) throws {
    let current = try SecretName(keyOf: jobType, environment: environment)
    let pending = try SecretName(keyOf: jobType, environment: environment, role: .pending)
    let previous = try SecretName(keyOf: jobType, environment: environment, role: .previous)
    let isWanted = { (key: Secret) in prefix == nil || key.keyPrefix == prefix }
    guard let new = try read(pending), isWanted(new) else {
      guard let key = try read(current), isWanted(key) else {
        throw SecretStoreError(
          .missing, "neither \(pending) nor \(current) in \(directory) is the key to promote")
      }
      return
    }
    if let old = try read(current), old != new { try write(previous, old) }
    let folder = directory + "/" + environment
    try SecretFiles.rename(folder + "/" + pending.entry, to: folder + "/" + current.entry)
    try SecretFiles.makeDurable(folder)
  }

  /// Removes the file.
  public func delete(_ name: SecretName) throws {
    guard let path = try path(of: name) else { return }
    guard unlink(path) == 0 || errno == ENOENT else {
      throw SecretFiles.failure("cannot remove", path)
    }
    SecretFiles.witness?("unlink", path)
    _ = forget(name)
    try SecretFiles.makeDurable(directory + "/" + name.environment)
  }

  /// The names of all files that a name can have; others are passed over.
  public func names() throws -> [SecretName] {
    try SecretFiles.entries(of: directory).flatMap { environment -> [SecretName] in
      var status = stat()
      guard stat(directory + "/" + environment, &status) == 0, status.st_mode & S_IFMT == S_IFDIR
      else { return [] }
      return try SecretFiles.entries(of: directory + "/" + environment).compactMap {
        try? SecretName(environment + "/" + $0)
      }
    }.sorted()
  }

  /// Lists the directory of that environment alone, so that no other one stands in the way.
  public func keyedTypes(environment: String) throws -> [String] {
    let folder = directory + "/" + environment
    var status = stat()
    guard stat(folder, &status) == 0 else {
      guard errno == ENOENT else { throw SecretFiles.failure("cannot look at", folder) }
      return []
    }
    guard status.st_mode & S_IFMT == S_IFDIR else { return [] }
    return try SecretFiles.entries(of: folder).compactMap { entry in
      guard let key = (try? SecretName(environment + "/" + entry))?.key, key.role == .current
      else { return nil }
      return key.jobType
    }.sorted()
  }

  private func forget(_ name: SecretName) -> Secret? {
    cache.withLock { $0[name] = nil }
    return nil
  }

  /// The path of a secret; `nil` where its environment has no directory.
  private func path(of name: SecretName) throws -> String? {
    let folder = directory + "/" + name.environment
    var status = stat()
    guard lstat(folder, &status) == 0 else {
      guard errno == ENOENT else { throw SecretFiles.failure("cannot look at", folder) }
      return nil
    }
    let real = try SecretFiles.realPath(folder)
    guard real == folder || real.hasPrefix(directory + "/") else {
      throw SecretStoreError(
        .outsideStore, "\(folder) is a link that leads out of \(directory); put a directory there")
    }
    try SecretFiles.checkDirectory(real)
    return folder + "/" + name.entry
  }

  private func makeFolder(_ environment: String) throws -> String {
    let folder = directory + "/" + environment
    if mkdir(folder, 0o700) == 0 {
      SecretFiles.witness?("mkdir", folder)
      try SecretFiles.makeDurable(directory)
    } else if errno != EEXIST {
      throw SecretFiles.failure("cannot make", folder)
    }
    _ = try path(of: SecretName(environment + "/x"))
    return folder
  }

  private static func version(of file: Int32, path: String) throws -> Version {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw SecretFiles.failure("cannot look at", path) }
    return Version(
      device: UInt(status.st_dev), inode: UInt(status.st_ino), size: Int(status.st_size),
      seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
      changeSeconds: status.st_ctim.tv_sec, changeNanoseconds: status.st_ctim.tv_nsec)
  }
}
