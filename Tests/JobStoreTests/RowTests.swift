// Rows of jobs: written with the outcome, once, by the holder alone; read by those who may; forgotten.

import Arazzo
import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

@Suite struct RowTests {
  private func page(_ sequence: Int, _ ids: [Int], mark: String = "a") -> JobRecord {
    .outcome(
      StepOutcome(
        sequence: sequence, step: "page", effect: .none, result: .succeeded, status: 200,
        outputs: JSONObject([("rows", JSONValue(ids.count))]), action: StepAction(.next),
        rows: ids.map { id in
          JobRow(
            key: "k\(id)", fields: JSONObject([("id", JSONValue(id)), ("mark", .string(mark))]))
        }))
  }

  private var done: JobRecord {
    let result = JSONObject([("rows", 0), ("total", 5)])
    var recorded = RecordedFields()
    recorded.clear = result
    return .complete(result: result, recorded: recorded)
  }

  private func ids(_ rows: [JobRowSummary]) -> [Int?] { rows.map { $0.data["id"]?.intValue } }

  @Test func `an element that comes twice is one row, and the result counts rows`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, page(1, [5, 3, 3, 1]))
      try await database.record(worker, job, page(2, [1, 2], mark: "b"), done)
      let rows = try await database.store.jobRows(id)
      #expect(ids(rows) == [5, 3, 1, 2])
      #expect(rows.map(\.place) == [1, 2, 3, 4])
      #expect(rows.map { $0.data["mark"]?.stringValue } == ["a", "a", "a", "b"])
      #expect(ids(try await database.store.jobRows(id, after: 2, limit: 1)) == [1])
      let detail = try #require(try await database.store.job(id))
      #expect(detail.result == ["rows": 4, "total": 5])
      let end = try #require(detail.events.last)
      #expect(end.event == "completed")
      #expect(end.recorded == detail.result)
    }
  }

  @Test func `a batch that is sent again changes nothing`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      for _ in 0..<2 { try await database.record(worker, job, page(1, [1, 2])) }
      #expect(ids(try await database.store.jobRows(id)) == [1, 2])
      #expect(
        try await database.number(
          "select count(*) from writ.audit_event where job_id = $1 and event = 'step'", [.int(id)])
          == 1)
    }
  }

  @Test func `late writers write no rows`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let (worker, other) = (try await database.worker(), try await database.worker())
      var job = try #require(try await database.claim(worker).first)
      #expect(try await !database.record(other, job, page(1, [1])).isAccepted)
      job.attempt += 1
      #expect(try await !database.record(worker, job, page(1, [1])).isAccepted)
      job.attempt -= 1
      try await database.expireLease(worker)
      #expect(try await !database.record(worker, job, page(1, [1])).isAccepted)
      #expect(try await database.store.jobRows(id).isEmpty)
      #expect(try await database.number("select count(*) from writ_data.row_set") == 0)
    }
  }

  @Test func `no rows stay of an outcome that the database refuses`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.ping()")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      let unwritable = JobRecord.outcome(
        StepOutcome(
          sequence: 2, step: "page", effect: .none, result: .succeeded, status: 9_999,
          action: StepAction(.next)))
      await #expect(throws: PostgresError.self) {
        try await database.record(worker, job, page(1, [1]), unwritable)
      }
      #expect(try await database.store.jobRows(id).isEmpty)
    }
  }

  @Test func `rows are shown to the role that ordered the job and to administrators`() async throws
  {
    try await TestDatabase.with { database in
      try await database.store.grant(jobType: "ping", to: "app_one")
      let id: Int = try await database.asRole("app_one") { pool in
        try await pool.query("select writ.ping()")[0].decode(0)
      }
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, page(1, [1]), done)
      let count: Int = try await database.asRole("app_one") { pool in
        try await pool.query("select count(*) from writ.job_rows($1)", [.int(id)])[0].decode(0)
      }
      #expect(count == 1)
      #expect(try await database.store.jobRows(id).count == 1)
      let refusal = try await database.refusal("select * from writ.job_rows(\(id))", as: "app_two")
      #expect(refusal.sqlState == "WR008")
      #expect(
        refusal.description.contains("there is no such job, or another role ordered it"))
      for role in ["the_auditor", "the_worker", "stranger"] {
        let refusal = try await database.refusal("select * from writ.job_rows(\(id))", as: role)
        #expect(refusal.sqlState == "42501", "\(role)")
      }
    }
  }

  @Test func `a finished job that is replayed reads anew`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number("select writ.create_user('a@b.cd')")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      try await database.record(worker, job, page(1, [1, 2]), done)
      try await database.store.replay(id, force: true)
      #expect(try await database.store.jobRows(id).isEmpty)
      let again = try #require(try await database.claim(worker).first)
      try await database.record(worker, again, page(1, [7]), done)
      #expect(ids(try await database.store.jobRows(id)) == [7])
    }
  }

  @Test func `rows leave after thirty days, those of an unfinished job later`() async throws {
    try await TestDatabase.with { database in
      let ids = [
        try await database.number("select writ.ping()"),
        try await database.number("select writ.ping()"),
        try await database.number("select writ.ping()"),
      ]
      let worker = try await database.worker()
      let jobs = try await database.claim(worker)
      for job in jobs { try await database.record(worker, job, page(1, Array(1...50))) }
      for job in jobs where job.id != ids[2] { try await database.record(worker, job, done) }
      try await database.sql(
        "update writ_data.row_set set created_at = created_at - interval '31 days' where job_id <> $1",
        [.int(ids[1])])
      // A bounded number at a time: the first call takes 30 of 50.
      for left in [20, 0, 0] {
        try await database.sql("select writ_data.forget_old_rows(clock_timestamp(), 30)")
        #expect(try await database.store.jobRows(ids[0]).count == left)
      }
      #expect(try await database.store.jobRows(ids[1]).count == 50)
      #expect(try await database.store.jobRows(ids[2]).count == 50)
      #expect(try await database.number("select count(*) from writ_data.row_set") == 2)
    }
  }

  @Test func `an input that is refused says why in the typed call and in writ.enqueue`()
    async throws
  {
    try await TestDatabase.with { database in
      let type = JobTypes.type(
        "refusing", hash: "ee",
        inputs: [
          ["name": "user_id", "kind": "uuid", "required": true],
          ["name": "email", "kind": "string", "refuse": "It's not yours to change."],
        ], subject: nil, replay: "safe")
      try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      let user = "0a000000-0000-4000-8000-000000000001"
      for call in [
        "writ.refusing(user_id => '\(user)', email => 'canary@example.com')",
        "writ.enqueue('refusing', '{\"user_id\": \"\(user)\", \"email\": \"canary\"}')",
      ] {
        let refusal = try await database.refusal("select \(call)")
        #expect(refusal.sqlState == "WR001")
        #expect(
          refusal.description.contains(
            "refusing: email must not be passed: It's not yours to change."))
        #expect(!refusal.description.contains("canary"))
      }
      #expect(try await database.number("select writ.refusing(user_id => '\(user)')") > 0)
      #expect(
        try await database.number(
          "select writ.enqueue('refusing', '{\"user_id\": \"\(user)\", \"email\": null}')") > 0)
    }
  }
}
