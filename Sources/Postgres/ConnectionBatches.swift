// Many statements in one round trip, and many rows in one statement.

extension PostgresConnection {
  /// Sends all calls at once and then reads their answers, in order: one round trip instead of
  /// many.
  ///
  /// Outside of a transaction the whole pipeline is one (manual, "Pipeline Mode"): if any result is
  /// a failure, **none** of the calls took effect, those before it neither. Inside of a transaction
  /// a failure fails the transaction. The calls after a failure are not run and give
  /// ``PostgresError/Code/pipelineAborted``.
  /// - Throws: ``PostgresError`` if the pipeline as a whole went wrong: lost connection, deadline,
  ///   cancellation.
  public func pipeline(
    _ calls: [(Statement, [PostgresParameter])], deadline: Duration? = nil
  ) throws(PostgresError) -> [Result<[PostgresRow], PostgresError>] {
    guard !calls.isEmpty else { return [] }
    var flight = try takeOff(within: deadline)
    var prepared: [(name: String?, EncodedParameters)] = []
    for (statement, parameters) in calls {
      let encoded = try EncodedParameters(parameters)
      prepared.append((try prepare(statement, encoded.types, &flight), encoded))
    }
    let session = try usableSession()
    try send(session.enterPipeline())
    for ((statement, _), (name, encoded)) in zip(calls, prepared) {
      try send(session.send(statement, as: name, encoded))
    }
    try send(session.sendSync())
    let results = try pipelineResults(count: calls.count, &flight)
    try land(&flight)
    try send(session.exitPipeline())
    if case .failure(let error)? = results.first(where: \.isCancellation) { throw error }
    return results
  }

  /// Each command's results end with a nil; the last result of all is the sync.
  private func pipelineResults(
    count: Int, _ flight: inout Flight
  ) throws(PostgresError) -> [Result<[PostgresRow], PostgresError>] {
    var results: [Result<[PostgresRow], PostgresError>] = []
    while results.count < count {
      var outcome = Result<[PostgresRow], PostgresError>.success([])
      while let result = try nextResult(&flight) {
        switch result.status {
        case .rows: outcome = .success(result.rows.rows)
        case .done: break
        case .error: outcome = .failure(note(result.error, flight))
        case .pipelineAborted:
          outcome = .failure(
            PostgresError(
              .pipelineAborted, "not run, because an earlier statement of the pipeline failed"))
        case .copyIn, .copyOther:
          throw giveUp(PostgresError(.misuse, "COPY cannot be part of a pipeline"))
        case .pipelineSync:
          throw giveUp(PostgresError(.protocolViolation, "a pipeline ended before its last answer"))
        }
      }
      results.append(outcome)
    }
    guard let sync = try nextResult(&flight), sync.status == .pipelineSync else {
      throw giveUp(PostgresError(.protocolViolation, "a pipeline did not end with its sync"))
    }
    return results
  }

  /// `COPY … FROM STDIN` in text format, of rows of values; returns how many rows were copied.
  ///
  ///     try connection.copyIn("copy point (x, y) from stdin", rows: [[1, 2], [3, nil]])
  ///
  /// Rows are encoded and sent in pieces of 64 KiB, so that a lazy sequence of any length needs
  /// little memory.
  /// - Throws: ``PostgresError``; nothing was copied then.
  @discardableResult
  public func copyIn(
    _ statement: Statement, rows: some Sequence<[PostgresParameter]>, deadline: Duration? = nil
  ) throws(PostgresError) -> Int {
    var lines = CopyLines(rows: rows.makeIterator())
    return try copyIn(statement, within: deadline) { lines.nextPiece() }
  }

  /// `COPY … FROM STDIN` in whatever format the statement says, of pieces of bytes that may be cut
  /// anywhere.
  ///
  /// - Throws: ``PostgresError``; nothing was copied then.
  @discardableResult
  public func copyIn(
    _ statement: Statement, bytes: some Sequence<[UInt8]>, deadline: Duration? = nil
  ) throws(PostgresError) -> Int {
    var pieces = bytes.makeIterator()
    return try copyIn(statement, within: deadline) { pieces.next() }
  }

  private func copyIn(
    _ statement: Statement, within timeout: Duration?, _ nextPiece: () -> [UInt8]?
  ) throws(PostgresError) -> Int {
    try checkText(statement.sql)
    var flight = try takeOff(within: timeout)
    let session = try usableSession()
    try send(session.sendScript(statement.sql))
    guard let opening = try nextResult(&flight) else { return 0 }
    switch opening.status {
    case .copyIn: break
    case .error:
      let error = opening.error
      _ = try collect(&flight)
      throw note(error, flight)
    default:
      throw giveUp(PostgresError(.misuse, "copyIn needs a COPY … FROM STDIN statement"))
    }
    while flight.cancellation == nil, let piece = nextPiece() {
      try checkIn(session, &flight)
      if piece.isEmpty { continue }
      try put(session, &flight) { session.putCopy(piece) }
    }
    let reason = flight.cancellation == nil ? nil : "cancelled by the client"
    try put(session, &flight) { session.endCopy(failingBecause: reason) }
    return try collect(&flight).affectedRows
  }

  /// Queues a piece and sends what can be sent, so that the queue stays short.
  private func put(
    _ session: LibPQSession, _ flight: inout Flight, _ queue: () -> LibPQSession.CopyStep
  ) throws(PostgresError) {
    while true {
      let step = queue()
      if step == .failed { throw giveUp(Self.lost) }
      while true {
        let flushed = session.flush()
        if flushed == .failed { throw giveUp(Self.lost) }
        if flushed == .done { break }
        try wait(session, writing: true, &flight)
      }
      if step == .queued { return }
    }
  }
}

extension Result where Failure == PostgresError {
  fileprivate var isCancellation: Bool {
    if case .failure(let error) = self { error.code == .cancelled } else { false }
  }
}

/// Encodes rows as lines of the text format, a piece of some 64 KiB at a time.
private struct CopyLines<Rows: IteratorProtocol> where Rows.Element == [PostgresParameter] {
  var rows: Rows

  mutating func nextPiece() -> [UInt8]? {
    var piece: [UInt8] = []
    while piece.count < 65_536, let row = rows.next() {
      for (place, field) in row.enumerated() {
        if place > 0 { piece.append(UInt8(ascii: "\t")) }
        field.appendCopyField(to: &piece)
      }
      piece.append(UInt8(ascii: "\n"))
    }
    return piece.isEmpty ? nil : piece
  }
}
