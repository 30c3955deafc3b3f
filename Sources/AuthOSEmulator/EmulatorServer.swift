// The emulated server on a TCP port: plain HTTP/1.1, one process, loopback unless told otherwise.

import HTTPTypes
import Hummingbird
public import Logging
import NIOCore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Serves an ``EmulatedAuthOS`` over HTTP.
///
///     let authOS = EmulatedAuthOS(seed: seed, at: .now())
///     let server = EmulatorServer(authOS, controlToken: token, logger: logger) { port in
///       print("listening on \(port)")
///     }
///     try await server.run()  // until the task is cancelled or its service group stops
public struct EmulatorServer: Sendable {
  /// The server behind the port.
  public let authOS: EmulatedAuthOS
  /// The address to bind; the control routes make anything but loopback a bad idea.
  public let host: String
  /// The port to bind, or 0 for any that is free.
  public let port: Int

  private let controlToken: String?
  private let logger: Logger
  private let onListening: @Sendable (Int) async -> Void

  /// A server; nothing starts before ``run()``.
  ///
  /// - Parameters:
  ///   - controlToken: What `X-Emulator-Control` must say on `/_emulator` routes; without one there
  ///     are no such routes.
  ///   - logger: Requests are not logged, neither their headers nor their bodies.
  ///   - onListening: Called once with the bound port.
  public init(
    _ authOS: EmulatedAuthOS, host: String = "127.0.0.1", port: Int = 0,
    controlToken: String? = nil, logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void = { _ in }
  ) {
    self.authOS = authOS
    self.host = host
    self.port = port
    self.controlToken = controlToken
    self.logger = logger
    self.onListening = onListening
  }

  /// Serves until the task is cancelled or, in a service group, until that stops gracefully.
  ///
  /// - Throws: What binding the port threw; cancellation is no error.
  public func run() async throws {
    // Hummingbird tells of its start at `info`, which is its user's business, not ours.
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    let application = Application(
      responder: EmulatorResponder(
        authOS: authOS, control: controlToken.map { ControlRoutes(authOS: authOS, token: $0) }),
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: port), serverName: nil, backlog: 1024),
      onServerRunning: { [onListening] channel in
        await onListening(channel.localAddress?.port ?? 0)
      },
      logger: quiet)
    do {
      try await application.run()
    } catch is CancellationError {}
  }
}

extension UTCTime {
  /// The system's wall clock.
  public static func now() -> UTCTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UTCTime(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
  }
}

/// The connection of a request: dropped by some faults, counted by the limiters.
private struct EmulatorContext: InitializableFromSource {
  let channel: any Channel

  init(source: ApplicationRequestContextSource) { channel = source.channel }
}

/// Thrown after closing a connection, so that nothing is written to it.
private struct ConnectionDropped: Error {}

private struct EmulatorResponder: HTTPResponder {
  let authOS: EmulatedAuthOS
  let control: ControlRoutes?

  func respond(to request: Request, context: EmulatorContext) async throws -> Response {
    var emulated = EmulatedRequest(request, peer: context.channel.remoteAddress)
    if let control, emulated.path.hasPrefix("/_emulator/") {
      try await emulated.readBody(of: request, atMost: 16 * 1024 * 1024)
      return Response(control.respond(to: emulated, at: .now()), isHead: false)
    }
    let settings = authOS.settings
    let delays = authOS.nextFault(for: emulated)?.delays(limit: settings.timeLimit)
    try await emulated.readBody(of: request, atMost: settings.bodyLimit)
    if let delay = delays?.before, delay > .zero { try await Task.sleep(for: delay) }
    let answer = authOS.respond(to: emulated, at: .now(), fault: delays?.fault)
    if let delay = delays?.after, delay > .zero { try await Task.sleep(for: delay) }
    guard let response = answer.response else {
      try await context.channel.close()
      throw ConnectionDropped()
    }
    return Response(response, isHead: request.method == .head)
  }
}

extension EmulatedRequest {
  /// The head of a request; of its fields only those that the routes look at.
  fileprivate init(_ request: Request, peer: SocketAddress?) {
    let target = request.head.path ?? "/"
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(
      method: request.method.rawValue, path: String(parts[0]),
      query: parts.count > 1 ? String(parts[1]) : "", peer: peer?.ipAddress ?? "")
    for name in HTTPField.Name.ofInterest {
      if let value = request.headers[name] { headers.append((name.canonicalName, value)) }
    }
  }

  /// Reads the body up to a limit; a body that says to be longer is left for the server to skip.
  fileprivate mutating func readBody(of request: Request, atMost limit: Int) async throws {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { return }
    for try await buffer in request.body {
      guard body.count + buffer.readableBytes <= limit else {
        body = []
        bodyExceedsLimit = true
        return
      }
      body.append(contentsOf: buffer.readableBytesView)
    }
  }
}

extension HTTPField.Name {
  fileprivate static let ofInterest = [
    "x-api-key", "authorization", "content-type", "content-length", "x-emulator-control",
  ].compactMap { HTTPField.Name($0) }
}

extension Response {
  /// A `HEAD` request gets the head that `GET` would get, with its length.
  fileprivate init(_ response: EmulatedResponse, isHead: Bool) {
    var headers = HTTPFields()
    for (name, value) in response.headers {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    if isHead { headers[.contentLength] = "\(response.body.count)" }
    let body =
      isHead || response.body.isEmpty
      ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: response.body))
    self.init(status: .init(code: response.status), headers: headers, body: body)
  }
}
