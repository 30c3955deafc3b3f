// Connecting: one host after the other, each within its time.

extension PostgresConnection {
  /// Tries each host once.
  ///
  /// - Throws: the last host's ``PostgresError/Code/connection`` or server error,
  ///   ``PostgresError/Code/cancelled``, or
  ///   ``PostgresError/Code/deadlineExceeded``.
  func connect(until deadline: ContinuousClock.Instant) throws(PostgresError) {
    var failure = PostgresError(.connection, "there is no host to connect to")
    for settings in configuration.attempts {
      let limit = min(deadline, .now + configuration.connectTimeout)
      do {
        session = try connect(settings, until: limit)
        cancelHandle = session?.cancelHandle()
        return
      } catch {
        if error.code == .cancelled { throw error }
        failure = error
      }
    }
    throw failure
  }

  /// The name resolution inside of libpq is the one step that no deadline bounds; it holds up this
  /// thread only.
  private func connect(
    _ settings: [String: String], until deadline: ContinuousClock.Instant
  ) throws(PostgresError) -> LibPQSession {
    guard let session = LibPQSession(parameters: settings) else {
      throw PostgresError(.resources, "there is no memory for a connection to PostgreSQL")
    }
    if session.hasFailed { throw refusal(session) }
    // The first turn is a wait for writing, before any PQconnectPoll (libpq manual,
    // PQconnectStartParams).
    var step = LibPQSession.ConnectStep.writing
    while step != .done {
      if step == .failed { throw refusal(session) }
      switch poll(session, reading: step == .reading, writing: step == .writing, until: deadline) {
      case .readable, .writable: step = session.continueConnecting()
      case .interrupted:
        interrupt.drain()
        if interrupt.isCancelled { throw Self.cancelled }
      case .timedOut:
        throw PostgresError(.connection, "the server did not accept a connection in time")
      }
    }
    guard session.finishConnecting() else { throw refusal(session) }
    return session
  }

  /// Why connecting failed.
  ///
  /// libpq's text names hosts, users and databases, never a password.
  private func refusal(_ session: LibPQSession) -> PostgresError {
    // With verbosity PQERRORS_VERBOSE: `… FATAL:  28P01: password authentication failed …`, then
    // LOCATION lines.
    let text = session.errorMessage
    let first = text.split(separator: "\n").first.map(String.init) ?? "connecting failed"
    guard let match = first.firstMatch(of: /(?:FATAL|PANIC|ERROR|[A-Z]+): +([0-9A-Z]{5}): (.*)$/)
    else {
      return PostgresError(.connection, "cannot connect to PostgreSQL: \(first)")
    }
    var error = PostgresError(
      .connection, "cannot connect to PostgreSQL: \(match.2)", sqlState: String(match.1))
    error.serverMessage = String(match.2)
    return error
  }
}

extension PostgresError {
  /// Whether trying to connect again is pointless until somebody changes something: wrong
  /// credentials, no such database, no such user.
  var isPermanentRefusal: Bool {
    guard let sqlState else { return code == .configuration }
    return sqlState.hasPrefix("28") || sqlState.hasPrefix("3D") || sqlState == "42501"
  }
}
