// The wait before the next attempt: exponential, capped, with full jitter.

public import Arazzo

/// How long to wait after a failure.
///
/// Full jitter: any wait between nothing and the bound is equally likely, so that jobs that failed
/// together do not come back together. The bound doubles with each failure, from `base` up to `cap`.
public struct Backoff: Sendable, Hashable {
  /// The bound after the first failure.
  public let base: Duration
  /// The bound of every wait.
  public let cap: Duration

  /// A backoff; a cap below the base counts as the base.
  public init(base: Duration, cap: Duration) {
    self.base = max(base, .zero)
    self.cap = max(cap, self.base)
  }

  /// The backoff that a job type asks for.
  public init(_ policy: RetryPolicy) { self.init(base: policy.base, cap: policy.cap) }

  /// The longest wait after that many failures, of which the present one is the last.
  ///
  /// - Parameter failures: At least 1; less counts as 1.
  public func bound(failures: Int) -> Duration {
    var bound = base
    // Doubling stops at the cap, so no number of failures overflows.
    for _ in 1..<max(failures, 1) {
      guard .zero < bound, bound < self.cap else { break }
      bound *= 2
    }
    return min(bound, cap)
  }

  /// A wait, in whole microseconds, between nothing and ``bound(failures:)``.
  public func delay(
    failures: Int, random: inout some RandomNumberGenerator
  ) -> Duration {
    .microseconds(Int.random(in: 0...bound(failures: failures).inMicroseconds, using: &random))
  }
}
