// Where the database is, and how long to wait for it.

/// What a connection is made from.
///
/// May hold a password, so it prints no settings but host, port and database.
public struct PostgresConfiguration: Sendable {
  /// How long each host may take to accept a connection.
  public var connectTimeout: Duration
  /// The client-side deadline of each call that does not bring its own.
  public var statementTimeout: Duration
  /// Whether named statements stay prepared on the server; false behind a transaction pooler.
  public var preparesStatements: Bool

  private let settings: [String: String]

  /// Reads a connection string (`host=… dbname=…`) or URI (`postgresql://…`), which may list
  /// several hosts.
  ///
  /// What it does not say, libpq takes from its environment (`PGHOST` …). Unless it says otherwise,
  /// only a server that accepts writes is taken (`target_session_attrs=read-write`), text is UTF-8,
  /// and a dead peer is noticed within a minute (TCP keepalives).
  /// - Throws: ``PostgresError/Code/configuration`` if libpq cannot read the string, which is not
  ///   repeated.
  public init(
    connectionString: String, connectTimeout: Duration = .seconds(5),
    statementTimeout: Duration = .seconds(30), applicationName: String = "writ",
    preparesStatements: Bool = true
  ) throws(PostgresError) {
    guard let parsed = parseConnectionString(connectionString) else {
      throw PostgresError(
        .configuration,
        "the connection string is neither key=value pairs nor a postgresql:// URI that libpq can read"
      )
    }
    let defaults = [
      "target_session_attrs": "read-write", "fallback_application_name": applicationName,
      "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3",
    ]
    settings = parsed.merging(defaults) { given, _ in given }
      .merging(["client_encoding": "UTF8"]) { _, forced in forced }
    self.connectTimeout = connectTimeout
    self.statementTimeout = statementTimeout
    self.preparesStatements = preparesStatements
  }

  /// The settings of each host in turn, in the order in which they are tried.
  ///
  /// libpq would walk the list itself, but `PQconnectPoll` ignores `connect_timeout`, so one silent
  /// host would hold up the rest. `prefer-standby` becomes two rounds, as libpq does it.
  var attempts: [[String: String]] {
    let hosts = hostSettings
    guard settings["target_session_attrs"] == "prefer-standby" else { return hosts }
    return ["standby", "any"].flatMap { wanted in
      hosts.map { $0.merging(["target_session_attrs": wanted]) { _, round in round } }
    }
  }

  private var hostSettings: [[String: String]] {
    func list(_ key: String) -> [String] {
      settings[key].map {
        $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
      }
        ?? []
    }
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"))
    let count = max(hosts.count, addresses.count)
    // libpq reports lists of different lengths itself.
    guard count > 1, hosts.isEmpty || hosts.count == count,
      addresses.isEmpty || addresses.count == count, ports.count <= 1 || ports.count == count
    else { return [settings] }
    return (0..<count).map { place in
      var one = settings
      if !hosts.isEmpty { one["host"] = hosts[place] }
      if !addresses.isEmpty { one["hostaddr"] = addresses[place] }
      if ports.count == count { one["port"] = ports[place] }
      return one
    }
  }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  /// Host, port and database, as far as they are given; no user and no password.
  public var description: String {
    let shown = ["host", "port", "dbname"].compactMap { key in
      settings[key].map { "\(key)=\($0)" }
    }
    return shown.isEmpty ? "the default server" : shown.joined(separator: " ")
  }
  /// The same as ``description``.
  public var debugDescription: String { description }
  /// Shows nothing but ``description``.
  public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
