// writ schedules: list, add, remove, pause and resume schedules.

import Arazzo
import ArgumentParser
import JSON
import JobStore
import Postgres

struct SchedulesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedules", abstract: "List, add, remove, pause and resume schedules.",
    discussion: """
      A schedule orders jobs of one type by the clock. Job types bring their own (x-writ.schedule); \
      these commands see to those of administrators, too. Any number of workers fires each time once.
      """,
    subcommands: [
      SchedulesListCommand.self, SchedulesAddCommand.self, SchedulesRemoveCommand.self,
      SchedulesPauseCommand.self, SchedulesResumeCommand.self,
    ])
}

struct SchedulesListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List schedules: when they fire, and what came of the last time.",
    discussion: """
      Needs the role writ_admin.

      EXAMPLES
        writ schedules list
        writ schedules list --json
      """)

  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let schedules = try await options.load().withStore { try await $0.schedules() }
    if format.json {
      Output.current.json(.array(schedules.map(\.json)))
      return
    }
    for line in Self.table(schedules).lines(usesColour: Output.current.usesColour) {
      Output.current.line(line)
    }
  }

  static func table(_ schedules: [ScheduleSummary]) -> Table {
    var table = Table(
      "NAME", "TYPE", "ENVIRONMENT", "CRON", "TIME ZONE", "NEXT", "LAST", "LAST JOB", "PROBLEM")
    for schedule in schedules {
      table.add(
        schedule.name, schedule.type, schedule.environment ?? "", schedule.cron,
        schedule.timeZone,
        schedule.isPaused ? "paused" : schedule.nextFireAt?.toSeconds ?? "never",
        schedule.lastFireAt?.toSeconds ?? "",
        [schedule.lastJobID.map { "\($0)" }, schedule.lastJobState].compactMap(\.self)
          .joined(separator: " "),
        (schedule.lastError?["text"]?.stringValue ?? "").printable.shortened(to: 80))
    }
    return table
  }
}

struct SchedulesAddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Order jobs of a type by the clock.",
    discussion: """
      The database tries what each job will be and refuses the schedule if the type would refuse the \
      job. Fields of the cron expression: minute, hour, day of the month, month, day of the week. \
      Arguments are visible to every user of this machine: pass personal data through --payload -. \
      Needs the role writ_admin.

      EXAMPLES
        writ schedules add rotate_api_key --cron '0 3 1 * *' --time-zone Europe/Berlin \\
          --input job_type=create_user
        writ schedules add list_users --name weekly-census --cron @weekly --missed skip
      """)

  @Argument(help: "The job type.")
  var type: String
  @Option(
    help: ArgumentHelp(
      "When: five fields, or @hourly, @daily, @weekly, @monthly, @yearly.", valueName: "expression")
  )
  var cron: String
  @Option(
    help: ArgumentHelp(
      "The IANA time zone of these times, such as Europe/Berlin; UTC if left out.",
      valueName: "zone"))
  var timeZone = "UTC"
  @Option(help: "The name of the schedule; that of the type if left out.")
  var name: String?
  @OptionGroup var given: InputOptions
  @Option(
    help: "An environment, repeatedly for several; the default one if left out.")
  var environment: [String] = []
  @Option(help: "The queue; `default` if left out.")
  var queue: String?
  @OptionGroup var urgency: PriorityOption
  @Option(
    help: ArgumentHelp(
      "What happens to a time at which no worker ran: once fires as soon as one runs, skip waits for "
        + "the next time.", valueName: "once|skip"), completion: .list(["once", "skip"]))
  var missed = MissedFiring.once.rawValue
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard MissedFiring(rawValue: missed) != nil else {
      throw ValidationError("--missed must be once or skip")
    }
    do {
      _ = try CronExpression(parsing: cron)
    } catch {
      throw ValidationError("--cron: the cron expression \(error.rule)")
    }
  }

  func run() async throws {
    let inputs = try given.inputs().objectValue ?? JSONObject()
    let schedule = SchedulePolicy(
      cron: try CronExpression(parsing: cron), timeZone: timeZone, inputs: inputs,
      environments: environment, queue: queue, priority: urgency.priority,
      missed: MissedFiring(rawValue: missed) ?? .once)
    let name = name ?? type
    let next = try await options.load().withStore { store in
      try await store.addSchedule(type: type, name: name, schedule)
    }
    if format.json {
      Output.current.json([
        "name": .string(name), "next_fire_at": .string(next?.description ?? ""),
      ])
    } else {
      Output.current.line("\(name)  fires first at \(next?.toSeconds ?? "no time")")
    }
  }
}

struct SchedulesRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "End a schedule.",
    discussion: """
      Jobs that it has ordered stay. A schedule that came with its job type is removed from the \
      document, by publishing. Needs the role writ_admin.

      EXAMPLES
        writ schedules remove weekly-census
      """)

  @OptionGroup var target: ScheduleTarget

  func run() async throws {
    try await target.act("removed") { try await $0.removeSchedule($1, environment: $2) }
  }
}

struct SchedulesPauseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Let a schedule rest until it is resumed.",
    discussion: """
      Also for one that came with its job type; publishing does not wake it. Needs the role writ_admin.

      EXAMPLES
        writ schedules pause rotate_api_key.monthly --environment production
      """)

  @OptionGroup var target: ScheduleTarget

  func run() async throws {
    try await target.act("paused") { try await $0.pauseSchedule($1, environment: $2) }
  }
}

struct SchedulesResumeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "resume", abstract: "Let a schedule fire again.",
    discussion: """
      From its next time on; what it would have done meanwhile is not made up for. Needs the role \
      writ_admin.

      EXAMPLES
        writ schedules resume rotate_api_key.monthly
      """)

  @OptionGroup var target: ScheduleTarget

  func run() async throws {
    try await target.act("resumed") { try await $0.resumeSchedule($1, environment: $2) }
  }
}

/// Which schedules a command is about.
struct ScheduleTarget: ParsableArguments {
  @Argument(help: "The name of the schedule, as the list shows it.")
  var name: String
  @Option(help: "Only in this environment; everywhere if left out.")
  var environment: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  /// Does something, and says in how many environments it changed anything.
  func act(
    _ verb: String, _ body: @Sendable (JobStore, String, String?) async throws -> Int
  ) async throws {
    let count = try await options.load().withStore { try await body($0, name, environment) }
    if format.json {
      Output.current.json([
        "name": .string(name), "result": .string(verb), "schedules": JSONValue(count),
      ])
    } else {
      Output.current.line(
        count == 0
          ? "\(name.printable)  was \(verb) already"
          : "\(name.printable)  \(verb)\(count > 1 ? " in \(count) environments" : "")")
    }
  }
}

extension ScheduleSummary {
  /// The schedule as JSON.
  var json: JSONValue {
    .members([
      ("name", .string(name)), ("type", .string(type)),
      ("environment", environment.map { .string($0) }), ("cron", .string(cron)),
      ("time_zone", .string(timeZone)), ("missed", .string(missed)),
      ("published", .bool(isPublished)), ("paused", .bool(isPaused)),
      ("next_fire_at", nextFireAt.map { .string($0.description) }),
      ("last_fire_at", lastFireAt.map { .string($0.description) }),
      ("last_job_id", lastJobID.map { JSONValue($0) }),
      ("last_job_state", lastJobState.map { .string($0) }), ("last_error", lastError),
    ])
  }
}
