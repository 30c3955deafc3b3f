// One connection to PostgreSQL: an actor on a thread of its own.
//
// Inside a scope (`PostgresPool.withConnection`) its methods are synchronous, because the scope
// runs on the connection's thread: nothing suspends between sending and receiving, so no two
// exchanges can mix. The thread waits in poll, for the socket and for an eventfd through which
// others interrupt it.

/// A connection that a scope owns; used inside the closures of ``PostgresPool`` only.
public actor PostgresConnection {
  nonisolated let thread: ConnectionThread
  nonisolated let interrupt: Interrupt
  let configuration: PostgresConfiguration

  /// Nil before connecting and after the connection was closed or lost.
  var session: LibPQSession?
  var cancelHandle: CancelHandle?
  /// Why there is no session any more.
  var ending: PostgresError?
  /// Whether something happened after which no other scope may get this connection.
  var isSpent = false
  /// No call of the present scope runs longer than this.
  var scopeDeadline: ContinuousClock.Instant?
  private var isInScope = false
  var prepared: [PreparedKey: String] = [:]
  var preparedTexts: [String: String] = [:]

  /// The connection's own thread.
  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  private init(_ configuration: PostgresConfiguration) throws(PostgresError) {
    self.configuration = configuration
    interrupt = try Interrupt()
    thread = try ConnectionThread()
  }

  deinit { thread.stop() }

  /// Connects to the first host that accepts us.
  static func open(
    _ configuration: PostgresConfiguration, deadline: ContinuousClock.Instant
  ) async throws(PostgresError) -> PostgresConnection {
    let connection = try PostgresConnection(configuration)
    let result = await withTaskCancellationHandler {
      await connection.connectResult(deadline)
    } onCancel: {
      connection.interrupt.cancel()
    }
    try result.get()
    return connection
  }

  private func connectResult(_ deadline: ContinuousClock.Instant) -> Result<Void, PostgresError> {
    Result { () throws(PostgresError) in try connect(until: deadline) }
  }

  /// Ends the connection; the thread ends when the last reference goes.
  func close() { end(PostgresError(.connection, "the connection is closed")) }

  /// How a scope ended: its result, and whether another scope may use the connection.
  struct Outcome<Value: Sendable>: Sendable {
    var result: Result<Value, any Error>
    var isReusable: Bool
  }

  /// Runs a unit of work on this connection's thread; nil if the connection turned out to be dead
  /// before it began.
  func scope<Value: Sendable>(
    until deadline: ContinuousClock.Instant?,
    _ body: @Sendable (isolated PostgresConnection) async throws -> Value
  ) async -> Outcome<Value>? {
    interrupt.reset()
    guard isAlive() else { return nil }
    scopeDeadline = deadline
    isInScope = true
    let result: Result<Value, any Error>
    do {
      let value = try await withTaskCancellationHandler {
        try await body(self)
      } onCancel: {
        interrupt.cancel()
      }
      result = .success(value)
    } catch {
      result = .failure(error)
    }
    isInScope = false
    scopeDeadline = nil
    return Outcome(result: result, isReusable: isClean)
  }

  /// Runs a unit of work as one transaction; see ``PostgresPool/withTransaction(_:deadline:_:)``.
  func transactionScope<Value: Sendable>(
    _ mode: TransactionMode,
    _ body: @Sendable (isolated PostgresConnection) async throws -> Value
  ) async throws -> Value {
    try begin(mode)
    let value: Value
    do {
      value = try await body(self)
    } catch {
      rollBack()
      throw error
    }
    try commit()
    return value
  }

  /// Drops the session, and remembers why.
  func end(_ reason: PostgresError) {
    session = nil
    cancelHandle = nil
    ending = ending ?? reason
    isSpent = true
  }

  /// The session, if the caller may use it.
  func usableSession() throws(PostgresError) -> LibPQSession {
    guard isInScope else {
      throw PostgresError(.misuse, "a connection was used outside of the scope that handed it out")
    }
    guard let session else {
      throw ending ?? PostgresError(.connection, "the connection is closed")
    }
    return session
  }

  /// Whether nothing of this scope is left that the next one would meet.
  private var isClean: Bool {
    guard let session, session.isUsable, !isSpent else { return false }
    return session.transactionStatus == .idle && !session.isInPipeline
  }

  /// Reads what the server said while the connection was idle; false if that was the end.
  private func isAlive() -> Bool {
    while let session, session.isUsable {
      guard pollNow(session) else { return true }
      guard session.consumeInput() else { break }
      _ = session.isBusy  // makes libpq look at what it read
    }
    end(PostgresError(.connection, "the server ended the connection while it was idle"))
    return false
  }

  /// Lets a listener, which owns its connection for good, call without a scope.
  func holdOpen() { isInScope = true }
}
