// Circuit breakers in a worker: when it asks for one, and what an outage does to jobs.

import Arazzo
import AuthOSEmulator
import JSON
import JobModel
import JobStore
import Postgres
import Synchronization
import Testing

@testable import JobRunner

@Suite struct CircuitBreakerTests {
  private static let name = CircuitName(environment: "production", target: "authos")
  private let clock = ManualClock()
  private let store = FakeStore()

  private func with(_ body: (CircuitBreakers) async throws -> Void) async throws {
    let breakers = CircuitBreakers(
      store: store, policy: CircuitPolicy(jobs: 2, silence: .seconds(10)),
      environments: ["production"], time: .manual(clock), logger: quietLogger)
    let running = Task { await breakers.run() }
    defer { running.cancel() }
    try await body(breakers)
  }

  private func fail(_ breakers: CircuitBreakers, _ jobs: Int...) {
    for job in jobs { breakers.failed(Self.name, job: job, code: "bad_gateway", worker: 1) }
  }

  private func expectCalls(
    _ calls: [String], sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async throws {
    let isSo = try await eventually { store.circuitCalls == calls }
    #expect(isSo, "\(store.circuitCalls)", sourceLocation: sourceLocation)
  }

  private let opening = "open authos 2 bad_gateway"

  @Test func `a circuit opens after nothing but failures, and closes with an answer`() async throws
  {
    try await with { breakers in
      fail(breakers, 1, 2)
      clock.advance(by: .seconds(10))
      fail(breakers, 1)
      try await expectCalls([opening])
      #expect(try await eventually { breakers.isOpen(Self.name) })
      fail(breakers, 3, 4, 5)
      breakers.answered(Self.name, worker: 1)
      breakers.answered(Self.name, worker: 1)
      #expect(!breakers.isOpen(Self.name))
      try await expectCalls([opening, "close authos"])
    }
  }

  @Test func `an answer in between begins the count anew`() async throws {
    try await with { breakers in
      fail(breakers, 1, 2)
      clock.advance(by: .seconds(10))
      breakers.answered(Self.name, worker: 1)
      fail(breakers, 1, 2)
      clock.advance(by: .seconds(10))
      fail(breakers, 1)
      try await expectCalls([opening])
    }
  }

  @Test func `what the fleet refuses is asked again with new evidence only`() async throws {
    try await with { breakers in
      store.refuseCircuits()
      fail(breakers, 1, 2)
      clock.advance(by: .seconds(10))
      fail(breakers, 1)
      try await expectCalls([opening])
      fail(breakers, 1, 2, 3, 1, 2, 3)
      #expect(!breakers.isOpen(Self.name))
      clock.advance(by: .seconds(10))
      fail(breakers, 1)
      try await expectCalls([opening, opening])
    }
  }

  @Test func `an answer while a circuit is being opened closes it at once`() async throws {
    let breakers = CircuitBreakers(
      store: store, policy: CircuitPolicy(jobs: 2, silence: .seconds(10)),
      environments: ["production"], time: .manual(clock), logger: quietLogger)
    fail(breakers, 1, 2)
    clock.advance(by: .seconds(10))
    fail(breakers, 1)
    // The database has not heard of it yet.
    breakers.answered(Self.name, worker: 1)
    let running = Task { await breakers.run() }
    defer { running.cancel() }
    try await expectCalls([opening, "close authos"])
    #expect(!breakers.isOpen(Self.name))
  }

  @Test
  func `a circuit of another worker is closed by this one's answer, which the fleet hears of`()
    async throws
  {
    try await with { breakers in
      store.open([Self.name])
      await breakers.refresh(worker: 1)
      #expect(breakers.isOpen(Self.name))
      breakers.answered(Self.name, worker: 1)
      try await expectCalls(["close authos"])
      await breakers.refresh(worker: 1)
      await breakers.refresh(worker: 1)
      try await expectCalls(["close authos", "answered authos"])
    }
  }

  @Test func `an outage costs the jobs that were on their way one attempt, and no others any`()
    async throws
  {
    try await Workshop.open { workshop in
      workshop.authOS.faults = FaultPlan(rules: [
        FaultRule(FaultRoute(.createServiceUser), .htmlBadGateway502)
      ])
      try await workshop.withWorker({ values in
        values.slots = 2
        values.circuit = CircuitPolicy(
          jobs: 4, silence: .milliseconds(300), pause: .milliseconds(200))
      }) { _, _ in
        var jobs: [Int] = []
        for number in 0..<60 {
          jobs.append(
            try await workshop.order(
              "create_user", ["email": .string("new\(number)@example.com")]))
        }
        #expect(
          try await eventually { try await workshop.admin.circuits().first?.parkedJobs ?? 0 > 40 })
        let failuresAtOpening = try await workshop.failures()
        // Jobs are tried all the time, and none of that counts, but for two that may have been on their way.
        let requests = workshop.authOS.counts.total
        #expect(try await eventually { workshop.authOS.counts.total >= requests + 12 })
        #expect(try await workshop.failures() <= failuresAtOpening + 2)
        workshop.authOS.faults = FaultPlan()
        for job in jobs { try await workshop.expect(job, toBe: "completed") }
        #expect(try await workshop.admin.circuits().isEmpty)
        #expect(workshop.effects(.userInserted) == 60)
      }
    }
  }
}

extension Workshop {
  /// How many attempts have been counted against unfinished jobs.
  fileprivate func failures() async throws -> Int {
    try await admin.pool.query("select coalesce(sum(failures), 0)::int8 from writ_data.job")[0]
      .decode(0)
  }
}
