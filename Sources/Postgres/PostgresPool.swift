// The way to the database: a bounded set of connections, opened when needed, handed out as scopes.

internal import Synchronization

/// A pool of connections to one database.
///
///     let pool = PostgresPool(configuration: configuration, maximumConnections: 4)
///     let names = try await pool.withTransaction { connection in
///       try connection.execute("update job set seen = true where id = $1", [.int(id)])
///       return try connection.query("select name from job").map { try $0.decode("name", as: String.self) }
///     }
///     await pool.close()
///
/// Connections are opened when somebody needs one, and checked when they are taken, so a restart of
/// the server costs at most one ``PostgresError/isTransient`` error for each connection in use.
/// While the server is away, callers wait and connecting is tried again with ``Backoff``, until
/// `waitTimeout` ends. Nothing runs in the background, so ``run()`` is optional; ``close()`` is
/// not.
public final class PostgresPool: Sendable {
  private typealias Grant = PoolGrant<PostgresConnection>
  private typealias State = PoolState<PostgresConnection, CheckedContinuation<Grant, Never>>

  private let configuration: PostgresConfiguration
  private let waitTimeout: Duration
  private let idleLifetime: Duration
  private let backoff: Backoff
  private let state: Mutex<State>
  private let lastWaiter = Atomic<UInt64>(0)
  private let drained = Mutex<[CheckedContinuation<Void, Never>]>([])

  /// A pool that has opened nothing yet.
  ///
  /// - Parameters:
  ///   - maximumConnections: how many connections, and threads, there are at most; at least 1.
  ///   - waitTimeout: how long a caller waits for a connection, be it for a free one or for the server.
  ///   - idleLifetime: a connection unused for longer is closed instead of used, so that none dies in silence.
  ///   - backoff: how long to wait between tries to connect.
  public init(
    configuration: PostgresConfiguration, maximumConnections: Int = 8,
    waitTimeout: Duration = .seconds(10), idleLifetime: Duration = .seconds(300),
    backoff: Backoff = Backoff()
  ) {
    precondition(maximumConnections >= 1, "a pool needs at least one connection")
    self.configuration = configuration
    self.waitTimeout = waitTimeout
    self.idleLifetime = idleLifetime
    self.backoff = backoff
    state = Mutex(State(maximum: maximumConnections, idleLifetime: idleLifetime))
  }

  /// Runs a unit of work on one connection, on that connection's thread.
  ///
  /// The connection goes back to the pool afterwards, unless something is left open on it (a
  /// transaction, a pipeline, a doubt): then it is closed. Settings made with `set` stay, so use
  /// `set local` in transactions.
  /// - Parameter deadline: for everything together: the wait for a connection and all calls on it.
  /// - Throws: what the closure throws; ``PostgresError`` if there is no connection for it.
  @discardableResult
  public func withConnection<Value: Sendable>(
    deadline: Duration? = nil,
    _ body: @Sendable (isolated PostgresConnection) async throws -> Value
  ) async throws -> Value {
    let limit = deadline.map { ContinuousClock.now + $0 }
    let patience = ContinuousClock.now + min(waitTimeout, deadline ?? waitTimeout)
    while true {
      let connection = try await acquire(until: patience)
      let outcome = await connection.scope(until: limit, body)
      await release(connection, isReusable: outcome?.isReusable ?? false)
      // Nil: it had died while idle and the work has not begun; take another.
      if let outcome { return try outcome.result.get() }
    }
  }

  /// Runs a unit of work as one transaction: commits when the closure returns, rolls back when it
  /// throws.
  ///
  /// - Throws: what the closure throws; ``PostgresError/Code/commitUnknown`` if the answer to
  ///   `COMMIT` was lost;
  ///   ``PostgresError/Code/rolledBack`` if the closure swallowed the error of a statement.
  @discardableResult
  public func withTransaction<Value: Sendable>(
    _ mode: TransactionMode = .readCommitted, deadline: Duration? = nil,
    _ body: @Sendable (isolated PostgresConnection) async throws -> Value
  ) async throws -> Value {
    try await withConnection(deadline: deadline) { connection in
      try await connection.transactionScope(mode, body)
    }
  }

  /// Runs one statement on any connection and returns its rows.
  public func query(
    _ statement: Statement, _ parameters: [PostgresParameter] = [], deadline: Duration? = nil
  ) async throws -> [PostgresRow] {
    try await withConnection(deadline: deadline) { connection in
      try connection.query(statement, parameters, deadline: deadline)
    }
  }

  /// Runs one statement on any connection and returns how many rows it touched, or returned.
  @discardableResult
  public func execute(
    _ statement: Statement, _ parameters: [PostgresParameter] = [], deadline: Duration? = nil
  ) async throws -> Int {
    try await withConnection(deadline: deadline) { connection in
      try connection.execute(statement, parameters, deadline: deadline)
    }
  }

  /// Closes connections that were idle for too long, until its task is cancelled; then closes the
  /// pool.
  ///
  /// Optional: without it, idle connections are looked at only when somebody uses the pool.
  public func run() async {
    while (try? await Task.sleep(for: max(.seconds(1), idleLifetime / 2))) != nil {
      await closeExpired()
    }
    await close()
  }

  /// Refuses new work, waits until the work in progress has given its connections back, and ends
  /// them all.
  ///
  /// Not to be called from inside of a scope of this pool, which it would wait for.
  public func close() async {
    let (idle, waiters) = state.withLock { $0.close() }
    for waiter in waiters { waiter.resume(returning: .refused(State.closed)) }
    for connection in idle { await connection.close() }
    await withCheckedContinuation { continuation in
      drained.withLock { $0.append(continuation) }
      resumeIfDrained()
    }
  }
}

// MARK: Getting and returning connections

extension PostgresPool {
  private func acquire(until deadline: ContinuousClock.Instant) async throws -> PostgresConnection {
    if Task.isCancelled { throw PostgresConnection.cancelled }
    await closeExpired()
    let grant: Grant
    if let immediate = state.withLock({ $0.acquire() }) {
      grant = immediate
    } else {
      grant = await waitInLine(until: deadline)
    }
    switch grant {
    case .connection(let connection): return connection
    case .slot: return try await open(until: deadline)
    case .refused(let error): throw error
    }
  }

  /// Waits for a grant.
  ///
  /// Two unstructured events may end the wait early: the deadline's task, which this
  /// function cancels, and the cancellation of the caller.
  private func waitInLine(until deadline: ContinuousClock.Instant) async -> Grant {
    let id = lastWaiter.add(1, ordering: .relaxed).newValue
    let timer = Task {
      guard (try? await Task.sleep(until: deadline)) != nil else { return }
      refuse(id, Self.exhausted)
    }
    defer { timer.cancel() }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let immediate = state.withLock { state in
          let grant = state.acquire()
          if grant == nil { state.enqueue(continuation, id: id) }
          return grant
        }
        if let immediate { continuation.resume(returning: immediate) }
        // The timer and the handler below may have run before there was a continuation to resume.
        if Task.isCancelled { refuse(id, PostgresConnection.cancelled) }
        if ContinuousClock.now >= deadline { refuse(id, Self.exhausted) }
      }
    } onCancel: {
      refuse(id, PostgresConnection.cancelled)
    }
  }

  private static var exhausted: PostgresError {
    PostgresError(.poolExhausted, "all connections of the pool stayed in use for too long")
  }

  private func refuse(_ id: UInt64, _ error: PostgresError) {
    state.withLock { $0.abandon(id: id) }?.resume(returning: .refused(error))
  }

  /// Opens a connection into a slot that we hold, trying again with backoff; gives the slot up on
  /// failure.
  private func open(
    until deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> PostgresConnection {
    while true {
      do throws(PostgresError) {
        return try await openOnce(until: deadline)
      } catch {
        let delay = state.withLock { state in
          state.failures += 1
          return backoff.delay(afterFailures: state.failures)
        }
        let isWorthwhile =
          error.isTransient && !error.isPermanentRefusal && ContinuousClock.now + delay < deadline
        guard isWorthwhile, (try? await Task.sleep(for: delay)) != nil else {
          giveUpSlot()
          throw Task.isCancelled ? PostgresConnection.cancelled : error
        }
      }
    }
  }

  private func openOnce(
    until deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> PostgresConnection {
    if state.withLock(\.isClosed) { throw State.closed }
    let connection = try await PostgresConnection.open(configuration, deadline: deadline)
    state.withLock { $0.failures = 0 }
    return connection
  }

  private func release(_ connection: PostgresConnection, isReusable: Bool) async {
    let fate = isReusable ? state.withLock { $0.giveBack(connection, now: .now) } : .mustClose
    switch fate {
    case .isIdle: break
    case .goesTo(let waiter): waiter.resume(returning: .connection(connection))
    case .mustClose:
      await connection.close()
      giveUpSlot()
    }
  }

  private func giveUpSlot() {
    state.withLock { $0.giveUpSlot() }?.resume(returning: .slot)
    resumeIfDrained()
  }

  private func closeExpired() async {
    for connection in state.withLock({ $0.takeExpired(now: .now) }) { await connection.close() }
  }

  /// Ends the waits of ``close()`` once no connection is left.
  private func resumeIfDrained() {
    guard state.withLock({ $0.isClosed && $0.slots == 0 }) else { return }
    let waiting = drained.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    for continuation in waiting { continuation.resume() }
  }
}
