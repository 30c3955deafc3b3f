// Whether the worker waits for work: told to the database with each renewal, so that producers
// notify only when somebody listens.

import Synchronization

/// A flag that the dispatcher sets and the heartbeat reads.
final class IdleFlag: Sendable {
  private let value = Atomic(false)

  var isIdle: Bool {
    get { value.load(ordering: .acquiring) }
    set { value.store(newValue, ordering: .releasing) }
  }
}
