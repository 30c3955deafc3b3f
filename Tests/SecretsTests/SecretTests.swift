// What a secret gives away: nothing.

import Secrets
import Testing

@Suite struct `A secret` {
  private let key = Secret("sk_0123456789ab_" + String(repeating: "f", count: 64))

  @Test func `does not show in any text that Swift can make of it`() {
    struct Holder { var key: Secret }
    var dumped = ""
    dump(Holder(key: key), to: &dumped)
    for text in ["\(key)", String(describing: key), String(reflecting: [key]), dumped] {
      #expect(!text.contains("0123456789ab"))
      #expect(!text.contains("ffff"))
      #expect(text.contains("<secret>"))
    }
    #expect(Mirror(reflecting: key).children.isEmpty)
    #expect(!((key as Any) is any Encodable))
  }

  @Test func `lends its bytes`() {
    #expect(Secret("abc").withBytes { Array($0) } == Array("abc".utf8))
    #expect(Secret("").withBytes { $0.count } == 0)
  }

  @Test func `equals one of the same bytes and no other`() {
    #expect(Secret("abc") == Secret("abc"))
    #expect(Secret("abc") != Secret("abd"))
    #expect(Secret("abc") != Secret("ab"))
    #expect(Secret("abc").hashValue == Secret("xyz").hashValue)
  }

  @Test func `has a fingerprint only where that cannot be guessed`() {
    // sha256 of 32 times the letter a, from sha256sum.
    #expect(Secret(String(repeating: "a", count: 32)).fingerprint == "3ba3f5f43b92")
    #expect(Secret("correct horse battery staple").fingerprint == nil)
  }

  @Test func `shows the prefix of an AuthOS key and of nothing else`() {
    #expect(key.keyPrefix == "sk_0123456789ab")
    #expect(Secret("sk_0123456789ab_short").keyPrefix == nil)
    #expect(Secret("password-password-password").keyPrefix == nil)
    #expect(Secret("sk_0123456789AB_" + String(repeating: "f", count: 64)).keyPrefix == nil)
  }
}

@Suite struct `The name of a secret` {
  @Test(arguments: [
    "production/create_user.key", "p/management.email", "test-2/create_user.pending.key",
  ])
  func `is kept as it is`(text: String) throws {
    #expect(try SecretName(text).description == text)
  }

  @Test(arguments: [
    "", "key", "/key", "a/", "a/b/c", "../key", "a/..", "a/.", "a/../b", "a/b..c", "a/.hidden",
    "a/b.", "a b/c", "a/b\nc", "a/b\0", "-a/b", "ä/b", "a/" + String(repeating: "x", count: 101),
  ])
  func `never leads out of the store`(text: String) {
    let error = #expect(throws: SecretStoreError.self) { try SecretName(text) }
    #expect(error?.code == .invalidName)
    #expect(
      error?.description
        == "the name of a secret must read <environment>/<name>, of letters, digits, '_', '-' and "
        + "single dots")
  }

  @Test func `can be made of environment, job type and role`() throws {
    #expect(
      try SecretName(keyOf: "create_user", environment: "p").description == "p/create_user.key")
    #expect(
      try SecretName(keyOf: "create_user", environment: "p", role: .previous).description
        == "p/create_user.previous.key")
    #expect(throws: SecretStoreError.self) { try SecretName(keyOf: "../x", environment: "p") }
  }
}

@Suite struct `Secrets from the environment` {
  private let store = EnvironmentSecretStore(environment: [
    "WRIT_SECRET_PRODUCTION_CREATE_USER_KEY": "k", "WRIT_SECRET_PRODUCTION_EMPTY_KEY": "",
    "PATH": "/bin",
  ])

  @Test func `are found by the name in capitals`() throws {
    #expect(try store.read(SecretName("production/create_user.key")) == Secret("k"))
    #expect(try store.read(SecretName("production/empty.key")) == nil)
    #expect(try store.read(SecretName("production/other.key")) == nil)
    #expect(
      EnvironmentSecretStore.variable(of: try SecretName("test-2/management.password"))
        == "WRIT_SECRET_TEST_2_MANAGEMENT_PASSWORD")
  }

  @Test func `name the job types that have a key`() throws {
    let store = EnvironmentSecretStore(environment: [
      "WRIT_SECRET_PRODUCTION_CREATE_USER_KEY": "k", "WRIT_SECRET_PRODUCTION_EMPTY_KEY": "",
      "WRIT_SECRET_PRODUCTION_MANAGEMENT_EMAIL": "a@b.cd",
      "WRIT_SECRET_EU_WEST_CHANGE_PLAN_KEY": "k",
    ])
    #expect(try store.keyedTypes(environment: "production") == ["create_user"])
    #expect(try store.keyedTypes(environment: "eu-west") == ["change_plan"])
  }

  @Test func `cannot be changed`() throws {
    let name = try SecretName("production/create_user.key")
    let error = #expect(throws: SecretStoreError.self) { try store.write(name, Secret("x")) }
    #expect(error?.code == .readOnly)
    #expect(
      error?.description
        == "secrets from environment variables cannot be changed; name a directory for secrets "
        + "instead")
    #expect(throws: SecretStoreError.self) { try store.delete(name) }
    #expect(throws: SecretStoreError.self) {
      try store.promoteKey(environment: "production", jobType: "create_user")
    }
  }
}
