// Signatures against the specification: its own test vector, and a verification by another way.

import Crypto
import Foundation
import Secrets
import Testing

@testable import JobRunner

@Suite struct StandardWebhooksTests {
  /// The vector of the reference libraries' `sign` tests.
  private let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
  private let id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
  private let body = Array(#"{"test": 2432232314}"#.utf8)

  private func headers(_ secret: Secret) throws -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: StandardWebhooks.headers(
        id: id, timestamp: 1_614_265_330, body: body, keys: try StandardWebhooks.keys(secret)
      ).map { ($0.name, $0.value) })
  }

  @Test func `the vector of the reference libraries is signed as they do`() throws {
    let headers = try headers(secret)
    #expect(
      headers == [
        "webhook-id": id, "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      ])
  }

  @Test func `while a key is replaced, a message has a signature of each`() throws {
    let both = try headers(
      Secret(
        "whsec_\(Data(repeating: 7, count: 32).base64EncodedString()) whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
      ))
    let signatures = both["webhook-signature"]?.split(separator: " ")
    #expect(signatures?.count == 2)
    #expect(signatures?.last == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  @Test func `a key of Ed25519 signs what its public key verifies`() throws {
    let key = Curve25519.Signing.PrivateKey()
    for raw in [key.rawRepresentation, key.rawRepresentation + key.publicKey.rawRepresentation] {
      let signature = try headers(Secret("whsk_" + raw.base64EncodedString()))["webhook-signature"]
      let text = try #require(signature)
      #expect(text.hasPrefix("v1a,"))
      let bytes = try #require(Data(base64Encoded: String(text.dropFirst(4))))
      let content = Data("\(id).1614265330.".utf8) + body
      #expect(key.publicKey.isValidSignature(bytes, for: content))
    }
  }

  @Test(arguments: [
    ("canary-no-prefix-MfKQ9r8GKYqr", "a key begins with whsec_ (HMAC-SHA256) or whsk_ (Ed25519)"),
    ("whsec_canary!", "after whsec_ it must be the base64 of 24 to 64 random bytes"),
    ("whsec_AAAA", "after whsec_ it must be the base64 of 24 to 64 random bytes"),
    (
      "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "after whsk_ it must be the base64 of a private key of Ed25519, 32 bytes, or 64 with the public key"
    ),
    (" ", "it must be one to four keys, separated by blanks"),
  ])
  func `a secret that is no key is refused without being repeated`(text: String, reason: String) {
    let error = #expect(throws: StandardWebhooks.UnusableKey.self) {
      try StandardWebhooks.keys(Secret(text))
    }
    #expect(error?.description == reason)
  }

  @Test func `the id of a message has no full stop and is the same for the same message`() {
    let first = StandardWebhooks.messageID(job: 7, identity: "prod notify 7 deliver 0 {\"a.b\":1}")
    let again = StandardWebhooks.messageID(job: 7, identity: "prod notify 7 deliver 0 {\"a.b\":1}")
    let second = StandardWebhooks.messageID(job: 7, identity: "prod notify 7 deliver 1 {\"a.b\":1}")
    #expect(first == again)
    #expect(first != second)
    #expect(first.hasPrefix("writ_7_") && !first.contains("."))
  }
}
