// Ordering a job: what a right call stores, who may make it, and the caller's own transaction.

import JSON
import Postgres
import Testing

@testable import JobStore

private let user = "0a000000-0000-4000-8000-000000000001"

@Suite struct OrderingTests {
  @Test func `a typed call stores the normalized fields, the subject and the event`() async throws {
    try await TestDatabase.with { database in
      let id = try await database.number(
        "select writ.create_user(email => ' Ada@EXAMPLE.com', plan => 'pro', priority => 2)")
      let row = try await database.sql(
        "select payload::text, subject, priority, state, definition_hash, enqueued_by from writ.job"
          + " where id = $1", [.int(id)])[0]
      #expect(
        try row.decode("payload") == #"{"plan": "pro", "email": "Ada@example.com"}"#)
      #expect(try row.decode("subject") == "email:Ada@example.com")
      #expect(try row.decode("priority") == 2)
      #expect(try row.decode("enqueued_by") == "postgres")
      let event = try await database.store.auditEvents(job: id)[0]
      #expect(event.event == "enqueued")
      #expect(event.toState == "available")
      let digest: String = try await database.sql("select writ.digest('Ada@example.com')")[0]
        .decode(0)
      #expect(event.recorded == ["plan": "pro", "email": .string(digest)])
    }
  }

  @Test func `every kind of field arrives, typed, as text and as JSON`() async throws {
    try await TestDatabase.with { database in
      let typed = try await database.number(
        """
        select writ.change_plan(
          user_id => '\(user)'::uuid, plan => 'pro', seats => 5, ratio => 1.50,
          ends_at => timestamptz '2027-01-31 12:00+02', tags => array['a'],
          members => array['\(user)'::uuid], sizes => array[1, 2]::bigint[], notify => true,
          link => 'https://example.com/x', code => 'ABC', extra => jsonb_build_object('a', null))
        """)
      let text = try await database.number(
        """
        select writ.change_plan(
          user_id => '\(user)', plan => 'pro', ends_at => '2027-01-31T12:00:00+02:00',
          extra => '{"a": null}')
        """)
      let json = try await database.number(
        """
        select writ.enqueue('change_plan', '{"user_id": "\(user)", "plan": "pro", "seats": 5,
          "ratio": 1.50, "ends_at": "2027-01-31T10:00:00Z", "tags": ["a"], "members": ["\(user)"],
          "sizes": [1, 2], "notify": true, "link": "https://example.com/x", "code": "ABC",
          "extra": {"a": null}, "ignored": null}'::jsonb - 'ignored')
        """)
      let same = try await database.number(
        "select count(distinct payload) from writ.job where id in ($1, $2)",
        [.int(typed), .int(json)])
      #expect(same == 1)
      let payload: String = try await database.sql(
        "select payload::text from writ.job where id = $1", [.int(text)])[0].decode(0)
      #expect(
        payload
          == #"{"plan": "pro", "extra": {"a": null}, "ends_at": "2027-01-31T10:00:00.000000Z", "#
          + #""user_id": "\#(user)"}"#)
    }
  }

  @Test func `a role orders only the types that were granted to it`() async throws {
    try await TestDatabase.with { database in
      try await database.store.grant(jobType: "create_user", to: "app_one")
      let id: Int = try await database.asRole("app_one") { pool in
        _ = try await pool.query("select writ.enqueue('create_user', '{\"email\": \"b@b.cd\"}')")
        return try await pool.query("select writ.create_user('a@b.cd')")[0].decode(0)
      }
      let denials: [(String, String)] = [
        ("select writ.ping()", "42501"), ("select writ.enqueue('ping', '{}')", "WR007"),
        ("select * from writ_data.job", "42501"), ("select * from writ.job", "42501"),
        ("select * from writ.audit_event", "42501"), ("select writ.replay(1)", "42501"),
        ("select writ.cancel(1)", "42501"), ("select writ.publish_job_type('{}')", "42501"),
        ("select writ.grant_job_type('ping', 'app_one')", "42501"),
        ("select writ_worker.sweep(1)", "42501"),
        (
          "select writ_data.add_job(\(Array(repeating: "null", count: 15).joined(separator: ",")))",
          "42501"
        ),
        ("select writ_data.enqueue_ping(null,null,null,null,null,null,null)", "42501"),
        ("create table writ.mine ()", "42501"), ("select writ.digest('x')", "42501"),
        ("delete from writ_data.audit_event", "42501"),
      ]
      for (sql, state) in denials {
        #expect(try await database.refusal(sql, as: "app_one").sqlState == state, "\(sql)")
      }
      let refused = try await database.refusal(
        "select writ.enqueue('ping', '{}')", as: "app_one")
      #expect(refused.serverMessage == "ping: this role may not order jobs of this type")
      try await database.asRole("app_one") { pool in
        let rows = try await pool.query("select state from writ.status($1)", [.int(id)])
        #expect(try rows[0].decode(0) == "available")
      }
      #expect(
        try await database.refusal("select * from writ.status(\(id))", as: "app_two").sqlState
          == "WR008")
      #expect(
        try await database.refusal("select writ.ping()", as: "stranger").sqlState == "42501")
      try await database.store.revoke(jobType: "create_user", from: "app_one")
      #expect(
        try await database.refusal("select writ.create_user('c@b.cd')", as: "app_one").sqlState
          == "42501")
    }
  }

  @Test func `the caller of SET ROLE is the one who is asked and recorded`() async throws {
    try await TestDatabase.with { database in
      let state: String? = try await database.pool.withConnection { connection in
        try connection.execute("set role app_two")
        defer { _ = try? connection.execute("reset role") }
        do throws(PostgresError) {
          _ = try connection.query("select writ.enqueue('ping', '{}')")
          return nil
        } catch {
          return error.sqlState
        }
      }
      #expect(state == "WR007")
    }
  }

  @Test func `an order rolls back with the transaction of its caller`() async throws {
    try await TestDatabase.with { database in
      struct Undo: Error {}
      await #expect(throws: Undo.self) {
        try await database.pool.withTransaction { connection in
          _ = try connection.query("select writ.create_user('a@b.cd', idempotency_key => 'k')")
          throw Undo()
        }
      }
      let left = try await database.number(
        "select (select count(*) from writ_data.job) + (select count(*) from writ_data.idempotency_key)"
          + " + (select count(*) from writ_data.audit_event where job_id is not null)")
      #expect(left == 0)
    }
  }

  @Test func `ten callers with one key make one job`() async throws {
    try await TestDatabase.with { database in
      let ids = try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<10 {
          group.addTask {
            try await database.number(
              "select writ.create_user('a@b.cd', idempotency_key => 'one')")
          }
        }
        return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
      }
      #expect(ids.count == 1)
      #expect(try await database.number("select count(*) from writ_data.job") == 1)
    }
  }
}
