// Provider tokens: who may ask, and every answer that a connected account leads to.

import AuthOSEmulator
import JSON
import Testing

@Suite struct ProviderTokenTests {
  private func fixture(
    _ account: SeedConnectedAccount? = nil,
    redirectURIs: [String] = ["https://portal.acme.test/back"]
  ) -> Fixture {
    Fixture(
      users: [
        SeedUser(email: "ada@acme.test", connectedAccounts: account.map { [$0] } ?? [])
      ], redirectURIs: redirectURIs)
  }

  private func ask(
    _ fixture: Fixture, _ provider: String = "GitHub", _ more: (String, JSONValue)...
  ) -> Reply {
    let id = fixture.authOS.seeded.userIDs["ada@acme.test"] ?? ""
    let body = JSONObject([("user_id", .string(id)), ("provider", .string(provider))] + more)
    return fixture.service("POST", "provider-tokens", .object(body))
  }

  @Test func `a key without the provider's permission is refused with the general text`() {
    let fixture = fixture()
    let reply = fixture.service(
      "POST", "provider-tokens", ["user_id": "none", "provider": "github"],
      key: fixture.authOS.seeded.apiKeys["none"])
    #expect(
      reply.summary == "403 FORBIDDEN: Missing required permission: read:provider_tokens")
  }

  @Test func `a key for one provider may ask for that provider in any case`() {
    let fixture = fixture()
    let reply = fixture.service(
      "POST", "provider-tokens", ["user_id": "none", "provider": "GOOGLE"],
      key: fixture.authOS.seeded.apiKeys["none"])
    #expect(reply.summary == notLinked)
  }

  @Test func `providers and scopes that the service does not have are refused`() {
    #expect(
      ask(fixture(), "Custom").summary
        == "403 FORBIDDEN: Service does not have Custom scopes configured")
    #expect(
      ask(fixture(), "github", ("scopes", ["repo", "gist", "admin"])).summary
        == "403 FORBIDDEN: Requested scopes are not allowed for this service: gist, admin")
    #expect(ask(fixture(), "github", ("scopes", nil)).status == 422)
  }

  private func account(
    scopes: [String] = ["read:user", "repo"], granted: [String]? = ["read:user", "repo"],
    token: String? = "gho_secret", expires: UTCTime? = nil
  ) -> SeedConnectedAccount {
    SeedConnectedAccount(
      provider: "github", providerUserID: "42", scopes: scopes, grantedScopes: granted,
      token: token, tokenExpiresAt: expires)
  }

  @Test func `a granted account yields its token`() {
    let expiry = Fixture.start.adding(seconds: 3600)
    let fixture = fixture(account(expires: expiry))
    let reply = ask(fixture, "github", ("scopes", ["repo"]))
    #expect(reply["status"] == "ok")
    #expect(reply["access_token"] == "gho_secret")
    #expect(reply["expires_at"] == .string(expiry.rfc3339WithOffset))
    #expect(reply["scopes"] == ["read:user", "repo"])
    #expect(reply["account"]?["provider_user_id"] == "42")
    #expect(fixture.effects == [.providerTokenIssued])
  }

  @Test func `what the account lacks decides what the user must do`() {
    func outcome(_ account: SeedConnectedAccount?) -> [JSONValue?] {
      let reply = ask(fixture(account))
      return [reply["code"], reply["missing_scopes"]]
    }
    let all: JSONValue = ["read:user", "repo"]
    let consent: JSONValue = "PROVIDER_SCOPE_CONSENT_REQUIRED"
    #expect(outcome(nil) == ["PROVIDER_LINK_REQUIRED", all])
    #expect(outcome(account(scopes: ["repo"])) == [consent, all])
    #expect(outcome(account(granted: nil)) == ["PROVIDER_GRANT_REQUIRED", []])
    #expect(outcome(account(granted: ["repo"])) == [consent, ["read:user"]])
    let reauthentication: [JSONValue?] = ["PROVIDER_REAUTH_REQUIRED", []]
    #expect(outcome(account(scopes: ["read:user", "repo", "gist"])) == reauthentication)
    #expect(
      outcome(account(expires: Fixture.start.adding(seconds: 299))) == reauthentication)
  }

  @Test func `an account without a token is an internal error`() {
    #expect(
      ask(fixture(account(token: nil))).summary
        == "500 INTERNAL_SERVER_ERROR: Connected account has no token")
  }

  @Test func `every request to act has a new URL`() {
    let fixture = fixture()
    let first = ask(fixture)["reauth_url"]?.stringValue ?? ""
    let second = ask(fixture)["reauth_url"]?.stringValue ?? ""
    #expect(first.hasPrefix("http://localhost:3000/connect/provider-token/"))
    #expect(first != second)
    #expect(fixture.effects == [.providerTokenPending, .providerTokenPending])
  }

  @Test func `the redirect URI must be registered where the user has to act`() {
    let uri = ("redirect_uri", JSONValue("https://evil.test"))
    #expect(
      ask(fixture(), "github", uri).summary
        == "400 BAD_REQUEST: redirect_uri 'https://evil.test' is not registered for this service")
    #expect(
      ask(fixture(redirectURIs: []), "github", uri).summary
        == "400 BAD_REQUEST: No redirect URIs are registered for this service")
    #expect(
      ask(fixture(redirectURIs: []), "github").summary
        == "400 BAD_REQUEST: redirect_uri is required")
    #expect(ask(fixture(account()), "github", uri)["status"] == "ok")
  }
}
