// HTTPSender over AsyncHTTPClient.

import AsyncHTTPClient
public import JobModel
import NIOCore
import NIOHTTP1
import NIOSSL
import Secrets

/// Sends requests with AsyncHTTPClient over HTTP/1.1.
///
/// Never logs: neither headers nor bodies nor URLs reach a log from here.
public struct AsyncHTTPSender: HTTPSender {
  private let client: HTTPClient
  private let userAgent: String
  private let responseLimit: Int

  /// A sender with a client of its own; ``shutdown()`` has to be called when no worker uses it.
  public init(configuration: WorkerConfiguration) {
    client = HTTPClient(
      eventLoopGroupProvider: .singleton, configuration: Self.clientConfiguration(configuration))
    userAgent = "writ/\(configuration.values.version)"
    responseLimit = configuration.values.responseLimitBytes
  }

  /// How the client is to be set up.
  ///
  /// - One connection a slot at most waits for another: a request that waits for a connection would
  ///   use up its time without leaving, and nobody could tell.
  /// - A connection that cannot be made is an answer of its own; retrying is the job's affair.
  /// - HTTP/1.1 only: over TLS, HTTP/2 was measured at two thirds of its speed.
  private static func clientConfiguration(
    _ configuration: WorkerConfiguration
  ) -> HTTPClient.Configuration {
    var result = HTTPClient.Configuration()
    result.redirectConfiguration = .disallow
    result.httpVersion = .http1Only
    result.decompression = .disabled
    result.timeout.connect = TimeAmount(configuration.values.connectTimeout)
    result.connectionPool.retryConnectionEstablishment = false
    result.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit =
      configuration.values.slots + 2
    return result
  }

  /// Closes all connections; requests in flight fail.
  public func shutdown() async throws { try await client.shutdown() }

  /// Sends a request and reads the whole answer.
  public func send(_ request: OutgoingRequest) async throws(TransportFailure) -> StepResponse {
    var outgoing = HTTPClientRequest(url: request.authorizedURL)
    outgoing.tlsConfiguration = request.trustRoots?.clientConfiguration
    outgoing.method = HTTPMethod(rawValue: request.method)
    for header in request.headers { outgoing.headers.add(name: header.name, value: header.value) }
    outgoing.headers.replaceOrAdd(name: "user-agent", value: userAgent)
    for authorization in request.authorizations {
      let text = authorization.text
      switch authorization.place {
      case .header(let name, let prefix):
        outgoing.headers.replaceOrAdd(name: name, value: prefix + text)
      case .cookie(let name):
        let others = outgoing.headers["cookie"].map { $0 + "; " }.joined()
        outgoing.headers.replaceOrAdd(name: "cookie", value: "\(others)\(name)=\(text)")
      case .query: break
      }
    }
    switch request.body {
    case .none: break
    case .bytes(let bytes): outgoing.body = .bytes(ByteBuffer(bytes: bytes))
    case .secret(let secret):
      outgoing.body = .bytes(secret.withBytes { ByteBuffer(bytes: $0) })
    }
    return try await exchange(outgoing, timeout: request.timeout)
  }

  private func exchange(
    _ request: HTTPClientRequest, timeout: Duration
  ) async throws(TransportFailure) -> StepResponse {
    let deadline = NIODeadline.now() + TimeAmount(timeout)
    var hasResponse = false
    do {
      let response = try await client.execute(request, deadline: deadline)
      hasResponse = true
      // What has no meaning in HTTP has none for a job type, and no place in the journal.
      guard (100...599).contains(response.status.code) else {
        throw TransportFailure.ambiguous(.unreadableResponse)
      }
      let body = try await collect(response.body, by: deadline)
      return StepResponse(
        status: Int(response.status.code),
        headers: response.headers.map { (name: $0.name.lowercased(), value: $0.value) },
        body: Array(body.readableBytesView))
    } catch let failure as TransportFailure {
      throw failure
    } catch {
      throw TransportFailure(sending: error, hasResponse: hasResponse)
    }
  }

  /// Reads a body; the client's own deadline ends with the head of the response.
  private func collect(
    _ body: HTTPClientResponse.Body, by deadline: NIODeadline
  ) async throws -> ByteBuffer {
    let limit = responseLimit
    return try await withThrowingTaskGroup(of: ByteBuffer.self) { group in
      group.addTask { try await body.collect(upTo: limit) }
      group.addTask {
        let left = deadline - NIODeadline.now()
        try await Task.sleep(for: .nanoseconds(max(0, left.nanoseconds)))
        throw HTTPClientError.deadlineExceeded
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw HTTPClientError.deadlineExceeded }
      return first
    }
  }
}

extension OutgoingRequest.Authorization {
  fileprivate var text: String { secret.withBytes { String(decoding: $0, as: UTF8.self) } }
}

extension OutgoingRequest {
  /// The URL with the secrets that belong into its query.
  fileprivate var authorizedURL: String {
    var url = url
    for authorization in authorizations {
      guard case .query(let name) = authorization.place else { continue }
      url += (url.contains("?") ? "&" : "?") + PercentEncoding.encoded(name) + "="
      url += PercentEncoding.encoded(authorization.text)
    }
    return url
  }
}
