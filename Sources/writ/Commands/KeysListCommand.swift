// writ keys list: which keys there are, and what is wrong with them.

import Arazzo
import ArgumentParser
import Foundation
import JSON
import Postgres

struct KeysListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the API keys of job types, and what is wrong with them.",
    discussion: """
      Brings together the secret store of this machine, what AuthOS lists, what the database knows of \
      rotations, and what live workers show. What cannot be looked at is said on standard error; the rest \
      is shown all the same. No secret is shown. docs/keys.md explains the warnings.

      EXAMPLES
        writ keys list
        writ keys list --environment production --max-age 30d
        writ keys list --check --json      exit code 1 when there is a warning or a blind spot
      """)

  @Option(help: "Only this environment; all that are configured if left out.")
  var environment: String?
  @Option(help: ArgumentHelp("From which age on a key is old.", valueName: "duration"))
  var maxAge = "90d"
  @Flag(help: "End with 1 when there is a warning, or something could not be looked at.")
  var check = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard let age = DurationText.read(maxAge), age > .zero else {
      throw ValidationError("--max-age takes a duration such as 90d")
    }
  }

  func run() async throws {
    let configuration = try options.load()
    let survey = try await KeySurvey.take(
      of: try configuration.environments(named: environment), configuration,
      logger: configuration.logger())
    let now = PostgresTimestamp(
      microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000))
    let age = DurationText.read(maxAge) ?? .zero
    let rows = survey.facts.flatMap {
      KeyReview(facts: $0, now: now, maximumAge: age).rows()
    }
    if format.json {
      Output.current.json([
        "keys": .array(rows.map { $0.json(now: now) }),
        "not_looked_at": .array(survey.blindSpots.map { .string($0) }),
      ])
    } else {
      write(rows, now: now)
    }
    for spot in survey.blindSpots { Output.current.note("writ: \(spot)") }
    if check, !survey.blindSpots.isEmpty || rows.contains(where: { !$0.warnings.isEmpty }) {
      throw ExitCode(ExitStatus.failure.rawValue)
    }
  }

  private func write(_ rows: [KeyRow], now: PostgresTimestamp) {
    var table = Table(
      "ENVIRONMENT", "TYPE", "KEY", "AGE", "ROTATED", "LAST USED", "PERMISSIONS", "WARNINGS"
    ).styling("WARNINGS") { $0 == "-" ? nil : .yellow }
    for row in rows {
      table.add(
        row.environment, row.jobType ?? "", row.prefix ?? "",
        row.createdAt.map { "\(KeyReview.days(now - $0)) d" } ?? "",
        row.rotating.map { "under way: job \($0)" } ?? row.rotatedAt?.toSeconds ?? "",
        row.lastUsedAt?.toSeconds ?? "",
        (row.permissions ?? row.needs).joined(separator: " "),
        row.warnings.map(\.code.rawValue).joined(separator: ", "))
    }
    for line in table.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
    for row in rows {
      for warning in row.warnings {
        let subject = row.jobType ?? row.prefix ?? ""
        Output.current.line(
          Style.yellow.applied(
            to:
              "\(warning.code.rawValue)  \(row.environment)/\(subject.printable): \(warning.text.printable)",
            if: Output.current.usesColour))
      }
    }
  }
}

extension Configuration {
  /// The environments that a command is about.
  ///
  /// - Throws: ``CommandError`` where there is none of that name, or none at all.
  func environments(named name: String?) throws -> [Environment] {
    guard !environments.isEmpty else {
      throw CommandError(
        .configuration, "no environment is configured; see docs/configuration.md")
    }
    guard let name else { return environments }
    let found = environments.filter { $0.name == name }
    guard !found.isEmpty else {
      throw CommandError(
        .badData,
        "there is no environment \(name.printable) in the configuration"
          + Suggestion.question(name, among: environments.map(\.name)))
    }
    return found
  }
}
