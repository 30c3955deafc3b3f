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

  private func breakers() -> CircuitBreakers {
    CircuitBreakers(
      store: store, policy: CircuitPolicy(jobs: 2, silence: .seconds(10)),
      environments: ["production"], time: .manual(clock), logger: quietLogger)
  }

  private func fail(_ breakers: CircuitBreakers, _ jobs: Int...) async {
    for job in jobs {
      await breakers.failed(Self.name, job: job, code: "bad_gateway", worker: 1)
    }
  }

  @Test func `a circuit opens after nothing but failures, and closes with an answer`() async {
    let breakers = breakers()
    await fail(breakers, 1, 2)
    #expect(store.circuitCalls.isEmpty)
    clock.advance(by: .seconds(10))
    await fail(breakers, 1)
    #expect(store.circuitCalls == ["open authos 2 bad_gateway"])
    #expect(breakers.isOpen(Self.name))
    await fail(breakers, 3, 4, 5)
    await breakers.answered(Self.name, worker: 1)
    await breakers.answered(Self.name, worker: 1)
    #expect(store.circuitCalls == ["open authos 2 bad_gateway", "close authos"])
    #expect(!breakers.isOpen(Self.name))
  }

  @Test func `an answer in between begins the count anew`() async {
    let breakers = breakers()
    await fail(breakers, 1, 2)
    clock.advance(by: .seconds(10))
    await breakers.answered(Self.name, worker: 1)
    await fail(breakers, 1, 2)
    #expect(store.circuitCalls.isEmpty)
  }

  @Test func `what the fleet refuses is asked again with new evidence only`() async {
    let breakers = breakers()
    store.refuseCircuits()
    await fail(breakers, 1, 2)
    clock.advance(by: .seconds(10))
    await fail(breakers, 1, 2, 3, 1, 2, 3)
    #expect(store.circuitCalls.count == 1)
    #expect(!breakers.isOpen(Self.name))
    clock.advance(by: .seconds(10))
    await fail(breakers, 1)
    #expect(store.circuitCalls.count == 2)
  }

  @Test func `a circuit of another worker is closed by this one's answer`() async {
    let breakers = breakers()
    store.open([Self.name])
    await breakers.refresh()
    #expect(breakers.isOpen(Self.name))
    await breakers.answered(Self.name, worker: 1)
    #expect(store.circuitCalls == ["close authos"])
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
