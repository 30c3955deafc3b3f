// The limiter of login and its neighbours: a token bucket for each client address.

/// Buckets that hold `burst` requests and regain one a second.
///
/// Kept as the generic cell rate algorithm does: one time for each client, at which its bucket
/// would be full again.
struct RateLimiter {
  let burst: Int
  private var fullAt: [String: UTCTime] = [:]

  init(burst: Int) { self.burst = burst }

  /// Takes one request from a client's bucket.
  ///
  /// - Throws: ``Refusal/limited(wait:)`` where the bucket is empty.
  mutating func admit(_ client: String, at now: UTCTime) throws(Refusal) {
    let full = max(fullAt[client] ?? now, now)
    let earliest = full.adding(seconds: 1 - burst)
    guard earliest <= now else {
      let whole = earliest.seconds - now.seconds
      throw .limited(wait: earliest.nanoseconds < now.nanoseconds ? whole - 1 : whole)
    }
    fullAt[client] = full.adding(seconds: 1)
  }
}
