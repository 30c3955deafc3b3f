// How an emulated server is set up, apart from its data.

/// How the two subscription GET routes show `current_period_end`, and what the database keeps.
public enum DateMode: String, Sendable, Hashable, CaseIterable {
  /// They always show the server's clock. The default, as on a default installation.
  case sqlite
  /// They answer 500 as soon as there is a row to show; columns have their lengths, dates keep
  /// microseconds.
  case sqlServer = "sql-server"
  /// They show the true value, as no real server does.
  case ideal
}

/// Settings of an emulated server.
public struct EmulatorSettings: Sendable {
  /// The date mode.
  public var dateMode: DateMode
  /// The issuer of tokens and the start of URLs in bodies, without a trailing slash.
  public var baseURL: String
  /// The life of an access token, in seconds.
  public var accessTokenLifetime: Int
  /// The largest body, in bytes.
  public var bodyLimit: Int
  /// Whether login and its neighbours are limited per peer.
  public var limitsLogins: Bool
  /// How long a request may take before it is answered 408.
  public var timeLimit: Duration
  /// The version that the health routes report.
  public var version: String

  /// Settings; the defaults are the server's.
  public init(
    dateMode: DateMode = .sqlite, baseURL: String = "http://localhost:3000",
    accessTokenLifetime: Int = 86_400, bodyLimit: Int = 1_048_576, limitsLogins: Bool = true,
    timeLimit: Duration = .seconds(30), version: String = "0.1.40"
  ) {
    self.dateMode = dateMode
    self.baseURL = baseURL
    self.accessTokenLifetime = accessTokenLifetime
    self.bodyLimit = bodyLimit
    self.limitsLogins = limitsLogins
    self.timeLimit = timeLimit
    self.version = version
  }

  /// The database's idea of now, for the columns that it fills by itself.
  func databaseTime(_ now: UTCTime) -> UTCTime {
    now.truncated(toNanoseconds: dateMode == .sqlServer ? 1000 : 1_000_000_000)
  }

  /// A date-time as it is after storing it.
  func stored(_ time: UTCTime) -> UTCTime {
    time.truncated(toNanoseconds: dateMode == .sqlServer ? 1000 : 1)
  }

  /// Refuses, as databases with column lengths do, a text that is too long for its column.
  func check(_ text: String, atMost length: Int) throws(Refusal) {
    guard dateMode != .sqlServer || text.unicodeScalars.count <= length else {
      throw .databaseError
    }
  }
}
