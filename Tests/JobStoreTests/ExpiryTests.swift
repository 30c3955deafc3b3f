// Jobs that nobody wants any more: they end by themselves, unless they have changed something.

import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

@Suite(.timeLimit(.minutes(5))) struct ExpiryTests {
  /// Lets the deadline of a job pass.
  private func pass(_ database: TestDatabase, _ jobs: Int...) async throws {
    for job in jobs {
      try await database.sql(
        "update writ_data.job set deadline_at = clock_timestamp() where id = $1", [.int(job)])
    }
  }

  @Test func `an order's own time stands in place of the type's`() async throws {
    try await TestDatabase.with { database in
      let type = JobTypes.type(
        "brief", hash: "95", inputs: [], subject: nil, replay: "safe", deadlineSeconds: 3600)
      try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      let seconds = "extract(epoch from deadline_at - run_at)::int8 as seconds"
      for (call, expected) in [
        ("writ.brief()", 3600), ("writ.brief(run_at => now() + '1 day')", 3600),
        ("writ.brief(expires_at => now() + '2 days', run_at => now() + '1 day')", 86_400),
        ("writ.enqueue('brief', '{}', run_at => now() + '1 h', expires_at => now() + '2 h')", 3600),
      ] {
        let id = try await database.number("select \(call)")
        let row = try await database.sql(
          "select \(seconds) from writ.job where id = $1", [.int(id)])
        #expect(try row[0].decode("seconds") == expected, "\(call)")
      }
    }
  }

  @Test func `a job expires in every state in which it waits`() async throws {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let scheduled = try await database.number("select writ.ping(run_at => now() + '1 day')")
      for _ in 0..<3 { _ = try await database.number("select writ.limited()") }
      let retryable = try await database.number("select writ.create_user('r@b.cd')")
      let first = try await database.number("select writ.create_user('a@b.cd')")
      let successor = try await database.number("select writ.create_user('a@b.cd')")
      let jobs = try await database.claim(worker)
      let retried = try #require(jobs.first { $0.id == retryable })
      try await database.record(
        worker, retried,
        .retry(delay: .seconds(600), burnsAttempt: true, isUnresolved: false, JobRecord.failure))
      let parked = try await database.number(
        "select id from writ_data.job where waiting_reason = 'concurrency'")
      let available = try await database.number("select writ.ping()")
      let states = [
        "scheduled", "waiting/concurrency", "retryable", "waiting/predecessor", "available",
      ]
      let waiting = [scheduled, parked, retryable, successor, available]
      for (job, state) in zip(waiting, states) {
        #expect(try await database.state(job) == state)
        try await pass(database, job)
      }
      #expect(try await database.store.sweepJobs(limit: 100)?.expiredJobs == 5)
      for (job, state) in zip(waiting, states) {
        #expect(try await database.state(job) == "discarded")
        let from = state.split(separator: "/")[0]
        #expect(try await database.story(job).last == "expired \(from)>discarded")
        let error: String = try await database.sql(
          "select error_code from writ.status($1)", [.int(job)])[0].decode(0)
        #expect(error == "expired")
      }
      #expect(try await database.state(first) == "running")
      // The subject of the retryable one is free again.
      #expect(
        try await database.number(
          "select count(*) from writ_data.subject_slot where job_id <> $1",
          [.int(first)]) == 0)
    }
  }

  @Test func `what waited for an expired job of its subject goes on`() async throws {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      let first = try await database.number("select writ.create_user('a@b.cd')")
      let second = try await database.number("select writ.create_user('a@b.cd')")
      let job = try await database.claim(worker)[0]
      _ = try await database.claim(worker)
      #expect(try await database.state(second) == "waiting/predecessor")
      try await database.record(
        worker, job,
        .retry(delay: .seconds(600), burnsAttempt: true, isUnresolved: false, JobRecord.failure))
      try await pass(database, first)
      _ = try await database.store.sweepJobs(limit: 100)
      #expect(try await database.claim(worker).map(\.id) == [second])
    }
  }

  @Test func `a job that has changed something, is in doubt or in review does not expire`()
    async throws
  {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      for name in ["changed", "doubt", "review"] {
        _ = try await database.number(
          "select writ.create_user($1)", [.text("\(name)@b.cd")])
      }
      let jobs = try await database.claim(worker)
      let backoff = JobRecord.retry(
        delay: .seconds(600), burnsAttempt: true, isUnresolved: false, JobRecord.failure)
      try await database.record(worker, jobs[0], .succeeded(1), backoff)
      try await database.record(
        worker, jobs[1],
        .retry(delay: .seconds(600), burnsAttempt: true, isUnresolved: true, JobRecord.failure))
      try await database.record(worker, jobs[2], .review(JobRecord.failure))
      try await pass(database, jobs[0].id, jobs[1].id, jobs[2].id)
      for _ in 0..<2 {
        #expect(try await database.store.sweepJobs(limit: 100)?.expiredJobs == 0)
      }
      #expect(try await database.state(jobs[0].id) == "retryable")
      #expect(try await database.state(jobs[1].id) == "retryable")
      #expect(try await database.state(jobs[2].id) == "waiting/review")
      // The first one has no deadline any more, so that no sweep looks at it again.
      let left = try await database.sql(
        "select id from writ_data.job where deadline_at is not null"
      )
      .map { try $0.decode(0, as: Int.self) }
      #expect(Set(left) == [jobs[1].id, jobs[2].id])
    }
  }

  @Test func `a sweep ends no more jobs than it was told`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        "select writ.ping(expires_at => clock_timestamp() + '0.2 s') from generate_series(1, 25)")
      try await database.sql("select pg_sleep_until(max(deadline_at)) from writ_data.job")
      for expected in [10, 10, 5, 0] {
        #expect(try await database.store.sweepJobs(limit: 10)?.expiredJobs == expected)
      }
    }
  }
}
