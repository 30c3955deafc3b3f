// Orders in bulk: the same checks and the same rows as single orders, all or nothing.

import JSON
import Postgres
import Testing

@testable import JobStore

@Suite struct BulkTests {
  @Test(arguments: [1, 2, 3, 4])
  func `a row is stored, or refused, exactly as a single order of it`(seed: UInt64) async throws {
    try await TestDatabase.with { database in
      var rows = RandomRows(seed: seed)
      for number in 1...60 {
        let (type, row, options) = rows.next()
        let single = try await outcome(database) { connection in
          let payload = JSONObject(row.filter { !options.contains($0.0) })
          _ = try connection.query(
            """
            select writ.enqueue(
              $1, $2::jsonb, priority => ($3::jsonb ->> 'priority')::int,
              run_at => ($3::jsonb ->> 'run_at')::timestamptz,
              expires_at => ($3::jsonb ->> 'expires_at')::timestamptz,
              idempotency_key => $3::jsonb ->> 'idempotency_key')
            """,
            [
              .text(type), .json(JSONValue.object(payload).serialized()),
              .json(JSONValue.object(JSONObject(row)).serialized()),
            ])
        }
        let bulk = try await outcome(database) { connection in
          _ = try connection.query(
            "select * from writ.enqueue_many($1, $2::jsonb)",
            [.text(type), .json(JSONValue.array([.object(JSONObject(row))]).serialized())])
        }
        #expect(
          bulk.replacing("\(type): row 1: ", with: "\(type): ") == single,
          "seed \(seed), order \(number)")
      }
    }
  }

  /// What an order leaves behind, or says; it is rolled back.
  private func outcome(
    _ database: TestDatabase,
    _ order: @escaping @Sendable (isolated PostgresConnection) throws -> Void
  ) async throws -> String {
    struct Stored: Error { var text: String }
    do {
      try await database.pool.withTransaction { connection in
        try order(connection)
        let row = try connection.query(
          """
          select string_agg(
                   (to_jsonb(j) - '{id,claim_order,enqueued_at,batch_id}'::text[]
                     || case when j.state = 'available' then '{"run_at": 0}' else '{}' end::jsonb
                     || jsonb_build_object('event', (
                          select to_jsonb(e) - '{id,occurred_at,job_id}'::text[]
                            from writ_data.audit_event as e
                           where e.job_id = j.id
                        )))::text, E'\\n')
            from writ_data.job as j
          """)[0]
        throw Stored(text: try row.decode(0))
      }
      return ""
    } catch let stored as Stored {
      return stored.text
    } catch let error as PostgresError {
      return "\(error.sqlState ?? "") \(error.column ?? "") \(error.serverMessage ?? "") "
        + "\(error.hint ?? "")"
    }
  }

  @Test func `many rows become one batch, in the order of the rows`() async throws {
    try await TestDatabase.with { database in
      let receipt = try await database.sql(
        """
        select m.* from writ.enqueue_many('create_user', (
          select jsonb_agg(jsonb_build_object('email', 'u' || n || '@b.cd') order by n)
            from generate_series(1, 25000) as n), priority => 3) as m
        """)[0]
      #expect(try receipt.decode("jobs") == 25_000)
      #expect(try receipt.decode("known") == 0)
      let wrong = try await database.number(
        """
        select count(*) from (
          select payload ->> 'email' = 'u' || row_number() over (order by id) || '@b.cd'
                 and priority = 3 and claim_order > lag(claim_order) over (order by id) as is_right
            from writ_data.job where batch_id = $1) as j
         where not is_right
        """, [.int(try receipt.decode("batch"))])
      #expect(wrong == 0)
      let events = try await database.number(
        "select count(*) from writ.audit_event where event = 'enqueued'")
      #expect(events == 25_000)
    }
  }

  @Test func `each wrong row is named, and nothing is stored`() async throws {
    try await TestDatabase.with { database in
      let error = try await database.refusal(
        """
        select writ.enqueue_many('create_user', '[{"email": "a@b.cd"}, {"email": "hunter2"},
          {"email": "a@b.cd", "name": "hunter2hunter2"}, {"email": "a@b.cd", "priority": 10},
          {"email": "a@b.cd", "run_at": "hunter2"}, {"email": "a@b.cd", "hunter2": 1}, "hunter2",
          {"email": "a@b.cd", "name": "sk_0123456789ab_0a0a0a0a0a"}, {}, null]')
        """)
      #expect(error.sqlState == "WR001")
      #expect(error.column == "email")
      #expect(
        error.serverMessage
          == "create_user: row 2: email must be an e-mail address (and 8 more wrong rows)")
      let faults = try await database.store.checkMany(
        type: "create_user",
        rows: [
          #"{"email": "a@b.cd"}"#, "{", #"{"email": "a@b.cd", "idempotency_key": ""}"#,
          #"{"email": "a@b.cd", "expires_at": "2020-01-01T00:00:00Z"}"#, "7",
        ])
      #expect(faults.map(\.row) == [2, 3, 4, 5])
      #expect(faults.map(\.field) == ["payload", "idempotency_key", "expires_at", "payload"])
      #expect(faults[0].message == "create_user: payload must be a JSON object")
      let left = try await database.number(
        "select (select count(*) from writ.job) + (select count(*) from writ_data.batch)")
      #expect(left == 0)
    }
  }

  @Test func `at most a hundred wrong rows are listed`() async throws {
    try await TestDatabase.with { database in
      let two = try await database.refusal("select writ.enqueue_many('create_user', '[{}, {}]')")
      #expect(
        two.serverMessage == "create_user: row 1: email is required (and 1 more wrong row)")
      let error = try await database.refusal(
        "select writ.enqueue_many('create_user', (select jsonb_agg('{}'::jsonb) from generate_series(1, 300)))"
      )
      #expect(
        error.serverMessage
          == "create_user: row 1: email is required (and 99 more wrong rows or more)")
    }
  }

  @Test func `a call without rows, with too many, or with no list is refused or is an empty batch`()
    async throws
  {
    try await TestDatabase.with { database in
      for payloads in ["'{}'", "'hunter2'", "null::jsonb", "'null'::jsonb"] {
        let error = try await database.refusal(
          "select writ.enqueue_many('create_user', \(payloads))")
        #expect(error.sqlState == "WR001")
        #expect(error.serverMessage == "create_user: payloads must be a list of objects")
      }
      let tooMany = try await database.refusal(
        "select writ.enqueue_many('ping', array_fill('{}'::text, array[100001]))")
      #expect(tooMany.serverMessage == "ping: payloads must have at most 100000 rows")
      for nothing in ["'[]'", "'[]'::jsonb", "'{}'::text[]"] {
        let receipt = try await database.sql(
          "select batch, jobs, known from writ.enqueue_many('ping', \(nothing))")[0]
        #expect(try receipt.decode("jobs") == 0)
        #expect(try receipt.decode("known") == 0)
        let batch = try await database.store.batch(try receipt.decode("batch"))
        #expect(batch.state == "closed")
        #expect(batch.jobs == 0)
      }
    }
  }

  @Test func `options of the call hold for all rows, and are checked`() async throws {
    try await TestDatabase.with { database in
      for (option, column) in [
        ("priority => 10", "priority"), ("queue => 'Hunter2 !'", "queue"),
        ("environment => 'hunter2'", "environment"), ("run_at => 'infinity'", "run_at"),
        ("traceparent => 'hunter2'", "traceparent"),
      ] {
        let error = try await database.refusal(
          "select writ.enqueue_many('ping', '[{}]', \(option))")
        #expect(error.column == column)
        #expect(!(error.serverMessage ?? "").contains("unter2"))
      }
      try await database.sql(
        """
        select writ.enqueue_many('ping', '[{}, {"priority": 1, "run_at": null}]', priority => 8,
          run_at => '2100-01-01', queue => 'slow')
        """)
      let stored = try await database.sql(
        "select priority::int as priority from writ.job where queue = 'slow' and state = 'scheduled'"
          + " order by id")
      #expect(try stored.map { try $0.decode("priority", as: Int.self) } == [8, 1])
    }
  }

  @Test func `a key that was used before gives the job that it stands for`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        "select writ.create_user(email => 'a@b.cd', idempotency_key => 'one')")
      let receipt = try await database.sql(
        """
        select * from writ.enqueue_many('create_user', '[
          {"email": "a@b.cd", "idempotency_key": "one"}, {"email": "c@d.ef", "idempotency_key": "two"},
          {"email": "c@d.ef", "idempotency_key": "two"}, {"email": "a@b.cd"}]')
        """)[0]
      #expect(try receipt.decode("jobs") == 2)
      #expect(try receipt.decode("known") == 2)
      #expect(try await database.number("select count(*) from writ.job") == 3)
      let clash = try await database.refusal(
        """
        select writ.enqueue_many('create_user', '[{"email": "x@y.zz"},
          {"email": "x@y.zz", "idempotency_key": "one"}]')
        """)
      #expect(clash.sqlState == "WR006")
      #expect(clash.column == "idempotency_key")
      #expect(
        clash.serverMessage
          == "create_user: row 2: idempotency_key was used before with another payload")
      #expect(try await database.number("select count(*) from writ.job") == 3)
    }
  }

  @Test func `who may not order a type cannot order it in bulk, and nobody joins another's batch`()
    async throws
  {
    try await TestDatabase.with { database in
      try await database.sql("select writ.grant_job_type('ping', 'app_one')")
      try await database.sql("select writ.grant_job_type('ping', 'app_two')")
      let forbidden = try await database.refusal(
        "select writ.enqueue_many('create_user', '[]')", as: "app_one")
      #expect(forbidden.sqlState == "WR007")
      let checking = try await database.refusal(
        "select writ.check_many('create_user', '{}')", as: "app_one")
      #expect(checking.sqlState == "WR007")
      let stranger = try await database.refusal(
        "select writ.enqueue_many('ping', '[]')", as: "stranger")
      #expect(stranger.sqlState == "42501")
      let callback = try await database.refusal(
        "select writ.create_batch('limited', '{}')", as: "app_one")
      #expect(callback.sqlState == "WR007")
      let batch: Int = try await database.asRole("app_one") { pool in
        try await pool.query("select writ.create_batch()")[0].decode(0)
      }
      for call in [
        "writ.enqueue_many('ping', '[{}]', batch_id => \(batch))", "writ.batch_status(\(batch))",
        "writ.close_batch(\(batch))", "writ.batch_jobs(\(batch))",
      ] {
        let error = try await database.refusal("select \(call)", as: "app_two")
        #expect(error.sqlState == "WR008")
        #expect(error.serverMessage == "there is no such batch, or another role made it")
      }
      let seen = try await database.asRole("app_two") { pool in
        try await pool.query("select id from writ.batches()").count
      }
      #expect(seen == 0)
      let auditor = try await database.asRole("the_auditor") { pool in
        try await pool.query("select id from writ.batches()").count
      }
      #expect(auditor == 1)
    }
  }

  @Test func `what a caller puts into its search path or its temporary schema is never run`()
    async throws
  {
    try await TestDatabase.with { database in
      try await database.sql("select writ.grant_job_type('create_user', 'app_one')")
      try await database.sql("grant create on schema public to app_one")
      try await database.asRole("app_one") { pool in
        try await pool.withTransaction { connection in
          try connection.executeScript(
            """
            create function public.unnest(jsonb[]) returns setof jsonb language plpgsql
              as $$ begin raise exception 'hostile'; end $$;
            create function public.jsonb_typeof(jsonb) returns text language plpgsql
              as $$ begin raise exception 'hostile'; end $$;
            create function public.minus(jsonb, text[]) returns jsonb language plpgsql
              as $$ begin raise exception 'hostile'; end $$;
            create operator public.- (leftarg = jsonb, rightarg = text[], function = public.minus);
            create temp table job (id int);
            create temp table batch (id int);
            set local search_path = public, pg_temp, pg_catalog;
            """)
          let jobs: Int = try connection.query(
            "select jobs from writ.enqueue_many('create_user', array['{\"email\": \"a@b.cd\"}'])")[
              0
            ]
            .decode(0)
          #expect(jobs == 1)
        }
      }
      #expect(try await database.number("select count(*) from writ_data.job") == 1)
    }
  }

  @Test func `a call of another transaction that rolls back leaves nothing`() async throws {
    try await TestDatabase.with { database in
      struct Regret: Error {}
      await #expect(throws: Regret.self) {
        try await database.pool.withTransaction { connection in
          _ = try connection.query(
            """
            select writ.enqueue_many('ping', '[{"idempotency_key": "k"}, {}]',
              batch_id => writ.create_batch('ping', '{}'), closes_batch => true)
            """)
          throw Regret()
        }
      }
      let left = try await database.number(
        """
        select (select count(*) from writ_data.job) + (select count(*) from writ_data.batch)
               + (select count(*) from writ_data.idempotency_key)
               + (select count(*) from writ_data.audit_event where job_id is not null)
        """)
      #expect(left == 0)
    }
  }
}

/// Rows of two types, some right, most with something odd in them.
private struct RandomRows {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  private mutating func random(_ count: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state % UInt64(count))
  }

  private mutating func one(_ values: [JSONValue]) -> JSONValue { values[random(values.count)] }

  mutating func next() -> (
    type: String, row: [(String, JSONValue)], options: Set<String>
  ) {
    let id: JSONValue = "0a000000-0000-4000-8000-000000000001"
    let odd: [JSONValue] = [
      .null, "", 7, -1.5, true, [], ["a": 1], "sk_0123456789ab_0a0a0a0a0a0a", "x\n\u{1}y",
      .string(String(repeating: "ä", count: 70_000)), 1e30, "2030-02-30T00:00:00Z",
    ]
    var row: [(String, JSONValue)] = []
    let isUser = random(2) == 0
    if isUser {
      row.append(("email", one(["Ada@EXAMPLE.com", " a@b.cd ", "ada", "a@b"])))
      if random(2) == 0 { row.append(("name", one(["Ada", "A", "Ada Lovelace", "Grace"]))) }
      if random(2) == 0 { row.append(("plan", one(["free", "pro", "gold"]))) }
    } else {
      row.append(("user_id", one([id, id, "0A000000-0000-4000-8000-000000000001", "1"])))
      row.append(("plan", one(["pro", "pro", ""])))
      let more: [(String, [JSONValue])] = [
        ("seats", [1, 5, 100, 0, 101, 5.0, 5.5, "5"]), ("ratio", [1.5, 0, "1"]),
        ("ends_at", ["2027-01-31T12:00:00+02:00", "2027-01-31"]),
        ("tags", [["a"], ["a", "b"], [], ["a", "b", "c"], ["a", .null], [1]]),
        ("members", [[id], ["x"], []]), ("sizes", [[1, 2], [1.5], ["1"], [1, .null]]),
        ("notify", [true, false, "true"]), ("link", ["https://example.com/x", "no uri"]),
        ("code", ["ABC", "abc"]), ("extra", [["a": .null], 5, "text", [1, [2]]]),
        ("details", [["a": .null], .object(JSONObject()), 5, [["a": 1]], .null]),
        ("lines", [[["a": 1]], [], ["a": 1], "text"]),
      ]
      for (name, values) in more where random(3) == 0 { row.append((name, one(values))) }
    }
    if random(4) == 0 { row[random(row.count)].1 = one(odd) }
    if random(10) == 0 { row.append(("unknown", 1)) }
    var options: Set<String> = []
    let settings: [(String, [JSONValue])] = [
      ("priority", [0, 9, 3, 10, -1]),
      ("run_at", ["2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]),
      ("expires_at", ["2100-06-01T00:00:00Z", "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"]),
      ("idempotency_key", ["order 7", "", "a\tb", "sk_0123456789ab_0a0a0a0a0a0a"]),
    ]
    for (name, values) in settings where random(6) == 0 {
      row.append((name, one(values)))
      options.insert(name)
    }
    return (isUser ? "create_user" : "change_plan", row, options)
  }
}
