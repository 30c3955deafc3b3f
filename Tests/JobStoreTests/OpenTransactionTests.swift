// What a caller's transaction that stays open holds, and whom it does not hold up: no sweep, and no worker that
// writes about other jobs.

import JobModel
import Postgres
import Testing
import WritTesting

@testable import JobStore

@Suite(.timeLimit(.minutes(5))) struct OpenTransactionTests {
  /// Makes a due job, sweeps while the transaction is open, and expects the job to be promoted.
  private func expectSweep(
    _ database: TestDatabase, during statement: String, as role: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let due = try await database.number(
      "select writ.ping(run_at => clock_timestamp() + interval '1 day')")
    try await database.sql(
      "update writ_data.job set run_at = clock_timestamp() where id = $1", [.int(due)])
    try await database.sql(
      "update writ_data.sweep_state set full_at = '-infinity', due_from = '-infinity'")
    let hold: @Sendable (PostgresPool) async throws -> Void = { pool in
      try await pool.withTransaction { connection in
        _ = try connection.query(Statement(sql: statement))
        let swept = try await database.store.sweepJobs(limit: 100)
        #expect(swept?.promotedJobs == 1, sourceLocation: sourceLocation)
      }
    }
    if let role {
      try await database.asRole(role, hold)
    } else {
      try await hold(database.pool)
    }
    #expect(try await database.state(due) == "available", sourceLocation: sourceLocation)
  }

  @Test func `closing a closed batch holds up no sweep`() async throws {
    try await TestDatabase.with { database in
      try await database.sql("select writ.grant_job_type('ping', 'app_one')")
      let batch: Int = try await database.asRole("app_one") { pool in
        try await pool.query("select batch from writ.enqueue_many('ping', '[{}]')")[0].decode(0)
      }
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, .done)
      try await expectSweep(
        database, during: "select writ.close_batch(\(batch))", as: "app_one")
      #expect(try await database.store.batch(batch).state == "finished")
    }
  }

  @Test func `a batch that somebody holds is left to a later sweep`() async throws {
    try await TestDatabase.with { database in
      let batch = try await database.number("select batch from writ.enqueue_many('ping', '[{}]')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, .done)
      try await expectSweep(
        database, during: "select from writ_data.batch where id = \(batch) for update")
      #expect(try await database.store.batch(batch).state == "closed")
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await database.store.batch(batch).state == "finished")
    }
  }

  @Test func `a key that is used again holds up no sweep`() async throws {
    try await TestDatabase.with { database in
      try await database.sql("select writ.ping(idempotency_key => 'k')")
      try await database.sql(
        "update writ_data.idempotency_key set free_at = clock_timestamp() - interval '1 s'")
      try await expectSweep(database, during: "select writ.ping(idempotency_key => 'k')")
    }
  }

  @Test func `a running job that somebody holds holds up no sweep after a limit was set`()
    async throws
  {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.store.setLimit(type: "ping", concurrency: 3)
      try await database.sql(
        "update writ_data.job set is_limited = false where id = $1", [.int(job.id)])
      try await expectSweep(
        database, during: "select writ.cancel(\(job.id))")
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(
        try await database.number("select count(*) from writ_data.job where is_limited") == 1)
    }
  }

  @Test func `a job that somebody holds does not hold up what is recorded about others`()
    async throws
  {
    try await TestDatabase.with { database in
      for _ in 0..<3 { _ = try await database.number("select writ.ping()") }
      let worker = try await database.worker()
      let jobs = try await database.claim(worker)
      let entries = jobs.map { JobEntry(job: $0.id, attempt: $0.attempt, record: .done) }
      try await database.pool.withTransaction { connection in
        _ = try connection.query("select writ.cancel($1)", [.int(jobs[1].id)])
        let error = await #expect(throws: PostgresError.self) {
          try await database.store.recordEntries(worker: worker, entries)
        }
        #expect(error?.sqlState == "55P03")
        let answers = try await database.store.recordEntries(
          worker: worker, entries, skipsLocked: true
        ).sorted { $0.job < $1.job }
        #expect(answers.map(\.isAccepted) == [true, false, true])
        #expect(answers.map(\.isHeldUp) == [false, true, false])
      }
      let answer = try await database.store.recordEntries(
        worker: worker, [entries[1]], skipsLocked: true)
      #expect(answer.map(\.isAccepted) == [true])
      #expect(try await database.number("select count(*) from writ_data.job") == 0)
    }
  }

  @Test func `what is not the worker's any more is not held up`() async throws {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      let other = try await database.worker()
      try await database.pool.withTransaction { connection in
        _ = try connection.query("select writ.cancel($1)", [.int(job.id)])
        let answers = try await database.store.recordEntries(
          worker: other, [JobEntry(job: job.id, attempt: job.attempt, record: .done)],
          skipsLocked: true)
        #expect(answers.map(\.isHeldUp) == [false])
        #expect(answers.map(\.isAccepted) == [false])
      }
    }
  }

  @Test func `a month that a default partition holds already does not cost the next one`()
    async throws
  {
    try await TestDatabase.with { database in
      let parts =
        "select c.oid::regclass::text from pg_inherits as i join pg_class as c on c.oid = i.inhrelid"
        + " where i.inhparent = 'writ_data.audit_event'::regclass"
        + " and pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT'"
      for row in try await database.sql(parts) {
        try await database.sql("drop table \(try row.decode(0, as: String.self))")
      }
      try await database.sql(
        "insert into writ_data.audit_event (occurred_at, event, role_name)"
          + " values (clock_timestamp(), 'environment_created', 'x')")
      try await database.sql("update writ_data.sweep_state set full_at = '-infinity'")
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.sql(parts).count == 1)
    }
  }

  @Test func `calling off a batch's callback holds up no sweep, and it does not run`() async throws
  {
    try await TestDatabase.with { database in
      let batch = try await database.number(
        "select writ.create_batch('create_user', $1)",
        [
          .text(#"{"email": "a@b.cd"}"#)
        ])
      let callback = try #require(try await database.store.batch(batch).callbackJob)
      try await database.sql("select writ.close_batch($1)", [.int(batch)])
      try await expectSweep(database, during: "select writ.cancel(\(callback))")
      #expect(try await database.store.batch(batch).state == "closed")
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await database.store.batch(batch).state == "finished")
      #expect(try await database.state(callback) == "cancelled")
    }
  }

  @Test func `replaying a job whose rows are old holds up no sweep`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, .done)
      try await database.sql(
        "insert into writ_data.row_set (job_id, created_at)"
          + " values ($1, clock_timestamp() - interval '31 days')", [.int(id)])
      try await database.sql(
        "insert into writ_data.job_row (job_id, seq, place, key, data)"
          + " values ($1, 1, 1, 'k', '{}')", [.int(id)])
      try await expectSweep(database, during: "select writ.replay(\(id), true)")
      #expect(try await database.state(id) == "available")
      #expect(try await database.number("select count(*) from writ_data.job_row") == 0)
    }
  }

  @Test func `who gives up a subject holds up no claim`() async throws {
    try await TestDatabase.with { database in
      let first = try await database.number(
        "select writ.create_user('a@b.cd', run_at => clock_timestamp() + interval '1 day')")
      let second = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      #expect(job.id == second)
      try await database.record(worker, job, .review(JobRecord.failure))
      try await database.sql(
        "update writ_data.job set run_at = clock_timestamp() where id = $1", [.int(first)])
      _ = try await database.store.sweepJobs(limit: 100)
      let other = try await database.number("select writ.ping()")
      try await database.pool.withTransaction { connection in
        _ = try connection.query("select writ.cancel($1, true)", [.int(second)])
        #expect(try await database.claim(worker).map(\.id) == [other])
      }
      // It was parked as if its turn had not come; the sweeper sees that it has.
      #expect(try await database.state(first) == "waiting/predecessor")
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await database.claim(worker).map(\.id) == [first])
    }
  }

  @Test func `a claim that waited beyond its lease takes nothing`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.limited()")
      // The gate is there before somebody holds it.
      try await database.store.setLimit(type: "limited", concurrency: 1)
      let worker = try await database.worker()
      let claim = try await database.pool.withTransaction { connection in
        _ = try connection.query("select from writ_data.gate for update")
        let claim = Task { try await database.claim(worker) }
        try await awaiting("the claim to wait", within: .seconds(20)) {
          try await database.number(
            "select count(*) from pg_stat_activity where datname = current_database()"
              + " and wait_event_type = 'Lock'") > 0
        }
        try await database.expireLease(worker)
        let sweep = try await database.store.sweepJobs(limit: 100)
        #expect(sweep?.lostWorkers == 1)
        return claim
      }
      let error = await #expect(throws: PostgresError.self) { try await claim.value }
      #expect(error?.sqlState == "55000")
      #expect(try await database.state(id) == "available")
      #expect(try await database.claim(try await database.worker()).map(\.id) == [id])
    }
  }
}
