// How long the worker may act, by its own clock.

import Synchronization

/// What one registration of the worker holds on to.
struct Registration: Sendable {
  /// How long it lasts.
  var lease: Lease
  /// Who tells the fleet which keys this worker has.
  var keys: KeyReporter
}

/// The lease of one registration, as the worker may believe in it.
///
/// The database measures the lease from the moment it handles a renewal; the worker measures from
/// before it sent the renewal, so its end never comes later than the database's.
final class Lease: Sendable {
  /// The number under which the worker is registered.
  let worker: Int
  private let time: WorkerTime
  private let margin: Duration
  private let end: Mutex<Duration>

  init(worker: Int, validUntil: Duration, margin: Duration, time: WorkerTime) {
    self.worker = worker
    self.time = time
    self.margin = margin
    end = Mutex(validUntil)
  }

  /// Notes a renewal that was granted.
  func renewed(until validUntil: Duration) {
    end.withLock { if $0 > .zero { $0 = max($0, validUntil) } }
  }

  /// Notes that the database has given the lease up; nothing brings it back.
  func lose() { end.withLock { $0 = .zero } }

  /// Returns when the lease has ended, or when the task is cancelled.
  func waitForEnd() async {
    while isLive {
      do { try await time.sleep(for: end.withLock { $0 } - time.now) } catch { return }
    }
  }

  /// Whether claims are still valid.
  var isLive: Bool { time.now < end.withLock { $0 } }

  /// Whether a request may start: the lease lasts for more than the margin.
  var maySend: Bool { time.now + margin < end.withLock { $0 } }
}
