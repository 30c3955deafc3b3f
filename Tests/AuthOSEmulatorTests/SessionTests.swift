// Sessions: bearer tokens, their signatures, and the rotation of refresh tokens.

import AuthOSEmulator
import Crypto
import CryptoExtras
import JSON
import Testing

@Suite struct SessionTests {
  private func tokens(_ fixture: Fixture) -> (access: String, refresh: String) {
    let reply = fixture.authenticate(
      "login", ["email": "owner@acme.test", "password": .string(Fixture.password)])
    return (reply["access_token"]?.stringValue ?? "", reply["refresh_token"]?.stringValue ?? "")
  }

  private func refresh(_ fixture: Fixture, _ token: String) -> Reply {
    fixture.authenticate("refresh", ["refresh_token": .string(token)])
  }

  private func plans(_ fixture: Fixture, _ token: String) -> String {
    let reply = fixture.manage("GET", "plans", token: token)
    return reply.status == 200 ? "200" : reply.summary
  }

  private let ended = "401 UNAUTHORIZED: Session revoked or expired"
  private let invalid = "401 UNAUTHORIZED: Invalid refresh token"

  @Test(arguments: [nil, "bearer x", "Basic x", "Bearer"])
  func `a header that is no bearer token is refused`(value: String?) {
    let headers = value.map { [(name: "authorization", value: $0)] } ?? []
    let path = "/api/organizations/acme/services/portal/plans"
    #expect(
      Fixture().send("GET", path, headers: headers).summary
        == "401 UNAUTHORIZED: Missing or invalid Authorization header")
  }

  @Test func `an access token is a JWT that the published key verifies`() throws {
    let fixture = Fixture()
    let token = tokens(fixture).access
    let parts = token.split(separator: ".").map(String.init)
    let key = try #require(
      fixture.send("GET", "/.well-known/jwks.json", headers: [])["keys"]?[0])
    let header = try JSONValue(parsing: decoded(parts[0]))
    let claims = try JSONValue(parsing: decoded(parts[1]))
    #expect(header["typ"] == "authos-management+jwt")
    #expect(header["kid"] == key["kid"])
    #expect(claims["token_use"] == "management_access")
    #expect(claims["aud"] == "platform")
    #expect(claims["iss"] == "http://localhost:3000")
    #expect(claims["org"] == nil)
    let publicKey = try _RSA.Signing.PublicKey(
      n: decoded(key["n"]?.stringValue ?? ""), e: decoded(key["e"]?.stringValue ?? ""))
    let signature = _RSA.Signing.RSASignature(rawRepresentation: decoded(parts[2]))
    let digest = SHA256.hash(data: Array("\(parts[0]).\(parts[1])".utf8))
    #expect(publicKey.isValidSignature(signature, for: digest, padding: .insecurePKCS1v1_5))
  }

  private func decoded(_ text: String) -> [UInt8] {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    let bits = text.flatMap { character in
      let value = alphabet.firstIndex(of: character) ?? 0
      return (0..<6).map { value >> (5 - $0) & 1 }
    }
    return (0..<bits.count / 8).map { index in
      bits[index * 8..<index * 8 + 8].reduce(UInt8(0)) { $0 << 1 | UInt8($1) }
    }
  }

  @Test func `tokens that are not ours, or changed, are invalid`() {
    let fixture = Fixture()
    let token = tokens(fixture).access
    #expect(plans(fixture, token) == "200")
    #expect(plans(fixture, "x.y.z") == "401 JWT_ERROR: Invalid token")
    let parts = token.split(separator: ".")
    let other = tokens(fixture).access.split(separator: ".")
    #expect(plans(fixture, "\(parts[0]).\(parts[1]).\(other[2])") == "401 JWT_ERROR: Invalid token")
    #expect(
      plans(fixture, tokens(Fixture(signer: TokenSigner())).access)
        == "401 UNAUTHORIZED: JWT key identifier is not recognized")
  }

  @Test func `an access token ends with its session, and is unreadable a minute later`() {
    let fixture = Fixture()
    let token = tokens(fixture).access
    fixture.now = UTCTime(seconds: Fixture.start.seconds + 86_399)
    #expect(plans(fixture, token) == "200")
    fixture.now = UTCTime(seconds: Fixture.start.seconds + 86_400)
    #expect(plans(fixture, token) == ended)
    fixture.now = fixture.now.adding(seconds: 61)
    #expect(plans(fixture, token) == "401 JWT_ERROR: Invalid token")
  }

  @Test func `refreshing replaces both tokens at once`() {
    let fixture = Fixture()
    let first = tokens(fixture)
    let reply = refresh(fixture, first.refresh)
    #expect(reply.status == 200)
    #expect(plans(fixture, first.access) == ended)
    #expect(plans(fixture, reply["access_token"]?.stringValue ?? "") == "200")
    #expect(fixture.effects == [.sessionOpened, .sessionRefreshed])
  }

  @Test func `presenting a consumed refresh token ends the whole session`() {
    let fixture = Fixture()
    let first = tokens(fixture)
    let second = refresh(fixture, first.refresh)
    #expect(refresh(fixture, first.refresh).summary == invalid)
    #expect(plans(fixture, second["access_token"]?.stringValue ?? "") == ended)
    #expect(refresh(fixture, second["refresh_token"]?.stringValue ?? "").summary == invalid)
    #expect(fixture.effects.last == .sessionEnded)
  }

  @Test(arguments: [
    ("", "400 BAD_REQUEST: Refresh token cannot be empty"),
    (" ", "400 BAD_REQUEST: Refresh token cannot be empty"),
    (String(repeating: "x", count: 1001), "400 BAD_REQUEST: Refresh token too long"),
    (String(repeating: "x", count: 1000), "401 UNAUTHORIZED: Invalid refresh token"),
  ])
  func `a refresh token is checked before it is looked up`(token: String, expected: String) {
    #expect(refresh(Fixture(), token).summary == expected)
  }

  @Test func `a refresh token lives for thirty days`() {
    let fixture = Fixture()
    let token = tokens(fixture).refresh
    fixture.now = Fixture.start.adding(seconds: 30 * 86_400)
    #expect(
      refresh(fixture, token).summary == "401 UNAUTHORIZED: Refresh token expired")
  }

  @Test func `a session for a service cannot be refreshed once the link is gone`() {
    let fixture = Fixture(users: [SeedUser(email: "ada@acme.test", password: Fixture.password)])
    let reply = fixture.authenticate(
      "login",
      [
        "email": "ada@acme.test", "password": .string(Fixture.password), "org_slug": "acme",
        "service_slug": "portal",
      ])
    let id = fixture.authOS.seeded.userIDs["ada@acme.test"] ?? ""
    _ = fixture.service("DELETE", "users/\(id)")
    let outcome = plans(fixture, reply["access_token"]?.stringValue ?? "")
    #expect(outcome == "403 FORBIDDEN: Not a member of this organization")
    #expect(refresh(fixture, reply["refresh_token"]?.stringValue ?? "").summary == invalid)
  }

  @Test func `health says that it is well without asking anybody`() {
    let fixture = Fixture()
    #expect(
      fixture.send("GET", "/health", headers: []).json
        == ["status": "healthy", "version": "0.1.40"])
    #expect(fixture.send("GET", "/health/live", headers: []).summary == "200")
    #expect(fixture.send("GET", "/health/ready", headers: [])["database"] == "connected")
    #expect(fixture.send("POST", "/health", headers: []).header("allow") == "GET,HEAD")
  }
}
