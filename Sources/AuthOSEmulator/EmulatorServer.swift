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

/// A server without a socket: what ``EmulatorServer`` serves.
public protocol EmulatedService: Sendable {
  /// The largest body, in bytes.
  var bodyLimit: Int { get }
  /// How long a request may take before it is answered 408.
  var timeLimit: Duration { get }
  /// The lower-case names of the header fields that it looks at; `nil` for all.
  var headersOfInterest: [String]? { get }

  /// Draws the fault of a request; it counts as one request of its route.
  func nextFault(for request: EmulatedRequest) -> Fault?

  /// Answers a request.
  ///
  /// A fault that waits is not waited for here.
  func respond(to request: EmulatedRequest, at now: UTCTime, fault: Fault?) -> EmulatedAnswer
}

/// Serves an ``EmulatedAuthOS``, or another service, over HTTP.
///
///     let authOS = EmulatedAuthOS(seed: seed, at: .now())
///     let server = EmulatorServer(authOS, controlToken: token, logger: logger) { port in
///       print("listening on \(port)")
///     }
///     try await server.run()  // until the task is cancelled or its service group stops
public struct EmulatorServer: Sendable {
  /// The server behind the port.
  public let service: any EmulatedService
  /// The address to bind; the control routes make anything but loopback a bad idea.
  public let host: String
  /// The port to bind, or 0 for any that is free.
  public let port: Int

  private let control: ControlRoutes?
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
    self.service = authOS
    self.host = host
    self.port = port
    self.control = controlToken.map { ControlRoutes(authOS: authOS, token: $0) }
    self.logger = logger
    self.onListening = onListening
  }

  /// A server of another service, on any loopback port that is free; nothing starts before ``run()``.
  ///
  /// - Parameters:
  ///   - logger: Requests are not logged, neither their headers nor their bodies.
  ///   - onListening: Called once with the bound port.
  public init(
    serving service: some EmulatedService, logger: Logger,
    onListening: @escaping @Sendable (Int) async -> Void
  ) {
    self.service = service
    self.host = "127.0.0.1"
    self.port = 0
    self.control = nil
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
      responder: EmulatorResponder(service: service, control: control),
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
  let service: any EmulatedService
  let control: ControlRoutes?

  func respond(to request: Request, context: EmulatorContext) async throws -> Response {
    var emulated = EmulatedRequest(
      request, peer: context.channel.remoteAddress, keeping: service.headersOfInterest)
    if let control, emulated.path.hasPrefix("/_emulator/") {
      try await emulated.readBody(of: request, atMost: 16 * 1024 * 1024)
      return Response(control.respond(to: emulated, at: .now()), isHead: false)
    }
    let delays = service.nextFault(for: emulated)?.delays(limit: service.timeLimit)
    try await emulated.readBody(of: request, atMost: service.bodyLimit)
    if let delay = delays?.before, delay > .zero { try await Task.sleep(for: delay) }
    let answer = service.respond(to: emulated, at: .now(), fault: delays?.fault)
    if let delay = delays?.after, delay > .zero { try await Task.sleep(for: delay) }
    guard let response = answer.response else {
      try await context.channel.close()
      throw ConnectionDropped()
    }
    return Response(response, isHead: request.method == .head)
  }
}

extension EmulatedRequest {
  /// The head of a request; of its fields only those that the service looks at.
  fileprivate init(_ request: Request, peer: SocketAddress?, keeping names: [String]?) {
    let target = request.head.path ?? "/"
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(
      method: request.method.rawValue, path: String(parts[0]),
      query: parts.count > 1 ? String(parts[1]) : "", peer: peer?.ipAddress ?? "")
    if let names {
      for name in names.compactMap({ HTTPField.Name($0) }) {
        if let value = request.headers[name] { headers.append((name.canonicalName, value)) }
      }
    } else {
      headers = request.headers.map { ($0.name.canonicalName, $0.value) }
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
