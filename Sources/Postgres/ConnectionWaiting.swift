// How a connection waits: for the socket, for an interrupt, and never longer than its deadline.

internal import Glibc

/// One call in progress.
struct Flight {
  /// When the caller stops waiting.
  var deadline: ContinuousClock.Instant
  /// Whether a cancelled task leaves this call alone: `COMMIT` and `ROLLBACK` are not stopped
  /// half-way.
  var isShielded = false
  /// Set once the query has been told to stop.
  var cancellation: CancelAttempt?
}

extension PostgresConnection {
  /// How long the server may take to confirm a cancellation before the connection is given up.
  private static var cancelGrace: Duration { .seconds(2) }

  /// Starts the clock of a call.
  func takeOff(
    within timeout: Duration?, isShielded: Bool = false
  ) throws(PostgresError) -> Flight {
    if !isShielded, interrupt.isCancelled { throw Self.cancelled }
    var deadline = ContinuousClock.now + (timeout ?? configuration.statementTimeout)
    if !isShielded, let scopeDeadline { deadline = min(deadline, scopeDeadline) }
    return Flight(deadline: deadline, isShielded: isShielded)
  }

  /// Sends all there is to send and waits until a result can be taken without blocking.
  func nextResult(_ flight: inout Flight) throws(PostgresError) -> LibPQResult? {
    let session = try usableSession()
    while true {
      let flushed = session.flush()
      if flushed == .failed { throw giveUp(Self.lost) }
      if flushed == .done, !session.isBusy {
        guard let result = session.nextResult() else { return nil }
        if result.isFatal { throw giveUp(result.error) }
        return result
      }
      try wait(session, writing: flushed == .pending, &flight)
    }
  }

  /// Waits until the cancellation of a call, if there was one, can no longer hit the next call.
  ///
  /// `PQcancel` returns after the server has sent the signal to the backend; a backend that is idle
  /// by then ignores it. So once it has returned, the connection is safe to use again.
  func land(_ flight: inout Flight) throws(PostgresError) {
    guard let cancellation = flight.cancellation, let session else { return }
    while !cancellation.hasEnded {
      try wait(session, reading: false, writing: false, &flight)
    }
    if !cancellation.hasSucceeded { isSpent = true }
  }

  /// One wait of a call: returns after something happened that makes another look worthwhile.
  func wait(
    _ session: LibPQSession, reading: Bool = true, writing: Bool, _ flight: inout Flight
  ) throws(PostgresError) {
    switch poll(session, reading: reading, writing: writing, until: flight.deadline) {
    case .readable: if !session.consumeInput() { throw giveUp(Self.lost) }
    case .writable: break
    case .interrupted:
      interrupt.drain()
      heedCancellation(&flight)
    case .timedOut: throw runOut(flight)
    }
  }

  /// Looks at cancellation and deadline without waiting, for calls that could go on and on without
  /// a wait.
  func checkIn(_ session: LibPQSession, _ flight: inout Flight) throws(PostgresError) {
    heedCancellation(&flight)
    if ContinuousClock.now >= flight.deadline { throw runOut(flight) }
    if !session.consumeInput() { throw giveUp(Self.lost) }
  }

  private func heedCancellation(_ flight: inout Flight) {
    guard interrupt.isCancelled, !flight.isShielded, flight.cancellation == nil else { return }
    flight.cancellation = startCancelling()
    flight.deadline = min(flight.deadline, .now + Self.cancelGrace)
  }

  /// The deadline has passed, or the server did not confirm a cancellation: either way nobody knows
  /// what it does.
  private func runOut(_ flight: Flight) -> PostgresError {
    if flight.cancellation != nil { return giveUp(Self.cancelled) }
    _ = startCancelling()  // so that the server does not go on for nobody
    return giveUp(
      PostgresError(.deadlineExceeded, "PostgreSQL did not answer before the deadline"))
  }

  /// Closes a connection in doubt, and returns why, to be thrown.
  func giveUp(_ reason: PostgresError) -> PostgresError {
    end(reason)
    return reason
  }

  private func startCancelling() -> CancelAttempt? {
    guard let cancelHandle else { return nil }
    return CancelAttempt(cancelHandle, waking: interrupt)
  }

  static var cancelled: PostgresError {
    PostgresError(.cancelled, "the task was cancelled, and its query with it")
  }

  static var lost: PostgresError {
    PostgresError(.connection, "the connection to PostgreSQL was lost during a statement")
  }
}

// MARK: poll

extension PostgresConnection {
  enum Wake { case readable, writable, interrupted, timedOut }

  func poll(
    _ session: LibPQSession, reading: Bool = true, writing: Bool,
    until deadline: ContinuousClock.Instant
  ) -> Wake {
    let events = (reading ? POLLIN : 0) | (writing ? POLLOUT : 0)
    var descriptors = [
      // A negative descriptor is skipped: with nothing to wait for, an error on the socket would
      // spin.
      pollfd(fd: events == 0 ? -1 : session.socket, events: Int16(events), revents: 0),
      pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      let timeout = milliseconds(until: deadline)
      if timeout == 0 { return .timedOut }
      if Glibc.poll(&descriptors, 2, timeout) <= 0 { continue }  // EINTR, or the time is up
      if descriptors[1].revents != 0 { return .interrupted }
      // A hang-up or an error counts as readable: reading reports it.
      let onlyWritable = Int32(descriptors[0].revents) == POLLOUT
      return onlyWritable ? .writable : .readable
    }
  }

  /// Whether the server has said something.
  func pollNow(_ session: LibPQSession) -> Bool {
    var descriptor = pollfd(fd: session.socket, events: Int16(POLLIN), revents: 0)
    return Glibc.poll(&descriptor, 1, 0) > 0
  }

  private func milliseconds(until deadline: ContinuousClock.Instant) -> Int32 {
    let left = ContinuousClock.now.duration(to: deadline)
    guard left > .zero else { return 0 }
    let (seconds, attoseconds) = left.components
    guard seconds < 1_000_000 else { return 1_000_000_000 }
    return Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
  }
}
