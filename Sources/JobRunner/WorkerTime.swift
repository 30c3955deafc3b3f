// The one way in which the worker looks at time. Nothing that it reads here is ever written down:
// stored time is the database's.

/// A clock to wait on, without its type.
public struct WorkerTime: Sendable {
  private let sinceStart: @Sendable () -> Duration
  private let wait: @Sendable (Duration) async throws -> Void
  private let wallClock: @Sendable () -> Duration

  /// Wraps a clock.
  ///
  /// - Parameters:
  ///   - clock: It should go on while the process is stopped and while the machine sleeps, since a
  ///     worker compares its lease with it: `ContinuousClock`.
  ///   - secondsSince1970: Wall-clock time; used only to read a `Retry-After` that is a date.
  public init<C: Clock>(
    clock: C, secondsSince1970: @escaping @Sendable () -> Duration
  ) where C.Duration == Duration {
    let start = clock.now
    sinceStart = { start.duration(to: clock.now) }
    wait = { try await clock.sleep(until: clock.now.advanced(by: $0), tolerance: nil) }
    wallClock = secondsSince1970
  }

  /// The time since this value was made; never goes back.
  var now: Duration { sinceStart() }

  /// Wall-clock time since 1970-01-01 UTC.
  var sinceEpoch: Duration { wallClock() }

  /// Waits.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  func sleep(for duration: Duration) async throws { try await wait(duration) }
}
