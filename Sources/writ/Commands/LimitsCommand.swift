// writ limits: show, set and clear how many jobs run and start over the whole fleet.

import ArgumentParser
import JSON
import JobStore
import Postgres

struct LimitsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "limits", abstract: "Show, set and clear limits over all workers.",
    subcommands: [LimitsListCommand.self, LimitsSetCommand.self, LimitsClearCommand.self])
}

struct LimitsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the limits that hold, and what they hold back.",
    discussion: """
      FROM says whether the definition of the type says so or an administrator. A limit without numbers \
      lifts those of the definition. Needs the role writ_admin or writ_auditor.

      EXAMPLES
        writ limits list
        writ limits list --json
      """)

  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let limits = try await options.load().withStore { try await $0.limits() }
    if format.json {
      Output.current.json(.array(limits.map(\.json)))
      return
    }
    for line in Self.table(limits).lines(usesColour: Output.current.usesColour) {
      Output.current.line(line)
    }
  }

  static func table(_ limits: [FleetLimit]) -> Table {
    var table = Table(
      "ENVIRONMENT", "TYPE", "#AT ONCE", "RATE", "#BURST", "#RUNNING", "#PARKED", "FROM")
    for limit in limits {
      table.add(
        limit.environment, limit.type ?? "all together", limit.concurrency.map { "\($0)" } ?? "",
        limit.rateInWords ?? "", limit.burst.map { "\($0)" } ?? "", "\(limit.runningJobs)",
        "\(limit.parkedJobs)",
        limit.isSet
          ? "\(limit.changedBy ?? ""), \(limit.changedAt?.toSeconds ?? "")" : "definition")
    }
    return table
  }
}

struct LimitsSetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Limit a job type, or all jobs of an environment together.",
    discussion: """
      Holds at once, in place of what the definition of the type says; `none` lifts a limit, and what is \
      not given stays as it is. Without a type, all jobs of the environment are counted together. \
      --concurrency 0 lets none start. Needs the role writ_admin.

      EXAMPLES
        writ limits set create_user --rate 10/1s
        writ limits set --environment production --concurrency 50
        writ limits set change_plan --concurrency none --rate 1000/1h
      """)

  @Argument(help: "The job type; all jobs together if left out.")
  var type: String?
  @Option(help: "The environment; the default one if left out.")
  var environment: String?
  @Option(help: ArgumentHelp("How many may run at once, or none.", valueName: "number|none"))
  var concurrency: String?
  @Option(
    help: ArgumentHelp(
      "How many may start in a time, or none: 10/1s, 1000/1h.", valueName: "number/time|none"))
  var rate: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    if concurrency == nil, rate == nil {
      throw ValidationError("give --concurrency, --rate or both")
    }
    if let concurrency, concurrency != "none", Int(concurrency) == nil {
      throw ValidationError("--concurrency takes a number, or none")
    }
    if let rate, rate != "none", Self.rate(rate) == nil {
      throw ValidationError("--rate takes a number and a time such as 10/1s or 1000/1h, or none")
    }
  }

  func run() async throws {
    let isChanged = try await options.load().withStore { store in
      let now = try await Self.limit(of: type, in: environment, store)
      let newConcurrency = concurrency.map { Int($0) } ?? now?.concurrency
      let newRate: (limit: Int, period: Duration)? =
        if let rate { Self.rate(rate) } else {
          now.flatMap { now in
            now.rate.flatMap { rate in now.period.map { (limit: rate, period: $0) } }
          }
        }
      return try await store.setLimit(
        type: type, environment: environment, concurrency: newConcurrency, rate: newRate?.limit,
        per: newRate?.period)
    }
    if format.json {
      Output.current.json(["changed": .bool(isChanged)])
    } else {
      Output.current.line(isChanged ? "set" : "was set so already")
    }
  }

  /// What holds now.
  private static func limit(
    of type: String?, in environment: String?, _ store: JobStore
  ) async throws -> FleetLimit? {
    let name =
      if let environment { environment } else {
        try await store.environments().first(where: \.isDefault)?.name
      }
    return try await store.limits().first { $0.environment == name && $0.type == type }
  }

  /// `10/1s`: how many in which time.
  static func rate(_ text: String) -> (limit: Int, period: Duration)? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let limit = Int(parts[0]), let period = DurationText.read(parts[1])
    else { return nil }
    return (limit, period)
  }
}

struct LimitsClearCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clear", abstract: "Let what the definition says hold again.",
    discussion: """
      Takes away what `writ limits set` said. An environment as a whole has no limit then. Needs the role \
      writ_admin.

      EXAMPLES
        writ limits clear create_user
        writ limits clear --environment production
      """)

  @Argument(help: "The job type; the limit of all jobs together if left out.")
  var type: String?
  @Option(help: "The environment; the default one if left out.")
  var environment: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let isChanged = try await options.load().withStore { store in
      try await store.clearLimit(type: type, environment: environment)
    }
    if format.json {
      Output.current.json(["changed": .bool(isChanged)])
    } else {
      Output.current.line(isChanged ? "cleared" : "nothing had been set")
    }
  }
}

extension FleetLimit {
  /// `10 in 1s`.
  var rateInWords: String? {
    rate.flatMap { rate in period.map { "\(rate) in \(DurationText.written($0))" } }
  }

  /// The limit for programs.
  var json: JSONValue {
    .members([
      ("environment", .string(environment)), ("type", type.map { .string($0) }),
      ("concurrency", concurrency.map { JSONValue($0) }), ("rate", rate.map { JSONValue($0) }),
      ("per", period.map { .string(DurationText.written($0)) }),
      ("burst", burst.map { JSONValue($0) }), ("is_set", .bool(isSet)),
      ("changed_at", changedAt.map { .string($0.description) }),
      ("changed_by", changedBy.map { .string($0) }), ("running", JSONValue(runningJobs)),
      ("parked", JSONValue(parkedJobs)),
    ])
  }
}
