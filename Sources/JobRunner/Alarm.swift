// When a worker that waits looks again by itself: the earliest moment that was asked for.

import Synchronization

/// The moment at which a bell is due to ring; several requests are one ring, the earliest.
final class Alarm: Sendable {
  private let due = Mutex<Duration?>(nil)

  /// Notes a moment on the clock of the worker.
  ///
  /// - Returns: Whether the caller has to see to the ring: nothing was due before that moment.
  func set(at moment: Duration) -> Bool {
    due.withLock { due in
      if let earlier = due, earlier <= moment { return false }
      due = moment
      return true
    }
  }

  /// Notes that the bell rings for this moment; a later request stands.
  func clear(at moment: Duration) {
    due.withLock { due in
      if due == moment { due = nil }
    }
  }
}
