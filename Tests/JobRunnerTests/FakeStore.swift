// A store in memory for tests of the worker's own parts; what SQL does is tested with PostgreSQL.

import Arazzo
import JobModel
import Synchronization

@testable import JobRunner

/// Answers as a test tells it to.
final class FakeStore: WorkerStore {
  struct Failure: Error { var isTransient: Bool }

  private struct State {
    var registrations = 0
    var deregistered: [Int] = []
    var renewals = 0
    var renewsLease = true
    var pending: [ClaimedJob] = []
    var claims = 0
    var claimFailures = 0
    var recordCalls: [[RecordEntry]] = []
    var accepts: @Sendable (RecordEntry) -> Bool = { _ in true }
    var heldUpJobs: Set<Int> = []
    var skippingCalls = 0
    var refuses: @Sendable ([RecordEntry]) -> Bool = { _ in false }
    var recordFailures = 0
    var failsTransiently = true
    var isHolding = false
    var held: [CheckedContinuation<Void, Never>] = []
    var definitions: [String: JobTypeDefinition] = [:]
    var openDefinitions: [String] = []
    var reports: [[LoadedKey]] = []
    var workersWithoutKey: [[WorkerWithoutKey]] = []
    var askedFingerprints: [String] = []
    var circuits: Set<CircuitName> = []
    var opensCircuits = true
    var circuitCalls: [String] = []
  }

  private let state = Mutex(State())

  func holdRecords() { state.withLock { $0.isHolding = true } }
  func answerRecords(_ accepts: @escaping @Sendable (RecordEntry) -> Bool) {
    state.withLock { $0.accepts = accepts }
  }
  func refuseRecords(_ refuses: @escaping @Sendable ([RecordEntry]) -> Bool) {
    state.withLock { $0.refuses = refuses }
  }
  /// These jobs are held by somebody else's transaction from now on.
  func holdUp(_ jobs: Set<Int>) { state.withLock { $0.heldUpJobs = jobs } }
  var skippingCalls: Int { state.withLock { $0.skippingCalls } }
  func failRecords(times: Int, isTransient: Bool) {
    state.withLock { state in
      state.recordFailures = times
      state.failsTransiently = isTransient
    }
  }
  func failClaims(times: Int) { state.withLock { $0.claimFailures = times } }
  func refuseRenewals() { state.withLock { $0.renewsLease = false } }
  func define(_ definition: JobTypeDefinition, hash: String) {
    state.withLock { $0.definitions[hash] = definition }
  }
  /// Unfinished jobs were ordered under the definitions of these hashes.
  func leaveOpen(_ hashes: [String]) { state.withLock { $0.openDefinitions = hashes } }
  func offer(_ jobs: [ClaimedJob]) { state.withLock { $0.pending += jobs } }
  func releaseRecords() {
    let held = state.withLock { state in
      state.isHolding = false
      defer { state.held = [] }
      return state.held
    }
    for continuation in held { continuation.resume() }
  }

  var recordCalls: [[RecordEntry]] { state.withLock { $0.recordCalls } }
  var records: [JobRecord] { recordCalls.flatMap { $0 }.map(\.record) }
  /// What the next questions for workers without a key are answered; then nobody lacks it.
  func answerWithoutKey(_ answers: [[WorkerWithoutKey]]) {
    state.withLock { $0.workersWithoutKey = answers }
  }
  /// Other workers get through.
  func refuseCircuits() { state.withLock { $0.opensCircuits = false } }
  /// Another worker has opened these.
  func open(_ circuits: Set<CircuitName>) { state.withLock { $0.circuits = circuits } }
  var circuitCalls: [String] { state.withLock { $0.circuitCalls } }
  var reports: [[LoadedKey]] { state.withLock { $0.reports } }
  var askedFingerprints: [String] { state.withLock { $0.askedFingerprints } }
  var registrations: Int { state.withLock { $0.registrations } }
  var deregistered: [Int] { state.withLock { $0.deregistered } }
  var renewals: Int { state.withLock { $0.renewals } }
  var claims: Int { state.withLock { $0.claims } }

  func register(_ identity: WorkerIdentity, lease: Duration) async throws -> Int {
    state.withLock { state in
      state.registrations += 1
      state.renewsLease = true
      return state.registrations
    }
  }

  func renew(worker: Int, lease: Duration, isIdle: Bool) async throws -> Bool {
    state.withLock { state in
      state.renewals += 1
      return state.renewsLease
    }
  }

  func deregister(worker: Int) async throws { state.withLock { $0.deregistered.append(worker) } }

  func claim(_ request: ClaimRequest) async throws -> Claim {
    try state.withLock { state in
      state.claims += 1
      if state.claimFailures > 0 {
        state.claimFailures -= 1
        throw Failure(isTransient: true)
      }
      let jobs = Array(state.pending.prefix(request.limit))
      state.pending.removeFirst(jobs.count)
      return Claim(
        jobs: jobs,
        finding: .init(
          claimed: jobs.map { (5, $0.id) }, isExhausted: jobs.count < request.limit,
          snapshotXmin: 100, snapshotXmax: 100))
    }
  }

  func unpark(_ jobs: [Int]) async throws -> Int { 0 }

  func record(
    worker: Int, _ entries: [RecordEntry], skipsLocked: Bool
  ) async throws -> [RecordAnswer] {
    let isHolding = state.withLock { state in
      state.recordCalls.append(entries)
      if skipsLocked { state.skippingCalls += 1 }
      return state.isHolding
    }
    if isHolding {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isHolding { state.held.append(continuation) }
          return !state.isHolding
        }
        if isOver { continuation.resume() }
      }
    }
    return try state.withLock { state in
      if state.recordFailures > 0 {
        state.recordFailures -= 1
        throw Failure(isTransient: state.failsTransiently)
      }
      if state.refuses(entries) { throw Failure(isTransient: false) }
      return entries.map {
        let isHeldUp = state.heldUpJobs.contains($0.job)
        return RecordAnswer(
          job: $0.job, isAccepted: !isHeldUp && state.accepts($0), isHeldUp: isHeldUp,
          isCancelRequested: false)
      }
    }
  }

  func sweep(limit: Int) async throws -> Int { 0 }
  func fireSchedule() async throws -> ScheduleFiring? { nil }
  func definition(hash: String) async throws -> JobTypeDefinition? {
    state.withLock { $0.definitions[hash] }
  }
  func definition(type: String) async throws -> JobTypeDefinition? {
    state.withLock { state in state.definitions.values.first { $0.name == type } }
  }
  func reportKeys(worker: Int, environments: [String], _ keys: [LoadedKey]) async throws -> Bool {
    state.withLock { state in
      state.reports.append(keys)
      return state.renewsLease
    }
  }
  func openDefinitions(environment: String, jobType: String) async throws -> [String] {
    state.withLock { $0.openDefinitions }
  }
  func workersWithoutKey(
    environment: String, jobType: String, fingerprint: String
  ) async throws -> [WorkerWithoutKey] {
    state.withLock { state in
      state.askedFingerprints.append(fingerprint)
      return state.workersWithoutKey.isEmpty ? [] : state.workersWithoutKey.removeFirst()
    }
  }
  func openCircuits(
    worker: Int, environments: [String], answered: Set<CircuitName>
  ) async throws -> Set<CircuitName> {
    state.withLock { state in
      for name in answered { state.circuitCalls.append("answered \(name.target)") }
      return state.circuits
    }
  }
  func openCircuit(
    worker: Int, _ name: CircuitName, _ policy: CircuitPolicy, failedJobs: Int, code: String
  ) async throws -> CircuitVerdict {
    state.withLock { state in
      state.circuitCalls.append("open \(name.target) \(failedJobs) \(code)")
      if state.opensCircuits { state.circuits.insert(name) }
      return state.opensCircuits ? .open : .othersGetThrough
    }
  }
  func closeCircuit(worker: Int, _ name: CircuitName) async throws -> Bool {
    state.withLock { state in
      state.circuitCalls.append("close \(name.target)")
      return state.circuits.remove(name) != nil
    }
  }
  func installation() async throws -> String { "0123abcd" }
  func listen(queues: [String], onWake: @escaping @Sendable () -> Void) async {}
  func isTransient(_ error: any Error) -> Bool { (error as? Failure)?.isTransient ?? false }
  func safeDescription(of error: any Error) -> String { "a failure" }
}
