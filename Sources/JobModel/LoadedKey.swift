// Which key a worker's secret store shows, and which workers lack one: public parts only.

/// The key of a job type as one worker's secret store shows it.
public struct LoadedKey: Sendable, Hashable {
  /// The environment.
  public var environment: String
  /// The job type.
  public var jobType: String
  /// The public part; `nil`, like the fingerprint, for something that cannot be read or is no key.
  public var prefix: String?
  /// The fingerprint, which tells also a key that was cut short from the whole one.
  public var fingerprint: String?

  /// A key.
  public init(environment: String, jobType: String, prefix: String?, fingerprint: String?) {
    self.environment = environment
    self.jobType = jobType
    self.prefix = prefix
    self.fingerprint = fingerprint
  }
}

/// A live worker that does not show the key that it should.
public struct WorkerWithoutKey: Sendable, Hashable {
  /// Its number.
  public var id: Int
  /// Its name.
  public var name: String
  /// Its machine.
  public var host: String
  /// The public part of the key that it shows instead; `nil` where that cannot be read.
  public var prefix: String?
  /// Whether it has told which keys it has.
  public var hasReported: Bool

  /// A worker.
  public init(id: Int, name: String, host: String, prefix: String?, hasReported: Bool) {
    self.id = id
    self.name = name
    self.host = host
    self.prefix = prefix
    self.hasReported = hasReported
  }

  /// Who it is and what it shows: `worker 7 (mail-1 on db2) shows sk_0123456789ab`.
  public var words: String {
    let what =
      if !hasReported {
        "has not said which keys it has"
      } else if let prefix {
        "shows \(prefix)"
      } else {
        "shows something that it cannot use"
      }
    return "worker \(id) (\(name) on \(host)) \(what)"
  }
}
