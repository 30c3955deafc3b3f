// How long to wait before the next try to connect.

/// Exponential backoff with full jitter: a random part of a limit that doubles with every failure.
///
/// Full jitter (Brooker, "Exponential Backoff and Jitter") spreads clients that lost the same
/// server at the same moment.
public struct Backoff: Sendable {
  /// The limit of the first wait.
  public var base: Duration
  /// No wait is longer than this.
  public var maximum: Duration
  /// Draws a number from 0 up to 1.
  public var jitter: @Sendable () -> Double

  /// The random source is a parameter, so that tests can own it.
  public init(
    base: Duration = .milliseconds(50), maximum: Duration = .seconds(5),
    jitter: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
  ) {
    self.base = base
    self.maximum = maximum
    self.jitter = jitter
  }

  /// The wait after that many failures in a row; never shorter than a millisecond, so that nothing
  /// spins.
  public func delay(afterFailures failures: Int) -> Duration {
    let doublings = min(max(failures - 1, 0), 20)
    let limit = min(maximum, base * (1 << doublings))
    return max(.milliseconds(1), limit * jitter())
  }
}
