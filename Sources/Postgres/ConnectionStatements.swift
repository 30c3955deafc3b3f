// Statements, scripts and transactions of a connection.

/// A statement as one connection prepared it: the server fixes the parameters' types when it
/// prepares.
struct PreparedKey: Hashable {
  var name: String
  var types: [UInt32]
}

extension PostgresConnection {
  /// Runs one statement and returns its rows.
  ///
  /// - Parameter deadline: how long to wait; the configuration's `statementTimeout` if nil, and
  ///   never longer than the
  ///   scope's deadline.
  /// - Throws: ``PostgresError``.
  public func query(
    _ statement: Statement, _ parameters: [PostgresParameter] = [], deadline: Duration? = nil
  ) throws(PostgresError) -> [PostgresRow] {
    try run(statement, parameters, within: deadline).rows?.rows ?? []
  }

  /// Runs one statement and returns how many rows it touched, or returned.
  ///
  /// - Throws: ``PostgresError``.
  @discardableResult
  public func execute(
    _ statement: Statement, _ parameters: [PostgresParameter] = [], deadline: Duration? = nil
  ) throws(PostgresError) -> Int {
    try run(statement, parameters, within: deadline).affectedRows
  }

  /// Runs SQL text of any number of statements, without parameters, and drops their rows.
  ///
  /// Without `begin` in the text it is one transaction (manual, "Multiple Statements in a Simple
  /// Query").
  /// - Throws: ``PostgresError`` of the first statement that failed; the rest is not run.
  public func executeScript(_ sql: String, deadline: Duration? = nil) throws(PostgresError) {
    try checkText(sql)
    var flight = try takeOff(within: deadline)
    try send(usableSession().sendScript(sql))
    _ = try collect(&flight)
  }

  /// Runs the closure as a transaction: commits when it returns, rolls back when it throws.
  ///
  /// - Throws: what the closure threw; ``PostgresError/Code/commitUnknown`` if the answer to
  ///   `COMMIT` was lost;
  ///   ``PostgresError/Code/rolledBack`` if the closure swallowed the error of a statement.
  @discardableResult
  public func transaction<Value>(
    _ mode: TransactionMode = .readCommitted, _ body: () throws -> Value
  ) throws -> Value {
    try begin(mode)
    let value: Value
    do {
      value = try body()
    } catch {
      rollBack()
      throw error
    }
    try commit()
    return value
  }
}

extension PostgresConnection {
  /// What one command returned.
  struct Reply {
    var rows: RowStorage?
    var affectedRows = 0
    var commandTag = ""
  }

  func run(
    _ statement: Statement, _ parameters: [PostgresParameter], within timeout: Duration?,
    isShielded: Bool = false
  ) throws(PostgresError) -> Reply {
    let encoded = try EncodedParameters(parameters)
    var flight = try takeOff(within: timeout, isShielded: isShielded)
    let name = try prepare(statement, encoded.types, &flight)
    try send(usableSession().send(statement, as: name, encoded))
    return try collect(&flight)
  }

  /// The name under which the server knows the statement with these types; nil if it is not to be
  /// prepared.
  func prepare(
    _ statement: Statement, _ types: [UInt32], _ flight: inout Flight
  ) throws(PostgresError) -> String? {
    try checkText(statement.sql)
    guard let name = statement.name, configuration.preparesStatements else { return nil }
    let key = PreparedKey(name: name, types: types)
    guard preparedTexts[name, default: statement.sql] == statement.sql else {
      throw PostgresError(.misuse, "the name \(name) stands for two different statements")
    }
    if let known = prepared[key] { return known }
    let serverName = "\(name)/\(prepared.count + 1)"
    try checkText(serverName)
    try send(usableSession().sendPrepare(name: serverName, sql: statement.sql, types: types))
    _ = try collect(&flight)
    prepared[key] = serverName
    preparedTexts[name] = statement.sql
    // A statement whose nulls have no type is prepared once for each pattern of them: start over
    // some day.
    if prepared.count >= 500 { isSpent = true }
    return serverName
  }

  /// Checks that a command could be queued.
  func send(_ isQueued: Bool) throws(PostgresError) {
    guard isQueued else { throw giveUp(Self.lost) }
  }

  /// Takes all results of one command; the last one counts.
  func collect(_ flight: inout Flight) throws(PostgresError) -> Reply {
    var reply = Reply()
    var failure: PostgresError?
    while let result = try nextResult(&flight) {
      switch result.status {
      case .rows:
        reply.rows = result.rows
        reply.affectedRows = result.affectedRows
      case .done: reply.affectedRows = result.affectedRows
      case .error: failure = failure ?? result.error
      case .copyIn, .copyOther:
        throw giveUp(
          PostgresError(
            .misuse, "COPY FROM STDIN goes through copyIn; COPY TO STDOUT is not supported"))
      case .pipelineSync, .pipelineAborted:
        throw giveUp(PostgresError(.protocolViolation, "an answer to a pipeline came without one"))
      }
      reply.commandTag = result.commandTag
    }
    try land(&flight)
    if let failure { throw note(failure, flight) }
    return reply
  }

  /// Draws the consequences of a server's error.
  func note(_ error: PostgresError, _ flight: Flight) -> PostgresError {
    if let session, session.hasFailed { end(error) }
    if error.endsConnection { isSpent = true }
    // 57014 is the server's word for a query that was told to stop.
    if error.sqlState == "57014", flight.cancellation != nil { return Self.cancelled }
    return error
  }

  func checkText(_ sql: String) throws(PostgresError) {
    if sql.utf8.contains(0) {
      throw PostgresError(.misuse, "SQL text contains a zero byte")
    }
  }
}

// MARK: Transactions

extension PostgresConnection {
  func begin(_ mode: TransactionMode) throws(PostgresError) {
    guard try usableSession().transactionStatus == .idle else {
      throw PostgresError(.misuse, "a transaction was begun inside of a transaction")
    }
    _ = try run(mode.begin, [], within: nil)
  }

  /// Not stopped by a cancelled task once it is sent, so that its outcome is known.
  func commit() throws(PostgresError) {
    if interrupt.isCancelled {
      rollBack()
      throw Self.cancelled
    }
    let reply: Reply
    do {
      reply = try run("commit", [], within: nil, isShielded: true)
    } catch {
      if session == nil {
        throw PostgresError(
          .commitUnknown,
          "the connection was lost while a transaction was committing; it may have taken effect",
          sqlState: error.sqlState)
      }
      rollBack()
      throw error
    }
    guard reply.commandTag == "COMMIT" else {
      throw PostgresError(
        .rolledBack, "the transaction was rolled back, because a statement in it had failed")
    }
  }

  /// Closes the connection if even this fails; the server then rolls back by itself.
  func rollBack() {
    guard let session, session.transactionStatus != .idle else { return }
    do {
      _ = try run("rollback", [], within: .seconds(5), isShielded: true)
    } catch {
      end(error)
    }
  }
}

extension LibPQSession {
  /// Queues a statement, by its name on the server if it has one there.
  func send(_ statement: Statement, as name: String?, _ parameters: EncodedParameters) -> Bool {
    if let name { return sendPrepared(name, parameters) }
    return sendQuery(statement.sql, parameters)
  }
}
