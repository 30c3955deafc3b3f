// Schedules: what fires them, and what people do to them.

public import Arazzo
public import JSON
public import Postgres

/// A schedule in one environment.
public struct ScheduleSummary: Sendable, Hashable {
  /// Its name.
  public let name: String
  /// The type of its jobs.
  public let type: String
  /// Where it orders them; `nil` for the default environment.
  public let environment: String?
  /// The cron expression.
  public let cron: String
  /// The time zone of its wall times.
  public let timeZone: String
  /// `once` or `skip`.
  public let missed: String
  /// Whether it came with its job type.
  public let isPublished: Bool
  /// Whether it rests.
  public let isPaused: Bool
  /// When it fires next; `nil` when it rests, or when its time zone is gone.
  public let nextFireAt: PostgresTimestamp?
  /// When it last ordered a job.
  public let lastFireAt: PostgresTimestamp?
  /// That job.
  public let lastJobID: Int?
  /// That job's state now, with what it waits for.
  public let lastJobState: String?
  /// Why the last firing ordered no job: `code`, `text`, `at`.
  public let lastError: JSONValue?

  init(_ row: PostgresRow) throws {
    name = try row.decode("name")
    type = try row.decode("type")
    environment = try row.decode("environment")
    cron = try row.decode("cron")
    timeZone = try row.decode("time_zone")
    missed = try row.decode("missed")
    isPublished = try row.decode("is_published")
    isPaused = try row.decode("is_paused")
    nextFireAt = try row.decode("next_fire_at")
    lastFireAt = try row.decode("last_fire_at")
    lastJobID = try row.decode("last_job_id")
    lastJobState = try row.decode("last_job_state")
    lastError = try row.decodeJSON("last_error")
  }
}

/// What came of a firing.
public struct Firing: Sendable, Hashable {
  /// The schedule.
  public let schedule: String
  /// `fired`, `refused` or `skipped`.
  public let outcome: String
  /// The job that was ordered.
  public let jobID: Int?
}

/// Why a schedule could order no job now.
public struct ScheduleObstacle: Sendable, Hashable {
  /// The schedule.
  public let name: String
  /// Its environment; `nil` for the default one.
  public let environment: String?
  /// The SQLSTATE.
  public let code: String
  /// The sentence.
  public let reason: String
}

extension JobStore {
  /// Fires the schedule that is due longest, in a transaction of its own; `nil` when none is due, or
  /// another worker is at it.
  public func fireSchedule() async throws -> Firing? {
    guard let row = try await pool.query(.fireSchedule).first else { return nil }
    return Firing(
      schedule: try row.decode("schedule"), outcome: try row.decode("outcome"),
      jobID: try row.decode("job_id"))
  }

  /// The schedules, by name and environment.
  ///
  /// Role `writ_admin`.
  public func schedules() async throws -> [ScheduleSummary] {
    try await pool.query(.schedules).map { try ScheduleSummary($0) }
  }

  /// Orders jobs of a type by the clock, from now on.
  ///
  /// Role `writ_admin`.
  ///
  /// - Returns: When it fires first.
  /// - Throws: `PostgresError` with a SQLSTATE WR001 to WR005 for what the type would refuse, WR003 for a
  ///   name that is taken and an unknown time zone.
  @discardableResult
  public func addSchedule(
    type: String, name: String, _ schedule: SchedulePolicy
  ) async throws -> PostgresTimestamp? {
    try await row(
      .addSchedule, [.text(type), .text(name), .json(schedule.specification.serialized())]
    ).decode("next_fire_at")
  }

  /// Ends schedules of a name, in one environment or in all; gives how many.
  ///
  /// - Throws: `PostgresError` with SQLSTATE WR003 when there is none, or when it came with its job type.
  @discardableResult
  public func removeSchedule(_ name: String, environment: String? = nil) async throws -> Int {
    try await row(.removeSchedule, [.text(name), .text(environment)]).decode("schedules")
  }

  /// Lets schedules of a name rest; gives how many did not rest before.
  @discardableResult
  public func pauseSchedule(_ name: String, environment: String? = nil) async throws -> Int {
    try await row(.pauseSchedule, [.text(name), .text(environment)]).decode("schedules")
  }

  /// Lets schedules of a name fire again, from their next time on; gives how many rested before.
  @discardableResult
  public func resumeSchedule(_ name: String, environment: String? = nil) async throws -> Int {
    try await row(.resumeSchedule, [.text(name), .text(environment)]).decode("schedules")
  }

  /// The schedules that could order no job now: tries each and undoes it.
  ///
  /// Role `writ_admin`.
  public func scheduleObstacles() async throws -> [ScheduleObstacle] {
    try await pool.query(.scheduleObstacles).map { row in
      ScheduleObstacle(
        name: try row.decode("name"), environment: try row.decode("environment"),
        code: try row.decode("code"), reason: try row.decode("reason"))
    }
  }
}

extension SchedulePolicy {
  /// What `writ_data.read_schedule` takes.
  var specification: JSONValue {
    var object = JSONObject([
      ("cron", .string(cron.text)), ("minutes", Self.numbers(cron.minutes)),
      ("hours", Self.numbers(cron.hours)), ("days", Self.numbers(cron.days)),
      ("is_last_day", .bool(cron.isLastDay)), ("months", Self.numbers(cron.months)),
      ("weekdays", Self.numbers(cron.weekdays)),
      ("matches_either_day", .bool(cron.matchesEitherDay)), ("time_zone", .string(timeZone)),
      ("inputs", .object(inputs)), ("environments", .array(environments.map { .string($0) })),
      ("missed", .string(missed.rawValue)),
    ])
    object["name"] = name.map { .string($0) }
    object["queue"] = queue.map { .string($0) }
    object["priority"] = priority.map { JSONValue($0) }
    return .object(object)
  }

  private static func numbers(_ numbers: [Int]) -> JSONValue {
    .array(numbers.map { JSONValue($0) })
  }
}
