// writ types test: a job type against the emulator, with chosen faults.

import Arazzo
import ArgumentParser
import AuthOSEmulator
import Foundation
import JSON
import JobModel
import JobStore

struct TypesTestCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Run a job type against the emulator, with chosen faults.",
    discussion: """
      Starts a throw-away PostgreSQL cluster, an AuthOS emulator, a stand-in for each other API that the type \
      calls, and a worker; publishes the file with the \
      documents that it refers to (the shipped ones where it does not bring its own); makes a key with \
      exactly the least privilege of the type; orders one job a trial; and tells what happened, at the \
      database, at the emulator and at the stand-ins. The exit code is 0 only if every job ended as expected and did nothing \
      twice. Everything is gone afterwards.

      A fault hits one request: the first of a step or an operation, or the N-th with :N. With --every-fault, \
      each kind in turn hits each request that a job without faults sends. Waits between attempts are cut to \
      a quarter of a second unless --real-waits is given.

      A stand-in answers what the OpenAPI document describes: the first 2xx response, its example or a value \
      that fits its schema. --target sends the requests to a server of yours instead, without faults; its \
      secrets are made up unless --secret names a file.

      KINDS OF FAULT
        \(Self.wrapped(Fault.kinds))

      VALUES OF INPUTS
        \(TrialInputs.names.map { "\($0.name)  \($0.meaning)" }.joined(separator: "\n  "))

      EXAMPLES
        writ types test create_user --every-fault
        writ types test jobs/my_type.arazzo.yaml --input user_id=@user --fault create=dropAfter
        writ types test my_type.arazzo.yaml --fault createUser=status500:2 --expect completed,review
        writ types test notify_webhook --fault deliver=dropAfter
        writ types test bill.arazzo.yaml --target billing=http://127.0.0.1:9000 --secret billing.key=key.txt
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
    name: .customLong("target"),
    help: ArgumentHelp(
      "A server of yours for an API that is not AuthOS, by the name of its source description; may be repeated.",
      valueName: "name=url"))
  var targets: [String] = []
  @Option(
    name: .customLong("secret"),
    help: ArgumentHelp(
      "A file with a secret of such a server, for example billing.key=key.txt; may be repeated.",
      valueName: "name.word=file"))
  var secrets: [String] = []
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
    let targets = try ownTargets(of: subject.type)
    let others = subject.type.targets.filter { $0.source != SecretNaming.authOS }
    let operations = TrialOperations(subject.type, ownTargets: targets.keys)
    // What could be refused without a database is.
    _ = try faults.map { try operations.fault($0, clean: []) }
    let secretFiles = try secretFiles(others)
    let standIns = others.filter { targets[$0.source] == nil }.compactMap { use in
      subject.type.api(ofTarget: use.source).map { StandIn(name: use.source, document: $0) }
    }
    let directory = try DataDirectory.makeThrowaway()
    defer { DataDirectory.remove(directory) }
    let bench = TrialBench(
      type: subject.type, operations: operations, standIns: standIns, given: given,
      faults: faults, everyFault: everyFault,
      expected: Set(expect.split(separator: ",").compactMap { TrialOutcome(rawValue: String($0)) }),
      limit: .seconds(timeLimit), longestWait: realWaits ? nil : .milliseconds(250))
    let outcome = try await Interruption.run {
      try await ServedEmulator.with(standIns) { addresses in
        let plan = Sandbox.Plan(
          directory: directory, catalogue: subject.catalogue, users: TrialInputs.users,
          workerSettings: ["worker.sweep-interval=100ms", "worker.poll-interval=100ms"],
          lostRequestPause: realWaits ? nil : .seconds(1),
          ordering: .app, targets: targets.merging(addresses) { $1 },
          targetsWithMadeUpSecrets: others, secretFiles: secretFiles)
        return try await Sandbox.with(plan, progress: { Output.current.note("\($0) …") }) {
          try await bench.run($0)
        }
      }
    }
    switch outcome {
    case .finished(let results): try report(results, bench)
    case .interrupted(let status):
      Output.current.note("stopped; everything that was started is gone")
      throw ExitCode(status.rawValue)
    }
  }

  /// The addresses of `--target`; a name that the type does not call is refused.
  private func ownTargets(of type: JobTypeDefinition) throws -> [String: String] {
    let targets = try UpCommand.targets(self.targets)
    let names = type.targets.map(\.source).filter { $0 != SecretNaming.authOS }
    for name in targets.keys.sorted() where !names.contains(name) {
      throw CommandError(
        .usage,
        "--target \(name.printable): \(type.name) "
          + (names.isEmpty
            ? "calls no API but AuthOS"
            : "calls no such API; it calls \(names.joined(separator: ", "))"))
    }
    return targets
  }

  /// The files of `--secret`, by `TARGET.WORD`; a secret that no request needs is refused.
  private func secretFiles(_ targets: [TargetUse]) throws(CommandError) -> [String: String] {
    let known = targets.flatMap { target in
      (target.secretWords + (target.hasSession ? ["email", "password"] : [])).map {
        "\(target.source).\($0)"
      }
    }
    var files: [String: String] = [:]
    for word in secrets {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, known.contains(parts[0]) else {
        throw CommandError(
          .usage,
          "--secret takes NAME.WORD=FILE with one of the secrets of the type"
            + (known.isEmpty ? ", and it has none" : ": \(known.joined(separator: ", "))"))
      }
      files[parts[0]] = parts[1]
    }
    return files
  }

  private func report(_ results: [TrialResult], _ bench: TrialBench) throws {
    let report = TrialReport(operations: bench.operations, expected: bench.expected)
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
      output.line(
        "\(results.count - wrong.count) of \(results.count.counting("trial")) ended as expected")
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
  let operations: TrialOperations
  let standIns: [StandIn]
  let given: JSONObject
  let faults: [TrialFaultOption]
  let everyFault: Bool
  let expected: Set<TrialOutcome>
  let limit: Duration
  let longestWait: Duration?

  func run(_ sandbox: Sandbox) async throws -> [TrialResult] {
    try await TypeTrial.with(
      sandbox, type, given: given, limit: limit, longestWait: longestWait,
      standIns: standIns
    ) { trial in
      let clean = try await trial.run([])
      if !everyFault, faults.isEmpty { return [clean] }
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
    result.doubled = result.doubled(beyond: clean)
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
