import Arazzo
import JSON
import JobModel
import Secrets
import Synchronization
import Testing

@testable import JobRunner

@Suite struct SessionTests {
  private let clock = ManualClock()
  private let secrets: MemorySecretStore
  private let statistics = StatisticsBox()

  init() throws {
    secrets = try MemorySecretStore([
      "production/management.email": "ops@acme.test", "production/management.password": "pass word",
    ])
  }

  private func makeSession(_ sender: ScriptedSender) throws -> Session {
    let recipe = SessionRecipe(method: "POST", path: "/api/auth/login")
    return try Session(
      recipe, environment: "production", baseURL: "http://authos.test", secrets: secrets,
      sender: sender, time: .manual(clock), configuration: makeConfiguration().values,
      statistics: statistics, logger: quietLogger)
  }

  private static func answer(
    token: String, refresh: String = "refresh", lifetime: Int = 86_400
  ) -> StepResponse {
    StepResponse(
      status: 200,
      json: [
        "access_token": .string(token), "refresh_token": .string(refresh),
        "expires_in": JSONValue(lifetime),
      ])
  }

  @Test func `many jobs share one login`() async throws {
    let sender = ScriptedSender { _, number in .success(Self.answer(token: "token-\(number)")) }
    let session = try makeSession(sender)
    let tokens = try await withThrowingTaskGroup(of: Secret.self) { group in
      for _ in 1...50 { group.addTask { try await session.token().secret } }
      return try await group.reduce(into: Set<Secret>()) { $0.insert($1) }
    }
    #expect(tokens == [Secret("token-1")])
    #expect(sender.requests.count == 1)
    #expect(sender.requests[0].url == "http://authos.test/api/auth/login")
    guard case .secret(let body) = sender.requests[0].body else {
      Issue.record("the body of a login is a secret")
      return
    }
    let text = body.withBytes { String(decoding: $0, as: UTF8.self) }
    #expect(text == #"{"email":"ops@acme.test","password":"pass word"}"#)
  }

  @Test func `a session is opened anew before it ends`() async throws {
    let sender = ScriptedSender { _, number in
      .success(Self.answer(token: "token-\(number)", lifetime: 300))
    }
    let session = try makeSession(sender)
    _ = try await session.token()
    clock.advance(by: .seconds(239))
    #expect(try await session.token().secret == Secret("token-1"))
    clock.advance(by: .seconds(1))
    #expect(try await session.token().secret == Secret("token-2"))
  }

  @Test func `a refused token is replaced once, whoever reports it`() async throws {
    let sender = ScriptedSender { _, number in .success(Self.answer(token: "token-\(number)")) }
    let session = try makeSession(sender)
    let first = try await session.token()
    let second = try await session.token(insteadOf: first)
    let again = try await session.token(insteadOf: first)
    #expect(second.secret == Secret("token-2"))
    #expect(again.secret == Secret("token-2"))
    #expect(sender.requests.count == 2)
  }

  @Test func `an account with a second factor is refused in words`() async throws {
    let sender = ScriptedSender { _, _ in
      .success(Self.answer(token: "preauth", refresh: "", lifetime: 300))
    }
    let session = try makeSession(sender)
    let expected = SessionError.credential(
      name: "production/management.email", code: "second_factor_required")
    await #expect(throws: expected) { try await session.token() }
  }

  @Test func `a refused password is not tried again until it changes`() async throws {
    let sender = ScriptedSender { request, number in
      number == 1
        ? .success(StepResponse(status: 401)) : .success(Self.answer(token: "token-\(number)"))
    }
    let session = try makeSession(sender)
    let refusal = SessionError.credential(
      name: "production/management.password", code: "login_refused")
    await #expect(throws: refusal) { try await session.token() }
    await #expect(throws: refusal) { try await session.token() }
    #expect(sender.requests.count == 1)
    try secrets.set("production/management.password", "another")
    #expect(try await session.token().secret == Secret("token-2"))
  }

  @Test func `a limited login waits before it is tried again`() async throws {
    let sender = ScriptedSender { _, number in
      number == 1
        ? .success(StepResponse(status: 429, headers: [(name: "x-ratelimit-after", value: "0")]))
        : .success(Self.answer(token: "token-\(number)"))
    }
    let session = try makeSession(sender)
    let limited = SessionError.unavailable(.loginFailed(.limited(wait: .seconds(1))))
    await #expect(throws: limited) { try await session.token() }
    await #expect(throws: limited) { try await session.token() }
    clock.advance(by: .seconds(2))
    #expect(try await session.token().secret == Secret("token-2"))
  }

  @Test(
    arguments: [
      (.failure(.notSent(.connectionRefused)), .unavailable(.notSent(.connectionRefused))),
      (.failure(.notSent(.tlsUntrusted)), .unavailable(.notSent(.tlsUntrusted))),
      (
        .failure(.ambiguous(.responseTimeout)),
        .unavailable(.loginFailed(.unanswered(.responseTimeout)))
      ),
      (.failure(.ambiguous(.abandoned)), .unavailable(.notSent(.heldBack))),
      (
        .success(StepResponse(status: 302)), .unavailable(.loginFailed(.answered(status: 302)))
      ),
      (
        .success(StepResponse(status: 404, body: Array("<html>".utf8))),
        .unavailable(.loginFailed(.answered(status: 404)))
      ),
      (
        .success(StepResponse(status: 404, json: ["error_code": "NOT_FOUND", "error": "x"])),
        .credential(name: "production/management.email", code: "login_refused")
      ),
      (
        .success(StepResponse(status: 503)), .unavailable(.loginFailed(.answered(status: 503)))
      ),
      (.success(StepResponse(status: 200)), .unavailable(.loginFailed(.withoutToken))),
    ] as [(Result<StepResponse, TransportFailure>, SessionError)])
  func `a login that fails says why`(
    answer: Result<StepResponse, TransportFailure>, error: SessionError
  ) async throws {
    let session = try makeSession(ScriptedSender { _, _ in answer })
    await #expect(throws: error) { try await session.token() }
  }

  @Test func `without credentials no login is sent`() async throws {
    let sender = ScriptedSender { _, _ in .success(StepResponse(status: 500)) }
    secrets.delete(try SecretName("production/management.password"))
    let session = try makeSession(sender)
    let missing = SessionError.credential(
      name: "production/management.password", code: "secret_missing")
    await #expect(throws: missing) { try await session.token() }
    #expect(sender.requests.isEmpty)
  }
}
