// One source of randomness for all jobs of a worker.

import Synchronization

/// A random number generator behind a lock.
final class LockedRandom: Sendable {
  private let generator: Mutex<any RandomNumberGenerator & Sendable>

  init(_ generator: some RandomNumberGenerator & Sendable) {
    self.generator = Mutex(generator)
  }

  /// Runs a decision that draws random numbers; it must not wait for anything.
  func draw<Value: Sendable>(
    _ decision: (inout any RandomNumberGenerator & Sendable) -> sending Value
  ) -> sending Value {
    generator.withLock { decision(&$0) }
  }
}
