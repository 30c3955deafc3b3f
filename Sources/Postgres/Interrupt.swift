// How other threads reach a connection that is waiting for the server.

internal import CLibPQ
internal import Glibc
internal import Synchronization

/// Wakes the poll of one connection, and carries the wish to cancel.
///
/// An eventfd: writing is safe from any thread and never blocks; the waiting thread polls it beside
/// the socket.
final class Interrupt: Sendable {
  let descriptor: Int32
  private let cancelled = Atomic<Bool>(false)

  init() throws(PostgresError) {
    descriptor = writ_eventfd()
    guard descriptor >= 0 else {
      throw PostgresError(
        .resources, "the system refused a descriptor for a connection to PostgreSQL")
    }
  }

  deinit { close(descriptor) }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

  /// Asks the connection's current scope to stop.
  func cancel() {
    cancelled.store(true, ordering: .releasing)
    wake()
  }

  /// Makes the connection's thread look around.
  func wake() { eventfd_write(descriptor, 1) }

  /// Forgets earlier wake-ups; called by the waiting thread only.
  func drain() {
    var count: eventfd_t = 0
    eventfd_read(descriptor, &count)
  }

  /// Starts a new scope, in which nobody has asked for anything yet.
  func reset() {
    cancelled.store(false, ordering: .releasing)
    drain()
  }
}
