// The only file that sees libpq's pointers. It turns them into Swift values and ends them on every
// path. Nothing here waits: waiting is done by the connection, with poll.

internal import CLibPQ
internal import Glibc

/// A connection of libpq (`PGconn`), in non-blocking mode; ended with this object.
///
/// Not Sendable: a PGconn may be touched by one thread at a time (libpq manual, "Behavior in Threaded
/// Programs"). One actor owns it.
final class LibPQSession {
  private let connection: OpaquePointer
  private let notices = NoticeWatch()

  /// Begins to connect (`PQconnectStartParams`); nil if there is no memory for it.
  init?(parameters: [String: String]) {
    let names = parameters.keys.sorted()
    let keywords = names.map { strdup($0) } + [nil]
    let values = names.map { strdup(parameters[$0] ?? "") } + [nil]
    defer { for string in keywords + values { free(string) } }
    let started = keywords.map { UnsafePointer<CChar>($0) }.withUnsafeBufferPointer { keywords in
      values.map { UnsafePointer<CChar>($0) }.withUnsafeBufferPointer { values in
        PQconnectStartParams(keywords.baseAddress, values.baseAddress, 0)
      }
    }
    guard let started else { return nil }
    connection = started
    // libpq would print notices to stderr; they may quote values.
    PQsetNoticeReceiver(
      connection,
      { watch, notice in
        guard let watch else { return }
        if isFatalReport(notice) {
          Unmanaged<NoticeWatch>.fromOpaque(watch).takeUnretainedValue().sawEnd = true
        }
      }, Unmanaged.passUnretained(notices).toOpaque())
    // So that a refused connection says its SQLSTATE, for which libpq 15 has no function.
    PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
  }

  deinit { PQfinish(connection) }

  var socket: Int32 { PQsocket(connection) }
  var isUsable: Bool { PQstatus(connection) == CONNECTION_OK && !notices.sawEnd }
  var hasFailed: Bool { PQstatus(connection) == CONNECTION_BAD }
  var isBusy: Bool { PQisBusy(connection) == 1 }
  var isInPipeline: Bool { PQpipelineStatus(connection) != PQ_PIPELINE_OFF }
  var errorMessage: String { String(cString: PQerrorMessage(connection)) }

  enum TransactionStatus { case idle, inTransaction, failed, unknown }
  var transactionStatus: TransactionStatus {
    switch PQtransactionStatus(connection) {
    case PQTRANS_IDLE: .idle
    case PQTRANS_INTRANS: .inTransaction
    case PQTRANS_INERROR: .failed
    default: .unknown
    }
  }

  enum ConnectStep { case reading, writing, done, failed }
  func continueConnecting() -> ConnectStep {
    switch PQconnectPoll(connection) {
    case PGRES_POLLING_READING: .reading
    case PGRES_POLLING_WRITING: .writing
    case PGRES_POLLING_OK: .done
    default: .failed
    }
  }

  /// Ends the set-up of a new connection; false if non-blocking mode was refused.
  func finishConnecting() -> Bool {
    PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
    return PQsetnonblocking(connection, 1) == 0
  }

  /// What another thread needs to cancel a query of this connection.
  func cancelHandle() -> CancelHandle? { PQgetCancel(connection).map(CancelHandle.init) }

  enum Flush { case done, pending, failed }
  func flush() -> Flush {
    switch PQflush(connection) {
    case 0: .done
    case 1: .pending
    default: .failed
    }
  }

  /// Reads what has arrived; false if the connection is lost.
  func consumeInput() -> Bool { PQconsumeInput(connection) == 1 }

  /// The next result of the commands sent; nil ends a command.
  ///
  /// Blocks unless ``isBusy`` is false.
  func nextResult() -> LibPQResult? { PQgetResult(connection).map(LibPQResult.init) }

  func nextNotification() -> (channel: String, payload: String)? {
    guard let notification = PQnotifies(connection) else { return nil }
    defer { PQfreemem(notification) }
    return (
      String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)
    )
  }

  // The send functions return false if the command could not be queued; see ``errorMessage``.

  func sendScript(_ sql: String) -> Bool { PQsendQuery(connection, sql) == 1 }

  func sendPrepare(name: String, sql: String, types: [UInt32]) -> Bool {
    PQsendPrepare(connection, name, sql, Int32(types.count), types) == 1
  }

  func sendQuery(_ sql: String, _ parameters: EncodedParameters) -> Bool {
    parameters.withPointers { values in
      PQsendQueryParams(
        connection, sql, Int32(parameters.types.count), parameters.types, values,
        parameters.lengths, parameters.formats, 1) == 1
    }
  }

  func sendPrepared(_ name: String, _ parameters: EncodedParameters) -> Bool {
    parameters.withPointers { values in
      PQsendQueryPrepared(
        connection, name, Int32(parameters.types.count), values, parameters.lengths,
        parameters.formats, 1) == 1
    }
  }

  func enterPipeline() -> Bool { PQenterPipelineMode(connection) == 1 }
  func exitPipeline() -> Bool { PQexitPipelineMode(connection) == 1 }
  func sendSync() -> Bool { PQpipelineSync(connection) == 1 }

  enum CopyStep { case queued, full, failed }
  func putCopy(_ bytes: [UInt8]) -> CopyStep {
    let status = bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) {
        PQputCopyData(connection, $0.baseAddress, Int32(buffer.count))
      }
    }
    return status == 1 ? .queued : status == 0 ? .full : .failed
  }

  /// Ends the copy; with a reason, the server fails it.
  func endCopy(failingBecause reason: String?) -> CopyStep {
    let status = PQputCopyEnd(connection, reason)
    return status == 1 ? .queued : status == 0 ? .full : .failed
  }
}

private func isFatalReport(_ report: OpaquePointer?) -> Bool {
  let severity = PQresultErrorField(report, writ_diag_severity).map { String(cString: $0) }
  return severity == "FATAL" || severity == "PANIC"
}

/// Remembers that the server announced the end of the session; an idle connection hears it as a
/// notice.
private final class NoticeWatch {
  var sawEnd = false
}

/// What cancels the query of one connection, from any thread.
//
// `@unchecked`: PQcancel only reads its PGcancel, and may be called from another thread than the one that uses
// the PGconn (libpq manual, "Canceling Queries in Progress"). Nothing else uses it before `deinit`.
final class CancelHandle: @unchecked Sendable {
  private let pointer: OpaquePointer

  fileprivate init(_ pointer: OpaquePointer) { self.pointer = pointer }

  deinit { PQfreeCancel(pointer) }

  /// Asks the server to cancel; waits until it has acted on it.
  ///
  /// False if it could not be asked.
  func cancel() -> Bool {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { reason in
      PQcancel(pointer, reason.baseAddress, Int32(reason.count)) == 1
    }
  }
}

/// A result of libpq (`PGresult`), cleared with this value.
struct LibPQResult: ~Copyable {
  private let result: OpaquePointer

  fileprivate init(_ result: OpaquePointer) { self.result = result }

  deinit { PQclear(result) }

  enum Status { case rows, done, copyIn, copyOther, error, pipelineSync, pipelineAborted }
  var status: Status {
    switch PQresultStatus(result) {
    case PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE: .rows
    case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .done
    case PGRES_COPY_IN: .copyIn
    case PGRES_COPY_OUT, PGRES_COPY_BOTH: .copyOther
    case PGRES_PIPELINE_SYNC: .pipelineSync
    case PGRES_PIPELINE_ABORTED: .pipelineAborted
    default: .error
    }
  }

  /// The rows that the command touched or returned; 0 for those that have no count.
  var affectedRows: Int { Int(String(cString: PQcmdTuples(result))) ?? 0 }

  /// For example `COMMIT`.
  var commandTag: String { String(cString: PQcmdStatus(result)) }

  /// A copy of all rows.
  var rows: RowStorage {
    let (rowCount, columnCount) = (PQntuples(result), PQnfields(result))
    let columns = (0..<columnCount).map {
      RowStorage.Column(
        name: String(cString: PQfname(result, $0)),
        type: TypeIdentifier(rawValue: PQftype(result, $0)))
    }
    var cells: [Range<Int>?] = []
    cells.reserveCapacity(Int(rowCount) * Int(columnCount))
    var bytes: [UInt8] = []
    for row in 0..<rowCount {
      for column in 0..<columnCount {
        guard PQgetisnull(result, row, column) == 0, let value = PQgetvalue(result, row, column)
        else {
          cells.append(nil)
          continue
        }
        let start = bytes.count
        let length = Int(PQgetlength(result, row, column))
        bytes.append(contentsOf: UnsafeRawBufferPointer(start: value, count: length))
        cells.append(start..<bytes.count)
      }
    }
    return RowStorage(columns: columns, rowCount: Int(rowCount), bytes: bytes, cells: cells)
  }

  /// Whether the server announces the end of the session with it.
  var isFatal: Bool { isFatalReport(result) }

  /// The server's report; without an SQLSTATE it is libpq that speaks, of a lost connection.
  var error: PostgresError {
    func field(_ code: Int32) -> String? {
      PQresultErrorField(result, code).map { String(cString: $0) }
    }
    guard let state = field(writ_diag_sqlstate) else {
      return PostgresError(.connection, "the connection to PostgreSQL was lost during a statement")
    }
    var error = PostgresError(.server, sqlState: state)
    error.serverMessage = field(writ_diag_message)
    error.hint = field(writ_diag_hint)
    error.schema = field(writ_diag_schema)
    error.table = field(writ_diag_table)
    error.column = field(writ_diag_column)
    error.constraint = field(writ_diag_constraint)
    error.serverFunction = field(writ_diag_function)
    return error
  }
}

extension EncodedParameters {
  fileprivate func withPointers(_ body: ([UnsafePointer<CChar>?]) -> Bool) -> Bool {
    bytes.withUnsafeBufferPointer { buffer in
      buffer.withMemoryRebound(to: CChar.self) { characters in
        // A value of no bytes still needs a pointer, since nil is a null.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1) { empty in
          empty.initialize(repeating: 0)
          let base = characters.baseAddress ?? UnsafePointer(empty.baseAddress!)
          return body(offsets.map { offset in offset.map { base + $0 } })
        }
      }
    }
  }
}

/// The settings of a connection string or URI, as libpq reads it; nil if it cannot.
///
/// libpq's own complaint is dropped, because it may quote a part of a password.
func parseConnectionString(_ text: String) -> [String: String]? {
  guard let options = PQconninfoParse(text, nil) else { return nil }
  defer { PQconninfoFree(options) }
  var settings: [String: String] = [:]
  var option = options
  while let keyword = option.pointee.keyword {
    if let value = option.pointee.val {
      settings[String(cString: keyword)] = String(cString: value)
    }
    option += 1
  }
  return settings
}
