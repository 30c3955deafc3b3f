// The person for whom a gateway acts: what the setting writ.actor may say, in every function that keeps it.

import JSON
import JobModel
import Postgres
import Testing

@testable import JobStore

@Suite(.timeLimit(.minutes(2))) struct ActorTests {
  /// A call of each function that writes down who acts; each can be done once.
  private struct Calls {
    var texts: [String]

    /// Makes what they act on.
    init(_ database: TestDatabase) async throws {
      let worker = try await database.worker()
      func claimed(_ address: String) async throws -> ClaimedJob {
        try await database.sql("select writ.create_user($1)", [.text(address)])
        return try #require(try await database.claim(worker).first)
      }
      let discarded = try await claimed("discarded@b.cd")
      try await database.record(worker, discarded, .discard(JobRecord.failure))
      let asking = try await claimed("asking@b.cd")
      try await database.record(
        worker, asking,
        .userAction(
          UserActionRequest(
            url: "https://auth.example/1", delay: .seconds(30), deadline: .seconds(3_600),
            error: JobError(code: "LINK", text: "The user has to act.", step: "ask"))))
      try await database.sql(
        "update writ_data.job set waiting_since = waiting_since - interval '1 minute' where id = $1",
        [.int(asking.id)])
      let running = try await claimed("running@b.cd")
      let waiting = try await database.number("select writ.create_user('waiting@b.cd')")
      for name in ["removed", "paused", "resumed"] {
        try await database.store.addSchedule(
          type: "ping", name: name, try ScheduleTests.policy("0 3 * * *"))
      }
      try await database.store.pauseSchedule("resumed")
      try await database.sql("select writ.set_limit('ping', concurrency => 7)")
      try await database.sql("select writ.grant_job_type('ping', 'app_two')")
      try await database.sql(
        """
        insert into writ_data.circuit
        select clock_timestamp(), interval '10 s', $1::bigint, 3, name, 'authos', 'bad_gateway'
          from writ_data.environment where is_default
        """, [.int(worker)])
      let spec = try ScheduleTests.spec("0 4 * * *")
      let type = JobTypes.createUser(hash: "ef").serialized()
      texts = [
        "writ.create_user('typed@b.cd')",
        #"writ.enqueue('create_user', '{"email": "untyped@b.cd"}')"#,
        #"writ.enqueue_many('create_user', '[{"email": "row@b.cd"}]')"#,
        "writ.create_batch()",
        #"writ.create_batch('create_user', '{"email": "callback@b.cd"}')"#,
        "writ.replay(\(discarded.id))", "writ.cancel(\(waiting))", "writ.cancel(\(running.id))",
        "writ.check_now(\(asking.id))", "writ.set_limit('ping', concurrency => 1)",
        "writ.clear_limit('ping')", "writ.close_circuit('authos')",
        "writ.publish_job_type('\(type)')",
        "writ.grant_job_type('ping', 'app_one')", "writ.revoke_job_type('ping', 'app_two')",
        "writ.create_environment('staging')", "writ.create_environment('staging', true)",
        "writ.add_schedule('ping', 'added', '\(spec)')", "writ.remove_schedule('removed')",
        "writ.pause_schedule('paused')", "writ.resume_schedule('resumed')",
      ]
    }

    var names: Set<Substring> { Set(texts.compactMap { $0.split(separator: "(").first }) }
  }

  private func call(_ text: String, as actor: String, _ database: TestDatabase) async throws {
    try await database.pool.withTransaction { connection in
      _ = try connection.query("select set_config('writ.actor', $1, true)", [.text(actor)])
      _ = try connection.query(Statement(sql: "select \(text)"))
    }
  }

  @Test(arguments: [
    "sk_0123456789ab_canary0123456789abcdef", "Ada, with Bearer canary0123456789",
    String(repeating: "canary", count: 34),
  ])
  func `one that looks like a secret or is too long is refused, and nothing is done`(
    actor: String
  ) async throws {
    try await TestDatabase.with { database in
      let calls = try await Calls(database)
      let before = try await database.number("select count(*) from writ.audit_event")
      for text in calls.texts {
        let error = try await #require(throws: PostgresError.self, "\(text)") {
          try await call(text, as: actor, database)
        }
        #expect(error.sqlState == "WR003", "\(text)")
        #expect(error.column == "actor", "\(text)")
        #expect(
          error.serverMessage?.hasSuffix(
            "the setting writ.actor must name a person in at most 200 characters") == true,
          "\(text): \(error)")
        #expect(!"\(error)".contains("canary"), "\(text)")
      }
      #expect(try await database.number("select count(*) from writ.audit_event") == before)
    }
  }

  @Test func `one that names a person is in the trail with whatever was done`() async throws {
    try await TestDatabase.with { database in
      let calls = try await Calls(database)
      let actor = String(repeating: "ä", count: 200)
      for text in calls.texts {
        let before = try await database.number("select coalesce(max(id), 0) from writ.audit_event")
        try await call(text, as: actor, database)
        let recorded = try await database.number(
          "select count(*) from writ.audit_event where id > $1 and actor = $2",
          [.int(before), .text(actor)])
        #expect(recorded >= 1, "\(text)")
      }
    }
  }

  /// Whoever writes a function that records the actor finds it here.
  @Test func `the calls above are of all functions that read the setting`() async throws {
    try await TestDatabase.with { database in
      let names = try await Calls(database).names
      let reading = try await database.sql(
        """
        with recursive function as (
          select p.oid, n.nspname || '.' || p.proname as name, p.prosrc as text
            from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
           where n.nspname in ('writ', 'writ_data')
        ), reading (oid, name) as (
          select f.oid, f.name from function as f where f.name = 'writ_data.actor'
          union
          select f.oid, f.name
            from reading as r join function as f
              on position(r.name || '(' in f.text) > 0
        )
        select distinct r.name from reading as r
         where r.name like 'writ.%'
           and substr(r.name, 6) not in (select t.name from writ_data.job_type as t)
        """
      ).map { try $0.decode("name", as: String.self) }
      #expect(reading.count >= 10)
      for name in reading { #expect(names.contains(Substring(name)), "\(name)") }
    }
  }
}
