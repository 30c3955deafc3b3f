// writ audit: read the trail.

import Arazzo
import ArgumentParser
import JSON
import JobStore
import Postgres

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit", abstract: "Read the audit trail.",
    subcommands: [AuditLogCommand.self])
}

struct AuditLogCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "log", abstract: "Show audit events, the newest last.",
    discussion: """
      Personal data is there only as keyed digests; `select writ.digest('ada@example.com')` gives the \
      digest of a value that you know. Needs the role writ_auditor or writ_admin. With --json, one event \
      a line.

      EXAMPLES
        writ audit log --job 41872
        writ audit log --event discarded --since 24h
        writ audit log --since 2026-05-01T00:00:00Z --limit 100000 --json > may.jsonl
      """)

  @Option(help: "Only events of this job.")
  var job: Int?
  @Option(help: "Only events of this job type.")
  var type: String?
  @Option(
    help: "Only events of this name, for example claimed, step, completed.",
    completion: .list(AuditEvent.names))
  var event: String?
  @Option(help: "Only events since a time (2026-05-01T00:00:00Z) or for so long (24h, 7d).")
  var since: String?
  @Option(help: "At most so many, the newest.")
  var limit = 100
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard (1...1_000_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000000")
    }
    if let event, !AuditEvent.names.contains(event) {
      throw ValidationError(
        "there is no event \(event.printable)"
          + (Suggestion.nearest(to: event, among: AuditEvent.names).map { "; did you mean \($0)?" }
            ?? "; events are \(AuditEvent.names.sorted().joined(separator: ", "))"))
    }
    if let since, PostgresTimestamp(since) == nil, DurationText.read(since) == nil {
      throw ValidationError(
        "--since takes a time such as 2026-05-01T00:00:00Z or a duration such as 24h")
    }
  }

  func run() async throws {
    let start = since.flatMap { text in
      PostgresTimestamp(text) ?? DurationText.read(text).map { .now() - $0 }
    }
    let events = try await options.load().withStore { store in
      try await store.recentAuditEvents(
        job: job, type: type, event: event, since: start, limit: limit)
    }
    if format.json {
      for event in events { Output.current.json(event.json) }
      return
    }
    var table = Table("TIME", "EVENT", "#JOB", "TYPE", "STATE", "STEP", "OUTCOME", "BY")
    for event in events {
      table.add(
        event.occurredAt.toSeconds, event.event, event.jobID.map(String.init) ?? "",
        event.type ?? "", event.transition, event.step ?? "", event.detail,
        event.actor.map { "\(event.roleName) for \($0)" } ?? event.roleName)
    }
    for line in table.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
  }
}
