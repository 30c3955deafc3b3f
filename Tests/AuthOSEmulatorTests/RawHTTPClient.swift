// A client that sends the bytes it is told to and says exactly what came back, or that nothing did.

import NIOCore
import NIOPosix

/// One connection.
struct RawConnection {
  struct Response {
    var status: Int
    var headers: [String: String]
    var body: String
  }

  private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  private var received = ""

  /// Connects, runs the body, and closes.
  static func with<Result: Sendable>(
    port: Int, _ body: @Sendable (inout RawConnection) async throws -> Result
  ) async throws -> Result {
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      var connection = RawConnection(
        inbound: inbound.makeAsyncIterator(), outbound: outbound)
      return try await body(&connection)
    }
  }

  func write(_ text: String) async throws {
    try await outbound.write(ByteBuffer(string: text))
  }

  /// Sends a request and reads its response; `nil` where the connection closes instead.
  mutating func send(
    _ method: String, _ path: String, headers: [String: String] = [:], body: String? = nil
  ) async throws -> Response? {
    var text = "\(method) \(path) HTTP/1.1\r\nhost: emulator\r\n"
    for (name, value) in headers { text += "\(name): \(value)\r\n" }
    if let body {
      text += "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n"
    }
    try await write(text + "\r\n" + (body ?? ""))
    return try await response(isHead: method == "HEAD")
  }

  mutating func response(isHead: Bool = false) async throws -> Response? {
    while !received.contains("\r\n\r\n") {
      guard try await receive() else { return nil }
    }
    let parts = received.split(
      separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    var response = Self.head(parts[0])
    received = String(parts[1])
    let length = isHead ? 0 : Int(response.headers["content-length"] ?? "0") ?? 0
    while received.utf8.count < length {
      guard try await receive() else { return nil }
    }
    response.body = String(received.prefix(length))
    received = String(received.dropFirst(length))
    return response
  }

  private mutating func receive() async throws -> Bool {
    do {
      guard let buffer = try await inbound.next(isolation: nil) else { return false }
      received += String(buffer: buffer)
      return true
    } catch is IOError {
      return false  // a reset closes a connection as well as an orderly end does
    }
  }

  private static func head(_ text: Substring) -> Response {
    let lines = text.split(separator: "\r\n")
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? -1
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].dropFirst()) : ""
    }
    return Response(status: status, headers: headers, body: "")
  }
}
