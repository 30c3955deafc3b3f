// writ types test: a job type against the emulator, with chosen faults.

import Arazzo
import ArgumentParser
import AuthOSEmulator
import Foundation
import JSON
import JobStore

struct TypesTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run a job type against the emulator, with chosen faults.",
    discussion: """
      Starts a throw-away PostgreSQL cluster, an AuthOS emulator and a worker; publishes the file with the \
      documents that it refers to (the shipped ones where it does not bring its own); makes a key with \
      exactly the least privilege of the type; orders one job a trial; and tells what happened, at the \
      database and at the emulator. The exit code is 0 only if every job ended as expected and did nothing \
      twice. Everything is gone afterwards.

      A fault hits one request: the first of a step or an operation, or the N-th with :N. With --every-fault, \
      each kind in turn hits each request that a job without faults sends. Waits between attempts are cut to \
      a quarter of a second unless --real-waits is given.

      KINDS OF FAULT
        \(Self.wrapped(Fault.kinds))

      VALUES OF INPUTS
        \(TrialInputs.names.map { "\($0.name)  \($0.meaning)" }.joined(separator: "\n  "))

      EXAMPLES
        writ types test create_user --every-fault
        writ types test jobs/my_type.arazzo.yaml --input user_id=@user --fault create=dropAfter
        writ types test my_type.arazzo.yaml --fault createUser=status500:2 --expect completed,review
      """)

  @Argument(
    help: "The file of the job type, or the name of a shipped one.",
    completion: .file(extensions: ["yaml", "yml", "json"]))
  var file: String
  @Option(
    help: ArgumentHelp(
      "One input; what is required and not given comes from the schema's examples, or is guessed.",
      valueName: "name=value"))
  var input: [String] = []
  @Option(
    help: ArgumentHelp(
      "A fault; may be repeated for several in the same trial.",
      valueName: "step|operation=kind[:n]"))
  var fault: [String] = []
  @Flag(help: "Every kind of fault at every request, one trial each.")
  var everyFault = false
  @Option(
    help: ArgumentHelp(
      "The outcomes that are right, separated by commas: \(Self.outcomes.joined(separator: ", ")).",
      valueName: "outcomes"))
  var expect = TrialOutcome.completed.rawValue
  @Option(help: "Give a job up after so many seconds.")
  var timeLimit = 60
  @Flag(help: "Do not cut the waits between attempts.")
  var realWaits = false
  @OptionGroup var format: FormatOptions

  private static let outcomes = ["completed", "discarded", "review", "waiting"]

  func validate() throws {
    guard (1...3_600).contains(timeLimit) else {
      throw ValidationError("--time-limit must be from 1 to 3600")
    }
    if everyFault, !fault.isEmpty {
      throw ValidationError("give either --fault or --every-fault, not both")
    }
    for word in expect.split(separator: ",", omittingEmptySubsequences: false)
    where !Self.outcomes.contains(String(word)) {
      throw ValidationError(
        "--expect takes \(Self.outcomes.joined(separator: ", "))"
          + Suggestion.question(String(word), among: Self.outcomes))
    }
  }

  func run() async throws {
    let faults = try fault.map { try TrialFaultOption(parsing: $0) }
    let given =
      try EnqueueCommand.inputs(input, payload: nil).objectValue ?? JSONObject()
    let subject = try TrialCatalogue(file: file)
    // What could be refused without a database is.
    _ = try faults.map { try TrialOperations(subject.type).fault($0, clean: []) }
    let directory = try DataDirectory.makeThrowaway()
    defer { DataDirectory.remove(directory) }
    let plan = Sandbox.Plan(
      directory: directory, catalogue: subject.catalogue, users: TrialInputs.users,
      workerSettings: ["worker.sweep-interval=100ms", "worker.poll-interval=100ms"],
      ordering: .app)
    let bench = TrialBench(
      type: subject.type, given: given, faults: faults, everyFault: everyFault,
      expected: Set(expect.split(separator: ",").compactMap { TrialOutcome(rawValue: String($0)) }),
      limit: .seconds(timeLimit), longestWait: realWaits ? nil : .milliseconds(250))
    let outcome = try await Interruption.run {
      try await Sandbox.with(plan, progress: { Output.current.note("\($0) …") }) {
        try await bench.run($0)
      }
    }
    switch outcome {
    case .finished(let results): try report(results, bench)
    case .interrupted(let status):
      Output.current.note("stopped; everything that was started is gone")
      throw ExitCode(status.rawValue)
    }
  }

  private func report(_ results: [TrialResult], _ bench: TrialBench) throws {
    let report = TrialReport(
      operations: TrialOperations(bench.type), expected: bench.expected)
    let wrong = results.filter { !$0.isExpected(bench.expected) }
    let output = Output.current
    if format.json {
      output.json([
        "type": .string(bench.type.name), "trials": .array(results.map(report.json)),
        "as_expected": .bool(wrong.isEmpty),
      ])
    } else if everyFault {
      for result in wrong {
        for line in report.lines(result, usesColour: output.usesColour) { output.line(line) }
        output.line()
      }
      for line in report.table(results).lines(usesColour: output.usesColour) { output.line(line) }
      output.line()
      output.line("\(results.count - wrong.count) of \(results.count) trials ended as expected")
    } else {
      for result in results {
        for line in report.lines(result, usesColour: output.usesColour) { output.line(line) }
      }
    }
    if !wrong.isEmpty { throw ExitCode(ExitStatus.failure.rawValue) }
  }

  /// Words in lines that fit below an indented title.
  private static func wrapped(_ words: [String]) -> String {
    var lines = [""]
    for word in words {
      if lines[lines.count - 1].count + word.count > 70 { lines.append("") }
      lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
    }
    return lines.joined(separator: "\n  ")
  }
}

/// All trials of one command, one after the other.
struct TrialBench: Sendable {
  let type: JobTypeDefinition
  let given: JSONObject
  let faults: [TrialFaultOption]
  let everyFault: Bool
  let expected: Set<TrialOutcome>
  let limit: Duration
  let longestWait: Duration?

  func run(_ sandbox: Sandbox) async throws -> [TrialResult] {
    try await TypeTrial.with(
      sandbox, type, given: given, limit: limit, longestWait: longestWait
    ) { trial in
      let clean = try await trial.run([])
      if !everyFault, faults.isEmpty { return [clean] }
      let operations = TrialOperations(type)
      guard everyFault else {
        let journal = clean.story.detail.journal.map(\.step)
        let faults = try self.faults.map { try operations.fault($0, clean: journal) }
        return [try await judged(trial, faults, clean)]
      }
      return try await all(trial, operations.everyFault(clean.requests), clean)
    }
  }

  private func judged(
    _ trial: TypeTrial, _ faults: [TrialFault], _ clean: TrialResult
  ) async throws -> TrialResult {
    var result = try await trial.run(faults)
    result.doubled = EffectBalance(result.effects).doubled(beyond: EffectBalance(clean.effects))
    return result
  }

  private func all(
    _ trial: TypeTrial, _ faults: [TrialFault], _ clean: TrialResult
  ) async throws -> [TrialResult] {
    let clock = ContinuousClock()
    let start = clock.now
    var display = ProgressDisplay(output: .current)
    defer { display.close() }
    var results = [clean]
    for fault in faults {
      results.append(try await judged(trial, [fault], clean))
      let wrong = results.count { !$0.isExpected(expected) }
      display.show(
        ProgressSample(
          done: results.count, total: faults.count + 1,
          note: wrong == 0 ? "" : "\(wrong) not as expected", elapsed: clock.now - start))
    }
    return results
  }
}
