// The directory store against a real directory.

import Foundation
import Glibc
import Secrets
import Testing

/// A directory of a test's own, removed when the test is over.
private final class Scratch {
  let path: String

  init() throws {
    path =
      FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
      .appending(path: "writ-secrets-" + UUID().uuidString).path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func put(_ name: String, _ text: String, mode: mode_t = 0o600) throws {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true,
      attributes: [.posixPermissions: 0o700])
    try Data(text.utf8).write(to: URL(filePath: file))
    chmod(file, mode)
  }

  func mode(_ name: String) -> mode_t {
    var status = stat()
    stat(path + "/" + name, &status)
    return status.st_mode & 0o777
  }
}

@Suite struct `A directory of secrets` {
  private let scratch: Scratch
  private let store: DirectorySecretStore
  private let name: SecretName

  init() throws {
    scratch = try Scratch()
    store = try DirectorySecretStore(directory: scratch.path)
    name = try SecretName("production/create_user.key")
  }

  @Test func `gives back what was written, in a file that only its owner may read`() throws {
    try store.write(name, Secret("first"))
    #expect(try store.read(name) == Secret("first"))
    #expect(scratch.mode("production/create_user.key") == 0o600)
    #expect(scratch.mode("production") == 0o700)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/production").count == 1)
  }

  @Test func `has nothing under a name that was never written`() throws {
    #expect(try store.read(name) == nil)
    #expect(try store.fingerprint(name) == nil)
    try store.delete(name)
  }

  @Test func `reads a file again when it has changed`() throws {
    try scratch.put("production/create_user.key", "one\n")
    #expect(try store.read(name) == Secret("one"))
    try scratch.put("production/create_user.key", "two\n")
    #expect(try store.read(name) == Secret("two"))
    try store.write(name, Secret("three"))
    #expect(try store.read(name) == Secret("three"))
    try store.delete(name)
    #expect(try store.read(name) == nil)
  }

  @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o601] as [mode_t])
  func `refuses a file that others may use`(mode: mode_t) throws {
    try scratch.put("production/create_user.key", "one", mode: mode)
    let error = #expect(throws: SecretStoreError.self) { try store.read(name) }
    let file = scratch.path + "/production/create_user.key"
    #expect(error?.code == .unsafePermissions)
    #expect(
      error?.description == "\(file) can be read or changed by others: chmod 600 '\(file)'")
  }

  @Test func `refuses a file that became readable after it was read`() throws {
    try scratch.put("production/create_user.key", "one")
    #expect(try store.read(name) == Secret("one"))
    chmod(scratch.path + "/production/create_user.key", 0o644)
    #expect(throws: SecretStoreError.self) { try store.read(name) }
  }

  @Test(arguments: ["", "production"])
  func `refuses a directory that others may change`(folder: String) throws {
    try scratch.put("production/create_user.key", "one")
    let path = folder.isEmpty ? scratch.path : scratch.path + "/" + folder
    chmod(path, 0o770)
    let error = #expect(throws: SecretStoreError.self) {
      try DirectorySecretStore(directory: scratch.path).read(name)
    }
    #expect(error?.code == .unsafePermissions)
    #expect(error?.description == "\(path) can be changed by others: chmod go-w '\(path)'")
  }

  @Test(.enabled(if: geteuid() == 0)) func `refuses a file of another owner`() throws {
    try scratch.put("production/create_user.key", "one")
    chown(scratch.path + "/production/create_user.key", 65534, 65534)
    let error = #expect(throws: SecretStoreError.self) { try store.read(name) }
    #expect(error?.code == .wrongOwner)
  }

  @Test func `follows a link inside, and none that leads out`() throws {
    try scratch.put("production/real.key", "one")
    let link = scratch.path + "/production/create_user.key"
    symlink("real.key", link)
    #expect(try store.read(name) == Secret("one"))
    let outside = try Scratch()
    try outside.put("stolen", "two")
    unlink(link)
    symlink(outside.path + "/stolen", link)
    let error = #expect(throws: SecretStoreError.self) { try store.read(name) }
    #expect(error?.code == .outsideStore)
    #expect(
      error?.description
        == "\(link) is a link that leads out of \(scratch.path); put the file itself there")
  }

  @Test func `refuses an environment that leads out`() throws {
    let outside = try Scratch()
    try outside.put("create_user.key", "two")
    symlink(outside.path, scratch.path + "/production")
    let error = #expect(throws: SecretStoreError.self) { try store.read(name) }
    #expect(error?.code == .outsideStore)
    #expect(throws: SecretStoreError.self) { try store.write(name, Secret("x")) }
  }

  @Test(arguments: ["", "\n", "a\nb", "a\0b"])
  func `refuses a file that is no single line`(text: String) throws {
    try scratch.put("production/create_user.key", text)
    let error = #expect(throws: SecretStoreError.self) { try store.read(name) }
    #expect(error?.code == .malformed)
  }

  @Test func `lists the types of one environment, whatever lies beside it`() throws {
    for file in ["b.key", "a.key", "a.pending.key", "management.password", "not a name.key"] {
      try scratch.put("production/\(file)", "one")
    }
    try scratch.put("sandbox/c.key", "one")
    try scratch.put("stray", "one")
    // For root no mode matters: then this is only the listing.
    chmod(scratch.path + "/sandbox", 0)
    defer { chmod(scratch.path + "/sandbox", 0o700) }
    #expect(try store.keyedTypes(environment: "production") == ["a", "b"])
    #expect(try store.keyedTypes(environment: "none") == [])
    #expect(try store.keyedTypes(environment: "stray") == [])
    if geteuid() != 0 {
      #expect(throws: SecretStoreError.self) { try store.keyedTypes(environment: "sandbox") }
    }
  }

  @Test func `lists the names that it holds`() throws {
    try scratch.put("production/b.key", "one")
    try scratch.put("production/a.key", "one")
    try scratch.put("production/not a name", "one")
    try scratch.put("stray", "one")
    #expect(try store.names().map(\.description) == ["production/a.key", "production/b.key"])
  }
}

@Suite struct `Promoting a key` {
  private let scratch: Scratch
  private let store: DirectorySecretStore

  init() throws {
    scratch = try Scratch()
    store = try DirectorySecretStore(directory: scratch.path)
  }

  private func key(_ role: SecretName.KeyRole) throws -> Secret? {
    try store.read(SecretName(keyOf: "create_user", environment: "p", role: role))
  }

  private func promote() throws {
    try store.promoteKey(environment: "p", jobType: "create_user")
  }

  @Test func `moves pending to current and current to previous, however often it is done`() throws {
    try scratch.put("p/create_user.key", "old")
    try scratch.put("p/create_user.pending.key", "new")
    for _ in 1...3 {
      try promote()
      #expect(try key(.current) == Secret("new"))
      #expect(try key(.previous) == Secret("old"))
      #expect(try key(.pending) == nil)
    }
  }

  @Test func `ends the same way after a crash between its two steps`() throws {
    try scratch.put("p/create_user.key", "old")
    try scratch.put("p/create_user.previous.key", "old")
    try scratch.put("p/create_user.pending.key", "new")
    try promote()
    #expect(try key(.current) == Secret("new"))
    #expect(try key(.previous) == Secret("old"))
    #expect(try key(.pending) == nil)
  }

  @Test func `puts a first key in place`() throws {
    try scratch.put("p/create_user.pending.key", "new")
    try promote()
    #expect(try key(.current) == Secret("new"))
    #expect(try key(.previous) == nil)
  }

  @Test func `says what is missing where there is no key at all`() {
    let error = #expect(throws: SecretStoreError.self) { try promote() }
    #expect(
      error?.description
        == "neither p/create_user.pending.key nor p/create_user.key in \(scratch.path) is the key to promote"
    )
  }

  @Test func `promotes only the key that is meant`() throws {
    let old = "sk_aaaaaaaaaaaa_" + String(repeating: "a", count: 64)
    let new = "sk_bbbbbbbbbbbb_" + String(repeating: "b", count: 64)
    try scratch.put("p/create_user.key", old)
    try scratch.put("p/create_user.pending.key", new)
    let error = #expect(throws: SecretStoreError.self) {
      try store.promoteKey(environment: "p", jobType: "create_user", prefix: "sk_cccccccccccc")
    }
    #expect(error?.code == .missing)
    #expect(try key(.current) == Secret(old))
    #expect(try key(.pending) == Secret(new))
    for _ in 1...2 {
      try store.promoteKey(environment: "p", jobType: "create_user", prefix: "sk_bbbbbbbbbbbb")
      #expect(try key(.current) == Secret(new))
      #expect(try key(.previous) == Secret(old))
    }
  }
}
