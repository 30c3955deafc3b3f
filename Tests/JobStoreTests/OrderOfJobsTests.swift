// Jobs of one subject in order, and the limits of types.

import JSON
import JobModel
import Postgres
import Testing
import WritTesting

@testable import JobStore

@Suite(.timeLimit(.minutes(5))) struct OrderOfJobsTests {
  @Test func `jobs of one subject run one at a time, in order`() async throws {
    try await TestDatabase.with { database in
      var ids: [Int] = []
      for _ in 0..<3 { ids.append(try await database.number("select writ.create_user('a@b.cd')")) }
      let worker = try await database.worker()
      for (place, id) in ids.enumerated() {
        let jobs = try await database.claim(worker)
        #expect(jobs.map(\.id) == [id])
        if place == 0 {
          #expect(try await database.state(ids[1]) == "waiting/predecessor")
          #expect(try await database.store.job(ids[1])?.predecessorID == ids[0])
        }
        try await database.record(worker, jobs[0], .succeeded(1), .done)
      }
      #expect(
        try await database.story(ids[1]) == [
          "enqueued ->available", "parked available>waiting", "unparked waiting>available",
          "claimed available>running", "step", "completed running>completed",
        ])
    }
  }

  @Test func `a job that is parked while its predecessor ends is looked at again`() async throws {
    try await TestDatabase.with { database in
      _ = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let first = try #require(try await database.claim(worker).first)
      let second = try await database.number("select writ.create_user('a@b.cd')")
      let unparked = try await database.pool.withTransaction { connection in
        let end = JobRecord.done.json(job: first.id, attempt: first.attempt)
        _ = try connection.query(
          "select * from writ_worker.record($1, $2)",
          [.int(worker), .json(JSONValue.array([end]).serialized())])
        let claimed = try await database.store.claimJobs(
          worker: worker, queue: "default", environment: "default", limit: 10,
          lowerBounds: [Int](repeating: 0, count: 10))
        #expect(claimed.jobs.isEmpty)
        #expect(claimed.blockedJobs == [second])
        let unparked = Task { try await database.store.unparkJobs(claimed.blockedJobs) }
        try await awaiting("a look that waits for the end", within: .seconds(60)) {
          try await database.number(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
              + " and datname = current_database() and query like '%unpark%'") == 1
        }
        return unparked
      }
      #expect(try await unparked.value == 1)
      #expect(try await database.claim(worker).map(\.id) == [second])
    }
  }

  @Test func `a look at parked jobs leaves those alone that have something in their way`()
    async throws
  {
    try await TestDatabase.with { database in
      for _ in 0..<3 { _ = try await database.number("select writ.create_user('a@b.cd')") }
      let worker = try await database.worker()
      let claimed = try await database.store.claimJobs(
        worker: worker, queue: "default", environment: "default", limit: 1,
        lowerBounds: [Int](repeating: 0, count: 10))
      #expect(claimed.jobs.count == 1)
      #expect(try await database.claim(worker).isEmpty)
      let parked = try await database.sql(
        "select id from writ_data.job where waiting_reason = 'predecessor'"
      ).map { try $0.decode(0, as: Int.self) }
      #expect(parked.count == 2)
      #expect(try await database.store.unparkJobs(parked) == 0)
      try await database.record(worker, claimed.jobs[0], .succeeded(1), .done)
      #expect(try await database.store.unparkJobs(parked) == 0)
      #expect(try await database.state(parked[0]) == "available")
      #expect(try await database.state(parked[1]) == "waiting/predecessor")
    }
  }

  @Test func `a job in backoff or review keeps its place before later ones of its subject`()
    async throws
  {
    try await TestDatabase.with { database in
      let first = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, .review(JobRecord.failure))
      let second = try await database.number("select writ.create_user('a@b.cd')")
      #expect(try await database.claim(worker).isEmpty)
      #expect(try await database.state(second) == "waiting/predecessor")
      #expect(try await database.store.cancel(first, force: true) == "cancelled")
      #expect(try await database.claim(worker).map(\.id) == [second])
    }
  }

  @Test func `a job that is scheduled for later does not hold up its subject`() async throws {
    try await TestDatabase.with { database in
      let later = try await database.number(
        "select writ.create_user('a@b.cd', run_at => now() + interval '1 day')")
      let now = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      #expect(try await database.claim(worker).map(\.id) == [now])
      #expect(try await database.state(later) == "scheduled")
    }
  }

  @Test func `a type never runs more jobs than its limit, and each end lets one in`() async throws {
    try await TestDatabase.with { database in
      for _ in 0..<5 { _ = try await database.number("select writ.limited()") }
      let worker = try await database.worker()
      var running = try await database.claim(worker)
      #expect(running.count == 2)
      #expect(try await database.claim(worker).isEmpty)
      var done = 0
      while let job = running.first {
        running.removeFirst()
        try await database.record(worker, job, .done)
        done += 1
        running += try await database.claim(worker)
        #expect(running.count <= 2)
      }
      #expect(done == 5)
    }
  }

  @Test func `eight workers keep the order of subjects and the limits of types`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        """
        select writ.create_user('s' || i % 7 || '@b.cd') from generate_series(1, 140) as i
        union all
        select writ.limited() from generate_series(1, 60)
        """)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let worker = try await database.worker()
            while try await database.number("select count(*) from writ_data.job") > 0 {
              let jobs = try await database.claim(worker, limit: 3)
              for job in jobs {
                let over = try await database.number(
                  "select count(*) from writ_data.job where type = 'limited' and state = 'running'")
                #expect(over <= 2)
                try await database.record(worker, job, .succeeded(1), .done)
              }
              if jobs.isEmpty { _ = try await database.store.sweepJobs(limit: 100) }
            }
          }
        }
        try await group.waitForAll()
      }
      // Per subject: claims in the order of ids, and never two at once.
      let disorder = try await database.sql(
        """
        with run as (
          select h.subject, h.id, h.claimed_at, h.finished_at,
                 lag(h.id) over w as previous, lag(h.finished_at) over w as previous_end
            from writ_data.job_history as h
           where h.subject is not null
          window w as (partition by h.subject order by h.claimed_at)
        )
        select concat_ws(' ', subject, previous, previous_end, id, claimed_at) from run
         where previous > id or previous_end > claimed_at
        """
      ).map { try $0.decode(0, as: String.self) }
      #expect(disorder == [])
      #expect(
        try await database.number(
          "select count(*) from writ_data.job_history where state = 'completed'") == 200)
      #expect(try await database.number("select count(*) from writ_data.subject_slot") == 0)
    }
  }
}
