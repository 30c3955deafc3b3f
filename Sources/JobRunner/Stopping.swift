// The two stages of stopping: first nothing new begins, then what runs is cut off.

import Synchronization

/// Whether, and since when, the worker has been asked to stop.
final class Stopping: Sendable {
  private let time: WorkerTime
  private let stepsContinueFor: Duration
  private let since = Mutex<Duration?>(nil)
  /// Rung when the stop begins.
  let begun = Signal()

  init(time: WorkerTime, stepsContinueFor: Duration) {
    self.time = time
    self.stepsContinueFor = stepsContinueFor
  }

  /// Asks the worker to stop.
  func begin() {
    since.withLock { if $0 == nil { $0 = time.now } }
    begun.ring()
  }

  /// Whether no more jobs may be claimed.
  var isBegun: Bool { since.withLock { $0 != nil } }

  /// Whether a job has to be handed back instead of sending its next request.
  var isTimeToHandBack: Bool {
    since.withLock { $0.map { time.now - $0 >= stepsContinueFor } ?? false }
  }
}
