// One job of a type against the emulator, with chosen faults, and what came of it.

import Arazzo
import AuthOSEmulator
import Foundation
import JSON
import JobStore
import Postgres
import PostgresCluster

/// How the job of a trial ended.
enum TrialOutcome: String, Sendable, Hashable, CaseIterable {
  case completed
  case discarded
  case cancelled
  /// It waits for a person.
  case review
  /// It waits for its user to act.
  case waiting
  /// It did not end in time.
  case unfinished

  /// The outcome of a job; `nil` while it goes on.
  init?(state: String, waitingReason: String?) {
    switch (state, waitingReason) {
    case ("waiting", "review"?): self = .review
    case ("waiting", "user_action"?): self = .waiting
    case ("waiting", _): return nil
    default:
      guard let outcome = Self(rawValue: state) else { return nil }
      self = outcome
    }
  }
}

/// A request of a trial's job, as the service saw it.
struct TrialRequest: Sendable, Hashable {
  var operation: TrialOperation
  /// Its ordinal among all requests of the service, from 1.
  var number: Int
  /// The status of the answer, or 0 where the connection was dropped.
  var status: Int
  /// The kind of the injected fault.
  var fault: String?

  init(_ record: RequestRecord) {
    operation = .authOS(record.operation)
    number = record.number
    status = record.status
    fault = record.fault
  }

  init(_ request: StandInRequest, at name: String) {
    operation = .standIn(name, operation: request.operation)
    number = request.number
    status = request.status
    fault = request.fault
  }
}

/// What came of a trial.
struct TrialResult: Sendable {
  var faults: [TrialFault]
  var outcome: TrialOutcome
  var story: JobStory
  /// Those at the emulator in their order, then those at each stand-in.
  var requests: [TrialRequest]
  /// What changed at the emulator.
  var effects: [LedgerRecord]
  /// What would have changed at the services that stand-ins stand for, by their names.
  var standIns: [String: [StandInEffect]]
  /// Whether every fault happened; a request that never came cannot go wrong.
  var hits: Int
  /// What was done more often than by a job to which nothing happened, in words.
  var doubled: [String] = []

  /// The faults in words.
  var title: String {
    faults.isEmpty ? "no fault" : faults.map(\.text).joined(separator: "; ")
  }

  /// What was done more often than by a job to which nothing happened, in words.
  func doubled(beyond clean: TrialResult) -> [String] {
    EffectBalance(effects).doubled(beyond: EffectBalance(clean.effects))
      + standIns.keys.sorted().flatMap { name in
        StandInDoubling.found(standIns[name] ?? [], beyond: clean.standIns[name] ?? [])
      }
  }

  /// Whether the outcome is one of those, and nothing was done twice.
  func isExpected(_ expected: Set<TrialOutcome>) -> Bool {
    expected.contains(outcome) && doubled.isEmpty
  }
}

/// Runs jobs of one type, one after the other, each at an emulator that begins anew.
struct TypeTrial: Sendable {
  let sandbox: Sandbox
  let type: JobTypeDefinition
  let inputs: JSONObject
  /// The longest life of a job.
  let limit: Duration
  /// Waits of the job beyond this are cut short, but for those with a setting of their own; `nil` leaves them
  /// as they are.
  let longestWait: Duration?
  /// Orders, looks and cancels.
  let store: JobStore
  /// The owner of the sandbox's database.
  let owner: PostgresPool
  let worker: ChildProcess
  /// What stands for other services than AuthOS.
  let standIns: [StandIn]

  /// Lends a trial with a worker; both end with it.
  static func with<Value: Sendable>(
    _ sandbox: Sandbox, _ type: JobTypeDefinition, given: JSONObject, limit: Duration,
    longestWait: Duration?, standIns: [StandIn], _ body: (TypeTrial) async throws -> Value
  ) async throws -> Value {
    let inputs = try TrialInputs(seeded: sandbox.authOS.seeded).inputs(given, for: type)
    let pools = try [
      sandbox.database.connectionString(.admin),
      sandbox.database.cluster.connectionString(database: SandboxDatabase.name),
    ].map {
      PostgresPool(
        configuration: try PostgresConfiguration(connectionString: $0), maximumConnections: 1)
    }
    let worker = try sandbox.startWorker("worker")
    do {
      let trial = TypeTrial(
        sandbox: sandbox, type: type, inputs: inputs, limit: limit, longestWait: longestWait,
        store: JobStore(pool: pools[0]), owner: pools[1], worker: worker,
        standIns: standIns)
      let value = try await body(trial)
      for pool in pools { await pool.close() }
      await worker.stop(within: .seconds(10))
      return value
    } catch {
      for pool in pools { await pool.close() }
      await worker.stop(within: .seconds(5))
      throw error
    }
  }

  /// Runs one job.
  ///
  /// - Throws: `PostgresError` where the order is refused; ``CommandError`` where the worker died.
  func run(_ faults: [TrialFault]) async throws -> TrialResult {
    sandbox.authOS.restart(try seed, at: .now())
    sandbox.authOS.faults = TrialFault.plan(faults)
    for standIn in standIns { standIn.restart(TrialFault.scripts(faults, at: standIn.name)) }
    let job = try await store.enqueue(type: type.name, payload: .object(inputs))
    let outcome = try await outcome(of: job)
    let story = try await JobStory.read(job, from: store)
    let requests =
      sandbox.authOS.requests.map { TrialRequest($0) }
      + standIns.flatMap { standIn in
        standIn.requests.map { TrialRequest($0, at: standIn.name) }
      }
    let result = TrialResult(
      faults: faults, outcome: outcome, story: story, requests: requests,
      effects: sandbox.authOS.ledger().filter { !$0.effect.isOfSession },
      standIns: Dictionary(
        standIns.map { ($0.name, $0.effects) }, uniquingKeysWith: { first, _ in first }),
      hits: requests.count { $0.fault != nil })
    try await callOff(job, outcome)
    return result
  }

  /// What the emulator holds at the start, with the keys that are in the secret store now.
  private var seed: EmulatorSeed {
    get throws {
      EmulatorSeed(
        number: sandbox.plan.seed, accounts: [try sandbox.secrets.account()],
        users: sandbox.plan.users, apiKeys: try sandbox.secrets.apiKeys(sandbox.plan.catalogue))
    }
  }

  private func outcome(of job: Int) async throws -> TrialOutcome {
    let clock = ContinuousClock()
    let start = clock.now
    while clock.now - start < limit {
      guard let summary = try await store.job(job)?.summary else { break }
      if let outcome = TrialOutcome(state: summary.state, waitingReason: summary.waitingReason) {
        return outcome
      }
      guard worker.isRunning else {
        throw CommandError(
          .failure, "the worker ended by itself; see \(sandbox.log(ofWorker: "worker"))")
      }
      if summary.state == "retryable", let longestWait {
        // Only the owner of a database may do so, and this one is thrown away.
        try await JobStore(pool: owner).shortenWait(of: job, to: longestWait)
      }
      try await Task.sleep(for: .milliseconds(30))
    }
    return .unfinished
  }

  /// Lets the next job about the same subject start.
  private func callOff(_ job: Int, _ outcome: TrialOutcome) async throws {
    guard [.review, .waiting, .unfinished].contains(outcome) else { return }
    _ = try await store.cancel(job, force: true)
  }
}
