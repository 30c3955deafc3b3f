// Sealing: what one key seals, the other opens, and nothing else does.

import Crypto
import Foundation
import Glibc
import Testing

@testable import Secrets

private let context = SealingContext(
  environment: "production", jobType: "request_provider_token", job: 41872,
  output: "request.access_token")

private func text(_ secret: Secret) -> String {
  secret.withBytes { String(decoding: $0, as: UTF8.self) }
}

private func code(_ body: () throws -> Void) -> SealingError.Code? {
  do {
    try body()
    return nil
  } catch {
    return (error as? SealingError)?.code
  }
}

@Suite struct `A sealed text` {
  private let key = SealingPrivateKey()

  private func seal(_ secret: String = "gho_token") throws -> SealedText {
    try SealedText(sealing: Secret(secret), to: key.publicKey, as: context)
  }

  @Test func `opens with the private key, and says for which job it was made`() throws {
    let sealed = try SealedText("\n \(try seal()) \n")
    #expect(text(try sealed.open(with: key)) == "gho_token")
    #expect(sealed.context == context)
    #expect(
      sealed.description.hasPrefix(
        "writ-sealed-v1:production:request_provider_token:41872:request.access_token:"))
    #expect(!sealed.description.contains("gho_token"))
  }

  @Test func `is another one each time`() throws {
    #expect(try seal() != seal())
  }

  @Test func `opens after reading the keys from their texts`() throws {
    let publicKey = try SealingPublicKey(key.publicKey.description)
    let sealed = try SealedText(sealing: Secret("x"), to: publicKey, as: context)
    #expect(text(try sealed.open(with: SealingPrivateKey(key.text))) == "x")
  }

  @Test func `does not open with another key, and says so`() throws {
    let other = SealingPrivateKey()
    let sealed = try seal()
    #expect(code { _ = try sealed.open(with: other) } == .wrongKey)
  }

  @Test(arguments: [
    ("production", "staging"), ("request_provider_token", "create_api_key"), ("41872", "41873"),
    ("request.access_token", "request.refresh_token"),
  ])
  func `cannot be passed off as another job's`(_ change: (String, String)) throws {
    let forged = try seal().description.replacing(change.0, with: change.1)
    let sealed = try SealedText(forged)
    #expect(code { _ = try sealed.open(with: key) } == .altered)
  }

  @Test func `is found altered, whichever character was changed`() throws {
    let whole = Array(try seal().description.utf8)
    for index in whole.indices {
      var bytes = whole
      bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      let found = code {
        _ = try SealedText(String(decoding: bytes, as: UTF8.self)).open(with: key)
      }
      #expect(found != nil, "position \(index)")
    }
  }

  @Test func `is refused when it is cut off or no sealed text`() throws {
    let whole = try seal().description
    for length in stride(from: 0, to: whole.count, by: 7) {
      #expect(code { _ = try SealedText(String(whole.prefix(length))).open(with: key) } != nil)
    }
    #expect(code { _ = try SealedText("gho_token") } == .invalidSealedText)
    #expect(code { _ = try SealedText(key.publicKey.description) } == .invalidSealedText)
  }
}

@Suite struct `A key for sealing` {
  @Test func `has a text that is refused when one character is wrong`() {
    let whole = SealingPrivateKey().publicKey.description
    #expect(whole.count == 63)
    for index in whole.indices {
      var other = whole
      other.replaceSubrange(index...index, with: whole[index] == "A" ? "B" : "A")
      #expect(code { _ = try SealingPublicKey(other) } == .invalidPublicKey)
    }
  }

  @Test func `is refused where the other one is meant`() {
    let key = SealingPrivateKey()
    let privateText = text(key.text)
    #expect(code { _ = try SealingPublicKey(privateText) } == .invalidPublicKey)
    #expect(
      code { _ = try SealingPrivateKey(Secret(key.publicKey.description)) } == .invalidPrivateKey)
  }

  @Test func `is refused where nothing can be sealed to it`() throws {
    for point in SealingPublicKey.pointsOfSmallOrder {
      let key = SealingPublicKey(bytes: point)
      // The library does not mind, and whatever the other key: the secret that both agree on is known.
      let agreed = try Curve25519.KeyAgreement.PrivateKey().sharedSecretFromKeyAgreement(
        with: Curve25519.KeyAgreement.PublicKey(rawRepresentation: point))
      #expect(agreed.withUnsafeBytes { $0.allSatisfy { $0 == 0 } })
      #expect(code { _ = try SealingPublicKey(key.description) } == .invalidPublicKey)
      #expect(
        code {
          _ = try SealingPublicKey(
            SealingPublicKey(bytes: point.dropLast() + [point[31] | 0x80]).description)
        } == .invalidPublicKey)
    }
  }

  @Test func `does not show its private half`() {
    let key = SealingPrivateKey()
    #expect("\(key)" == "<private key>")
    #expect(String(reflecting: key.text) == "<secret>")
    #expect(Mirror(reflecting: key).children.isEmpty)
  }
}

@Suite struct `The file of a private key` {
  private let path =
    FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    .appending(path: "writ-key-" + UUID().uuidString).path

  private func mode() -> mode_t {
    var status = stat()
    stat(path, &status)
    return status.st_mode & 0o777
  }

  @Test func `is made for its owner alone, and never overwritten`() throws {
    defer { unlink(path) }
    let key = SealingPrivateKey()
    let old = umask(0)
    try PrivateFile.create(path, key.text)
    umask(old)
    #expect(mode() == 0o600)
    #expect(try PrivateFile.readKey(path).publicKey == key.publicKey)
    let error = #expect(throws: PrivateFileError.self) {
      try PrivateFile.create(path, SealingPrivateKey().text)
    }
    #expect(error?.code == .unsuitable)
    #expect(try PrivateFile.readKey(path).publicKey == key.publicKey)
  }

  @Test func `is refused when others may read it`() throws {
    defer { unlink(path) }
    try PrivateFile.create(path, SealingPrivateKey().text)
    chmod(path, 0o640)
    #expect {
      _ = try PrivateFile.readKey(path)
    } throws: {
      ($0 as? PrivateFileError)?.description
        == "\(path) can be read or changed by others: chmod 600 '\(path)'"
    }
  }

  @Test func `is refused when it holds something else`() throws {
    defer { unlink(path) }
    try PrivateFile.create(path, Secret("sk_something"))
    #expect(code { _ = try PrivateFile.readKey(path) } == .invalidPrivateKey)
  }
}
