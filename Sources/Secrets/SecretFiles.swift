// The system calls behind the directory store, each with its check and its error.

import Glibc

enum SecretFiles {
  /// Told after each system call that changes something, with its name and what it was about: lets a
  /// test look at the directory as a crash at that point would leave it.
  @TaskLocal static var witness: (@Sendable (_ call: String, _ path: String) -> Void)?

  /// What happened to which path, in the operating system's words.
  static func failure(_ what: String, _ path: String) -> SecretStoreError {
    SecretStoreError(.inputOutput, "\(what) \(path): \(String(cString: strerror(errno)))")
  }

  /// The path without symbolic links.
  static func realPath(_ path: String) throws -> String {
    guard let resolved = realpath(path, nil) else { throw failure("cannot use", path) }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Refuses a directory in which others could put a file in place of a secret.
  static func checkDirectory(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure("cannot look at", path) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw SecretStoreError(.inputOutput, "\(path) is not a directory")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw SecretStoreError(
        .wrongOwner, "\(path) belongs to somebody else: chown \(geteuid()) '\(path)'")
    }
    guard status.st_mode & 0o022 == 0 else {
      throw SecretStoreError(
        .unsafePermissions, "\(path) can be changed by others: chmod go-w '\(path)'")
    }
  }

  /// Opens a secret for reading and checks what was opened; `nil` where there is none.
  ///
  /// A link is followed, since Kubernetes mounts secrets as links, but not out of the store.
  static func open(_ path: String, inside directory: String) throws -> Int32? {
    guard let resolved = realpath(path, nil) else {
      if errno == ENOENT { return nil }
      throw failure("cannot use", path)
    }
    defer { free(resolved) }
    let real = String(cString: resolved)
    guard real.hasPrefix(directory + "/") else {
      throw SecretStoreError(
        .outsideStore, "\(path) is a link that leads out of \(directory); put the file itself there"
      )
    }
    // The path has no links any more; one that appears now is not followed.
    let file = Glibc.open(real, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else {
      if errno == ENOENT { return nil }
      throw failure("cannot open", path)
    }
    do {
      try checkFile(file, path)
      return file
    } catch {
      close(file)
      throw error
    }
  }

  /// Refuses a file that others than its owner may read or change.
  static func checkFile(_ file: Int32, _ path: String) throws {
    var status = stat()
    guard fstat(file, &status) == 0 else { throw failure("cannot look at", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw SecretStoreError(.malformed, "\(path) is not a file")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0 else {
      throw SecretStoreError(
        .wrongOwner, "\(path) belongs to somebody else: chown \(geteuid()) '\(path)'")
    }
    guard status.st_mode & 0o077 == 0 else {
      throw SecretStoreError(
        .unsafePermissions, "\(path) can be read or changed by others: chmod 600 '\(path)'")
    }
    guard status.st_size <= DirectorySecretStore.greatestSize else {
      throw SecretStoreError(
        .malformed, "\(path) is larger than \(DirectorySecretStore.greatestSize) bytes")
    }
  }

  /// The content of an open file, without one trailing line break.
  static func readSecret(_ file: Int32, path: String) throws -> Secret {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: DirectorySecretStore.greatestSize + 1, alignment: 1)
    defer {
      if let base = buffer.baseAddress { explicit_bzero(base, buffer.count) }
      buffer.deallocate()
    }
    var count = 0
    while count < buffer.count {
      let read = Glibc.read(file, buffer.baseAddress?.advanced(by: count), buffer.count - count)
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw failure("cannot read", path) }
      if read == 0 { break }
      count += read
    }
    if count > 0, buffer[count - 1] == UInt8(ascii: "\n") { count -= 1 }
    if count > 0, buffer[count - 1] == UInt8(ascii: "\r") { count -= 1 }
    let content = buffer[0..<count]
    guard count > 0, count < buffer.count else {
      throw SecretStoreError(
        .malformed, count == 0 ? "\(path) is empty" : "\(path) is too large for a secret")
    }
    guard !content.contains(where: { $0 == 0 || $0 == 0x0A || $0 == 0x0D }) else {
      throw SecretStoreError(.malformed, "\(path) holds more than one line; a secret is one line")
    }
    return Secret(UnsafeRawBufferPointer(rebasing: content))
  }

  /// Puts a secret in place in one step: readers see the old one or the new one, and what this has written
  /// survives a power failure once it returns.
  static func writeDurably(_ secret: Secret, to path: String) throws {
    let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    var template = Array((folder + "/.new-XXXXXX").utf8CString)
    let file = mkstemp(&template)  // makes it with mode 0600
    guard file >= 0 else { throw failure("cannot write in", folder) }
    witness?("mkstemp", folder)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    let temporary = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    do {
      defer { close(file) }
      try secret.withBytes { try write($0, to: file, path: temporary) }
      witness?("write", temporary)
      guard fsync(file) == 0 else { throw failure("cannot make durable", temporary) }
      witness?("fsync", temporary)
      try rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
    try makeDurable(folder)
  }

  /// Writes all bytes.
  static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32, path: String) throws {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(
        file, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("cannot write", path) }
      written += count
    }
  }

  static func rename(_ path: String, to target: String) throws {
    guard Glibc.rename(path, target) == 0 else { throw failure("cannot replace", target) }
    witness?("rename", target)
  }

  /// Makes the entries of a directory durable.
  static func makeDurable(_ folder: String) throws {
    let file = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard file >= 0 else { throw failure("cannot open", folder) }
    defer { close(file) }
    guard fsync(file) == 0 else { throw failure("cannot make durable", folder) }
    witness?("fsync", folder)
  }

  /// Removes what writes that a crash cut off have left, each with a part of a secret in it.
  ///
  /// Young ones may be on their way still.
  static func removeRemains(in folder: String) {
    for name in (try? allEntries(of: folder)) ?? [] where name.hasPrefix(".new-") {
      var status = stat()
      let path = folder + "/" + name
      if lstat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 600 { unlink(path) }
    }
  }

  /// The names in a directory, those that begin with a dot left out.
  static func entries(of folder: String) throws -> [String] {
    try allEntries(of: folder).filter { !$0.hasPrefix(".") }
  }

  private static func allEntries(of folder: String) throws -> [String] {
    guard let stream = opendir(folder) else { throw failure("cannot list", folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }
}
