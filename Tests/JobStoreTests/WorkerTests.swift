// What workers do: lease, claim, record, sweep.

import Arazzo
import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

@Suite struct WorkerTests {
  @Test func `a job runs from order to history with an event for every move`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      #expect(job.id == id)
      #expect(job.attempt == 1)
      #expect(!job.isUnresolved)
      #expect(job.payload == JSONObject([("email", "a@b.cd")]))
      let answer = try await database.record(worker, job, .succeeded(1), .done)
      #expect(
        answer
          == JobEntryAnswer(
            job: id, isAccepted: true, isHeldUp: false, isCancelRequested: false))
      #expect(
        try await database.story(id) == [
          "enqueued ->available", "claimed available>running", "step",
          "completed running>completed",
        ])
      let detail = try #require(try await database.store.job(id))
      #expect(detail.summary.state == "completed")
      #expect(detail.journal.map(\.step) == ["send"])
      #expect(detail.journal[0].duration == .milliseconds(3))
      #expect(try await database.number("select count(*) from writ_data.subject_slot") == 0)
      #expect(try await database.number("select count(*) from writ_data.journal") == 0)
    }
  }

  @Test func `late writes are refused: wrong attempt, wrong worker, ended lease`() async throws {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.ping()")
      let (worker, other) = (try await database.worker(), try await database.worker())
      var job = try #require(try await database.claim(worker).first)
      #expect(try await !database.record(other, job, .done).isAccepted)
      job.attempt = 2
      #expect(try await !database.record(worker, job, .done).isAccepted)
      job.attempt = 1
      try await database.expireLease(worker)
      #expect(try await !database.record(worker, job, .done).isAccepted)
      #expect(try await database.claim(worker).isEmpty)
      #expect(
        try await database.store.renewLease(worker: worker, lease: .seconds(9), isIdle: nil) == nil)
      #expect(try await database.state(job.id) == "running")

      let sweep = try #require(try await database.store.sweepJobs(limit: 100))
      #expect(sweep.lostWorkers == 1)
      #expect(sweep.returnedJobs == 1)
      let again = try #require(try await database.claim(other).first)
      #expect(again.attempt == 2)
      #expect(again.failures == 1)
      #expect(again.isUnresolved)
      #expect(try await !database.record(worker, job, .done).isAccepted)
      #expect(try await database.record(other, again, .done).isAccepted)
      #expect(
        try await database.story(job.id) == [
          "enqueued ->available", "claimed available>running", "lease_expired running>available",
          "claimed available>running", "completed running>completed",
        ])
    }
  }

  @Test func `no other role can hold up the sweep`() async throws {
    try await TestDatabase.with { database in
      try await database.asRole("app_one") { pool in
        try await pool.withConnection { connection in
          _ = try connection.query(
            Statement(
              sql: "select pg_advisory_lock(hashtextextended('writ ' || what, 0))"
                + " from unnest(array['sweep', 'publish', 'gate default/limited']) as what"))
          let swept = try await database.store.sweepJobs(limit: 1)
          #expect(swept != nil)
        }
      }
    }
  }

  @Test func `a job whose workers are lost too often waits for review`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      for round in 1...3 {
        let worker = try await database.worker()
        let jobs = try await database.claim(worker)
        #expect(jobs.map(\.attempt) == [round])
        try await database.expireLease(worker)
        _ = try await database.store.sweepJobs(limit: 100)
      }
      #expect(try await database.state(id) == "waiting/review")
    }
  }

  @Test func `a worker that stops in order costs its jobs nothing`() async throws {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      _ = try await database.claim(worker)
      #expect(try await database.store.deregisterWorker(worker))
      #expect(try await !database.store.deregisterWorker(worker))
      _ = try await database.store.sweepJobs(limit: 100)
      let job = try #require(try await database.claim(try await database.worker()).first)
      #expect(job.failures == 0)
      #expect(job.attempt == 2)
    }
  }

  @Test func `what is handed back goes before everything else of its priority`() async throws {
    try await TestDatabase.with { database in
      for _ in 0..<3 { _ = try await database.number("select writ.ping()") }
      let worker = try await database.worker()
      let jobs = try await database.claim(worker, limit: 2)
      try await database.record(worker, jobs[1], .handBack(isUnresolved: false))
      let next = try #require(try await database.claim(worker, limit: 1).first)
      #expect(next.id == jobs[1].id)
      #expect(next.failures == 0)
      #expect(!next.isUnresolved)
    }
  }

  @Test func `a lower number of priority goes first`() async throws {
    try await TestDatabase.with { database in
      let ids = try await database.sql(
        "select writ.ping(priority => p) from unnest(array[9, 0, 5, 0]) as p"
      ).map { try $0.decode(0, as: Int.self) }
      let worker = try await database.worker()
      #expect(
        try await database.claim(worker).map(\.id) == [ids[1], ids[3], ids[2], ids[0]])
    }
  }

  @Test func `a retry comes back when it is due, with its journal`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      let outcome = StepOutcome(
        sequence: 1, step: "send", effect: .create, result: .failed, status: 503,
        errorCode: "SERVICE_UNAVAILABLE", duration: .milliseconds(8), action: StepAction(.again))
      try await database.record(
        worker, job, .outcome(outcome),
        .retry(delay: .seconds(3600), burnsAttempt: true, isUnresolved: false, JobRecord.failure))
      #expect(try await database.state(id) == "retryable")
      let idle = try #require(try await database.store.sweepJobs(limit: 10))
      #expect(idle.promotedJobs == 0)
      #expect(idle.nextDueAt != nil)
      try await database.sql("update writ_data.job set run_at = clock_timestamp()")
      #expect(try await database.store.sweepJobs(limit: 10)?.promotedJobs == 1)
      let again = try #require(try await database.claim(worker).first)
      #expect(again.failures == 1)
      #expect(again.journal.map(\.result) == [.failed])
      #expect(again.journal[0].action == StepAction(.again).json)
      // The next try takes the same place, and both are in the trail.
      try await database.record(worker, again, .succeeded(1), .done)
      let detail = try #require(try await database.store.job(id))
      #expect(detail.journal.map(\.attempt) == [2])
      #expect(detail.events.filter { $0.event == "step" }.map(\.httpStatus) == [503, 201])
    }
  }

  @Test func `an intent stays open until its outcome, and a repeated batch changes nothing`()
    async throws
  {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      let intent = JobRecord.intent(sequence: 2, step: "remove", effect: .delete)
      for _ in 0..<2 {
        #expect(try await database.record(worker, job, .succeeded(1), intent).isAccepted)
      }
      let detail = try #require(try await database.store.job(id))
      #expect(detail.journal.map(\.result) == ["succeeded", nil])
      #expect(!detail.isUnresolved)
      #expect(detail.events.filter { $0.event == "step" }.count == 1)
      try await database.expireLease(worker)
      _ = try await database.store.sweepJobs(limit: 10)
      let other = try await database.worker()
      let again = try #require(try await database.claim(other).first)
      #expect(again.journal.map(\.result) == [.succeeded, nil])
      #expect(again.journal.map(\.sequence) == [1, 2])
    }
  }

  @Test func `many jobs are recorded in one call, each on its own merits`() async throws {
    try await TestDatabase.with { database in
      for _ in 0..<5 { _ = try await database.number("select writ.ping()") }
      let worker = try await database.worker()
      let jobs = try await database.claim(worker)
      let records: [JobRecord] = [
        .done, .discard(JobRecord.failure), .review(JobRecord.failure), .cancel,
        .handBack(isUnresolved: true),
      ]
      var entries = zip(jobs, records).map {
        JobEntry(job: $0.id, attempt: $0.attempt, record: $1)
      }
      entries[1].attempt = 7
      let answers = try await database.store.recordEntries(worker: worker, entries)
      #expect(
        answers.sorted { $0.job < $1.job }.map(\.isAccepted) == [true, false, true, true, true])
      var states: [String] = []
      for job in jobs { states.append(try await database.state(job.id)) }
      #expect(states == ["completed", "running", "waiting/review", "cancelled", "available"])
    }
  }

  @Test func `scheduled jobs wait for their time and a wake-up is sent only to idle workers`()
    async throws
  {
    try await TestDatabase.with { database in
      let id = try await database.number(
        "select writ.ping(run_at => now() + interval '1 hour', queue => 'slow')")
      #expect(try await database.state(id) == "scheduled")
      let worker = try await database.worker()
      #expect(try await database.claim(worker, queue: "slow").isEmpty)
      try await database.sql("update writ_data.job set run_at = clock_timestamp()")
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.claim(worker, queue: "slow").map(\.id) == [id])
      #expect(
        try await database.story(id) == [
          "enqueued ->scheduled", "promoted scheduled>available", "claimed available>running",
        ])
    }
  }

  @Test func `a job whose order was drawn before the cursor but committed late is found`()
    async throws
  {
    try await TestDatabase.with { database in
      var scanner = Scanner(database: database, worker: try await database.worker())
      let first = try await database.number("select writ.ping()")
      #expect(try await scanner.claim(at: .zero) == [first])

      // Draws its place in the line, and commits only when told.
      let (mayCommit, commit) = AsyncStream.makeStream(of: Void.self)
      let (hasDrawn, drawn) = AsyncStream.makeStream(of: Int.self)
      async let late: Void = database.pool.withTransaction { connection in
        drawn.yield(try connection.query("select writ.ping()")[0].decode(0))
        for await _ in mayCommit { break }
      }
      var drawing = hasDrawn.makeAsyncIterator()
      let lateJob = await drawing.next()
      let quick = try await database.number("select writ.ping()")
      #expect(try await scanner.claim(at: .milliseconds(100)) == [quick])
      for second in stride(from: 2, to: 40, by: 2) {
        #expect(try await scanner.claim(at: .seconds(second)).isEmpty)
      }
      commit.yield()
      try await late
      let found = try await scanner.claim(at: .seconds(42))
      #expect(found == [lateJob])
    }
  }

  @Test func `a job that cannot be read is claimed like the others beside it`() async throws {
    try await TestDatabase.with { database in
      let deep =
        #"{"email": "# + String(repeating: "[", count: 300)
        + String(repeating: "]", count: 300) + "}"
      let good = try await database.number("select writ.create_user('a@b.cd')")
      let bad = try await database.number("select writ.create_user('b@b.cd')")
      try await database.sql(
        "update writ_data.job set payload = $2 where id = $1", [.int(bad), .json(deep)])
      let jobs = try await database.claim(try await database.worker())
      #expect(jobs.map(\.id) == [good, bad])
      #expect(jobs.map(\.unreadable) == [nil, .payload])
    }
  }

  @Test func `the row of a worker is deleted a week after its end, and the trail keeps its name`()
    async throws
  {
    try await TestDatabase.with { database in
      let (old, young, live) = (
        try await database.worker(), try await database.worker(), try await database.worker()
      )
      _ = try await database.number("select writ.ping()")
      let job = try #require(try await database.claim(old).first)
      try await database.record(old, job, .done)
      for worker in [old, young] { try await database.store.deregisterWorker(worker) }
      _ = try await database.store.sweepJobs(limit: 100)
      try await database.end(old, ago: "7 days 1 minute")
      try await database.end(young, ago: "6 days 23 hours")
      try await database.fullSweep()
      #expect(try await database.store.workers().map(\.id) == [live, young])

      let detail = try #require(try await database.store.job(job.id))
      #expect(detail.workerID == old)
      #expect(detail.workerName == nil)
      let registered = try await database.store.auditEvents(event: "worker_registered")
      #expect(registered.first { $0.workerID == old }?.recorded?["name"] == "test")
      #expect(try await database.claim(old).isEmpty)
      #expect(
        try await database.store.renewLease(worker: old, lease: .seconds(9), isIdle: nil) == nil)
      #expect(try await !database.store.deregisterWorker(old))
    }
  }

  @Test func `workers that ended long ago are deleted a bounded number at a time`() async throws {
    try await TestDatabase.with { database in
      for _ in 0..<3 {
        let worker = try await database.worker()
        try await database.store.deregisterWorker(worker)
      }
      _ = try await database.store.sweepJobs(limit: 100)
      try await database.sql(
        "select writ_data.forget_workers(clock_timestamp() + interval '8 days', 2)")
      #expect(try await database.store.workers().count == 1)
    }
  }

  @Test func `a worker whose job could not be returned yet is kept, however long ago it ended`()
    async throws
  {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      _ = try await database.claim(worker)
      try await database.expireLease(worker)
      try await database.pool.withTransaction { connection in
        _ = try connection.query(Statement(sql: "select from writ_data.job for update"))
        _ = try await database.store.sweepJobs(limit: 100)
        // As if it had been taken for swept.
        try await database.end(worker, ago: "30 days")
        try await database.sql("update writ_data.worker set is_swept = true")
        try await database.fullSweep()
        #expect(try await database.store.workers().map(\.id) == [worker])
      }
      try await database.fullSweep()
      #expect(try await database.state(id) == "available")
      try await database.fullSweep()
      #expect(try await database.store.workers().isEmpty)
    }
  }

  @Test func `a claim that holds the row of a worker that ended keeps it, and holds up no sweep`()
    async throws
  {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      try await database.store.deregisterWorker(worker)
      _ = try await database.store.sweepJobs(limit: 100)
      try await database.end(worker, ago: "30 days")
      try await database.pool.withTransaction { connection in
        _ = try connection.query(Statement(sql: "select from writ_data.worker for share"))
        try await database.fullSweep()
        #expect(try await database.store.workers().count == 1)
      }
      try await database.fullSweep()
      #expect(try await database.store.workers().isEmpty)
    }
  }

  @Test func `what this program cannot read of a job is named, and the rest is there`() async throws
  {
    try await TestDatabase.with { database in
      let deep =
        #"{"deep": "# + String(repeating: "[", count: 300)
        + String(repeating: "]", count: 300) + "}"
      let id = try await database.number("select writ.create_user('a@b.cd', plan => 'pro')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, .succeeded(1), .review(JobRecord.failure))
      try await database.sql(
        "update writ_data.job set payload = $1, last_error = $1", [.json(deep)])
      try await database.sql("update writ_data.journal set outputs = $1", [.json(deep)])
      let detail = try #require(try await database.store.job(id))
      #expect(detail.payload == nil)
      #expect(detail.unreadable == ["last_error", "payload"])
      #expect(detail.summary.state == "waiting")
      #expect(detail.journal.map(\.unreadable) == [["outputs"]])
      #expect(detail.journal.map(\.step) == ["send"])
      #expect(detail.events.flatMap(\.unreadable).isEmpty)
      #expect(try await database.store.jobs().map(\.unreadable) == [["last_error"]])
      try await database.store.replay(id)
      #expect(try await database.store.job(id)?.unreadable == ["last_error", "payload"])
      #expect(try await database.store.cancel(id, force: true) == "cancelled")
      #expect(try await database.store.job(id)?.journal.map(\.unreadable) == [["outputs"]])
    }
  }

  @Test func `a review that says that nothing was sent leaves a job that can be cancelled`()
    async throws
  {
    try await TestDatabase.with { database in
      let said: [Bool?] = [false, true, nil]
      for isUnresolved in said {
        let id = try await database.number("select writ.ping()")
        let worker = try await database.worker()
        let job = try #require(try await database.claim(worker).first)
        try await database.record(
          worker, job, .review(JobRecord.failure, isUnresolved: isUnresolved))
        #expect(try await database.state(id) == "waiting/review")
        let detail = try #require(try await database.store.job(id))
        #expect(detail.isUnresolved == (isUnresolved ?? true))
        _ = try await database.store.cancel(id, force: isUnresolved ?? true)
      }
    }
  }

  @Test func `what a worker holds that was swept already is found within a minute`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      _ = try await database.claim(worker)
      try await database.sql(
        "update writ_data.worker set state = 'lost', ended_at = clock_timestamp(), is_swept = true")
      try await database.sql("update writ_data.sweep_state set full_at = clock_timestamp()")
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await database.state(id) == "running")
      try await database.sql("update writ_data.sweep_state set full_at = '-infinity'")
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await database.state(id) == "available")
    }
  }
}

/// Claims with a cursor, as a worker does.
private struct Scanner {
  let database: TestDatabase
  let worker: Int
  var cursor = ClaimCursor()

  init(database: TestDatabase, worker: Int) {
    self.database = database
    self.worker = worker
  }

  mutating func claim(at now: Duration) async throws -> [Int] {
    let (scan, bounds) = cursor.next(now: now)
    let claimed = try await database.store.claimJobs(
      worker: worker, queue: "default", environment: "default", limit: 10, lowerBounds: bounds)
    cursor.note(claimed.finding, of: scan, now: now)
    return claimed.jobs.map(\.id)
  }
}
