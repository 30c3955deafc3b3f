// The directory store, stopped after each system call of everything that a rotation does to it: what
// is left must let the rotation go on, and must never have lost a key.

import Foundation
import Synchronization
import Testing

@testable import Secrets

@Suite struct `A crash in the middle of a change` {
  private static let old = "sk_aaaaaaaaaaaa_" + String(repeating: "a", count: 64)
  private static let new = "sk_bbbbbbbbbbbb_" + String(repeating: "b", count: 64)

  /// What the directory held after one system call.
  private struct Point {
    var call: String
    var copy: String
  }

  /// A directory with a copy of itself for each system call that changed it.
  private final class Watched: Sendable {
    let root: String
    private let points = Mutex<[Point]>([])

    init() throws {
      root =
        FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        .appending(path: "writ-crash-" + UUID().uuidString).path
      try Self.make(root)
      try Self.make(root + "/now")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    private static func make(_ path: String) throws {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    func store() throws -> DirectorySecretStore {
      try DirectorySecretStore(directory: root + "/now")
    }

    /// Does something and gives what a crash after each of its system calls would leave.
    func points(of body: (DirectorySecretStore) throws -> Void) throws -> [Point] {
      let store = try store()
      try SecretFiles.$witness.withValue({ call, path in
        self.points.withLock { points in
          let copy = self.root + "/\(points.count)"
          try? FileManager.default.copyItem(atPath: self.root + "/now", toPath: copy)
          points.append(Point(call: call + " " + Self.kind(of: path), copy: copy))
        }
      }) { try body(store) }
      return points.withLock { $0 }
    }

    private static func kind(of path: String) -> String {
      let name = (path as NSString).lastPathComponent
      return name.hasPrefix(".new-") ? "temporary" : name
    }
  }

  private func text(_ store: DirectorySecretStore, _ role: SecretName.KeyRole) throws -> String? {
    try store.read(SecretName(keyOf: "create_user", environment: "p", role: role))?
      .withBytes { String(decoding: $0, as: UTF8.self) }
  }

  private func pending() throws -> SecretName {
    try SecretName(keyOf: "create_user", environment: "p", role: .pending)
  }

  @Test func `a new secret is there as a whole or not at all, and is durable before it is seen`()
    throws
  {
    let watched = try Watched()
    let points = try watched.points { try $0.write(pending(), Secret(Self.new)) }
    #expect(
      points.map(\.call) == [
        "mkdir p", "fsync now", "mkstemp p", "write temporary", "fsync temporary",
        "rename create_user.pending.key", "fsync p",
      ])
    for (number, point) in points.enumerated() {
      let store = try DirectorySecretStore(directory: point.copy)
      #expect(try text(store, .pending) == (number < 5 ? nil : Self.new), "\(point.call)")
      // The repetition after the crash.
      try store.write(pending(), Secret(Self.new))
      #expect(try text(store, .pending) == Self.new)
      #expect(try store.names() == [pending()])
    }
  }

  @Test func `a promotion leaves both keys, whatever it was stopped after`() throws {
    let watched = try Watched()
    let before = try watched.store()
    try before.write(SecretName("p/create_user.key"), Secret(Self.old))
    try before.write(pending(), Secret(Self.new))
    let points = try watched.points {
      try $0.promoteKey(environment: "p", jobType: "create_user", prefix: "sk_bbbbbbbbbbbb")
    }
    #expect(
      points.map(\.call) == [
        "mkstemp p", "write temporary", "fsync temporary", "rename create_user.previous.key",
        "fsync p", "rename create_user.key", "fsync p",
      ])
    for point in points {
      let store = try DirectorySecretStore(directory: point.copy)
      let held = try SecretName.KeyRole.allCases.compactMap { try text(store, $0) }
      #expect(Set(held) == [Self.old, Self.new], "\(point.call)")
      #expect(try text(store, .current) != nil, "\(point.call)")
      for _ in 1...2 {
        try store.promoteKey(environment: "p", jobType: "create_user", prefix: "sk_bbbbbbbbbbbb")
        #expect(try text(store, .current) == Self.new)
        #expect(try text(store, .previous) == Self.old)
        #expect(try text(store, .pending) == nil)
      }
    }
  }

  @Test func `forgetting a key touches no other one`() throws {
    let watched = try Watched()
    let before = try watched.store()
    try before.write(SecretName("p/create_user.key"), Secret(Self.new))
    try before.write(SecretName("p/create_user.previous.key"), Secret(Self.old))
    let points = try watched.points { try $0.delete(SecretName("p/create_user.previous.key")) }
    #expect(points.map(\.call) == ["unlink create_user.previous.key", "fsync p"])
    for point in points {
      let store = try DirectorySecretStore(directory: point.copy)
      try store.delete(SecretName("p/create_user.previous.key"))
      #expect(try store.names() == [SecretName("p/create_user.key")])
    }
  }

  @Test func `what a write that was cut off has left is removed when it is old`() throws {
    let watched = try Watched()
    let points = try watched.points { try $0.write(pending(), Secret(Self.new)) }
    let cut = try #require(points.first { $0.call == "write temporary" })
    let folder = cut.copy + "/p"
    let remains = try #require(
      try FileManager.default.contentsOfDirectory(atPath: folder).first)
    let store = try DirectorySecretStore(directory: cut.copy)
    try store.write(pending(), Secret(Self.new))
    #expect(FileManager.default.fileExists(atPath: folder + "/" + remains), "it is young")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -3_600)], ofItemAtPath: folder + "/" + remains)
    try store.write(pending(), Secret(Self.new))
    #expect(!FileManager.default.fileExists(atPath: folder + "/" + remains))
  }
}
