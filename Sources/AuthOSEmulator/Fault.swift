// The faults that can be injected: everything here the real server, or a proxy in front, can do.

/// A way for a request to go wrong.
public enum Fault: Sendable, Hashable {
  /// 500 `DATABASE_ERROR`; nothing happened.
  case status500
  /// The request takes effect, then the answer is 500 `DATABASE_ERROR`.
  case error500AfterEffect
  /// 408 without body; nothing happened.
  case timeout408BeforeEffect
  /// The request takes effect, then the answer is 408 without body.
  case timeout408AfterEffect
  /// The connection closes without an answer; nothing happened.
  case dropBefore
  /// The request takes effect, then the connection closes without an answer.
  case dropAfter
  /// The request waits this long before it takes effect.
  case slow(Duration)
  /// The request takes effect, then the answer waits this long.
  case slowAfterEffect(Duration)
  /// A proxy's 429, with `Retry-After` in seconds or without it; nothing happened.
  case tooManyRequests(retryAfter: Int?)
  /// A proxy's 429 whose `Retry-After` is a date so many seconds ahead; nothing happened.
  case tooManyRequestsUntil(secondsAhead: Int)
  /// A proxy's 502 with an HTML page; nothing happened.
  case htmlBadGateway502
  /// The request takes effect, then a proxy answers 502 with an HTML page.
  case htmlBadGateway502AfterEffect
  /// A proxy's 503, with `Retry-After` in seconds or without it; nothing happened.
  case unavailable503(retryAfter: Int?)
  /// A proxy's 404 without body; nothing happened.
  case emptyNotFound404
  /// The write of a key's `last_used_at` fails, so a valid key gets 500 before the handler.
  case bookkeeping500
  /// `POST /users` stops between user and link, `DELETE /users` after the unlinking; other routes
  /// are not affected.
  case stopHalfWay(Interruption)
  /// `DELETE /users` answers 204 although the subscription could not be deleted.
  case silentSubscriptionDeleteFailure
  /// Login answers 429 because no slot for hashing passwords is free; nothing happened.
  case passwordHashingBusy

  /// How a request that stopped half-way ends for the client.
  public enum Interruption: String, Sendable, Hashable, CaseIterable {
    /// 500 `DATABASE_ERROR`
    case databaseError
    /// 408 without body
    case timeout
    /// no answer
    case connectionDropped
  }

  /// The name of the kind of fault, as counted and as written in JSON.
  public var kind: String {
    switch self {
    case .status500: "status500"
    case .error500AfterEffect: "error500AfterEffect"
    case .timeout408BeforeEffect: "timeout408BeforeEffect"
    case .timeout408AfterEffect: "timeout408AfterEffect"
    case .dropBefore: "dropBefore"
    case .dropAfter: "dropAfter"
    case .slow: "slow"
    case .slowAfterEffect: "slowAfterEffect"
    case .tooManyRequests: "tooManyRequests"
    case .tooManyRequestsUntil: "tooManyRequestsUntil"
    case .htmlBadGateway502: "htmlBadGateway502"
    case .htmlBadGateway502AfterEffect: "htmlBadGateway502AfterEffect"
    case .unavailable503: "unavailable503"
    case .emptyNotFound404: "emptyNotFound404"
    case .bookkeeping500: "bookkeeping500"
    case .stopHalfWay: "stopHalfWay"
    case .silentSubscriptionDeleteFailure: "silentSubscriptionDeleteFailure"
    case .passwordHashingBusy: "passwordHashingBusy"
    }
  }

  /// The waits around the effect; where they reach the server's time limit, the fault is that the
  /// request is ended there.
  func delays(limit: Duration) -> (before: Duration, after: Duration, fault: Fault) {
    switch self {
    case .slow(let duration) where duration >= limit: (limit, .zero, .timeout408BeforeEffect)
    case .slow(let duration): (duration, .zero, self)
    case .slowAfterEffect(let duration) where duration >= limit:
      (.zero, limit, .timeout408AfterEffect)
    case .slowAfterEffect(let duration): (.zero, duration, self)
    default: (.zero, .zero, self)
    }
  }

  /// The kinds that only AuthOS can show; all others any service, or a proxy in front of it, can.
  public static let kindsOfAuthOS: Set<String> = [
    "bookkeeping500", "stopHalfWay", "silentSubscriptionDeleteFailure", "passwordHashingBusy",
  ]

  /// The answer that comes instead of any handling, or `nil` where the request is handled.
  ///
  /// - Parameter failure: How the service says that it failed; AuthOS's own words if left out.
  public func answerBeforeEffect(
    at now: UTCTime, failure: EmulatedAnswer? = nil
  ) -> EmulatedAnswer? {
    switch self {
    case .status500: failure ?? Refusal.databaseError.answer(at: now)
    case .timeout408BeforeEffect: Refusal.timedOut.answer(at: now)
    case .dropBefore: .connectionDropped
    case .tooManyRequests(let seconds):
      .proxy(429, "Too Many Requests", retryAfter: seconds.map { "\($0)" })
    case .tooManyRequestsUntil(let seconds):
      .proxy(429, "Too Many Requests", retryAfter: now.adding(seconds: seconds).httpDate)
    case .htmlBadGateway502: .proxy(502, "Bad Gateway", retryAfter: nil)
    case .unavailable503(let seconds):
      .proxy(503, "Service Temporarily Unavailable", retryAfter: seconds.map { "\($0)" })
    case .emptyNotFound404: .response(EmulatedResponse(status: 404))
    default: nil
    }
  }

  /// The answer that takes the place of the handler's.
  ///
  /// - Parameter failure: How the service says that it failed; AuthOS's own words if left out.
  public func answerAfterEffect(
    _ answer: EmulatedAnswer, at now: UTCTime, failure: EmulatedAnswer? = nil
  ) -> EmulatedAnswer {
    switch self {
    case .error500AfterEffect:
      // A refusal had no effect that a later failure could hide.
      (answer.response?.status ?? 500) < 300
        ? failure ?? Refusal.databaseError.answer(at: now) : answer
    case .timeout408AfterEffect: Refusal.timedOut.answer(at: now)
    case .dropAfter: .connectionDropped
    case .htmlBadGateway502AfterEffect: .proxy(502, "Bad Gateway", retryAfter: nil)
    default: answer
    }
  }
}

extension EmulatedAnswer {
  /// A proxy's own answer: an HTML page, and none of the server's headers.
  fileprivate static func proxy(
    _ status: Int, _ reason: String, retryAfter: String?
  ) -> EmulatedAnswer {
    let page =
      "<html>\r\n<head><title>\(status) \(reason)</title></head>\r\n<body>\r\n"
      + "<center><h1>\(status) \(reason)</h1></center>\r\n</body>\r\n</html>\r\n"
    var headers: [(name: String, value: String)] = [("content-type", "text/html")]
    if let retryAfter { headers.append(("retry-after", retryAfter)) }
    return .response(
      EmulatedResponse(status: status, headers: headers, body: Array(page.utf8)))
  }
}
