// What happens to jobs when a worker stops, loses its lease or is refused.

import AuthOSEmulator
import JSON
import JobModel
import JobStore
import Logging
import Synchronization
import Testing

@testable import JobRunner

@Suite struct StoppingTests {
  @Test func `a graceful stop lets the request in flight finish and hands the rest back unburnt`()
    async throws
  {
    let users = [SeedUser(email: "ada@example.com", plan: "pro")]
    let faults = FaultPlan(rules: [
      FaultRule(FaultRoute(.deleteServiceSubscription), script: [.slowAfterEffect(.seconds(1))])
    ])
    try await Workshop.open(faults: faults, users: users) { workshop in
      let user = JSONValue(workshop.authOS.seeded.userIDs["ada@example.com"])
      let job = try await workshop.order("revoke_access", ["user_id": user])
      try await workshop.withWorker({ $0.stepsContinueFor = .zero }) { worker, stop in
        let hasStarted = try await eventually { workshop.effects(.subscriptionDeleted) == 1 }
        #expect(hasStarted)
        stop()
        let hasHandedBack = try await eventually { worker.statistics.handedBack == 1 }
        #expect(hasHandedBack)
      }
      let detail = try await workshop.admin.job(job)
      #expect(detail?.summary.state == "available")
      #expect(detail?.summary.failures == 0)
      #expect(detail?.isUnresolved == false)
      #expect(
        detail?.journal.contains { $0.result == "succeeded" && $0.effect == "delete" } == true)
      try await workshop.withWorker { _, _ in try await workshop.expect(job, toBe: "completed") }
      #expect(workshop.effects(.subscriptionDeleted) == 1)
      #expect(workshop.effects(.linkRemoved) == 1)
    }
  }

  @Test func `a request that outlasts the stop is cut off and its job handed back as unresolved`()
    async throws
  {
    let faults = FaultPlan(rules: [
      FaultRule(FaultRoute(.createServiceUser), script: [.slowAfterEffect(.seconds(20))])
    ])
    try await Workshop.open(faults: faults) { workshop in
      let job = try await workshop.order("create_user", ["email": "ada@example.com"])
      try await workshop.withWorker({
        $0.stepsContinueFor = .zero
        $0.gracefulStopLimit = .milliseconds(300)
      }) { _, stop in
        let hasStarted = try await eventually { workshop.effects(.userInserted) == 1 }
        #expect(hasStarted)
        stop()
      }
      let detail = try await workshop.admin.job(job)
      #expect(detail?.summary.state == "available")
      #expect(detail?.summary.failures == 0)
      #expect(detail?.isUnresolved == true)
      try await workshop.withWorker { _, _ in try await workshop.expect(job, toBe: "completed") }
      #expect(workshop.effects(.userInserted) == 1)
    }
  }

  @Test func `a worker whose lease ended writes nothing and registers anew`() async throws {
    let faults = FaultPlan(rules: [
      FaultRule(FaultRoute(.createServiceUser), script: [.slowAfterEffect(.seconds(1))])
    ])
    try await Workshop.open(faults: faults) { workshop in
      let job = try await workshop.order("create_user", ["email": "ada@example.com"])
      try await workshop.withWorker { worker, _ in
        let hasStarted = try await eventually { workshop.effects(.userInserted) == 1 }
        #expect(hasStarted)
        let holder = try await workshop.admin.job(job)?.workerID ?? 0
        try await workshop.admin.deregisterWorker(holder)
        try await workshop.expect(job, toBe: "completed")
        let hasRegistered = try await eventually { worker.statistics.registrations >= 2 }
        #expect(hasRegistered)
        #expect(worker.statistics.leaseLost >= 1)
      }
      let detail = try await workshop.admin.job(job)
      #expect(detail?.summary.attempt == 2)
      #expect(detail?.events.filter { $0.event == "completed" }.count == 1)
      #expect(workshop.effects(.userInserted) == 1)
    }
  }

  @Test func `an idle worker hears of a new job at once`() async throws {
    try await Workshop.open { workshop in
      try await workshop.withWorker({ $0.pollInterval = .seconds(30) }) { worker, _ in
        let isIdle = try await eventually {
          try await workshop.admin.workers().first?.isIdle == true
        }
        #expect(isIdle)
        let job = try await workshop.order("create_user", ["email": "ada@example.com"])
        try await workshop.expect(job, toBe: "completed", within: .seconds(20))
      }
    }
  }
}

@Suite struct CredentialTests {
  @Test func `a refused key keeps further jobs back until it is replaced`() async throws {
    try await Workshop.open { workshop in
      let good = try workshop.secrets.text("default/create_user.key") ?? ""
      let bad = String(good.dropLast(64)) + String(repeating: "0", count: 64)
      try workshop.secrets.set("default/create_user.key", bad)
      try await workshop.withWorker { worker, _ in
        let first = try await workshop.order("create_user", ["email": "ada@example.com"])
        try await workshop.expect(first, toBe: "retryable")
        for number in 1...5 {
          let job = try await workshop.order("create_user", ["email": .string("u\(number)@x.test")])
          try await workshop.expect(job, toBe: "retryable")
        }
        #expect(worker.statistics.requests == 1)
        let detail = try await workshop.admin.job(first)
        #expect(detail?.summary.failures == 0)
        #expect(
          detail?.summary.lastError?["text"]?.stringValue?.contains("default/create_user.key")
            == true)
        try workshop.secrets.set("default/create_user.key", good)
        let last = try await workshop.order("create_user", ["email": "grace@example.com"])
        try await workshop.expect(last, toBe: "completed")
      }
    }
  }

  @Test func `Retry-After is honoured and burns nothing`() async throws {
    let faults = FaultPlan(rules: [
      FaultRule(FaultRoute(.createServiceUser), script: [.tooManyRequests(retryAfter: 2)])
    ])
    try await Workshop.open(faults: faults) { workshop in
      try await workshop.withWorker { _, _ in
        let start = ContinuousClock.now
        let job = try await workshop.order("create_user", ["email": "ada@example.com"])
        try await workshop.expect(job, toBe: "completed")
        #expect(ContinuousClock.now - start >= .seconds(2))
        #expect(try await workshop.admin.job(job)?.summary.failures == 0)
      }
    }
  }

  @Test func `a session that the service ended is opened anew`() async throws {
    let settings = EmulatorSettings(accessTokenLifetime: 3)
    try await Workshop.open(settings: settings) { workshop in
      try await workshop.withWorker { worker, _ in
        // As many as fit into one session, and one more.
        for _ in 1...100 where worker.statistics.logins < 2 {
          let job = try await workshop.order("rotate_api_key", ["job_type": "create_user"])
          try await workshop.expect(job, toBe: "completed")
        }
        #expect(worker.statistics.logins >= 2)
      }
    }
  }

  @Test func `secrets reach the store and no table, and no log`() async throws {
    try await Workshop.open { workshop in
      let sink = LogSink()
      let old = try workshop.secrets.text("default/create_user.key") ?? ""
      try await workshop.withWorker(logger: sink.logger) { _, _ in
        let job = try await workshop.order("rotate_api_key", ["job_type": "create_user"])
        try await workshop.expect(job, toBe: "completed")
        let next = try await workshop.order("create_user", ["email": "ada@example.com"])
        try await workshop.expect(next, toBe: "completed")
      }
      let new = try workshop.secrets.text("default/create_user.key") ?? ""
      #expect(new != old)
      let dump = try await workshop.dump()
      #expect(dump.contains("rotate_api_key"))
      for secret in [String(old.suffix(64)), String(new.suffix(64)), Workshop.password] {
        #expect(!dump.contains(secret))
        #expect(!sink.text.contains(secret))
      }
      #expect(!sink.text.contains("ada@example.com"))
      #expect(sink.text.contains("job completed"))
    }
  }
}

/// Keeps everything that is logged, at every level.
final class LogSink: Sendable {
  private let lines = Mutex<[String]>([])

  var text: String { lines.withLock { $0.joined(separator: "\n") } }

  var logger: Logger {
    var logger = Logger(label: "test") { _ in Handler(sink: self) }
    logger.logLevel = .trace
    return logger
  }

  private struct Handler: LogHandler {
    let sink: LogSink
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      let all = metadata.merging(event.metadata ?? [:]) { $1 }
      sink.lines.withLock { $0.append("\(event.message) \(all)") }
    }
  }
}
