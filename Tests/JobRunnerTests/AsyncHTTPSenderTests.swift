import JobModel
import Secrets
import Testing

@testable import JobRunner

@Suite struct AsyncHTTPSenderTests {
  private func send(
    to url: String, timeout: Duration = .seconds(5),
    _ change: (inout WorkerConfiguration.Values) -> Void = { _ in }
  ) async throws -> Result<StepResponse, TransportFailure> {
    let configuration = try makeConfiguration(change)
    let sender = AsyncHTTPSender(configuration: configuration)
    let request = OutgoingRequest(
      method: "POST", url: url,
      authorizations: [.init(.header(name: "x-api-key", prefix: ""), Secret("sk_test"))],
      body: .bytes([0x7B]),
      timeout: timeout)
    let result: Result<StepResponse, TransportFailure>
    do throws(TransportFailure) {
      result = .success(try await sender.send(request))
    } catch {
      result = .failure(error)
    }
    try await sender.shutdown()
    return result
  }

  private func failure(
    of behaviour: RawServer.Behaviour, timeout: Duration = .seconds(5),
    _ change: (inout WorkerConfiguration.Values) -> Void = { _ in }
  ) async throws -> TransportFailure? {
    let server = try await RawServer(behaviour)
    let result = try await send(
      to: "http://127.0.0.1:\(server.port)/", timeout: timeout, change)
    try await server.stop()
    if case .failure(let failure) = result { return failure }
    return nil
  }

  @Test func `a refused connection proves that nothing left`() async throws {
    // Port 1 (tcpmux) is served nowhere; one that was free a moment ago may be taken by now.
    for host in ["127.0.0.1", "localhost"] {
      let result = try await send(to: "http://\(host):1/")
      #expect(throws: TransportFailure.notSent(.connectionRefused)) { try result.get() }
    }
  }

  @Test func `a name that cannot be resolved proves that nothing left`() async throws {
    let result = try await send(to: "http://no-such-host.invalid/")
    #expect(throws: TransportFailure.notSent(.nameResolution)) { try result.get() }
  }

  @Test func `a failed TLS handshake proves that nothing left`() async throws {
    let server = try await RawServer(.answer("this is no TLS\r\n"))
    let result = try await send(to: "https://127.0.0.1:\(server.port)/")
    try await server.stop()
    #expect(throws: TransportFailure.notSent(.tls)) { try result.get() }
  }

  @Test func `a connection that ends before the answer leaves it open whether it took effect`()
    async throws
  {
    #expect(try await failure(of: .close) == .ambiguous(.connectionReset))
  }

  @Test func `an answer that is cut short is no answer`() async throws {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
    #expect(try await failure(of: .answer(cut)) == .ambiguous(.connectionReset))
  }

  @Test func `an answer that is not HTTP cannot be read`() async throws {
    let failure = try await failure(of: .answer("220 mail.example ESMTP\r\n\r\n"))
    #expect(failure == .ambiguous(.unreadableResponse))
  }

  @Test func `silence ends with the timeout`() async throws {
    let failure = try await failure(of: .silence, timeout: .milliseconds(200))
    #expect(failure == .ambiguous(.responseTimeout))
  }

  @Test func `a body that never ends is stopped by the timeout`() async throws {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"
    let failure = try await failure(of: .answerAndStall(head), timeout: .milliseconds(300))
    #expect(failure == .ambiguous(.responseTimeout))
  }

  @Test func `a body over the limit is not read`() async throws {
    let text = String(repeating: "x", count: 5_000)
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n\(text)"
    let failure = try await failure(of: .answer(answer)) { $0.responseLimitBytes = 1_024 }
    #expect(failure == .ambiguous(.unreadableResponse))
  }

  @Test(arguments: [600, 999]) func `a status outside of HTTP cannot be read`(
    status: Int
  ) async throws {
    let answer = "HTTP/1.1 \(status) Strange\r\ncontent-length: 2\r\n\r\n{}"
    #expect(try await failure(of: .answer(answer)) == .ambiguous(.unreadableResponse))
  }

  @Test func `a redirect is an answer like any other`() async throws {
    let server = try await RawServer(
      .answer("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"))
    let result = try await send(to: "http://127.0.0.1:\(server.port)/")
    try await server.stop()
    #expect(try result.get().status == 302)
  }

  @Test func `a cancelled request says that it was abandoned`() async throws {
    let server = try await RawServer(.silence)
    let url = "http://127.0.0.1:\(server.port)/"
    let task = Task { try await send(to: url, timeout: .seconds(30)) }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    let result = try await task.value
    try await server.stop()
    #expect(throws: TransportFailure.ambiguous(.abandoned)) { try result.get() }
  }
}
