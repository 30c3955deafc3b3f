// Replay, cancel, the trail.

import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

@Suite struct PeopleTests {
  @Test func `of several orders made together all are made or none`() async throws {
    try await TestDatabase.with { database in
      let fine = JobOrder(type: "create_user", payload: ["email": "a@b.cd"])
      let wrong = JobOrder(type: "create_user", payload: ["email": "nobody"])
      let error = await #expect(throws: JobOrderError.self) {
        try await database.store.enqueueAll([fine, fine, wrong, fine])
      }
      #expect(error?.place == 2)
      #expect(error?.error.sqlState == "WR001")
      #expect(try await database.number("select count(*) from writ.job") == 0)
      let jobs = try await database.store.enqueueAll([fine, fine])
      #expect(Set(jobs).count == 2)
      #expect(try await database.number("select count(*) from writ.job") == 2)
    }
  }

  @Test func `who ordered a job is told how many live workers serve its environment`()
    async throws
  {
    try await TestDatabase.with { database in
      try await database.sql("select writ.grant_job_type('create_user', 'app_one')")
      let job = try await database.asRole("app_one") { pool in
        try await JobStore(pool: pool).enqueue(
          type: "create_user", payload: ["email": "a@b.cd"],
          options: EnqueueOptions(queue: "keys"))
      }
      func workers(as role: String) async throws -> [JobWorkers] {
        try await database.asRole(role) { try await JobStore(pool: $0).jobWorkers([job, job + 1]) }
      }
      func expected(_ workers: Int) -> [JobWorkers] {
        [JobWorkers(job: job, environment: "default", queue: "keys", workers: workers)]
      }
      #expect(try await workers(as: "app_one") == expected(0))
      #expect(try await workers(as: "app_two") == [], "another role's job")
      let worker = try await database.worker()
      #expect(try await workers(as: "app_one") == expected(1), "it has not told what it serves")
      _ = try await database.store.reportKeys(worker: worker, environments: ["staging"], [])
      #expect(try await workers(as: "app_one") == expected(0))
      _ = try await database.store.reportKeys(worker: worker, environments: ["default"], [])
      #expect(try await workers(as: "app_one") == expected(1))
      try await database.expireLease(worker)
      #expect(try await workers(as: "app_one") == expected(0))
    }
  }

  @Test func `a discarded job is replayed with its journal and a clean count`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, .succeeded(1), .discard(JobRecord.failure))
      #expect(
        try await database.store.replayPlan(id).map(\.detail) == [
          "create_user \(id) is discarded after 1 attempt, last error unavailable",
          "step send (create), status 201",
          "with no failures counted of 3, before the other jobs of its queue",
        ])
      try await database.store.replay(id)
      let again = try #require(try await database.claim(worker).first)
      #expect(again.id == id)
      #expect(again.attempt == 2)
      #expect(again.failures == 0)
      #expect(again.journal.count == 1)
      #expect(try await database.story(id).contains("replayed discarded>available"))
    }
  }

  @Test func `a replay that would undo a newer job needs force`() async throws {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let old = try await database.number("select writ.create_user('a@b.cd')")
      try await database.record(
        worker, try #require(try await database.claim(worker).first), .discard(JobRecord.failure))
      let new = try await database.number("select writ.create_user('a@b.cd')")
      try await database.record(worker, try #require(try await database.claim(worker).first), .done)
      let error = try await database.refusal("select writ.replay(\(old))")
      #expect(error.sqlState == "WR008")
      #expect(
        error.serverMessage
          == "job \(old) must not be replayed: job \(new) about the same subject completed after it"
      )
      #expect(
        error.hint == "Replaying it would undo the newer one; force does it all the same.")
      try await database.store.replay(old, force: true)
      #expect(try await database.state(old) == "available")
    }
  }

  @Test func `a replay before a newer job that has begun needs force`() async throws {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let old = try await database.number("select writ.create_user('a@b.cd')")
      try await database.record(
        worker, try #require(try await database.claim(worker).first), .discard(JobRecord.failure))
      let new = try await database.number("select writ.create_user('a@b.cd')")
      #expect(try await database.claim(worker).map(\.id) == [new])
      let error = try await database.refusal("select writ.replay(\(old))")
      #expect(
        error.serverMessage
          == "job \(old) must not be replayed: job \(new) about the same subject has begun after it"
      )
      try await database.store.replay(old, force: true)
      #expect(try await database.state(old) == "available")
    }
  }

  @Test func `a type that says never is not replayed, nor is a job that goes on by itself`()
    async throws
  {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let id = try await database.number("select writ.ping()")
      let early = try await database.refusal("select writ.replay(\(id), true)")
      #expect(
        early.serverMessage
          == "job \(id) is available, and only a job that has finished or waits for review is replayed"
      )
      try await database.record(
        worker, try #require(try await database.claim(worker).first), .discard(JobRecord.failure))
      let error = try await database.refusal("select writ.replay(\(id), true)")
      #expect(
        error.serverMessage == "job \(id) must not be replayed: its type ping says never")
    }
  }

  @Test func `a completed job is replayed from the start, where its type says that is safe`()
    async throws
  {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let id = try await database.number("select writ.create_user('a@b.cd')")
      for _ in 0..<2 {
        let job = try #require(try await database.claim(worker).first)
        #expect(job.journal.isEmpty)
        try await database.record(worker, job, .succeeded(1), .done)
        try await database.store.replay(id)
      }
      #expect(try await database.store.job(id)?.journal.count == 2)
    }
  }

  @Test func `cancelling is refused once something was changed`() async throws {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let untouched = try await database.number("select writ.create_user('a@b.cd')")
      #expect(try await database.store.cancel(untouched) == "cancelled")
      #expect(
        try await database.refusal("select writ.cancel(\(untouched))").serverMessage
          == "job \(untouched) has finished already")

      let changed = try await database.number("select writ.create_user('b@b.cd')")
      let job = try #require(try await database.claim(worker).first)
      #expect(try await database.store.cancel(changed) == "running")
      let answer = try await database.record(
        worker, job, .succeeded(1), .review(JobRecord.failure))
      #expect(answer.isCancelRequested)
      let error = try await database.refusal("select writ.cancel(\(changed))")
      #expect(error.sqlState == "WR008")
      #expect(
        error.serverMessage
          == "job \(changed) has changed something, or may have, so it cannot simply be cancelled")
      #expect(try await database.store.cancel(changed, force: true) == "cancelled")
      #expect(
        try await database.story(changed).suffix(2) == [
          "review_requested running>waiting", "cancelled waiting>cancelled",
        ])
    }
  }

  @Test(arguments: [
    "update writ_data.audit_event set actor = 'x'", "delete from writ_data.audit_event",
    "truncate writ_data.audit_event", "truncate writ_data.audit_event_default",
  ]) func `the trail is append-only, for its owner and for a superuser`(sql: String) async throws {
    try await TestDatabase.with { database in
      let error = try await database.refusal(sql)
      #expect(error.sqlState == "WR010")
      let owner = try await database.pool.withConnection { connection in
        try connection.execute("set role writ_owner")
        defer { _ = try? connection.execute("reset role") }
        do throws(PostgresError) {
          try connection.execute(Statement(sql: sql))
          return nil as String?
        } catch {
          return error.sqlState
        }
      }
      #expect(owner == "WR010")
    }
  }

  @Test func `an auditor reads the trail and no payload`() async throws {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.create_user('canary@b.cd')")
      try await database.asRole("the_auditor") { pool in
        let events = try await JobStore(pool: pool).recentAuditEvents(event: "enqueued")
        #expect(events.count == 1)
        #expect(!"\(events)".contains("canary"))
      }
      #expect(
        try await database.refusal("select payload from writ.job", as: "the_auditor").sqlState
          == "42501")
    }
  }

  @Test func `a worker's role claims and records and sees nothing else`() async throws {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.ping()")
      try await database.asRole("the_worker") { pool in
        let store = JobStore(pool: pool)
        let worker = try await store.registerWorker(
          name: "w", host: "h", processID: 1, version: "1", lease: .seconds(10))
        let claimed = try await store.claimJobs(
          worker: worker, queue: "default", environment: "default", limit: 5,
          lowerBounds: [Int](repeating: 0, count: 10))
        #expect(claimed.finding.isExhausted)
        let job = try #require(claimed.jobs.first)
        let answers = try await store.recordEntries(
          worker: worker, [JobEntry(job: job.id, attempt: job.attempt, record: .done)])
        #expect(answers.map(\.isAccepted) == [true])
        #expect(try await store.sweepJobs(limit: 10) != nil)
      }
      for sql in ["select * from writ_data.job", "select * from writ.job", "select writ.ping()"] {
        #expect(try await database.refusal(sql, as: "the_worker").sqlState == "42501")
      }
    }
  }

  @Test func `environments are made once, and the default can move`() async throws {
    try await TestDatabase.with { database in
      #expect(try await database.store.createEnvironment("production", isDefault: true))
      #expect(try await !database.store.createEnvironment("production", isDefault: true))
      #expect(
        try await database.store.environments() == [
          EnvironmentSummary(name: "default", isDefault: false),
          EnvironmentSummary(name: "production", isDefault: true),
        ])
      let id = try await database.number("select writ.ping()")
      #expect(try await database.store.job(id)?.summary.environment == "production")
    }
  }
}
