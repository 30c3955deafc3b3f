// `x-writ.schedule` of a workflow: when jobs of the type are ordered by the clock.

public import JSON

/// What happens to a time at which no worker ran.
public enum MissedFiring: String, Sendable, Hashable, CaseIterable {
  /// The schedule fires once as soon as a worker runs, however many times were missed; the default.
  case once
  /// It waits for the next time.
  case skip
}

/// One schedule of a job type.
public struct SchedulePolicy: Sendable, Hashable {
  /// Tells the schedules of one type apart; `nil` for the only one.
  public var name: String?
  /// The wall times.
  public var cron: CronExpression
  /// The IANA name of the time zone of these wall times.
  public var timeZone: String
  /// The inputs of each job.
  public var inputs: JSONObject
  /// Where jobs are ordered, one each; empty for the default environment.
  public var environments: [String]
  /// The queue; `nil` for the default.
  public var queue: String?
  /// The priority; `nil` for the default.
  public var priority: Int?
  /// What happens to missed times.
  public var missed: MissedFiring

  /// A schedule.
  public init(
    name: String? = nil, cron: CronExpression, timeZone: String = "UTC",
    inputs: JSONObject = JSONObject(), environments: [String] = [], queue: String? = nil,
    priority: Int? = nil, missed: MissedFiring = .once
  ) {
    self.name = name
    self.cron = cron
    self.timeZone = timeZone
    self.inputs = inputs
    self.environments = environments
    self.queue = queue
    self.priority = priority
    self.missed = missed
  }
}
