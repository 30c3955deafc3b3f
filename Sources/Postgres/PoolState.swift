// What a pool knows and decides, without connections, tasks or a clock: told an event, it returns
// what to do.

/// What somebody who wants a connection gets.
enum PoolGrant<Connection: Sendable>: Sendable {
  case connection(Connection)
  /// The right to open a connection.
  case slot
  case refused(PostgresError)
}

/// The counts and queues of one pool.
///
/// A *slot* is the right to one connection. A slot is idle (its connection waits here), or its
/// holder is opening or using a connection. There are never more than ``maximum`` slots.
struct PoolState<Connection: Sendable, Waiter> {
  struct Idle {
    var connection: Connection
    var since: ContinuousClock.Instant
  }

  typealias Grant = PoolGrant<Connection>

  /// What happens to a connection that comes back.
  enum Return {
    case isIdle
    case goesTo(Waiter)
    /// The pool is closed: close the connection, then give up its slot.
    case mustClose
  }

  let maximum: Int
  let idleLifetime: Duration
  /// The most recently used is last, and is taken first, so that the rest can grow old.
  private(set) var idle: [Idle] = []
  /// Slots that exist: idle, opening and in use.
  private(set) var slots = 0
  private(set) var waiters: [(id: UInt64, waiter: Waiter)] = []
  private(set) var isClosed = false
  /// Failures to connect in a row, of all callers together.
  var failures = 0

  init(maximum: Int, idleLifetime: Duration) {
    self.maximum = maximum
    self.idleLifetime = idleLifetime
  }

  /// Somebody wants a connection; nil says to wait in line.
  mutating func acquire() -> Grant? {
    if isClosed { return .refused(Self.closed) }
    if let last = idle.popLast() { return .connection(last.connection) }
    guard slots < maximum else { return nil }
    slots += 1
    return .slot
  }

  mutating func enqueue(_ waiter: Waiter, id: UInt64) {
    waiters.append((id, waiter))
  }

  /// Somebody no longer waits; nil if it has been served already.
  mutating func abandon(id: UInt64) -> Waiter? {
    guard let place = waiters.firstIndex(where: { $0.id == id }) else { return nil }
    return waiters.remove(at: place).waiter
  }

  /// A connection comes back in good order.
  mutating func giveBack(_ connection: Connection, now: ContinuousClock.Instant) -> Return {
    if isClosed { return .mustClose }
    if !waiters.isEmpty { return .goesTo(waiters.removeFirst().waiter) }
    idle.append(Idle(connection: connection, since: now))
    return .isIdle
  }

  /// A connection is gone, or was never opened; returns who gets its slot.
  mutating func giveUpSlot() -> Waiter? {
    if !waiters.isEmpty { return waiters.removeFirst().waiter }
    slots -= 1
    return nil
  }

  /// Takes out the connections that have been idle for too long; the caller closes them.
  mutating func takeExpired(now: ContinuousClock.Instant) -> [Connection] {
    let expired = idle.prefix { $0.since + idleLifetime <= now }.map(\.connection)
    idle.removeFirst(expired.count)
    slots -= expired.count
    return expired
  }

  /// No more connections for anybody; the caller closes the idle ones and refuses the waiters.
  mutating func close() -> (idle: [Connection], waiters: [Waiter]) {
    isClosed = true
    defer {
      slots -= idle.count
      idle = []
      waiters = []
    }
    return (idle.map(\.connection), waiters.map(\.waiter))
  }

  static var closed: PostgresError {
    PostgresError(.poolClosed, "the connection pool is closed")
  }
}
