// Jobs that wait for a user: who sees the address, when they are looked at again, and how they end.

import Arazzo
import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

private let url = "https://auth.example/connect/provider-token/1?a=%20#b"

private func request(
  url address: String = url, delay: Duration = .seconds(30), deadline: Duration = .seconds(3_600)
) -> JobRecord {
  .userAction(
    UserActionRequest(
      url: address, delay: delay, deadline: deadline,
      error: JobError(code: "PROVIDER_LINK_REQUIRED", text: "The user has to act.", step: "ask")))
}

private let asked = JobRecord.outcome(
  StepOutcome(
    sequence: 1, step: "ask", effect: .create, result: .failed, status: 200,
    errorCode: "PROVIDER_LINK_REQUIRED", action: StepAction(.userAction(checks: 1), rule: "act")))

@Suite struct `A job that waits for its user` {
  /// A job of app_one that a worker has found to need its user.
  private func with(
    _ body: @Sendable (TestDatabase, _ job: Int, _ worker: Int) async throws -> Void
  ) async throws {
    try await TestDatabase.with { database in
      try await database.sql("select writ.grant_job_type('create_user', 'app_one')")
      let id = try await database.asRole("app_one") { pool in
        try await pool.query("select writ.create_user('a@b.cd')")[0].decode(0, as: Int.self)
      }
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, asked, request())
      #expect(try await database.state(id) == "waiting/user_action")
      try await body(database, id, worker)
    }
  }

  private func status(_ database: TestDatabase, _ job: Int, as role: String) async throws
    -> JobStatus
  {
    try await database.asRole(role) { try await JobStore(pool: $0).status(job) }
  }

  @Test func `a requester who looks at it while it runs holds up no worker`() async throws {
    try await with { database, job, worker in
      try await database.sql(
        "update writ_data.job set waiting_since = clock_timestamp() - interval '1 min'")
      _ = try await database.store.checkNow(job)
      let running = try #require(try await database.claim(worker).first)
      try await database.asRole("app_one") { pool in
        try await pool.withTransaction { connection in
          _ = try connection.query("select writ.check_now($1)", [.int(job)])
          let answer = try await database.store.recordEntries(
            worker: worker, [JobEntry(job: job, attempt: running.attempt, record: .done)])
          #expect(answer.map(\.isAccepted) == [true])
        }
      }
    }
  }

  @Test func `shows the address to its requester and to nobody else`() async throws {
    try await with { database, job, _ in
      let own = try await status(database, job, as: "app_one")
      #expect(own.actionURL == url)
      #expect(own.errorCode == "PROVIDER_LINK_REQUIRED")
      #expect(own.actionDeadlineAt != nil)
      #expect(try await database.store.status(job).actionURL == url)
      #expect(try await status(database, job, as: "the_auditor").actionURL == nil)
      let other = try await database.refusal("select * from writ.status(\(job))", as: "app_two")
      #expect(other.sqlState == "WR008")
      for view in ["writ.job", "writ.journal", "writ.audit_event", "writ.job_summary"] {
        let rows = try await database.number(
          "select count(*) from \(view) as v where v::text like '%auth.example%'")
        #expect(rows == 0, "\(view)")
      }
      #expect(
        try await database.story(job) == [
          "enqueued ->available", "claimed available>running", "step",
          "user_action_requested running>waiting",
        ])
    }
  }

  @Test func `burns no attempt, is looked at when it is due, and shows the newest address`()
    async throws
  {
    try await with { database, job, worker in
      #expect(try await database.claim(worker).isEmpty)
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.state(job) == "waiting/user_action")
      try await database.sql("update writ_data.job set run_at = clock_timestamp()")
      let sweep = try await database.store.sweepJobs(limit: 10)
      #expect(sweep?.promotedJobs == 1)
      #expect(try await status(database, job, as: "app_one").actionURL == url)
      let again = try #require(try await database.claim(worker).first)
      #expect(again.failures == 0)
      #expect(!again.isPastActionDeadline)
      #expect(again.journal.map(\.sequence) == [1])
      let before = try await status(database, job, as: "app_one").actionDeadlineAt
      try await database.record(
        worker, again, asked, request(url: "https://auth.example/2", deadline: .seconds(7_200)))
      let now = try await status(database, job, as: "app_one")
      #expect(now.actionURL == "https://auth.example/2")
      #expect(now.actionDeadlineAt == before)
    }
  }

  @Test func `is looked at once more when the time is over, and the worker is told`() async throws {
    try await with { database, job, worker in
      let sooner = try await database.number(
        "select count(*) from writ_data.job where run_at < action_deadline_at")
      #expect(sooner == 1)
      try await database.sql(
        "update writ_data.job set action_deadline_at = clock_timestamp(), run_at = clock_timestamp()"
      )
      _ = try await database.store.sweepJobs(limit: 10)
      let last = try #require(try await database.claim(worker).first)
      #expect(last.isPastActionDeadline)
      // Whatever wait a worker asks for, the last look is at the deadline.
      try await database.record(worker, last, asked, request(delay: .seconds(900_000)))
      #expect(
        try await database.number(
          "select count(*) from writ_data.job where run_at = action_deadline_at") == 1)
      _ = job
    }
  }

  @Test func `keeps the address through an outage, and loses it when it goes on or ends`()
    async throws
  {
    try await with { database, job, worker in
      try await database.sql("update writ_data.job set run_at = clock_timestamp()")
      _ = try await database.store.sweepJobs(limit: 10)
      let again = try #require(try await database.claim(worker).first)
      try await database.record(
        worker, again,
        .retry(delay: .zero, burnsAttempt: true, isUnresolved: false, JobRecord.failure))
      #expect(try await status(database, job, as: "app_one").actionURL == url)
      _ = try await database.store.sweepJobs(limit: 10)
      let third = try #require(try await database.claim(worker).first)
      try await database.record(worker, third, .succeeded(1))
      #expect(try await status(database, job, as: "app_one").actionURL == nil)
      try await database.record(worker, third, .done)
      #expect(try await database.state(job) == "completed")
      #expect(
        try await database.number(
          "select count(*) from writ_data.job_history as h where h::text like '%auth.example%'")
          == 0)
    }
  }

  @Test func `is looked at now for its requester, at most every two seconds`() async throws {
    try await with { database, job, worker in
      let early = try await database.asRole("app_one") { pool in
        try await JobStore(pool: pool).checkNow(job)
      }
      let since: PostgresTimestamp = try await database.sql(
        "select waiting_since from writ_data.job")[0].decode(0)
      #expect(early == since + .seconds(2))
      #expect(try await database.state(job) == "waiting/user_action")
      try await database.sql(
        "update writ_data.job set waiting_since = clock_timestamp() - interval '1 minute'")
      try await database.asRole("app_one") { pool in
        _ = try await JobStore(pool: pool).checkNow(job)
        // Saying it twice is saying it once.
        _ = try await JobStore(pool: pool).checkNow(job)
      }
      #expect(try await database.state(job) == "available")
      let again = try #require(try await database.claim(worker).first)
      try await database.record(worker, again, .succeeded(1), .done)
      let done = try await database.refusal("select writ.check_now(\(job))")
      #expect(done.sqlState == "WR008")
    }
  }

  @Test func `is looked at for nobody else`() async throws {
    try await with { database, job, _ in
      let other = try await database.refusal("select writ.check_now(\(job))", as: "app_two")
      #expect(other.sqlState == "WR008")
      #expect(
        other.serverMessage == "there is no such unfinished job, or another role ordered it")
      let stranger = try await database.refusal("select writ.check_now(\(job))", as: "stranger")
      #expect(stranger.sqlState == "42501")
      let fresh = try await database.number("select writ.create_user('other@b.cd')")
      let idle = try await database.refusal("select writ.check_now(\(fresh))")
      #expect(idle.serverMessage == "job \(fresh) does not wait for a user: it is available")
    }
  }

  @Test func `can be cancelled, and is not replayed meanwhile`() async throws {
    try await with { database, job, _ in
      let refused = try await database.refusal("select writ.replay(\(job))")
      #expect(refused.hint == "It goes on by itself when what it waits for has happened.")
      #expect(try await database.store.cancel(job) == "cancelled")
      #expect(try await database.state(job) == "cancelled")
    }
  }

  @Test func `cannot wait without an address`() async throws {
    try await with { database, _, _ in
      let error = try await database.refusal("update writ_data.job set action_url = null")
      #expect(error.sqlState == "23514")
    }
  }
}
