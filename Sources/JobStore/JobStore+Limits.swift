// Limits over the fleet, as administrators see and set them.

public import Postgres

/// How many jobs may run at once, and how many may start in a time, over all workers.
public struct FleetLimit: Sendable, Hashable {
  /// Where it holds.
  public let environment: String
  /// Of which type; `nil` for all jobs of the environment together.
  public let type: String?
  /// How many may run at once; `nil` for any number.
  public let concurrency: Int?
  /// How many may start in ``period``; `nil` for any number.
  public let rate: Int?
  /// In which time.
  public let period: Duration?
  /// How many starts the rate may save up.
  public let burst: Int?
  /// Whether an administrator set it; otherwise the definition says so.
  public let isSet: Bool
  /// When it was set.
  public let changedAt: PostgresTimestamp?
  /// By which role.
  public let changedBy: String?
  /// How many jobs that it counts run now.
  public let runningJobs: Int
  /// How many jobs that it counts are parked by a limit.
  public let parkedJobs: Int
}

extension JobStore {
  /// The limits that hold, and the settings that lift one.
  public func limits() async throws -> [FleetLimit] {
    try await pool.query(.limits).map { row in
      FleetLimit(
        environment: try row.decode("environment"), type: try row.decode("type"),
        concurrency: try row.decode("concurrency"), rate: try row.decode("rate"),
        period: try row.decode("per"), burst: try row.decode("burst"),
        isSet: try row.decode("is_set"), changedAt: try row.decode("changed_at"),
        changedBy: try row.decode("changed_by"), runningJobs: try row.decode("running"),
        parkedJobs: try row.decode("parked"))
    }
  }

  /// Sets the limits of a type in an environment, in place of those of its definition.
  ///
  /// - Parameters:
  ///   - type: The type; `nil` for all jobs of the environment together.
  ///   - environment: The environment; `nil` for the default one.
  ///   - concurrency: How many may run at once; `nil` for any number, 0 lets none start.
  ///   - rate: How many may start in `period`; `nil` for any number.
  ///   - period: In which time; belongs to `rate`.
  /// - Returns: Whether anything changed.
  /// - Throws: `PostgresError` with SQLSTATE WR002, WR003 or WR004.
  @discardableResult
  public func setLimit(
    type: String?, environment: String? = nil, concurrency: Int? = nil, rate: Int? = nil,
    per period: Duration? = nil
  ) async throws -> Bool {
    try await row(
      .setLimit,
      [.text(type), .text(environment), .int(concurrency), .int(rate), .interval(period)]
    ).decode("changed")
  }

  /// Lets what the definition says hold again.
  ///
  /// - Returns: Whether anything had been set.
  @discardableResult
  public func clearLimit(type: String?, environment: String? = nil) async throws -> Bool {
    try await row(.clearLimit, [.text(type), .text(environment)]).decode("changed")
  }
}
