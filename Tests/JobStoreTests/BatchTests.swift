// Batches: what is counted, when one is finished, and its callback, which runs exactly once.

import JSON
import JobModel
import Postgres
import Testing
import WritTesting

@testable import JobStore

@Suite(.timeLimit(.minutes(5))) struct BatchTests {
  /// A type whose fields take what a batch says.
  private static let report = JobTypes.type(
    "report", hash: "ee",
    inputs: [
      ["name": "batch", "kind": "integer", "required": true],
      ["name": "label", "kind": "string"], ["name": "done", "kind": "integer"],
      ["name": "failed", "kind": "integer", "minimum": 0],
      ["name": "few", "kind": "integer", "maximum": 9], ["name": "note", "kind": "json"],
    ], subject: nil, replay: "safe")

  private func withReport<Value: Sendable>(
    _ body: @Sendable (TestDatabase) async throws -> Value
  ) async throws -> Value {
    try await TestDatabase.with { database in
      try await database.sql(
        "select writ.publish_job_type($1)", [.json(Self.report.serialized())])
      return try await body(database)
    }
  }

  /// Three jobs, closed, with a callback; returns the number of the batch.
  private func threeJobs(_ database: TestDatabase, payload: String) async throws -> Int {
    try await database.number(
      """
      select batch from writ.enqueue_many('create_user',
        '[{"email": "a@b.cd"}, {"email": "c@b.cd"}, {"email": "d@b.cd"}]',
        batch_id => writ.create_batch('report', $1), closes_batch => true)
      """, [.text(payload)])
  }

  @Test func `the callback is ordered at once, waits, and runs with the counts when all are done`()
    async throws
  {
    try await withReport { database in
      let id = try await threeJobs(
        database,
        payload: """
          {"batch": "$batch.id", "label": "$batch.id", "done": "$batch.completed",
           "failed": "$batch.discarded"}
          """)
      var batch = try await database.store.batch(id)
      let callback = try #require(batch.callbackJob)
      #expect(try await database.state(callback) == "waiting/batch")
      #expect(batch.state == "closed")
      #expect(batch.jobs == 3)
      let worker = try await database.worker()
      let jobs = try await database.claim(worker)
      #expect(jobs.map(\.type) == ["create_user", "create_user", "create_user"])
      try await database.record(worker, jobs[0], .done)
      try await database.record(worker, jobs[1], .discard(JobRecord.failure))
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.state(callback) == "waiting/batch")
      batch = try await database.store.batch(id)
      #expect(batch.done == 2)
      #expect(batch.unfinished.first { $0.state == "running" }?.jobs == 1)
      try await database.record(worker, jobs[2], .done)
      _ = try await database.store.sweepJobs(limit: 10)
      batch = try await database.store.batch(id)
      #expect(batch.state == "finished")
      #expect(batch.finished.map(\.jobs) == [2, 1, 0])
      let ready = try await database.claim(worker)
      #expect(ready.map(\.id) == [callback])
      #expect(
        JSONValue.object(ready.first?.payload ?? JSONObject()) == [
          "batch": JSONValue(id), "label": .string("\(id)"), "done": 2, "failed": 1,
        ])
      #expect(
        try await database.story(callback) == [
          "enqueued ->available", "parked available>waiting", "unparked waiting>available",
          "claimed available>running",
        ])
      let events = try await database.store.auditEvents(event: "batch_finished")
      #expect(
        events.map { $0.recorded ?? .null } == [
          ["batch_id": JSONValue(id), "jobs": 3, "completed": 2, "discarded": 1, "cancelled": 0]
        ])
    }
  }

  @Test func `two workers that end the last two jobs at once make one callback`() async throws {
    try await withReport { database in
      let worker = try await database.worker()
      for round in 1...10 {
        let id = try await database.number(
          """
          select batch from writ.enqueue_many('ping', '[{}, {}]',
            batch_id => writ.create_batch('report', '{"batch": "$batch.id"}'), closes_batch => true)
          """)
        let jobs = try await database.claim(worker)
        #expect(jobs.count == 2, "round \(round)")
        try await withThrowingTaskGroup(of: Void.self) { group in
          for job in jobs {
            group.addTask { _ = try await database.record(worker, job, .done) }
            group.addTask { _ = try await database.store.sweepJobs(limit: 10) }
          }
          try await group.waitForAll()
        }
        _ = try await database.store.sweepJobs(limit: 10)
        let callbacks = try await database.claim(worker)
        #expect(callbacks.map { $0.payload["batch"] } == [JSONValue(id)])
        for callback in callbacks { try await database.record(worker, callback, .done) }
      }
      let finished = try await database.store.auditEvents(event: "batch_finished")
      #expect(finished.count == 10)
    }
  }

  @Test func `a sweep that dies before its commit neither loses nor doubles the callback`()
    async throws
  {
    try await withReport { database in
      _ = try await database.number(
        """
        select batch from writ.enqueue_many('ping', '[]',
          batch_id => writ.create_batch('report', '{"batch": "$batch.id"}'), closes_batch => true)
        """)
      struct Crash: Error {}
      await #expect(throws: Crash.self) {
        try await database.pool.withTransaction { connection in
          _ = try connection.query("select writ_worker.sweep(10)")
          let ready: Int = try connection.query(
            "select count(*) from writ.job where state = 'available'")[0].decode(0)
          #expect(ready == 1)
          throw Crash()
        }
      }
      let worker = try await database.worker()
      #expect(try await database.claim(worker).isEmpty)
      for _ in 1...3 { _ = try await database.store.sweepJobs(limit: 10) }
      #expect(try await database.claim(worker).count == 1)
    }
  }

  @Test func `a job in review holds its batch open until a person has decided`() async throws {
    try await withReport { database in
      let id = try await threeJobs(database, payload: #"{"batch": "$batch.id"}"#)
      let worker = try await database.worker()
      let jobs = try await database.claim(worker)
      try await database.record(worker, jobs[0], .review(JobRecord.failure))
      for job in jobs[1...] { try await database.record(worker, job, .done) }
      _ = try await database.store.sweepJobs(limit: 10)
      var batch = try await database.store.batch(id)
      #expect(batch.state == "closed")
      #expect(batch.review == 1)
      _ = try await database.store.cancel(jobs[0].id, force: true)
      _ = try await database.store.sweepJobs(limit: 10)
      batch = try await database.store.batch(id)
      #expect(batch.state == "finished")
      #expect(batch.finished.map(\.jobs) == [2, 0, 1])
    }
  }

  @Test func `a replay holds an unfinished batch open, and a finished one does not fire again`()
    async throws
  {
    try await withReport { database in
      let id = try await threeJobs(database, payload: #"{"batch": "$batch.id"}"#)
      let worker = try await database.worker()
      let jobs = try await database.claim(worker)
      try await database.record(worker, jobs[0], .discard(JobRecord.failure))
      _ = try await database.store.sweepJobs(limit: 10)
      try await database.store.replay(jobs[0].id)
      for job in jobs[1...] { try await database.record(worker, job, .done) }
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.store.batch(id).state == "closed")
      let again = try await database.claim(worker)
      #expect(again.map(\.id) == [jobs[0].id])
      try await database.record(worker, again[0], .discard(JobRecord.failure))
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.store.batch(id).state == "finished")
      let callback = try await database.claim(worker)
      #expect(callback.count == 1)
      try await database.record(worker, callback[0], .done)
      try await database.store.replay(jobs[0].id)
      let third = try await database.claim(worker)
      try await database.record(worker, third[0], .done)
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.claim(worker).isEmpty)
      let batch = try await database.store.batch(id)
      #expect(batch.finished.map(\.jobs) == [2, 1, 0])
    }
  }

  @Test func `a callback does not hold up other jobs about its subject`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        """
        select writ.enqueue_many('create_user', '[{"email": "a@b.cd"}]',
          batch_id => writ.create_batch('create_user', '{"email": "a@b.cd", "plan": "pro"}'),
          closes_batch => true)
        """)
      let worker = try await database.worker()
      let first = try await database.claim(worker)
      #expect(first.map { $0.payload["plan"] } == [nil])
      try await database.record(worker, first[0], .done)
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.claim(worker).map { $0.payload["plan"] } == ["pro"])
    }
  }

  @Test func `an open batch does not finish, and closing it waits for those who join it`()
    async throws
  {
    try await withReport { database in
      let id = try await database.store.createBatch()
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.store.batch(id).state == "open")
      let (hasJoined, joined) = AsyncStream.makeStream(of: Void.self)
      let (mayEnd, end) = AsyncStream.makeStream(of: Void.self)
      async let joiner: Void = database.pool.withTransaction { connection in
        _ = try connection.query(
          "select writ.enqueue_many('ping', '[{}]', batch_id => $1)", [.int(id)])
        joined.yield()
        for await _ in mayEnd { break }
      }
      for await _ in hasJoined { break }
      async let other = database.number(
        "select jobs from writ.enqueue_many('ping', '[{}, {}]', batch_id => $1)", [.int(id)])
      #expect(try await other == 2)
      async let wasOpen = database.store.closeBatch(id)
      // The closer stands in line behind the joiner.
      try await awaiting("a session that waits for a lock", within: .seconds(60)) {
        try await database.number(
          "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            + " and datname = current_database()") > 0
      }
      end.yield()
      try await joiner
      #expect(try await wasOpen)
      #expect(try await database.store.closeBatch(id) == false)
      let batch = try await database.store.batch(id)
      #expect(batch.jobs == 3)
      let late = try await database.refusal(
        "select writ.enqueue_many('ping', '[{}]', batch_id => \(id))")
      #expect(late.sqlState == "WR008")
      #expect(late.serverMessage == "batch \(id) is closed")
    }
  }

  @Test func `a callback is checked when the batch is made`() async throws {
    try await withReport { database in
      let refusals: [(String, String, String)] = [
        ("'{}'", "report: batch is required", "WR001"),
        ("'hunter2'", "report: callback_payload must be a JSON object", "WR001"),
        (
          #"'{"batch": "$batch.hunter2"}'"#,
          "report: batch must not begin with $batch. in a callback", "WR003"
        ),
        (
          #"'{"batch": 1, "few": "$batch.jobs"}'"#,
          "report: few cannot take a count of the batch", "WR003"
        ),
        (
          #"'{"batch": 1, "label": "$batch.jobs"}'"#,
          "report: label cannot take a count of the batch", "WR003"
        ),
        (#"'{"batch": 1, "hunter": "$batch.jobs"}'"#, "report: unknown field hunter", "WR001"),
      ]
      for (payload, message, state) in refusals {
        let error = try await database.refusal("select writ.create_batch('report', \(payload))")
        #expect(error.serverMessage == message)
        #expect(error.sqlState == state)
      }
      let unknown = try await database.refusal("select writ.create_batch('hunter2', '{}')")
      #expect(unknown.sqlState == "WR002")
      let untyped = try await database.refusal("select writ.create_batch(callback_payload => '{}')")
      #expect(
        untyped.serverMessage
          == "create_batch: callback_type is required with a callback_payload")
      #expect(try await database.number("select count(*) from writ_data.job") == 0)
    }
  }

  @Test func `a callback that was called off does not run`() async throws {
    try await withReport { database in
      let id = try await threeJobs(database, payload: #"{"batch": "$batch.id"}"#)
      let callback = try #require(try await database.store.batch(id).callbackJob)
      #expect(try await database.store.cancel(callback) == "cancelled")
      let worker = try await database.worker()
      for job in try await database.claim(worker) { try await database.record(worker, job, .done) }
      _ = try await database.store.sweepJobs(limit: 10)
      let batch = try await database.store.batch(id)
      #expect(batch.state == "finished")
      #expect(batch.callbackState == "cancelled")
      #expect(try await database.claim(worker).isEmpty)
    }
  }

  @Test func `a callback is not replayed before its batch has finished`() async throws {
    try await withReport { database in
      let id = try await database.store.createBatch(
        callback: BatchCallback(type: "report", payload: ["batch": "$batch.id"]))
      let callback = try #require(try await database.store.batch(id).callbackJob)
      let rule =
        "job \(callback) must not be replayed: it is the callback of a batch that is not finished"
      func refuses() async throws {
        for force in [false, true] {
          let error = try await database.refusal("select writ.replay(\(callback), \(force))")
          #expect(error.sqlState == "WR008")
          #expect(error.serverMessage == rule)
        }
        let plan = try await database.store.replayPlan(callback)
        #expect(plan.map(\.fact) == ["job", "refused"])
        #expect(plan.last?.detail.hasPrefix(rule) == true)
      }
      try await refuses()
      #expect(try await database.store.cancel(callback) == "cancelled")
      try await refuses()
      #expect(try await database.state(callback) == "cancelled")
      try await database.store.closeBatch(id)
      try await refuses()
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(try await database.store.batch(id).state == "finished")
      try await database.store.replay(callback)
      #expect(try await database.state(callback) == "available")
    }
  }

  @Test func `the deadline of a callback begins with its release, and expired jobs are discarded`()
    async throws
  {
    try await TestDatabase.with { database in
      let hurry = JobTypes.type(
        "hurry", hash: "ef", inputs: [], subject: nil, replay: "safe", deadlineSeconds: 60)
      try await database.sql("select writ.publish_job_type($1)", [.json(hurry.serialized())])
      let id = try await database.number(
        """
        select batch from writ.enqueue_many('hurry', '[{}, {}]',
          batch_id => writ.create_batch('hurry', '{}'), closes_batch => true)
        """)
      let callback = try #require(try await database.store.batch(id).callbackJob)
      func deadlines(_ condition: String) async throws -> Int {
        try await database.number(
          "select count(*) from writ_data.job where id = $1 and deadline_at \(condition)",
          [.int(callback)])
      }
      #expect(try await deadlines("is null") == 1)
      try await database.sql(
        "update writ_data.job set deadline_at = clock_timestamp() where batch_id = $1", [.int(id)])
      for _ in 1...2 { _ = try await database.store.sweepJobs(limit: 10) }
      let batch = try await database.store.batch(id)
      #expect(batch.state == "finished")
      #expect(batch.finished.map(\.jobs) == [0, 2, 0])
      #expect(try await database.state(callback) == "available")
      #expect(try await deadlines("> clock_timestamp() + interval '50 seconds'") == 1)
    }
  }

  @Test func `a sweep looks at a bounded number of batches, and the next goes on`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        """
        select count((writ.enqueue_many('ping', '[{}]')).batch) from generate_series(1, 1000)
        """)
      try await database.sql("select writ.enqueue_many('ping', '[]')")
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(
        try await database.number(
          "select count(*) from writ_data.batch where finished_at is not null") == 0)
      _ = try await database.store.sweepJobs(limit: 10)
      #expect(
        try await database.number(
          "select count(*) from writ_data.batch where finished_at is not null") == 1)
    }
  }

  @Test func `the jobs of a batch are listed a page at a time, with the keys they were ordered by`()
    async throws
  {
    try await TestDatabase.with { database in
      let id = try await database.number(
        """
        select batch from writ.enqueue_many('ping', '[{"idempotency_key": "a"},
          {"idempotency_key": "b"}, {"idempotency_key": "c", "run_at": "2100-01-01T00:00:00Z"}]')
        """)
      func keys(_ rest: String) async throws -> [String] {
        try await database.sql(
          "select idempotency_key from writ.batch_jobs($1\(rest))", [.int(id)]
        ).map { try $0.decode(0) }
      }
      #expect(try await keys("") == ["a", "b", "c"])
      #expect(try await keys(", only_state => 'scheduled'") == ["c"])
      #expect(try await keys(", max_jobs => 2") == ["a", "b"])
    }
  }
}
