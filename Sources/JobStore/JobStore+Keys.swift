// Which keys the workers have: what each tells, and who lacks one.

import JSON
public import JobModel
public import Postgres

/// What the database knows of the rotations of one key.
public struct KeyRotations: Sendable, Hashable {
  /// The environment.
  public let environment: String
  /// The job type.
  public let jobType: String
  /// The last rotation that was completed.
  public let lastJob: Int?
  /// When that was.
  public let lastAt: PostgresTimestamp?
  /// The rotations that are not over, the first one first.
  public let openJobs: [Int]
  /// The first one's state and what it waits for: `running`, `waiting: review`.
  public let openState: String?

  /// What is known; for tests of what is made of it.
  public init(
    environment: String, jobType: String, lastJob: Int? = nil, lastAt: PostgresTimestamp? = nil,
    openJobs: [Int] = [], openState: String? = nil
  ) {
    self.environment = environment
    self.jobType = jobType
    self.lastJob = lastJob
    self.lastAt = lastAt
    self.openJobs = openJobs
    self.openState = openState
  }
}

/// A job that makes keys for other programs.
public struct KeyMaker: Sendable, Hashable {
  /// Its state.
  public let state: String
  /// The public part of the key that its result shows, if it has one.
  public let prefix: String?

  /// A job; for tests of what is made of it.
  public init(state: String, prefix: String? = nil) {
    self.state = state
    self.prefix = prefix
  }
}

/// The keys that live workers show.
public struct WorkerKeys: Sendable, Hashable {
  /// One key of one worker.
  public struct Entry: Sendable, Hashable {
    /// The worker's number.
    public var worker: Int
    /// Its name.
    public var name: String
    /// Its machine.
    public var host: String
    /// The environment.
    public var environment: String
    /// The job type.
    public var jobType: String
    /// The public part; `nil` for something that the worker cannot use.
    public var prefix: String?

    /// An entry.
    public init(
      worker: Int, name: String, host: String, environment: String, jobType: String, prefix: String?
    ) {
      self.worker = worker
      self.name = name
      self.host = host
      self.environment = environment
      self.jobType = jobType
      self.prefix = prefix
    }
  }

  /// The name of this installation.
  public let installation: String
  /// All entries, by environment, type and worker.
  public let entries: [Entry]
}

extension JobStore {
  /// Tells which keys a worker's secret store shows, in place of what it told before.
  ///
  /// - Returns: Whether its lease is live; if not, nothing is written.
  public func reportKeys(
    worker: Int, environments: [String], _ keys: [LoadedKey]
  ) async throws -> Bool {
    let json = JSONValue.array(
      keys.map { key in
        [
          "environment": .string(key.environment), "type": .string(key.jobType),
          "prefix": JSONValue(key.prefix), "fingerprint": JSONValue(key.fingerprint),
        ]
      })
    return try await row(
      .reportKeys, [.int(worker), .texts(environments), .json(json.serialized())]
    ).decode("is_live")
  }

  /// The live workers of an environment that do not show the key with this fingerprint.
  public func workersWithoutKey(
    environment: String, jobType: String, fingerprint: String
  ) async throws -> [WorkerWithoutKey] {
    let rows = try await pool.query(
      .workersWithoutKey, [.text(environment), .text(jobType), .text(fingerprint)])
    return try rows.map { row in
      WorkerWithoutKey(
        id: try row.decode("worker_id"), name: try row.decode("name"),
        host: try row.decode("host"), prefix: try row.decode("prefix"),
        hasReported: try row.decode("has_reported"))
    }
  }

  /// The hashes of the definitions before the present one under which unfinished jobs of a type were ordered.
  public func openDefinitions(environment: String, jobType: String) async throws -> [String] {
    try await pool.query(.openDefinitions, [.text(environment), .text(jobType)]).map {
      try $0.decode("hash")
    }
  }

  /// What tells the keys of this installation from those of another one: eight hexadecimal digits.
  public func installation() async throws -> String {
    try await row(.installation, []).decode("name")
  }

  /// The rotations of keys, one answer a pair, in their order.
  ///
  /// Needs the role `writ_admin`.
  public func keyRotations(
    of pairs: [(environment: String, jobType: String)]
  ) async throws -> [KeyRotations] {
    let rows = try await pool.query(
      .keyRotations, [.texts(pairs.map(\.environment)), .texts(pairs.map(\.jobType))])
    return try rows.map { row in
      let state: String? = try row.decode("open_state")
      let reason: String? = try row.decode("open_reason")
      return KeyRotations(
        environment: try row.decode("environment"), jobType: try row.decode("type"),
        lastJob: try row.decode("done_job"), lastAt: try row.decode("done_at"),
        openJobs: (try row.decode("open_jobs", as: String?.self) ?? "").split(separator: " ")
          .compactMap { Int($0) },
        openState: state.map { [$0, reason].compactMap(\.self).joined(separator: ": ") })
    }
  }

  /// What became of jobs that have made keys; those that the database does not know are left out.
  ///
  /// Needs the role `writ_admin`.
  public func keyMakers(_ jobs: [Int]) async throws -> [Int: KeyMaker] {
    var makers: [Int: KeyMaker] = [:]
    for row in try await pool.query(.keyMakers, [.ints(jobs)]) {
      let id: Int = try row.decode("id")
      makers[id] = KeyMaker(state: try row.decode("state"), prefix: try row.decode("prefix"))
    }
    return makers
  }

  /// The keys that live workers show.
  ///
  /// Needs the role `writ_admin` or `writ_auditor`.
  public func workerKeys() async throws -> WorkerKeys {
    let rows = try await pool.query(.workerKeys, [])
    guard let first = rows.first else {
      throw JobStoreError(.missingRow, "the installation has no name")
    }
    return WorkerKeys(
      installation: try first.decode("installation"),
      entries: try rows.filter { !$0["worker_id"].isNull }.map { row in
        WorkerKeys.Entry(
          worker: try row.decode("worker_id"), name: try row.decode("worker_name"),
          host: try row.decode("worker_host"), environment: try row.decode("environment"),
          jobType: try row.decode("type"), prefix: try row.decode("prefix"))
      })
  }
}
