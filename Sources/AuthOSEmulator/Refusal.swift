// Why a handler did not answer with success: the two error families, and the ways to answer nothing.

import JSON

/// An answer other than success, thrown by checks and handlers.
enum Refusal: Error {
  /// The error body that AuthOS writes itself: `error`, `error_code` and `timestamp`.
  case json(status: Int, code: String, text: String)
  /// A refusal while reading the request, in plain text.
  case plainText(status: Int, text: String)
  /// A status without body, and an `Allow` header for 405.
  case empty(status: Int, allow: String?)
  /// The limiter's answer; the wait is in whole seconds, rounded down.
  case limited(wait: Int)
  /// The handler was dropped at the server's time limit.
  case timedOut
  /// The body is larger than the limit by its `Content-Length`.
  case tooLarge
  /// The process died or a proxy closed the connection.
  case connectionDropped

  static func badRequest(_ text: String) -> Refusal {
    .json(status: 400, code: "BAD_REQUEST", text: text)
  }
  static func unauthorized(_ text: String) -> Refusal {
    .json(status: 401, code: "UNAUTHORIZED", text: text)
  }
  static func forbidden(_ text: String) -> Refusal {
    .json(status: 403, code: "FORBIDDEN", text: text)
  }
  static func notFound(_ text: String) -> Refusal {
    .json(status: 404, code: "NOT_FOUND", text: text)
  }
  static let invalidToken = Refusal.json(status: 401, code: "JWT_ERROR", text: "Invalid token")
  static let databaseError = Refusal.json(
    status: 500, code: "DATABASE_ERROR", text: "Database error")
  static let notLinked = notFound("User not found or has not authenticated with this service")

  /// The answer at a time of the server's clock.
  func answer(at now: UTCTime) -> EmulatedAnswer {
    switch self {
    case .json(let status, let code, let text):
      let body: JSONValue = [
        "error": .string(text), "error_code": .string(code),
        "timestamp": .string(now.rfc3339WithOffset),
      ]
      return .secured(.json(body, status: status))
    case .plainText(let status, let text): return .secured(.plainText(text, status: status))
    case .empty(let status, let allow):
      return .secured(
        EmulatedResponse(status: status, headers: allow.map { [("allow", $0)] } ?? []))
    case .limited(let wait):
      return .secured(
        EmulatedResponse(
          status: 429, headers: [("x-ratelimit-after", "\(wait)")],
          body: Array("Too Many Requests! Wait for \(wait)s".utf8)))
    case .timedOut: return .response(EmulatedResponse(status: 408))
    case .tooLarge: return .response(.plainText("length limit exceeded", status: 413))
    case .connectionDropped: return .connectionDropped
    }
  }
}

extension EmulatedAnswer {
  /// A response with the security headers.
  static func secured(_ response: EmulatedResponse) -> EmulatedAnswer {
    var response = response
    response.addSecurityHeaders()
    return .response(response)
  }
}
