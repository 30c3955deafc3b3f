// writ batches: list batches, and show how far one has come.

import ArgumentParser
import JSON
import JobStore
import Postgres

struct BatchesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batches", abstract: "List batches, show how far one has come, close one.",
    subcommands: [
      BatchesListCommand.self, BatchesShowCommand.self, BatchesCloseCommand.self,
    ])
}

struct BatchesListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List batches, the newest first.",
    discussion: """
      Those that this role made; all of them for writ_admin and writ_auditor.

      EXAMPLES
        writ batches list --limit 10
      """)

  @Option(help: "At most so many.")
  var limit = 50
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard (1...1_000).contains(limit) else {
      throw ValidationError("--limit must be from 1 to 1000")
    }
  }

  func run() async throws {
    let batches = try await options.load().withStore { try await $0.batches(limit: limit) }
    if format.json {
      Output.current.json(.array(batches.map(\.json)))
      return
    }
    for line in Self.table(batches).lines(usesColour: Output.current.usesColour) {
      Output.current.line(line)
    }
  }

  static func table(_ batches: [BatchSummary]) -> Table {
    var table = Table(
      "#ID", "STATE", "#JOBS", "#DONE", "#DISCARDED", "#REVIEW", "CREATED", "BY", "CALLBACK")
    for batch in batches {
      let discarded = batch.finished.first { $0.state == "discarded" }?.jobs ?? 0
      table.add(
        "\(batch.id)", batch.state, "\(batch.jobs)", "\(batch.done)", "\(discarded)",
        "\(batch.review)", batch.createdAt.toSeconds, batch.createdBy, batch.callbackInWords)
    }
    return table
  }
}

struct BatchesShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show how far a batch has come.",
    discussion: """
      For the role that made it, writ_admin and writ_auditor. With --watch, until it has finished.

      EXAMPLES
        writ batches show 17 --watch
      """)

  @Argument(help: "The number of the batch.")
  var id: Int
  @Flag(help: "Show its progress until it has finished.")
  var watch = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let batch = try await options.load().withStore { store in
      watch ? try await Self.watch(id, store) : try await store.batch(id)
    }
    if format.json {
      Output.current.json(batch.json)
    } else {
      for line in batch.lines { Output.current.line(line) }
    }
  }

  /// Shows samples once a second; returns the finished batch.
  private static func watch(_ id: Int, _ store: JobStore) async throws -> BatchSummary {
    var display = ProgressDisplay(output: .current)
    var window = ProgressWindow()
    let start = ContinuousClock.now
    while true {
      let batch = try await store.batch(id)
      let sample = ProgressSample(
        done: batch.done, total: batch.jobs, note: batch.note,
        elapsed: ContinuousClock.now - start)
      if batch.state == "finished" {
        display.finish(sample)
        return batch
      }
      display.show(window.measured(sample))
      try await Task.sleep(for: .seconds(1))
    }
  }
}

struct BatchesCloseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Let no more jobs join a batch, so that it can finish.",
    discussion: """
      For the role that made it.

      EXAMPLES
        writ batches close 17
      """)

  @Argument(help: "The number of the batch.")
  var id: Int
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let wasOpen = try await options.load().withStore { try await $0.closeBatch(id) }
    Output.current.note(wasOpen ? "batch \(id) is closed" : "batch \(id) was closed already")
  }
}

extension BatchSummary {
  /// What a person should know besides the count, or nothing.
  var note: String {
    var parts = finished.filter { $0.state != "completed" && $0.jobs > 0 }
      .map { "\($0.jobs) \($0.state)" }
    if review > 0 { parts.append("\(review) \(review == 1 ? "waits" : "wait") for a person") }
    if state == "open" { parts.append("still open") }
    return parts.joined(separator: ", ")
  }

  /// The callback and its state, or nothing.
  var callbackInWords: String {
    callbackJob.map { "job \($0) \(callbackState ?? "")" } ?? ""
  }

  /// The whole for people.
  var lines: [String] {
    var table = Table("", "")
    table.add("  created", "\(createdAt.toSeconds) by \(createdBy)")
    if let closedAt { table.add("  closed", closedAt.toSeconds) }
    if let finishedAt { table.add("  finished", finishedAt.toSeconds) }
    table.add("  jobs", "\(jobs)")
    for count in unfinished + finished where count.jobs > 0 {
      let isWaiting = count.state == "waiting" && review > 0
      table.add(
        "  \(count.state)", "\(count.jobs)\(isWaiting ? ", \(review) of them for a person" : "")")
    }
    if let rate {
      let left = timeLeft.map { ", \(DurationText.shown($0)) left" } ?? ""
      table.add("  rate", "\(Int(rate.rounded())) /s\(left)")
    }
    if callbackJob != nil { table.add("  callback", callbackInWords) }
    return ["batch \(id)  \(state)"] + table.lines()
  }

  /// The whole for programs.
  var json: JSONValue {
    .members(
      [
        ("id", JSONValue(id)), ("state", .string(state)),
        ("created_at", .string(createdAt.description)), ("created_by", .string(createdBy)),
        ("closed_at", closedAt.map { .string($0.description) }),
        ("finished_at", finishedAt.map { .string($0.description) }), ("jobs", JSONValue(jobs)),
      ] + (unfinished + finished).map { ($0.state, JSONValue($0.jobs)) } + [
        ("review", JSONValue(review)), ("per_second", rate.map { .number(JSONNumber($0)) }),
        ("seconds_left", timeLeft.map { JSONValue(Int($0 / .seconds(1))) }),
        ("callback_job_id", callbackJob.map { JSONValue($0) }),
        ("callback_state", callbackState.map { .string($0) }),
      ])
  }
}
