import Arazzo
import AuthOSEmulator
import JSON
import JobModel
import JobStore
import Synchronization
import Testing

@testable import JobRunner

@Suite struct LeaseTests {
  private static func shortLease(_ values: inout WorkerConfiguration.Values) {
    values.leaseDuration = .seconds(2)
    values.renewalInterval = .milliseconds(400)
    values.leaseMargin = .milliseconds(300)
    values.databaseTimeout = .seconds(1)
  }

  @Test func `requests may start only while the lease is longer than the margin`() {
    let clock = ManualClock()
    let lease = Lease(
      worker: 1, validUntil: .seconds(7), margin: .seconds(1), time: .manual(clock))
    clock.advance(by: .milliseconds(5_999))
    #expect(lease.maySend)
    clock.advance(by: .milliseconds(1))
    #expect(!lease.maySend)
    #expect(lease.isLive)
    clock.advance(by: .seconds(1))
    #expect(!lease.isLive)
  }

  @Test func `a lost lease is never renewed`() {
    let clock = ManualClock()
    let lease = Lease(
      worker: 1, validUntil: .seconds(7), margin: .seconds(1), time: .manual(clock))
    lease.lose()
    lease.renewed(until: .seconds(60))
    #expect(!lease.isLive)
  }

  @Test
  func `a worker that cannot renew drops its jobs, registers anew, and nothing happens twice`()
    async throws
  {
    let faults = FaultPlan(rules: [
      FaultRule(FaultRoute(.createServiceUser), script: [.slowAfterEffect(.seconds(20))])
    ])
    try await Workshop.open(faults: faults) { workshop in
      let switches = Switches()
      let job = try await workshop.order("create_user", ["email": "ada@example.com"])
      try await workshop.withWorker(
        Self.shortLease, wrap: { FailingStore(base: $0, switches: switches) }
      ) { worker, _ in
        let hasStarted = try await eventually { workshop.effects(.userInserted) == 1 }
        #expect(hasStarted)
        switches.renewalsFail.store(true, ordering: .relaxed)
        let hasDropped = try await eventually { worker.statistics.leaseLost == 1 }
        #expect(hasDropped)
        switches.renewalsFail.store(false, ordering: .relaxed)
        try await workshop.expect(job, toBe: "completed")
        #expect(worker.statistics.registrations >= 2)
      }
      #expect(workshop.effects(.userInserted) == 1)
    }
  }

  @Test func `jobs of a claim whose answer was lost run all the same`() async throws {
    try await Workshop.open { workshop in
      let switches = Switches()
      switches.claimsToLose.store(1, ordering: .relaxed)
      let job = try await workshop.order("create_user", ["email": "ada@example.com"])
      try await workshop.withWorker(wrap: { FailingStore(base: $0, switches: switches) }) { _, _ in
        try await workshop.expect(job, toBe: "completed")
      }
      let detail = try await workshop.admin.job(job)
      #expect(detail?.summary.attempt == 2)
      #expect(detail?.summary.failures == 0)
      #expect(workshop.effects(.userInserted) == 1)
    }
  }
}

/// What fails now.
final class Switches: Sendable {
  let renewalsFail = Atomic(false)
  let claimsToLose = Atomic(0)
}

/// A store whose calls fail when a test says so.
struct FailingStore: WorkerStore {
  struct Lost: Error {}
  let base: any WorkerStore
  let switches: Switches

  func register(_ identity: WorkerIdentity, lease: Duration) async throws -> Int {
    try await base.register(identity, lease: lease)
  }
  func renew(worker: Int, lease: Duration, isIdle: Bool) async throws -> Bool {
    if switches.renewalsFail.load(ordering: .relaxed) { throw Lost() }
    return try await base.renew(worker: worker, lease: lease, isIdle: isIdle)
  }
  func deregister(worker: Int) async throws { try await base.deregister(worker: worker) }
  func unpark(_ jobs: [Int]) async throws -> Int { try await base.unpark(jobs) }
  func claim(_ request: ClaimRequest) async throws -> Claim {
    let claim = try await base.claim(request)
    if !claim.jobs.isEmpty, switches.claimsToLose.load(ordering: .relaxed) > 0 {
      switches.claimsToLose.subtract(1, ordering: .relaxed)
      throw Lost()
    }
    return claim
  }
  func record(
    worker: Int, _ entries: [RecordEntry], skipsLocked: Bool
  ) async throws -> [RecordAnswer] {
    try await base.record(worker: worker, entries, skipsLocked: skipsLocked)
  }
  func sweep(limit: Int) async throws -> Int { try await base.sweep(limit: limit) }
  func fireSchedule() async throws -> ScheduleFiring? { try await base.fireSchedule() }
  func definition(hash: String) async throws -> JobTypeDefinition? {
    try await base.definition(hash: hash)
  }
  func definition(type: String) async throws -> JobTypeDefinition? {
    try await base.definition(type: type)
  }
  func reportKeys(worker: Int, environments: [String], _ keys: [LoadedKey]) async throws -> Bool {
    try await base.reportKeys(worker: worker, environments: environments, keys)
  }
  func openDefinitions(environment: String, jobType: String) async throws -> [String] {
    try await base.openDefinitions(environment: environment, jobType: jobType)
  }
  func workersWithoutKey(
    environment: String, jobType: String, fingerprint: String
  ) async throws -> [WorkerWithoutKey] {
    try await base.workersWithoutKey(
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
  func isTransient(_ error: any Error) -> Bool { base.isTransient(error) }
  func safeDescription(of error: any Error) -> String { base.safeDescription(of: error) }
}
