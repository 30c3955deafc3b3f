// A worker that is suspended past its lease, or killed: others take over in time, and it can write nothing later.

import AuthOSEmulator
import Foundation
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Fencing {
    @Test(.timeLimit(.minutes(2)))
    func `a worker that was suspended past its lease can write nothing after it wakes`()
      async throws
    {
      var options = FixtureOptions()
      options.worker = [
        "lease": "2s", "renewal-interval": "500ms", "lease-margin": "500ms",
        "sweep-interval": "300ms",
        "database-timeout": "1500ms",
      ]
      // The effect happens, and the answer hangs: for the first worker, then for the second one.
      options.faults = FaultPlan(rules: [
        FaultRule(
          FaultRoute(.createServiceUser),
          script: [.slowAfterEffect(.seconds(1)), .slowAfterEffect(.seconds(3))])
      ])
      try await WritFixture.with(options) { fixture in
        let sleeper = try await fixture.startWorker("sleeper")
        let job = try await fixture.order("writ.create_user(email => 'ada@acme.test')")
        try await awaiting("the effect", within: .seconds(20)) { !fixture.authOS.ledger().isEmpty }
        sleeper.signal(SIGSTOP)
        let successor = try await fixture.startWorker("successor")
        try await awaiting("the second attempt", within: .seconds(15)) {
          try await fixture.events(of: job).contains { $0.event == "claimed" && $0.attempt == 2 }
        }
        let (first, second) = try await fixture.workers("sleeper", "successor")
        for (worker, attempt) in [(first, 1), (first, 2), (second, 1)] {
          let accepted = try await fixture.recordCompletion(
            worker: worker, job: job, attempt: attempt)
          #expect(!accepted, "worker \(worker), attempt \(attempt)")
        }
        sleeper.signal(SIGCONT)
        try await sleeper.awaitLine("that the job is dropped", within: .seconds(15)) {
          $0.contains("the lease has passed on; the job is dropped")
        }
        try await fixture.awaitEveryJob(within: .seconds(15))
        let events = try await fixture.events(of: job)
        let expiry = try #require(events.firstIndex { $0.event == "lease_expired" })
        #expect(events[(expiry + 1)...].allSatisfy { $0.workerID != first })
        #expect(
          events.map(\.event).filter { $0 != "step" }
            == ["enqueued", "claimed", "lease_expired", "claimed", "completed"])
        #expect(events.last?.workerID == second)
        #expect(fixture.authOS.ledger().map(\.effect) == [.userInserted, .linkInserted])
        // The sleeper registered anew and is of use again.
        await successor.destroy()
        let next = try await fixture.order("writ.create_user(email => 'bob@acme.test')")
        try await fixture.awaitEveryJob(within: .seconds(20))
        #expect(try await fixture.events(of: next).last?.event == "completed")
      }
    }

    @Test(.timeLimit(.minutes(2)))
    func `the jobs of a killed worker run elsewhere within ten seconds`() async throws {
      var options = FixtureOptions()
      let count = 16
      options.faults = FaultPlan(rules: [
        FaultRule(
          FaultRoute(.createServiceUser),
          script: Array(repeating: .slow(.seconds(25)), count: count))
      ])
      try await WritFixture.with(options) { fixture in
        let victim = try await fixture.startWorker("victim")
        for number in 0..<count {
          try await fixture.order("writ.create_user(email => 'ada\(number)@acme.test')")
        }
        try await awaiting("every job to run", within: .seconds(20)) {
          try await fixture.pool.query(
            "select count(*) as jobs from writ_data.job where state = 'running'")[0]["jobs"]
            .decode()
            == count
        }
        _ = try await fixture.startWorker("heir")
        // Just after a renewal the lease is longest: the worst moment to die.
        let killedAt = try await fixture.awaitRenewal(of: "victim")
        await victim.destroy()
        try await fixture.awaitEveryJob(within: .seconds(60))
        let history = try await History.read(fixture.pool)
        let takeovers = history.events.filter { $0.event == "claimed" && $0.attempt == 2 }
        #expect(takeovers.count == count)
        let worst = Double((takeovers.map(\.time).max() ?? 0) - killedAt) / 1_000_000
        print("take-over: \(count) jobs of a killed worker ran elsewhere after at most \(worst) s")
        #expect(worst <= 10)
        #expect(history.jobs.allSatisfy { $0.state == "completed" && $0.attempt == 2 })
      }
    }
  }
}

extension WritFixture {
  /// The trail of a job.
  func events(of job: Int) async throws -> [HistoryEvent] {
    try await History.read(pool).events.filter { $0.jobID == job }
  }

  /// The numbers of two workers by their names, the first registration of each.
  fileprivate func workers(_ first: String, _ second: String) async throws -> (Int, Int) {
    func number(_ name: String) async throws -> Int {
      try await pool.query("select min(id) as id from writ.worker where name = $1", [.text(name)])[
        0]["id"]
        .decode()
    }
    return (try await number(first), try await number(second))
  }

  /// Tries to complete a job as a worker; whether the database took it.
  fileprivate func recordCompletion(worker: Int, job: Int, attempt: Int) async throws -> Bool {
    let entry = #"[{"job":\#(job),"attempt":\#(attempt),"kind":"complete","result":{}}]"#
    return try await database.withPool(.worker) { pool in
      try await pool.query(
        "select accepted from writ_worker.record($1, $2)", [.int(worker), .json(entry)]
      ).contains { try $0["accepted"].decode() }
    }
  }

  /// Waits until a worker has just renewed its lease; gives the moment, in microseconds since 1970.
  fileprivate func awaitRenewal(of name: String) async throws -> Int64 {
    func heartbeat() async throws -> PostgresTimestamp {
      try await pool.query("select heartbeat_at from writ.worker where name = $1", [.text(name)])[
        0][
          "heartbeat_at"
        ].decode()
    }
    let old = try await heartbeat()
    return try await awaiting("a renewal", within: .seconds(10)) {
      let new = try await heartbeat()
      return new > old ? new.microsecondsSince1970 : nil
    }
  }
}
