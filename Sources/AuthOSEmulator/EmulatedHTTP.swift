// Requests and answers as plain values, so that everything except sockets runs without a server.

import JSON

/// One HTTP request as the emulator sees it.
public struct EmulatedRequest: Sendable {
  /// The method, for example `POST`.
  public var method: String
  /// The path as sent, still percent-encoded, without the query.
  public var path: String
  /// The query without its question mark, or empty.
  public var query: String
  /// Header fields; names are compared without regard to case.
  public var headers: [(name: String, value: String)]
  /// The body; empty where there is none or where it was over the limit.
  public var body: [UInt8]
  /// Whether the body ran over the limit without having said so in `Content-Length`.
  public var bodyExceedsLimit: Bool
  /// The peer's address, which the limiters count by.
  public var peer: String

  /// A request.
  public init(
    method: String, path: String, query: String = "",
    headers: [(name: String, value: String)] = [], body: [UInt8] = [],
    bodyExceedsLimit: Bool = false, peer: String = "127.0.0.1"
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.bodyExceedsLimit = bodyExceedsLimit
    self.peer = peer
  }

  func header(_ name: StaticString) -> String? {
    headers.first { equalsIgnoringCase($0.name, name) }?.value
  }
}

/// Compares a header name with a lower-case ASCII name without making a lower-case copy.
private func equalsIgnoringCase(_ text: String, _ name: StaticString) -> Bool {
  guard text.utf8.count == name.utf8CodeUnitCount else { return false }
  return name.withUTF8Buffer { buffer in
    zip(text.utf8, buffer).allSatisfy { byte, expected in
      byte == expected || ((0x41...0x5A).contains(byte) && byte | 0x20 == expected)
    }
  }
}

/// One HTTP response of the emulator.
public struct EmulatedResponse: Sendable {
  /// The status code.
  public var status: Int
  /// Header fields, with lower-case names, without `content-length` and `date`.
  public var headers: [(name: String, value: String)]
  /// The body, possibly empty.
  public var body: [UInt8]

  /// A response.
  public init(
    status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// A response with a JSON body.
  static func json(_ value: JSONValue, status: Int = 200) -> EmulatedResponse {
    EmulatedResponse(
      status: status, headers: [("content-type", "application/json")],
      body: value.serializedBytes())
  }

  static func plainText(_ text: String, status: Int) -> EmulatedResponse {
    EmulatedResponse(
      status: status, headers: [("content-type", "text/plain; charset=utf-8")],
      body: Array(text.utf8))
  }

  /// The first value of a header field.
  public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// The headers that every answer from inside the server's security layer carries.
  mutating func addSecurityHeaders() {
    headers.append(("strict-transport-security", "max-age=31536000; includeSubDomains"))
    headers.append(("x-content-type-options", "nosniff"))
    headers.append(("x-frame-options", "DENY"))
  }
}

/// What becomes of a request.
public enum EmulatedAnswer: Sendable {
  /// The client gets a response.
  case response(EmulatedResponse)
  /// The client gets nothing: the connection closes without a byte of an answer.
  case connectionDropped

  /// The response, or `nil` where the connection was dropped.
  public var response: EmulatedResponse? {
    if case .response(let response) = self { response } else { nil }
  }
}
