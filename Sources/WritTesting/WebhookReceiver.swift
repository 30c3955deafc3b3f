// A receiver of webhooks for tests: it verifies what arrives by the Standard Webhooks specification,
// from the specification's text and not with our own code, drops what it has seen, and misbehaves as told.

import Crypto
public import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server on loopback that takes signed messages.
public final class WebhookReceiver: Sendable {
  /// What goes wrong with one request.
  public enum Fault: Sendable {
    /// Nothing.
    case none
    /// The message is taken, and the connection ends without an answer.
    case dropAfterEffect
    /// The connection ends before anything is done.
    case dropBefore
    /// This answer, and nothing is done.
    case answer(Int, headers: [String: String] = [:], body: String = "")
    /// The message is taken, and the answer never comes.
    case silenceAfterEffect
  }

  /// A request as it arrived.
  public struct Request: Sendable {
    /// The method.
    public var method: String
    /// The path and the query.
    public var uri: String
    /// The header fields, names in lower case; of several with one name, the last.
    public var headers: [String: String]
    /// The body.
    public var body: String
    /// What is wrong with the signature; `nil` for a good one, or where none is asked for.
    public var fault: String?

    /// The id of the message.
    public var id: String { headers["webhook-id"] ?? "" }
  }

  private struct State {
    var requests: [Request] = []
    var effects: [String: String] = [:]
    var script: [Fault] = []
    var echo: @Sendable (Request) -> (status: Int, headers: [String: String], body: String)?
  }

  private let state: Mutex<State>
  private let channel: any Channel
  private let key: Key?
  private let clock: @Sendable () -> Int

  /// How a signature is checked.
  public enum Key: Sendable {
    /// With the secret itself, base64 behind `whsec_`.
    case secret(String)
    /// With a public key of Ed25519, base64 behind `whpk_`.
    case publicKey(String)
  }

  /// Starts a receiver.
  ///
  /// - Parameters:
  ///   - key: What signatures are checked with; without one, everything is taken.
  ///   - clock: The seconds since 1970; a timestamp may be 300 s off.
  ///   - echo: An answer of the test's own to a request that no fault was planned for.
  public init(
    key: Key? = nil, clock: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) },
    echo: @escaping @Sendable (Request) -> (status: Int, headers: [String: String], body: String)? =
      { _ in nil }
  ) async throws {
    self.key = key
    self.clock = clock
    state = Mutex(State(echo: echo))
    let receive = Receiving()
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
          try channel.pipeline.syncOperations.addHandler(Handler(receive))
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    receive.body.withLock { body in body = { [weak self] in self?.receive($0) ?? .close } }
  }

  /// What handlers call: known only when the server is bound.
  private final class Receiving: Sendable {
    let body = Mutex<@Sendable (Request) -> Reply>({ _ in .close })
  }

  /// The port.
  public var port: Int { channel.localAddress?.port ?? 0 }
  /// Where it takes messages.
  public var url: String { "http://127.0.0.1:\(port)/hooks" }
  /// All requests, in order.
  public var requests: [Request] { state.withLock { $0.requests } }
  /// The messages that were taken, each once, by their ids.
  public var effects: [String: String] { state.withLock { $0.effects } }

  /// Plans what goes wrong with the next requests, one each.
  public func misbehave(_ faults: [Fault]) { state.withLock { $0.script += faults } }

  /// Stops listening.
  public func stop() async throws { try await channel.close() }

  // MARK: Receiving

  fileprivate enum Reply: Sendable {
    case answer(Int, [String: String], String)
    case close
    case silence
  }

  fileprivate func receive(_ request: Request) -> Reply {
    var request = request
    request.fault = verify(request)
    return state.withLock { state in
      state.requests.append(request)
      let fault = state.script.isEmpty ? Fault.none : state.script.removeFirst()
      switch fault {
      case .dropBefore: return .close
      case .answer(let status, let headers, let body): return .answer(status, headers, body)
      case .none, .dropAfterEffect, .silenceAfterEffect: break
      }
      guard request.fault == nil else { return .answer(401, [:], "") }
      if state.effects[request.id] == nil { state.effects[request.id] = request.body }
      switch fault {
      case .dropAfterEffect: return .close
      case .silenceAfterEffect: return .silence
      default:
        let echo = state.echo(request)
        return echo.map { .answer($0.status, $0.headers, $0.body) } ?? .answer(204, [:], "")
      }
    }
  }

  private func verify(_ request: Request) -> String? {
    guard let key else { return nil }
    guard let id = request.headers["webhook-id"], !id.isEmpty, !id.contains("."),
      let timestamp = request.headers["webhook-timestamp"], let seconds = Int(timestamp),
      let signatures = request.headers["webhook-signature"]
    else { return "a header is missing" }
    guard abs(seconds - clock()) <= 300 else { return "the timestamp is too old or too new" }
    let content = Data("\(id).\(timestamp).\(request.body)".utf8)
    let isGood = signatures.split(separator: " ").contains { signature in
      let parts = signature.split(separator: ",", maxSplits: 1)
      guard parts.count == 2, let bytes = Data(base64Encoded: String(parts[1])) else {
        return false
      }
      switch (key, parts[0]) {
      case (.secret(let text), "v1"):
        guard let secret = Data(base64Encoded: String(text.dropFirst("whsec_".count))) else {
          return false
        }
        return HMAC<SHA256>.isValidAuthenticationCode(
          bytes, authenticating: content, using: SymmetricKey(data: secret))
      case (.publicKey(let text), "v1a"):
        let raw = Data(base64Encoded: String(text.dropFirst("whpk_".count))) ?? Data()
        return (try? Curve25519.Signing.PublicKey(rawRepresentation: raw))?
          .isValidSignature(bytes, for: content) ?? false
      default: return false
      }
    }
    return isGood ? nil : "no signature fits"
  }

  private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart
    private let receive: Receiving
    private var head: HTTPRequestHead?
    private var body = ""

    init(_ receive: Receiving) { self.receive = receive }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      switch unwrapInboundIn(data) {
      case .head(let head):
        self.head = head
        body = ""
      case .body(let buffer): body += String(buffer: buffer)
      case .end: answer(context)
      }
    }

    private func answer(_ context: ChannelHandlerContext) {
      guard let head else { return context.close(promise: nil) }
      var headers: [String: String] = [:]
      for header in head.headers { headers[header.name.lowercased()] = header.value }
      let request = Request(
        method: head.method.rawValue, uri: head.uri, headers: headers, body: body)
      switch receive.body.withLock({ $0 })(request) {
      case .close: context.close(promise: nil)
      case .silence: break
      case .answer(let status, let headers, let body):
        var fields = HTTPHeaders(headers.map { ($0.key, $0.value) })
        if status != 204 {
          fields.replaceOrAdd(name: "content-length", value: "\(body.utf8.count)")
        }
        let head = HTTPResponseHead(
          version: .http1_1, status: .init(statusCode: status), headers: fields)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !body.isEmpty {
          context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
      }
    }
  }
}
