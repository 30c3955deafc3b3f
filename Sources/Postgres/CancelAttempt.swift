// Telling the server to stop a query.

internal import Synchronization

/// One `PQcancel`, on a short-lived thread of its own, because it blocks: it opens a connection of
/// its own, and a host that vanished would hold it up for minutes.
final class CancelAttempt: Sendable {
  private enum State: UInt8, AtomicRepresentable { case underway, succeeded, failed }
  private let state = Atomic<State>(.underway)

  /// Starts it; `interrupt` is woken at its end.
  init(_ handle: CancelHandle, waking interrupt: Interrupt) {
    let started = startThread { [self] in
      state.store(handle.cancel() ? .succeeded : .failed, ordering: .releasing)
      interrupt.wake()
    }
    if !started { state.store(.failed, ordering: .releasing) }
  }

  var hasEnded: Bool { state.load(ordering: .acquiring) != .underway }
  var hasSucceeded: Bool { state.load(ordering: .acquiring) == .succeeded }
}
