// Idempotency keys: whose they are, and how long one stands for its job.

import JSON
import Postgres
import Testing

@testable import JobStore

@Suite struct IdempotencyTests {
  /// Orders with the key `k` and gives the number of the job.
  private func order(_ database: TestDatabase) async throws -> Int {
    try await database.number("select writ.create_user('a@b.cd', idempotency_key => 'k')")
  }

  @Test func `a key is free again at the end of its window, swept or not`() async throws {
    try await TestDatabase.with { database in
      let first = try await order(database)
      let window = try await database.number(
        "select extract(epoch from free_at - taken_at)::int from writ_data.idempotency_key")
      #expect(window == 30 * 86_400)
      try await database.sql(
        "update writ_data.idempotency_key set free_at = clock_timestamp() + interval '1 hour'")
      #expect(try await order(database) == first)
      try await database.sql("update writ_data.idempotency_key set free_at = clock_timestamp()")
      let second = try await order(database)
      #expect(second > first)
      #expect(try await order(database) == second)
      #expect(try await database.number("select count(*) from writ_data.idempotency_key") == 1)
      #expect(
        try await database.number(
          "select extract(epoch from free_at - taken_at)::int from writ_data.idempotency_key")
          == window)
    }
  }

  @Test func `the window is the type's own`() async throws {
    try await TestDatabase.with { database in
      let type = JobTypes.type(
        "brief", hash: "97", inputs: [["name": "text", "kind": "string"]], subject: nil,
        replay: "safe", keyWindowSeconds: 90)
      try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      _ = try await database.number("select writ.brief('a', idempotency_key => 'k')")
      #expect(
        try await database.number(
          "select extract(epoch from free_at - taken_at)::int from writ_data.idempotency_key")
          == 90)
      let error = try await database.refusal("select writ.brief('b', idempotency_key => 'k')")
      #expect(error.sqlState == "WR006")
      try await database.sql("update writ_data.idempotency_key set free_at = clock_timestamp()")
      _ = try await database.number("select writ.brief('b', idempotency_key => 'k')")
    }
  }

  @Test func `of ten callers who find a key free again, one makes the job`() async throws {
    try await TestDatabase.with { database in
      for round in 1...5 {
        _ = try await order(database)
        try await database.sql("update writ_data.idempotency_key set free_at = clock_timestamp()")
        let ids = try await withThrowingTaskGroup(of: Int.self) { group in
          for _ in 0..<10 { group.addTask { try await order(database) } }
          return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        #expect(try await database.number("select count(*) from writ_data.job") == 2 * round)
        try await database.sql("delete from writ_data.idempotency_key")
      }
    }
  }

  @Test func `each role has keys of its own`() async throws {
    try await TestDatabase.with { database in
      for role in ["app_one", "app_two"] {
        try await database.store.grant(jobType: "create_user", to: role)
      }
      var ids: Set<Int> = []
      for (role, email) in [("app_one", "a@b.cd"), ("app_two", "other@b.cd")] {
        for _ in 0..<2 {
          let id: Int = try await database.asRole(role) { pool in
            try await pool.query(
              Statement(sql: "select writ.create_user($1, idempotency_key => 'k')"),
              [.text(email)])[0].decode(0)
          }
          ids.insert(id)
        }
      }
      #expect(ids.count == 2)
    }
  }

  @Test func `who repeats an order gets its number also when its time is over`() async throws {
    try await TestDatabase.with { database in
      let call = "select writ.create_user('a@b.cd', idempotency_key => 'k', expires_at => now()"
      let id = try await database.number("\(call) + interval '1 hour')")
      #expect(try await database.number("\(call) - interval '1 hour')") == id)
    }
  }
}
