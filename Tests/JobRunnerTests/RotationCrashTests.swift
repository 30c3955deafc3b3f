// The worker dies at its n-th action, for n = 1, 2, 3 … until a rotation runs to its end: before and
// after each request, each write of the secret store and each record. Another worker then finishes.

import Arazzo
import AuthOSEmulator
import Foundation
import JSON
import JobModel
import JobStore
import Postgres
import Secrets
import Synchronization
import Testing

@testable import JobRunner

/// Counts the actions of one worker; from the chosen one on it can do nothing any more.
private final class Death: Sendable {
  struct Dead: Error {}
  private let left: Mutex<Int>
  let isDead = Atomic(false)

  init(at action: Int) { left = Mutex(action) }

  /// Before or after something that others can see.
  func pass() throws {
    let isOver = left.withLock { left in
      left -= 1
      return left <= 0
    }
    if isOver { isDead.store(true, ordering: .sequentiallyConsistent) }
    try live()
  }

  func live() throws { if isDead.load(ordering: .sequentiallyConsistent) { throw Dead() } }
}

private struct MortalSender: HTTPSender {
  let base: any HTTPSender
  let death: Death

  func send(_ request: OutgoingRequest) async throws(TransportFailure) -> StepResponse {
    do { try death.pass() } catch { throw .ambiguous(.abandoned) }
    let response = try await base.send(request)
    do { try death.pass() } catch { throw .ambiguous(.abandoned) }
    return response
  }
}

private struct MortalSecrets: SecretStore {
  let base: any SecretStore
  let death: Death

  private func change(_ body: () throws -> Void) throws {
    try death.pass()
    try body()
    try death.pass()
  }

  func read(_ name: SecretName) throws -> Secret? { try base.read(name) }
  func names() throws -> [SecretName] { try base.names() }
  func write(_ name: SecretName, _ secret: Secret) throws {
    try change { try base.write(name, secret) }
  }
  func delete(_ name: SecretName) throws { try change { try base.delete(name) } }
  func promoteKey(environment: String, jobType: String, prefix: String?) throws {
    try change {
      try base.promoteKey(environment: environment, jobType: jobType, prefix: prefix)
    }
  }
}

private struct MortalStore: WorkerStore {
  let base: any WorkerStore
  let death: Death

  func register(_ identity: WorkerIdentity, lease: Duration) async throws -> Int {
    try death.live()
    return try await base.register(identity, lease: lease)
  }
  func renew(worker: Int, lease: Duration, isIdle: Bool) async throws -> Bool {
    try death.live()
    return try await base.renew(worker: worker, lease: lease, isIdle: isIdle)
  }
  func deregister(worker: Int) async throws {
    try death.live()
    try await base.deregister(worker: worker)
  }
  func unpark(_ jobs: [Int]) async throws -> Int { try await base.unpark(jobs) }
  func claim(_ request: ClaimRequest) async throws -> Claim {
    try death.live()
    return try await base.claim(request)
  }
  func record(
    worker: Int, _ entries: [RecordEntry], skipsLocked: Bool
  ) async throws -> [RecordAnswer] {
    try death.pass()
    let answers = try await base.record(worker: worker, entries, skipsLocked: skipsLocked)
    try death.pass()
    return answers
  }
  func sweep(limit: Int) async throws -> Int {
    try death.live()
    return try await base.sweep(limit: limit)
  }
  func fireSchedule() async throws -> ScheduleFiring? {
    try death.live()
    return try await base.fireSchedule()
  }
  func definition(hash: String) async throws -> JobTypeDefinition? {
    try await base.definition(hash: hash)
  }
  func definition(type: String) async throws -> JobTypeDefinition? {
    try await base.definition(type: type)
  }
  func reportKeys(worker: Int, environments: [String], _ keys: [LoadedKey]) async throws -> Bool {
    try death.live()
    return try await base.reportKeys(worker: worker, environments: environments, keys)
  }
  func openDefinitions(environment: String, jobType: String) async throws -> [String] {
    try death.live()
    return try await base.openDefinitions(environment: environment, jobType: jobType)
  }
  func workersWithoutKey(
    environment: String, jobType: String, fingerprint: String
  ) async throws -> [WorkerWithoutKey] {
    try death.live()
    return try await base.workersWithoutKey(
      environment: environment, jobType: jobType, fingerprint: fingerprint)
  }
  func openCircuits(
    worker: Int, environments: [String], answered: Set<CircuitName>
  ) async throws -> Set<CircuitName> {
    try await base.openCircuits(worker: worker, environments: environments, answered: answered)
  }
  func openCircuit(
    worker: Int, _ name: CircuitName, _ policy: CircuitPolicy, failedJobs: Int, code: String
  ) async throws -> CircuitVerdict {
    try await base.openCircuit(
      worker: worker, name, policy, failedJobs: failedJobs, code: code)
  }
  func closeCircuit(worker: Int, _ name: CircuitName) async throws -> Bool {
    try await base.closeCircuit(worker: worker, name)
  }
  func installation() async throws -> String { try await base.installation() }
  func listen(queues: [String], onWake: @escaping @Sendable () -> Void) async {
    await base.listen(queues: queues, onWake: onWake)
  }
  // The dead try nothing again.
  func isTransient(_ error: any Error) -> Bool { !(error is Death.Dead) && base.isTransient(error) }
  func safeDescription(of error: any Error) -> String { base.safeDescription(of: error) }
}

@Suite struct RotationCrashTests {
  private static let lanes = 4

  @Test(arguments: 0..<lanes)
  func `a rotation leaves one live key, wherever the worker dies`(lane: Int) async throws {
    let finished = Counter()
    try await Workshop.open { workshop in
      var action = lane + 1
      while try await !self.rotate(workshop, dyingAt: action) { action += Self.lanes }
      finished.set(action)
    }
    // Before and after six requests, three writes and the records between them.
    #expect(finished.value > 30, "the worker died at \(finished.value) actions only")
  }

  private final class Counter: Sendable {
    private let number = Atomic(0)
    var value: Int { number.load(ordering: .relaxed) }
    func set(_ value: Int) { number.store(value, ordering: .relaxed) }
  }

  /// Rotates once; whether the worker reached the end alive.
  private func rotate(_ workshop: Workshop, dyingAt action: Int) async throws -> Bool {
    let job = try await workshop.order("rotate_api_key", ["job_type": "create_user"])
    let death = Death(at: action)
    try await workshop.withWorker(
      { $0.name = "mortal" }, wrap: { MortalStore(base: $0, death: death) },
      wrapSender: { MortalSender(base: $0, death: death) },
      wrapSecrets: { MortalSecrets(base: $0, death: death) }
    ) { _, _ in
      let isOver = try await eventually {
        if death.isDead.load(ordering: .sequentiallyConsistent) { return true }
        return try await workshop.state(of: job) == "completed"
      }
      #expect(isOver)
    }
    let hasDied = death.isDead.load(ordering: .sequentiallyConsistent)
    if hasDied {
      try await workshop.expireLeases()
      try await workshop.withWorker { _, _ in
        try await workshop.expect(job, toBe: "completed")
        // The new key works, at once.
        let user = try await workshop.order(
          "create_user", ["email": .string("after\(action)@example.com")])
        try await workshop.expect(user, toBe: "completed")
      }
    }
    try expectOneLiveKey(workshop, action)
    return !hasDied
  }

  private func expectOneLiveKey(_ workshop: Workshop, _ action: Int) throws {
    let held = try workshop.secrets.text("default/create_user.key").map { String($0.prefix(15)) }
    let live = workshop.authOS.snapshot.keys.filter {
      $0.name == "create_user" || $0.name.hasPrefix("writ create_user job ")
    }
    #expect(live.map(\.prefix) == [held], "died at action \(action)")
    #expect(try workshop.secrets.text("default/create_user.pending.key") == nil)
    #expect(try workshop.secrets.text("default/create_user.previous.key") == nil)
  }
}

extension Workshop {
  /// Ends every lease, as the passing of time would.
  fileprivate func expireLeases() async throws {
    _ = try await admin.pool.query(
      "update writ_data.worker set lease_expires_at = clock_timestamp() where state = 'live'")
  }
}
