// Which keys the workers have: what each tells, and who lacks one.

import JSON
public import JobModel
import Postgres

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

  /// What tells the keys of this installation from those of another one: eight hexadecimal digits.
  public func installation() async throws -> String {
    try await row(.installation, []).decode("name")
  }
}
