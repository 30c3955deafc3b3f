// A server that leaks: it answers as the emulator would, notes every secret that passes, and, when told to, puts the
// caller's own credential into its answers.

import AuthOSEmulator
import Foundation
import JSON
import Synchronization
import WritTesting

/// HTTP/1.1 over plain sockets, one thread a connection, one request a connection: slow, and free to misbehave.
final class HostileAuthOS: Sendable {
  /// What it does to the next answer of the service and management routes.
  enum Misdeed: String, Sendable, CaseIterable {
    /// 400 whose texts are the credential.
    case echoInRefusal
    /// 500 whose `error_code` is the credential.
    case echoInErrorCode
    /// 500 with a plain text that holds it.
    case echoInPlainText
    /// 502 with a page that holds it.
    case echoInPage
    /// A success whose JSON breaks off after the credential.
    case echoInMalformedJSON
    /// A success in which the credential stands in every member that is recorded.
    case echoAsMembers
    /// 429 whose Retry-After is the credential, and which has it in other headers too.
    case echoInHeaders
    /// A redirect to an address that holds it.
    case echoInLocation
    /// A status line that holds it.
    case echoInReason
    /// 401 that holds it.
    case echoInUnauthorized
    /// The connection closes in the middle of an answer that holds it.
    case echoCutOff
  }

  private struct State {
    var authOS: EmulatedAuthOS?
    var misdeed: Misdeed?
    var left = 0
    var done = 0
    var canaries: Set<Canary> = []
  }

  private let listener: Int32
  let port: Int
  private let state = Mutex(State())

  init() throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let status = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 128) == 0
          && getsockname(listener, $0, &length) == 0
      }
    }
    guard status else { throw ProcessFailure("no port: \(String(cString: strerror(errno)))") }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// Answers in the name of an emulator from now on.
  func serve(_ authOS: EmulatedAuthOS) {
    state.withLock { $0.authOS = authOS }
    let thread = Thread {
      while true {
        let connection = accept(self.listener, nil, nil)
        if connection < 0, errno == EINTR { continue }
        guard connection >= 0 else { return }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        let worker = Thread { self.converse(connection) }
        worker.stackSize = 512 << 10
        worker.start()
      }
    }
    thread.start()
  }

  /// Ends the listening.
  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  /// The next answers to requests with a credential are misdeeds.
  func misbehave(_ misdeed: Misdeed, times: Int) {
    state.withLock {
      $0.misdeed = misdeed
      $0.left = times
      $0.done = 0
    }
  }

  /// How many misdeeds were done since the last call of ``misbehave(_:times:)``.
  var done: Int { state.withLock { $0.done } }

  /// Every secret that passed: keys, passwords and tokens, from requests and answers.
  var canaries: [Canary] { state.withLock { Array($0.canaries) } }

  // MARK: One connection

  private func converse(_ connection: Int32) {
    defer { close(connection) }
    guard let request = Self.read(connection) else { return }
    let credential = Self.credential(of: request)
    let (authOS, misdeed) = state.withLock { state -> (EmulatedAuthOS?, Misdeed?) in
      if let credential { state.canaries.insert(Canary("a credential of a request", credential)) }
      guard credential != nil, state.left > 0 else { return (state.authOS, nil) }
      state.left -= 1
      state.done += 1
      return (state.authOS, state.misdeed)
    }
    guard let authOS else { return }
    if let misdeed, let credential {
      Self.write(connection, Self.answer(misdeed, credential))
      return
    }
    guard let response = authOS.respond(to: request, at: .now()).response else { return }
    note(response)
    let head = response.headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    Self.write(
      connection,
      Array(
        "HTTP/1.1 \(response.status) OK\r\n\(head)content-length: \(response.body.count)\r\nconnection: close\r\n\r\n"
          .utf8) + response.body)
  }

  /// Keys and tokens of answers; of a token the signature, which no other text has.
  private func note(_ response: EmulatedResponse) {
    guard let body = try? JSONValue(parsing: response.body) else { return }
    let named = ["key", "access_token", "refresh_token"].compactMap { name in
      body[name]?.stringValue.flatMap { $0.utf8.count >= 12 ? (name, $0) : nil }
    }
    state.withLock { state in
      for (name, secret) in named {
        let part =
          secret.split(separator: name == "key" ? "_" : ".").last.map(String.init) ?? secret
        state.canaries.insert(Canary("\(name) of an answer", part))
      }
    }
  }

  private static func credential(of request: EmulatedRequest) -> String? {
    for (name, value) in request.headers {
      if name.lowercased() == "x-api-key" {
        return value.split(separator: "_").last.map(String.init)
      }
      if name.lowercased() == "authorization" {
        return value.split(separator: ".").last.map(String.init)
      }
    }
    return nil
  }

  private static func answer(_ misdeed: Misdeed, _ secret: String) -> [UInt8] {
    let members = [
      "id", "user_id", "plan_id", "plan_name", "email", "current_period_end", "prefix", "slug",
    ]
    let echo = (members + ["created_at", "error", "error_code", "message", "name"])
      .map { #""\#($0)":"sk_0123456789ab_\#(secret)""# }.joined(separator: ",")
    func json(_ status: String, _ body: String, _ headers: String = "", cut: Int = 0) -> String {
      "HTTP/1.1 \(status)\r\ncontent-type: application/json\r\n\(headers)content-length: \(body.utf8.count + cut)\r\nconnection: close\r\n\r\n\(body)"
    }
    let text =
      switch misdeed {
      case .echoInRefusal: json("400 Bad", "{\(echo)}")
      case .echoInErrorCode: json("500 Bad", "{\(echo)}")
      case .echoInPlainText:
        "HTTP/1.1 500 Bad\r\ncontent-type: text/plain\r\ncontent-length: \(secret.utf8.count)\r\nconnection: close\r\n\r\n\(secret)"
      case .echoInPage:
        "HTTP/1.1 502 Bad\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>\(secret)</html>"
      case .echoInMalformedJSON: json("200 OK", #"{"id":"\#(secret)","status":"\#(secret)"#)
      case .echoAsMembers: json("200 OK", "{\(echo),\"status\":\"\(secret)\"}")
      case .echoInHeaders:
        json(
          "429 Slow", "{}",
          "retry-after: \(secret)\r\nx-request-id: \(secret)\r\nserver: \(secret)\r\n")
      case .echoInLocation: json("302 Found", "{}", "location: http://127.0.0.1:1/\(secret)\r\n")
      case .echoInReason: json("400 \(secret)", "{}")
      case .echoInUnauthorized: json("401 Unauthorized", "{\(echo)}")
      case .echoCutOff: json("200 OK", "{\(echo)", cut: 1_000)
      }
    return Array(text.utf8)
  }

  // MARK: Bytes

  private static func read(_ connection: Int32) -> EmulatedRequest? {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    var head: [String]?
    var bodyStart = 0
    while true {
      if head == nil, let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) {
        head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(
          separatedBy: "\r\n")
        bodyStart = end.upperBound
      }
      if let head, let request = request(head, bytes[bodyStart...]) { return request }
      let count = recv(connection, &buffer, buffer.count, 0)
      guard count > 0 else { return nil }
      bytes += buffer[..<count]
    }
  }

  private static func request(_ head: [String], _ body: ArraySlice<UInt8>) -> EmulatedRequest? {
    let headers = head.dropFirst().compactMap { line -> (name: String, value: String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (
        String(line[..<colon]).lowercased(),
        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      )
    }
    let length = headers.first { $0.name == "content-length" }.flatMap { Int($0.value) } ?? 0
    guard body.count >= length else { return nil }
    let words = head[0].split(separator: " ").map(String.init)
    let target = words[1].split(separator: "?", maxSplits: 1).map(String.init)
    return EmulatedRequest(
      method: words[0], path: target[0], query: target.count > 1 ? target[1] : "", headers: headers,
      body: Array(body.prefix(length)))
  }

  private static func write(_ connection: Int32, _ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes {
        send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
