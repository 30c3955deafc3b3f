// writ keys rotate: order rotations, one by one or of everything.

import Arazzo
import ArgumentParser
import Foundation
import JSON
import JobStore
import Postgres
import Secrets

struct KeysRotateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate", abstract: "Order new API keys in place of those in use.",
    discussion: """
      Each rotation is a job of the type rotate_api_key: it makes a key with the least privilege of its job \
      type, waits until every worker has loaded it, and deletes the old one. No job fails meanwhile. The role \
      needs the right to order rotate_api_key.

      --all is for an emergency: it orders a rotation for every type and environment that has a key, in this \
      machine's secret store or, where the role may look, with any live worker. All are ordered in one \
      transaction: if one is refused, none is.

      With --wait, ends with 1 when a rotation does not end as it should, and with 75 when --timeout passes \
      first; what is left is shown, and stays ordered. Says so when no live worker is there to do it.

      EXAMPLES
        writ keys rotate create_user
        writ keys rotate create_user change_plan --environment production --wait
        writ keys rotate --all --dry-run
        writ keys rotate --all --wait
        writ keys rotate --all --wait --timeout 10m
      """)

  @Argument(help: "The job types.")
  var types: [String] = []
  @Flag(help: "Every job type and environment that has a key.")
  var all = false
  @Option(help: "Only this environment. Without it: the default one, and with --all every one.")
  var environment: String?
  @Option(
    help:
      "The queue of the rotations, where only some workers share the secret store that is written.")
  var queue: String?
  @Flag(help: "Wait until all are over, and show how far they are.")
  var wait = false
  @Option(
    help: ArgumentHelp(
      "With --wait: how long at most. The rotations stay ordered.", valueName: "duration"))
  var timeout: String?
  @Flag(help: "Say what would be ordered, and order nothing.")
  var dryRun = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    if all == !types.isEmpty {
      throw ValidationError("name job types, or give --all for every one that has a key")
    }
    if dryRun, wait { throw ValidationError("give either --dry-run or --wait, not both") }
    if let timeout {
      guard wait else { throw ValidationError("--timeout needs --wait") }
      guard let limit = DurationText.read(timeout), limit > .zero else {
        throw ValidationError("--timeout takes a duration such as 10m")
      }
    }
  }

  func run() async throws {
    let configuration = try options.load()
    var rotations = try await planned(configuration)
    guard !rotations.isEmpty else {
      throw CommandError(
        .failure,
        "no key was found, neither in the secret store of this machine nor with a live worker; name the job types"
      )
    }
    guard !dryRun else { return report(rotations) }
    let limit = timeout.flatMap(DurationText.read)
    let isOver = try await configuration.withStore { store in
      try await order(&rotations, store)
      guard wait else { return true }
      var watch = RotationWatch(store: store, output: .current, limit: limit)
      return try await watch.run(&rotations)
    }
    report(rotations)
    guard isOver else {
      Output.current.note(
        "writ: not over after \(timeout ?? ""); the rotations stay ordered, and go on as soon as a worker can"
      )
      throw ExitCode(ExitStatus.timedOut.rawValue)
    }
    if wait, rotations.contains(where: { $0.state != "completed" }) {
      throw ExitCode(ExitStatus.failure.rawValue)
    }
  }

  // MARK: What to rotate

  private func planned(_ configuration: Configuration) async throws -> [KeyRotation] {
    let known = try await KeyedTypes.take(configuration)
    if let blindSpot = known.blindSpot { Output.current.note("writ: \(blindSpot)") }
    let keyed = known.keyed.map(\.name)
    guard all else {
      for type in types where !keyed.contains(type) {
        throw CommandError(
          .badData,
          known.jobType(type) == nil
            ? "there is no job type \(type.printable)" + Suggestion.question(type, among: keyed)
            : "jobs of the type \(type) need no key")
      }
      if environment != nil { _ = try configuration.environments(named: environment) }
      var seen: Set<String> = []
      return types.filter { seen.insert($0).inserted }.map {
        KeyRotation(environment: environment, jobType: $0)
      }
    }
    let environments = try configuration.environments(named: environment).map(\.name)
    var found: Set<KeyRotation> = []
    let store = try? configuration.secretStore()
    for name in environments {
      for type in (try? store?.keyedTypes(environment: name)) ?? [] where keyed.contains(type) {
        found.insert(KeyRotation(environment: name, jobType: type))
      }
    }
    for entry in try await workerKeys(configuration)
    where environments.contains(entry.environment) && keyed.contains(entry.jobType) {
      found.insert(KeyRotation(environment: entry.environment, jobType: entry.jobType))
    }
    return found.sorted { ($0.environment ?? "", $0.jobType) < ($1.environment ?? "", $1.jobType) }
  }

  private func workerKeys(_ configuration: Configuration) async throws -> [WorkerKeys.Entry] {
    do {
      return try await configuration.withStore { try await $0.workerKeys() }.entries
    } catch let error as PostgresError where error.sqlState == "42501" {
      Output.current.note(
        "writ: this role may not see which keys the workers have; only those of this machine's secret store are rotated"
      )
      return []
    }
  }

  // MARK: Ordering

  /// All in one transaction: whoever rotates everything must not have to find out what was ordered.
  private func order(_ rotations: inout [KeyRotation], _ store: JobStore) async throws {
    let orders = rotations.map { rotation in
      JobOrder(
        type: "rotate_api_key", payload: ["job_type": .string(rotation.jobType)],
        options: EnqueueOptions(
          // Before all other work: whoever rotates everything has a reason.
          priority: all ? 0 : nil, environment: rotation.environment, queue: queue))
    }
    do {
      for (index, job) in try await store.enqueueAll(orders).enumerated() {
        rotations[index].job = job
        rotations[index].state = "ordered"
      }
    } catch let refusal as JobOrderError {
      let report = ErrorReport(refusal.error)
      throw CommandError(
        ExitStatus(rawValue: report.status) ?? .failure,
        "\(rotations[refusal.place].subject): \(report.lines.joined(separator: "; ")); no rotation was ordered"
      )
    } catch let error as PostgresError where error.code == .commitUnknown {
      throw CommandError(
        .failure,
        "\(error.description): either all rotations are ordered or none; see `writ jobs list --type rotate_api_key`"
      )
    }
  }

  private func report(_ rotations: [KeyRotation]) {
    if format.json {
      Output.current.json(.array(rotations.map(\.json)))
      return
    }
    var table = Table("ENVIRONMENT", "TYPE", "#JOB", "STATE", "ERROR").styling("STATE") {
      $0 == "completed" ? .green : $0.hasSuffix("review") || $0 == "discarded" ? .red : nil
    }
    for rotation in rotations {
      table.add(
        rotation.environment ?? "the default", rotation.jobType,
        rotation.job.map { "\($0)" } ?? "", rotation.state,
        rotation.state == "completed" ? "" : rotation.errorCode ?? "")
    }
    for line in table.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
    for rotation in rotations where rotation.isOver && rotation.state != "completed" {
      guard let job = rotation.job else { continue }
      Output.current.note("writ: \(rotation.subject): see `writ jobs show \(job)`")
    }
  }
}

/// One rotation: what is asked for, and what became of it.
struct KeyRotation: Hashable {
  /// `nil` is the default one.
  var environment: String?
  var jobType: String
  var job: Int?
  /// As in `writ jobs list`; `planned` before it is ordered.
  var state = "planned"
  var errorCode: String?

  init(environment: String?, jobType: String) {
    self.environment = environment
    self.jobType = jobType
  }

  var subject: String { [environment, jobType].compactMap(\.self).joined(separator: "/") }

  /// Nothing will happen any more unless a person acts.
  var isOver: Bool {
    ["completed", "discarded", "cancelled", "waiting: review"].contains(state)
  }

  var json: JSONValue {
    var object = JSONObject()
    object["environment"] = environment.map { .string($0) }
    object["type"] = .string(jobType)
    object["job_id"] = job.map { JSONValue($0) }
    object["state"] = .string(state)
    if state != "completed" { object["error_code"] = errorCode.map { .string($0) } }
    return .object(object)
  }
}
