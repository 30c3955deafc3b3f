// The one error of this module, and the gate that decides which words of a server may be repeated.

/// What went wrong between us and PostgreSQL.
///
/// Branch on ``code`` and ``sqlState``, never on text. ``description`` is safe to log, to store and
/// to show: it never contains a bound value. The server's own words are in ``serverMessage``, which
/// may.
public struct PostgresError: Error, Sendable {
  /// What kind of failure this is; more kinds may come.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// The kind in a few words without spaces, fit for a metric's label.
    public let description: String

    /// The server answered with an error; see ``PostgresError/sqlState``.
    public static let server = Self(description: "server")
    /// There is no connection, or it was lost; whether the statement took effect is not known.
    public static let connection = Self(description: "connection")
    /// The client's deadline passed.
    ///
    /// The query was told to stop and its connection is closed.
    public static let deadlineExceeded = Self(description: "deadline_exceeded")
    /// The Swift task was cancelled, and so was its query.
    public static let cancelled = Self(description: "cancelled")
    /// A column does not hold what the caller asked for.
    public static let decoding = Self(description: "decoding")
    /// The server or libpq answered in a way that this client does not expect.
    public static let protocolViolation = Self(description: "protocol_violation")
    /// The pool is closed.
    public static let poolClosed = Self(description: "pool_closed")
    /// Every connection of the pool stayed in use until the wait ended.
    public static let poolExhausted = Self(description: "pool_exhausted")
    /// A statement of a pipeline was skipped, because an earlier one failed.
    public static let pipelineAborted = Self(description: "pipeline_aborted")
    /// `COMMIT` was sent and its answer never came: the transaction may have taken effect.
    public static let commitUnknown = Self(description: "commit_unknown")
    /// `COMMIT` was answered with a rollback, because a statement had failed and its error was
    /// swallowed.
    public static let rolledBack = Self(description: "rolled_back")
    /// The caller used this client in a way that cannot work.
    public static let misuse = Self(description: "misuse")
    /// The connection string or another setting makes no sense.
    public static let configuration = Self(description: "configuration")
    /// The system refused a thread or a descriptor.
    public static let resources = Self(description: "resources")
  }

  /// What kind of failure this is.
  public var code: Code
  /// The five characters of the server's error code (PostgreSQL manual, appendix A); nil if no
  /// server spoke.
  public var sqlState: String?
  /// The server's primary message.
  ///
  /// **Not safe**: it may quote values.
  public var serverMessage: String?
  /// The server's hint.
  ///
  /// **Not safe**, except in our own errors.
  public var hint: String?
  /// The constraint that refused the row.
  public var constraint: String?
  /// The column that the error is about.
  public var column: String?
  /// The schema of that table.
  public var schema: String?
  /// The table that the error is about.
  public var table: String?
  /// The server's function that raised the error.
  var serverFunction: String?
  /// Our own sentence, without values.
  var summary: String?

  init(_ code: Code, _ summary: String? = nil, sqlState: String? = nil) {
    self.code = code
    self.summary = summary
    self.sqlState = sqlState
  }
}

extension PostgresError {
  /// Whether the same work may succeed when it is tried again, on another connection.
  ///
  /// Says nothing about whether the work took effect: after a lost connection it may have.
  public var isTransient: Bool {
    switch code {
    case .connection, .commitUnknown, .poolExhausted, .deadlineExceeded, .resources: true
    case .server: sqlState.map(isTransientState) ?? false
    default: false
    }
  }

  /// Whether the connection that gave this error must not be used again.
  var endsConnection: Bool {
    guard let sqlState else { return code != .server }
    return sqlState == "25006" || sqlState == "26000" || isStalePlan
      || sqlState.hasPrefix("57P") || sqlState.hasPrefix("08")
  }

  /// A prepared statement whose tables changed under it; a new connection prepares it anew.
  private var isStalePlan: Bool {
    sqlState == "0A000" && serverFunction == "RevalidateCachedQuery"
  }

  private func isTransientState(_ state: String) -> Bool {
    switch state {
    case "40001", "40P01", "55P03", "25006", "26000", "57P01", "57P02", "57P03", "57P05": true
    default: isStalePlan || state.hasPrefix("08") || state.hasPrefix("53")
    }
  }
}

extension PostgresError: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// One sentence without values: what happened, the SQLSTATE, and the names of what was involved.
  public var description: String {
    guard code == .server || sqlState != nil else { return summary ?? code.description }
    let state = sqlState ?? "no SQLSTATE"
    var text = "\(summary ?? safeMessage ?? Self.kind(of: state)) (SQLSTATE \(state))"
    let place = [
      table.map { "table \(schema.map { "\($0)." } ?? "")\($0)" }, column.map { "column \($0)" },
      constraint.map { "constraint \($0)" },
    ].compactMap(\.self)
    if summary == nil, safeMessage == nil, !place.isEmpty {
      text += " at \(place.joined(separator: ", "))"
    }
    if isOurs, let hint { text += "; hint: \(hint)" }
    return text
  }

  /// The same as ``description``: collections print their elements with this.
  public var debugDescription: String { description }

  /// Shows nothing but ``description``, so that no reflection prints the server's words.
  public var customMirror: Mirror { Mirror(self, children: ["description": description]) }

  /// Our own functions raise class WR, with messages that are written without values.
  private var isOurs: Bool { sqlState?.hasPrefix("WR") ?? false }

  /// The server's message, if its class is one whose messages name objects and rules but never a
  /// bound value.
  ///
  /// A list of what may pass. Not on it: 22 (quotes the value that did not convert), 23 (may quote
  /// the row), P0 (raised by anybody's function), and every class that we do not know.
  private var safeMessage: String? {
    guard let sqlState, let serverMessage else { return nil }
    let passing: Set<String> = [
      "WR", "08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57",
    ]
    return passing.contains(String(sqlState.prefix(2))) ? serverMessage : nil
  }

  private static func kind(of state: String) -> String {
    switch state {
    case "22P02": "a value has the wrong text form for its type"
    case "22001": "a value is too long for its type"
    case "22003": "a number is out of range for its type"
    case "23502": "a required value is missing"
    case "23503": "a row refers to another that does not exist, or is referred to"
    case "23505": "a row with this key exists already"
    case "23514": "a check refused the row"
    case "23P01": "an exclusion constraint refused the row"
    case let state where state.hasPrefix("22"): "the server refused a value"
    case let state where state.hasPrefix("23"): "a constraint refused the row"
    case let state where state.hasPrefix("P0"): "a function of the database raised an error"
    default: "the server answered with an error"
    }
  }
}
