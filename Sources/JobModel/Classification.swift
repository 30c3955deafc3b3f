// The one table that says what a failed step means. `docs/failures.md` shows the same rows; a test
// compares them.

/// What a failure means for the job.
public enum FailureClass: String, Sendable, Hashable, CaseIterable {
  /// The service answered no; nothing changed, and asking again would get the same answer.
  case refused
  /// Nothing changed; asking again later may help. Counts as a failed attempt.
  case transient
  /// The service asks to wait. Nothing changed; counts as nothing.
  case limited
  /// Our credential is not accepted or not there, or the target has no address. Nothing changed; counts
  /// as nothing.
  case unauthorized
  /// It is unknown whether the request took effect. Counts as a failed attempt.
  case ambiguous
  /// The answer is not one that the operation describes: it may have done something else.
  case unexpected
}

/// One row of the table: a case, its meaning, the code that a job shows for it and a sentence.
public struct Classification: Sendable, Hashable {
  /// The case, in the words of `docs/failures.md`.
  public let situation: String
  /// What it means.
  public let failureClass: FailureClass
  /// The code that journal, job and metrics show.
  public let code: String
  /// What to say to a person.
  public let text: String

  private init(
    _ situation: String, _ failureClass: FailureClass, _ code: String, _ text: String
  ) {
    self.situation = situation
    self.failureClass = failureClass
    self.code = code
    self.text = text
  }

  /// The table.
  public static let all: [Classification] = [
    connectionRefused, nameResolution, tls, tlsUntrusted, tlsOtherHost, connectTimeout, heldBack,
    credentialMissing, loginFailed, loginLimited,
    targetMissing, responseTimeout, connectionReset, unreadableResponse, abandoned,
    secretNotStored, secretNotSealed, unexpectedSuccess, redirect, badRequest, unauthorized,
    permissionMissing, forbidden, notFound, notFoundElsewhere, notFoundUncoded, methodNotAllowed,
    serverTimeout, gone,
    tooLarge, wrongMediaType, unprocessable, tooEarly, limitedFor, limited, otherRefusal,
    databaseError, internalError, errorWithoutCode, badGateway, unavailable,
    unavailableWithoutCode, gatewayTimeout, otherServerError, unknownStatus,
  ]

  static let connectionRefused = Self(
    "connection refused", .transient, "connection_refused", "nobody listens at the address")
  static let nameResolution = Self(
    "host name not resolved", .transient, "name_resolution", "the host name could not be resolved")
  static let tls = Self(
    "TLS handshake failed", .transient, "tls_failed", "no TLS connection could be made")
  static let tlsUntrusted = Self(
    "TLS certificate not trusted", .transient, "tls_untrusted",
    "the certificate of the server is not trusted")
  static let tlsOtherHost = Self(
    "TLS certificate of another host", .transient, "tls_wrong_host",
    "the certificate of the server is for another host")
  static let connectTimeout = Self(
    "timeout before sending", .transient, "connect_timeout", "no connection was made in time")
  static let heldBack = Self(
    "held back by the worker", .limited, "held_back", "the worker held the request back")
  static let credentialMissing = Self(
    "no usable credential", .unauthorized, "credential_missing",
    "the credential is missing or unusable")
  static let loginFailed = Self(
    "login without a session", .transient, "login_failed", "no session could be opened")
  static let loginLimited = Self(
    "429 at the login", .limited, "login_limited", "the service limits logins")
  static let targetMissing = Self(
    "no address for the target", .unauthorized, "target_missing",
    "the address of the target is not configured")
  static let responseTimeout = Self(
    "timeout after sending", .ambiguous, "response_timeout", "no answer came in time")
  static let connectionReset = Self(
    "connection reset after sending", .ambiguous, "connection_reset",
    "the connection ended before the answer was whole")
  static let unreadableResponse = Self(
    "answer unreadable or too large", .ambiguous, "unreadable_response",
    "the answer could not be read")
  static let abandoned = Self(
    "given up while stopping", .ambiguous, "abandoned", "the worker stopped before the answer came")
  static let secretNotStored = Self(
    "secret of the answer not stored", .ambiguous, "secret_not_stored",
    "the secret in the answer could not be stored")
  static let secretNotSealed = Self(
    "secret of the answer not sealed", .ambiguous, "secret_not_sealed",
    "the secret in the answer could not be sealed")
  static let unexpectedSuccess = Self(
    "2xx that the operation does not describe or the criteria refuse", .unexpected,
    "unexpected_response", "the answer is not one that the step expects")
  static let redirect = Self(
    "3xx", .refused, "redirected", "the service redirects: its base URL is wrong")
  static let badRequest = Self("400", .refused, "bad_request", "the service refused the request")
  static let unauthorized = Self(
    "401", .unauthorized, "unauthorized", "the service does not accept the credential")
  static let permissionMissing = Self(
    "403, FORBIDDEN for want of a permission", .unauthorized, "permission_missing",
    "the credential lacks a permission")
  static let forbidden = Self(
    "403", .refused, "forbidden", "the service does not allow the act")
  static let notFound = Self("404, JSON error body", .refused, "not_found", "it does not exist")
  static let notFoundElsewhere = Self(
    "404, empty or not JSON", .transient, "no_such_route",
    "the address has no such route: wrong base URL, wrong version or a proxy in between")
  static let notFoundUncoded = Self(
    "404 of an API without error codes", .refused, "not_found", "it does not exist")
  static let methodNotAllowed = Self(
    "405", .refused, "method_not_allowed", "the address does not take this method")
  static let serverTimeout = Self(
    "408", .ambiguous, "server_timeout", "the service ran out of time")
  static let gone = Self(
    "410", .refused, "gone", "what stood at the address is gone for good")
  static let tooLarge = Self("413", .refused, "too_large", "the request is too large")
  static let wrongMediaType = Self(
    "415", .refused, "wrong_media_type", "the service does not take this content type")
  static let unprocessable = Self(
    "422", .refused, "unprocessable", "the body does not have the shape that the service takes")
  static let tooEarly = Self(
    "425", .transient, "too_early", "the service did not want to act on the request yet")
  static let limitedFor = Self(
    "429 with Retry-After or x-ratelimit-after", .limited, "rate_limited",
    "the service asks to wait")
  static let limited = Self(
    "429 without a time", .limited, "rate_limited", "the service asks to wait")
  static let otherRefusal = Self(
    "other 4xx", .refused, "refused", "the service refused the request")
  static let databaseError = Self(
    "500, DATABASE_ERROR", .ambiguous, "database_error", "the service's database failed")
  static let internalError = Self(
    "500, other JSON error body", .ambiguous, "internal_error", "the service failed")
  static let errorWithoutCode = Self(
    "500, empty or not JSON", .ambiguous, "server_error", "the service or a proxy failed")
  static let badGateway = Self(
    "502", .ambiguous, "bad_gateway", "a proxy got no proper answer from the service")
  static let unavailable = Self(
    "503, JSON error body", .transient, "unavailable", "the service is not available")
  static let unavailableWithoutCode = Self(
    "503, empty or not JSON", .ambiguous, "unavailable_proxy", "a proxy says: not available")
  static let gatewayTimeout = Self(
    "504", .ambiguous, "gateway_timeout", "a proxy got no answer from the service in time")
  static let otherServerError = Self(
    "other 5xx", .ambiguous, "server_error", "the service or a proxy failed")
  static let unknownStatus = Self(
    "any other status", .unexpected, "unexpected_response",
    "the answer is not one that the step expects")
}

extension Classification {
  /// The same row with another sentence, which may name a secret's place but never a value.
  func saying(_ text: String) -> Classification {
    Self(situation, failureClass, code, text)
  }

  /// The row for an answer that is no success.
  ///
  /// - Parameters:
  ///   - status: The HTTP status.
  ///   - errorCode: `error_code` of a JSON error body; `nil` where the body is anything else.
  ///   - hasErrorCodes: Whether the operation describes such a body for the status: then its absence
  ///     tells an answer of a proxy from one of the service.
  ///   - namesWait: Whether a header says how long to wait.
  ///   - lacksPermission: Whether the body says that the credential is good and lacks a permission.
  public static func of(
    status: Int, errorCode: String?, hasErrorCodes: Bool, namesWait: Bool,
    lacksPermission: Bool = false
  ) -> Classification {
    switch (status, errorCode) {
    case (200...299, _): unexpectedSuccess
    case (300...399, _): redirect
    case (400, _): badRequest
    case (401, _): unauthorized
    case (403, "FORBIDDEN"?) where lacksPermission: permissionMissing
    case (403, _): forbidden
    case (404, nil): hasErrorCodes ? notFoundElsewhere : notFoundUncoded
    case (404, _): notFound
    case (405, _): methodNotAllowed
    case (408, _): serverTimeout
    case (410, _): gone
    case (413, _): tooLarge
    case (415, _): wrongMediaType
    case (422, _): unprocessable
    case (425, _): tooEarly
    case (429, _): namesWait ? limitedFor : limited
    case (400...499, _): otherRefusal
    case (500, "DATABASE_ERROR"?): databaseError
    case (500, nil): errorWithoutCode
    case (500, _): internalError
    case (502, _): badGateway
    case (503, nil): unavailableWithoutCode
    case (503, _): unavailable
    case (504, _): gatewayTimeout
    case (500...599, _): otherServerError
    default: unknownStatus
    }
  }

  /// The row for a request that got no answer.
  public static func of(_ failure: TransportFailure) -> Classification {
    switch failure {
    case .notSent(.connectionRefused): connectionRefused
    case .notSent(.nameResolution): nameResolution
    case .notSent(.tls): tls
    case .notSent(.tlsUntrusted): tlsUntrusted
    case .notSent(.tlsOtherHost): tlsOtherHost
    case .notSent(.connectTimeout): connectTimeout
    case .notSent(.heldBack): heldBack
    case .credentialMissing, .credentialUnusable: credentialMissing
    case .loginFailed(.limited): loginLimited
    case .loginFailed: loginFailed
    case .targetMissing: targetMissing
    case .ambiguous(.responseTimeout): responseTimeout
    case .ambiguous(.connectionReset): connectionReset
    case .ambiguous(.unreadableResponse): unreadableResponse
    case .ambiguous(.abandoned): abandoned
    }
  }
}
