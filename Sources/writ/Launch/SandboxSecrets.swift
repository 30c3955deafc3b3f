// The secrets of a sandbox: keys that the emulator accepts, each with the least privilege of its type.

import Arazzo
import AuthOSEmulator
import Foundation
import Secrets

/// A secret store whose content an emulator is seeded with.
struct SandboxSecrets: Sendable {
  let store: DirectorySecretStore
  let environment: String

  /// Opens the store of a directory, which is made if it is missing.
  init(directory: String, environment: String) throws {
    let isNew = mkdir(directory, 0o700) == 0
    guard isNew || errno == EEXIST else {
      throw CommandError(
        .failure, "\(directory) cannot be created: \(String(cString: strerror(errno)))")
    }
    store = try DirectorySecretStore(directory: directory)
    self.environment = environment
  }

  /// Makes what is missing: a key for each type that calls AuthOS with one, a signing secret for each
  /// target whose requests are signed, and an account for the management routes.
  func prepare(_ catalogue: Catalogue) throws {
    for type in catalogue.jobTypes where type.needsKeyOfAuthOS {
      let name = try SecretName(keyOf: type.name, environment: environment)
      if try store.read(name) == nil {
        try store.write(
          name, Secret("sk_\(Self.randomText(bytes: 6))_\(Self.randomText(bytes: 32))"))
      }
    }
    for target in Set(catalogue.jobTypes.flatMap(\.targets)) where target.signature != .none {
      let name = try SecretName("\(environment)/targets.\(target.source).signing")
      if try store.read(name) == nil {
        try store.write(name, Secret("whsec_" + Self.randomData(bytes: 32).base64EncodedString()))
      }
    }
    let email = try SecretName("\(environment)/management.email")
    let password = try SecretName("\(environment)/management.password")
    if try store.read(email) == nil { try store.write(email, Secret("writ@acme.test")) }
    if try store.read(password) == nil {
      try store.write(password, Secret(Self.randomText(bytes: 24)))
    }
  }

  /// Takes a secret of a target out of a file; one line end at its end is no part of it.
  ///
  /// - Parameter name: `TARGET.WORD`.
  func take(_ name: String, from file: String) throws {
    guard var bytes = FileManager.default.contents(atPath: file) else {
      throw CommandError(.badData, "\(file.printable) cannot be read; is it there?")
    }
    while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") {
      bytes.removeLast()
    }
    try store.write(
      SecretName("\(environment)/targets.\(name)"), Secret(String(decoding: bytes, as: UTF8.self)))
  }

  /// Makes up what requests to these targets authenticate with, where there is nothing.
  func makeUp(_ targets: [TargetUse]) throws {
    for target in targets {
      let words =
        target.schemes.flatMap(\.secretWords) + (target.hasSession ? ["email", "password"] : [])
      for word in Set(words) {
        let name = try SecretName("\(environment)/targets.\(target.source).\(word)")
        if try store.read(name) == nil { try store.write(name, Secret(Self.randomText(bytes: 24))) }
      }
    }
  }

  /// The keys in use as an emulator's seed.
  func apiKeys(_ catalogue: Catalogue) throws -> [SeedAPIKey] {
    try catalogue.jobTypes.compactMap { type in
      guard type.needsKeyOfAuthOS,
        let key = try text(SecretName(keyOf: type.name, environment: environment))
      else {
        return nil
      }
      return SeedAPIKey(name: "writ \(type.name)", permissions: type.leastPrivilege, key: key)
    }
  }

  /// The account of the management routes as an emulator's seed.
  func account() throws -> SeedAccount {
    SeedAccount(
      email: try text(SecretName("\(environment)/management.email")) ?? "",
      password: try text(SecretName("\(environment)/management.password")) ?? "", role: .owner)
  }

  /// The public part of the key that is in use for a type.
  func prefix(ofKeyFor type: String) throws -> String? {
    try store.read(SecretName(keyOf: type, environment: environment))?.keyPrefix
  }

  /// Random bytes in hexadecimal, from the system's generator.
  static func randomText(bytes count: Int) -> String {
    let digits = Array("0123456789abcdef")
    return String((0..<count * 2).map { _ in digits[Int.random(in: 0..<16)] })
  }

  private static func randomData(bytes count: Int) -> Data {
    Data((0..<count).map { _ in UInt8.random(in: .min ... .max) })
  }

  private func text(_ name: SecretName) throws -> String? {
    try store.read(name)?.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}
