// writ jobs: list, show, replay and cancel jobs. JobsRowsCommand.swift prints what they have read.

import Arazzo
import ArgumentParser
import JSON
import JobModel
import JobStore
import Postgres

struct JobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs",
    abstract: "List, show, replay and cancel jobs, and print what they have read.",
    subcommands: [
      JobsListCommand.self, JobsShowCommand.self, JobsRowsCommand.self, JobsReplayCommand.self,
      JobsCancelCommand.self, JobsCheckCommand.self,
    ])
}

struct JobsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List jobs, the newest first.",
    discussion: """
      Needs the role writ_admin.

      EXAMPLES
        writ jobs list --state waiting
        writ jobs list --type change_plan --limit 10 --json
      """)

  @Option(
    help: ArgumentHelp(
      "Only jobs in this state: \(JobState.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "state"), completion: .list(JobState.allCases.map(\.rawValue)))
  var state: String?
  @Option(help: "Only jobs of this type.")
  var type: String?
  @Option(help: "Only jobs of this environment.")
  var environment: String?
  @Option(help: "At most so many.")
  var limit = 50
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    let known = JobState.allCases.map(\.rawValue)
    if let state, !known.contains(state) {
      throw ValidationError(
        "there is no state \(state.printable)\(Suggestion.question(state, among: known))")
    }
    guard (1...100_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 100000")
    }
  }

  func run() async throws {
    let filter = JobFilter(state: state, type: type, environment: environment)
    let jobs = try await options.load().withStore { try await $0.jobs(filter, limit: limit) }
    if format.json {
      Output.current.json(.array(jobs.map(\.json)))
      return
    }
    for line in Self.table(jobs).lines(usesColour: Output.current.usesColour) {
      Output.current.line(line)
    }
  }

  static func table(_ jobs: [JobSummary]) -> Table {
    var table = Table("#ID", "TYPE", "STATE", "FAILED", "ORDERED", "NEXT TRY", "LAST ERROR")
      .styling("STATE", JobStory.style(ofState:))
    for job in jobs {
      let isLater =
        job.state == "scheduled" || job.state == "retryable" || job.waitingReason == "user_action"
      table.add(
        "\(job.id)", job.type, job.stateInWords, "\(job.failures) of \(job.maxAttempts)",
        job.enqueuedAt.toSeconds, isLater ? job.runAt.toSeconds : "",
        job.state == "completed" ? "" : job.errorInWords.shortened(to: 60))
    }
    return table
  }
}

struct JobsShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Tell the story of one job.",
    discussion: """
      State, why it is not running, each attempt, each step with status and duration, next try. \
      Needs the roles writ_admin and, for the events, either writ_admin or writ_auditor.

      EXAMPLES
        writ jobs show 41872
      """)

  @Argument(help: "The number of the job.")
  var id: Int
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let story = try await options.load().withStore { store in
      try await JobStory.read(id, from: store)
    }
    if format.json {
      Output.current.json(story.json)
    } else {
      for line in story.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
    }
  }
}

struct JobsReplayCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Bring back jobs that were discarded, cancelled or wait for review.",
    discussion: """
      A job keeps its journal: steps that are done are not done again. Refused where a newer job about \
      the same subject has completed since, or where the type says that replaying is not safe; --force \
      overrides what may be overridden. Every job is a transaction of its own; a refusal of one does not \
      stop the others, and makes the exit code 65. Needs the role writ_admin.

      EXAMPLES
        writ jobs replay 41872 --dry-run
        writ jobs replay 41872 41880
      """)

  @Argument(help: "The numbers of the jobs.")
  var ids: [Int]
  @Flag(help: "Say what would happen, and do nothing.")
  var dryRun = false
  @Flag(help: "Override a refusal that may be overridden.")
  var force = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    try await options.load().withStore { store in
      if dryRun { try await plan(store) } else { try await replay(store) }
    }
  }

  private func plan(_ store: JobStore) async throws {
    var documents: [JSONValue] = []
    for id in ids {
      let facts = try await store.replayPlan(id)
      documents.append([
        "job_id": JSONValue(id),
        "plan": .array(facts.map { ["fact": .string($0.fact), "detail": .string($0.detail)] }),
      ])
      if format.json { continue }
      Output.current.line("job \(id)")
      var table = Table("", "")
      for fact in facts { table.add("  \(fact.fact)", fact.detail) }
      for line in table.lines() { Output.current.line(line) }
    }
    if format.json { Output.current.json(.array(documents)) }
  }

  private func replay(_ store: JobStore) async throws {
    try await ActsOnJobs(ids: ids, format: format, verb: "replayed").run { id in
      try await store.replay(id, force: force)
      return "available"
    }
  }
}

struct JobsCancelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cancel", abstract: "Call jobs off that have changed nothing yet.",
    discussion: """
      A running job is told to stop before its next change. A job that has changed something, or may \
      have, is refused; --force cancels it and leaves what it did. Needs the role writ_admin.

      EXAMPLES
        writ jobs cancel 41872
      """)

  @Argument(help: "The numbers of the jobs.")
  var ids: [Int]
  @Flag(help: "Cancel also what has changed something, and leave the change.")
  var force = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    try await options.load().withStore { store in
      try await ActsOnJobs(ids: ids, format: format, verb: "cancelled").run { id in
        try await store.cancel(id, force: force)
      }
    }
  }
}

struct JobsCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Look again at jobs whose user has acted.",
    discussion: """
      A job that waits for its user asks the service again by itself, from every half minute to every ten \
      minutes; this makes it ask now. Needs the role that ordered the job, or writ_admin.

      EXAMPLES
        writ jobs check 41872
      """)

  @Argument(help: "The numbers of the jobs.")
  var ids: [Int]
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    try await options.load().withStore { store in
      try await ActsOnJobs(ids: ids, format: format, verb: "is looked at again").run { id in
        _ = try await store.checkNow(id)
        return "available"
      }
    }
  }
}

/// Does one thing to several jobs, and reports each.
private struct ActsOnJobs {
  var ids: [Int]
  var format: FormatOptions
  var verb: String

  /// - Throws: exit code 65 when a job was refused; any other failure at once.
  func run(_ act: (Int) async throws -> String) async throws {
    var documents: [JSONValue] = []
    var isRefused = false
    for id in ids {
      do {
        let state = try await act(id)
        documents.append(["job_id": JSONValue(id), "state": .string(state)])
        if !format.json {
          Output.current.line(
            state == "running" ? "\(id)  asked to stop before its next change" : "\(id)  \(verb)")
        }
      } catch let error as PostgresError where error.sqlState == "WR008" {
        isRefused = true
        documents.append(["job_id": JSONValue(id), "refused": .string(error.description)])
        if !format.json { Output.current.note("writ: \(error.description)") }
      }
    }
    if format.json { Output.current.json(.array(documents)) }
    if isRefused { throw ExitCode(ExitStatus.badData.rawValue) }
  }
}
