// Wrong calls: each gets its SQLSTATE, one sentence, and never a word of what was passed.

import Postgres
import Testing

struct WrongCall: Sendable, CustomTestStringConvertible {
  let sql: String
  let state: String
  let message: String

  init(_ sql: String, _ state: String, _ message: String) {
    self.sql = sql
    self.state = state
    self.message = message
  }

  var testDescription: String { message }
}

private let user = "0a000000-0000-4000-8000-00000000c0de"

/// Every day at three, with a change.
private func schedule(_ change: String, name: String = "nightly") -> String {
  """
  writ.add_schedule('ping', '\(name)', '{"cron": "0 3 * * *", "minutes": [0], "hours": [3],
    "days": [1, 15, 30], "months": [1, 2, 12], "weekdays": [0, 1, 2, 3, 4, 5, 6]}'::jsonb || \(change))
  """
}

@Suite struct RefusalTests {
  static let calls: [WrongCall] = [
    .init("writ.create_user()", "WR001", "create_user: email is required"),
    .init("writ.create_user(email => null)", "WR001", "create_user: email is required"),
    .init(
      "writ.create_user(email => 'canary at example.com')", "WR001",
      "create_user: email must be an e-mail address"),
    .init(
      "writ.create_user(email => 'canary@-example.com')", "WR001",
      "create_user: email must be an e-mail address"),
    .init(
      "writ.create_user(email => E'canary\\n@example.com')", "WR001",
      "create_user: email must be an e-mail address"),
    .init(
      "writ.create_user(email => repeat('a', 65) || '@canary.com')", "WR001",
      "create_user: email must be an e-mail address"),
    .init(
      "writ.create_user('a@b.cd', name => 'c')", "WR001",
      "create_user: name must have at least 2 characters"),
    .init(
      "writ.create_user('a@b.cd', name => 'canary canary')", "WR001",
      "create_user: name must have at most 10 characters"),
    .init(
      "writ.create_user('a@b.cd', plan => 'canary')", "WR001",
      "create_user: plan must be one of free, pro"),
    .init(
      "writ.change_plan(user_id => 'canary', plan => 'pro')", "WR001",
      "change_plan: user_id must be a UUID"),
    .init("writ.change_plan(user_id => '\(user)')", "WR001", "change_plan: plan is required"),
    .init("writ.change_plan(plan => 'canary')", "WR001", "change_plan: user_id is required"),
    .init(
      "writ.change_plan(user_id => '\(user)'::uuid, plan => 'p', seats => 4711)", "WR001",
      "change_plan: seats must be at most 100"),
    .init(
      "writ.change_plan(user_id => '\(user)'::uuid, plan => 'p', seats => -4711)", "WR001",
      "change_plan: seats must be at least 1"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', ends_at => '2026-02-30T00:00:00Z')",
      "WR001", "change_plan: ends_at must be a date and time with an offset"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', ends_at => 'canary')", "WR001",
      "change_plan: ends_at must be a date and time with an offset"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', tags => '{}'::text[])", "WR001",
      "change_plan: tags must have at least 1 element"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', tags => array['canary', 'b', 'c'])",
      "WR001", "change_plan: tags must have at most 2 elements"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', tags => array['canary', null])",
      "WR001", "change_plan: tags must be a list of texts"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', link => 'canary')", "WR001",
      "change_plan: link must be an absolute URI"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', code => 'canary')", "WR001",
      "change_plan: code must match the pattern ^[A-Z]{3}$"),
    .init(
      "writ.change_plan(user_id => '\(user)', plan => 'p', extra => '{\"canary\"')", "WR001",
      "change_plan: extra must be JSON"),
    .init(
      "writ.enqueue('create_user', '{\"canary\"')", "WR001",
      "create_user: payload must be a JSON object"),
    .init(
      "writ.enqueue('create_user', '[\"canary\"]'::jsonb)", "WR001",
      "create_user: payload must be a JSON object"),
    .init("writ.enqueue('create_user', '{}')", "WR001", "create_user: email is required"),
    .init(
      "writ.enqueue('create_user', '{\"email\": 4711}')", "WR001",
      "create_user: email must be an e-mail address"),
    .init(
      "writ.enqueue('create_user', '{\"email\": \"a@b.cd\", \"colour\": \"canary\"}')", "WR001",
      "create_user: unknown field colour"),
    .init(
      "writ.enqueue('create_user', '{\"email\": \"a@b.cd\", \"canary@example.com\": 1}')", "WR001",
      "create_user: a field of the payload is not known"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"seats\": 1.5}')",
      "WR001", "change_plan: seats must be an integer"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"seats\": \"canary\"}')",
      "WR001", "change_plan: seats must be an integer"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"seats\": 1e30}')",
      "WR001", "change_plan: seats must be an integer"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"notify\": \"canary\"}')",
      "WR001", "change_plan: notify must be true or false"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"ratio\": \"canary\"}')",
      "WR001", "change_plan: ratio must be a number"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"members\": [\"canary\"]}')",
      "WR001", "change_plan: members must be a list of UUIDs"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"members\": [4711]}')",
      "WR001", "change_plan: members must be a list of UUIDs"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"sizes\": [\"canary\"]}')",
      "WR001", "change_plan: sizes must be a list of integers"),
    .init(
      "writ.enqueue('change_plan', jsonb_build_object('user_id', '\(user)', 'plan', repeat('canary', 20000)))",
      "WR001", "change_plan: payload must have at most 65536 bytes"),
    .init("writ.enqueue('nothing', '{}')", "WR002", "there is no job type nothing"),
    .init("writ.enqueue('canary@example', '{}')", "WR002", "the job type is not known"),
    .init(
      "writ.create_user('a@b.cd', priority => 4711)", "WR003",
      "create_user: priority must be from 0 to 9"),
    .init(
      "writ.create_user('a@b.cd', queue => 'Canary Queue')", "WR003",
      "create_user: queue must be the name of a queue"),
    .init(
      "writ.create_user('a@b.cd', run_at => 'infinity')", "WR003",
      "create_user: run_at must be a finite time before the year 10000"),
    .init(
      "writ.create_user('a@b.cd', expires_at => now() - interval '4711 s')", "WR003",
      "create_user: expires_at must be in the future"),
    .init(
      "writ.create_user('a@b.cd', expires_at => now() + '1 day', run_at => now() + '1 day')",
      "WR003", "create_user: expires_at must be later than run_at"),
    .init(
      "writ.enqueue('ping', '{}', expires_at => 'infinity')", "WR003",
      "ping: expires_at must be a finite time before the year 10000"),
    .init(
      "writ.create_user('a@b.cd', run_at => '10000-01-01T00:00:00Z')", "WR003",
      "create_user: run_at must be a finite time before the year 10000"),
    .init(
      "writ.change_plan('\(user)', 'p', details => '4711')", "WR001",
      "change_plan: details must be an object"),
    .init(
      "writ.change_plan('\(user)', 'p', details => 'canary')", "WR001",
      "change_plan: details must be an object"),
    .init(
      "writ.change_plan(user_id => '\(user)'::uuid, plan => 'p', details => '[\"canary\"]'::jsonb)",
      "WR001", "change_plan: details must be an object"),
    .init(
      "writ.change_plan('\(user)', 'p', lines => '{\"canary\": 1}')", "WR001",
      "change_plan: lines must be a list"),
    .init(
      "writ.enqueue('change_plan', '{\"user_id\": \"\(user)\", \"plan\": \"p\", \"details\": \"canary\"}')",
      "WR001", "change_plan: details must be an object"),
    .init(
      "writ.enqueue_many('change_plan', '[{\"user_id\": \"\(user)\", \"plan\": \"p\", \"lines\": 4711}]')",
      "WR001", "change_plan: row 1: lines must be a list"),
    .init(
      "writ.change_plan('\(user)', 'p', details => (repeat('{\"a\":', 101) || '1' || repeat('}', 101))::jsonb)",
      "WR001", "change_plan: details must be nested at most 100 levels deep"),
    .init(
      "writ.change_plan('\(user)', 'p', extra => (repeat('[', 102) || repeat(']', 102))::jsonb)",
      "WR001", "change_plan: extra must be nested at most 100 levels deep"),
    .init(
      "writ.create_user('a@b.cd', traceparent => '00-canary-01')", "WR003",
      "create_user: traceparent must have the form of W3C Trace Context"),
    .init(
      "writ.create_user('a@b.cd', idempotency_key => repeat('canary', 50))", "WR003",
      "create_user: idempotency_key must have 1 to 200 characters, none of them a control character"
    ),
    .init(
      "writ.create_user('a@b.cd', environment => 'canary')", "WR004",
      "create_user: environment is not known"),
    .init(
      "writ.change_plan('\(user)', 'sk_0123456789ab_canary0123456789abcdef')", "WR005",
      "change_plan: plan looks like a secret"),
    .init(
      "writ.change_plan('\(user)', 'eyJhbGciOiJI.eyJzdWIiOiJj.c2lnbmF0dXJl')", "WR005",
      "change_plan: plan looks like a secret"),
    .init(
      "writ.change_plan('\(user)', 'Bearer canary0123456789')", "WR005",
      "change_plan: plan looks like a secret"),
    .init(
      "writ.change_plan('\(user)', 'AKIACANARYCANARY1234')", "WR005",
      "change_plan: plan looks like a secret"),
    .init(
      "writ.change_plan('\(user)', 'p', extra => '{\"a\": [\"-----BEGIN RSA PRIVATE KEY-----\"]}')",
      "WR005", "change_plan: extra looks like a secret"),
    .init(
      "writ.create_user('a@b.cd', idempotency_key => 'ghp_canary0123456789abcdefABCDEF0123456789')",
      "WR005", "create_user: idempotency_key looks like a secret"),
    .init("writ.status(4711)", "WR008", "there is no such job, or another role ordered it"),
    .init("writ.replay(4711)", "WR008", "there is no such job"),
    .init("writ.cancel(4711)", "WR008", "there is no such job"),
    .init(
      "writ.create_environment('Canary')", "WR003",
      "create_environment: name must be the name of an environment"),
    .init("writ.grant_job_type('ping', 'canary')", "WR003", "ping: there is no such role"),
    .init("writ.set_limit('canary')", "WR002", "limit: the job type is not known"),
    .init("writ.clear_limit('canary')", "WR002", "limit: the job type is not known"),
    .init(
      "writ.set_limit('ping', environment => 'canary')", "WR004", "limit: environment is not known"),
    .init(
      "writ.set_limit('ping', concurrency => -4711)", "WR003",
      "limit: concurrency must be from 0 to 100000"),
    .init(
      "writ.set_limit('ping', rate => 0, per => '1 s')", "WR003",
      "limit: rate must be from 1 to 100000"),
    .init(
      "writ.set_limit('ping', rate => 4711)", "WR003",
      "limit: rate and per belong together, and per is from 1 millisecond to 31 days"),
    .init(
      "writ.set_limit('ping', rate => 1, per => '4711 days')", "WR003",
      "limit: rate and per belong together, and per is from 1 millisecond to 31 days"),
    .init("writ.grant_job_type('canary', 'app_one')", "WR002", "the job type is not known"),
    .init("writ.batches(0)", "WR003", "batches: max_batches must be at least 1"),
    .init("writ.batches(-4711)", "WR003", "batches: max_batches must be at least 1"),
    .init(
      "writ.batch_jobs(4711, max_jobs => 0)", "WR003", "batch_jobs: max_jobs must be at least 1"),
    .init(
      "writ.batch_jobs(4711, max_jobs => -4711)", "WR003",
      "batch_jobs: max_jobs must be at least 1"),
    .init(
      "writ.job_rows(4711, at_most => 0)", "WR003", "job_rows: at_most must be at least 1"),
    .init(
      "writ.job_rows(4711, at_most => -4711)", "WR003", "job_rows: at_most must be at least 1"),
    // Names that are secrets.
    .init(
      "writ.enqueue('create_user', '{\"sk_live_canary0123456789\": 1}')", "WR001",
      "create_user: a field of the payload is not known"),
    .init(
      "writ.enqueue_many('create_user', '[{\"sk_live_canary0123456789\": 1}]')", "WR001",
      "create_user: row 1: a field of the payload is not known"),
    .init("writ.enqueue('sk_live_canary0123456789', '{}')", "WR002", "the job type is not known"),
    .init(
      "writ.create_user('a@b.cd', queue => 'sk_live_canary0123456789')", "WR003",
      "create_user: queue must be the name of a queue"),
    .init(
      "writ.create_environment('sk_live_canary0123456789')", "WR003",
      "create_environment: name must be the name of an environment"),
  ]

  /// Whatever a cast or a check of the table would refuse with the value in its words.
  static let schedules: [WrongCall] = [
    .init(schedule(#"'{"minutes": [4711]}'"#), "WR003", "nightly: minutes \(whole(0, 59))"),
    .init(schedule(#"'{"minutes": [-4711]}'"#), "WR003", "nightly: minutes \(whole(0, 59))"),
    .init(schedule(#"'{"hours": ["canary"]}'"#), "WR003", "nightly: hours \(whole(0, 23))"),
    .init(schedule(#"'{"hours": ["3"]}'"#), "WR003", "nightly: hours \(whole(0, 23))"),
    .init(schedule(#"'{"hours": [1e4711]}'"#), "WR003", "nightly: hours \(whole(0, 23))"),
    .init(schedule(#"'{"days": [1.5]}'"#), "WR003", "nightly: days \(whole(1, 31))"),
    .init(schedule(#"'{"days": [0]}'"#), "WR003", "nightly: days \(whole(1, 31))"),
    .init(schedule(#"'{"months": [null]}'"#), "WR003", "nightly: months \(whole(1, 12))"),
    .init(schedule(#"'{"months": [[4711]]}'"#), "WR003", "nightly: months \(whole(1, 12))"),
    .init(schedule(#"'{"weekdays": [7]}'"#), "WR003", "nightly: weekdays \(whole(0, 6))"),
    .init(
      schedule("jsonb_build_object('minutes', array_fill(0, array[4711]))"), "WR003",
      "nightly: minutes \(whole(0, 59))"),
    .init(
      schedule(#"'{"minutes": "canary"}'"#), "WR003",
      "nightly: the schedule needs cron with its fields as lists of numbers"),
    .init(
      schedule(#"'{"weekdays": null}'"#), "WR003",
      "nightly: the schedule needs cron with its fields as lists of numbers"),
    .init(
      schedule(#"'{"cron": 4711}'"#), "WR003",
      "nightly: the schedule needs cron with its fields as lists of numbers"),
    .init(
      "writ.add_schedule('ping', 'nightly', '\"canary\"')", "WR003",
      "nightly: the schedule needs cron with its fields as lists of numbers"),
    .init(
      "writ.add_schedule('ping', 'nightly', null)", "WR003",
      "nightly: the schedule needs cron with its fields as lists of numbers"),
    .init(
      schedule("jsonb_build_object('cron', repeat('canary', 200))"), "WR003",
      "nightly: cron must have at most 1000 characters and be no secret"),
    .init(
      schedule(#"'{"cron": "sk_0123456789ab_canary0123456789abcdef"}'"#), "WR003",
      "nightly: cron must have at most 1000 characters and be no secret"),
    .init(
      schedule("'{}'", name: "sk_0123456789ab_canary0123456789abcdef"), "WR005",
      "the name of the schedule looks like a secret"),
    .init(schedule("'{}'", name: "Canary"), "WR003", "the name of a schedule is not one"),
    .init(
      schedule(#"'{"is_last_day": "canary"}'"#), "WR003",
      "nightly: is_last_day must be true or false"),
    .init(
      schedule(#"'{"matches_either_day": 4711}'"#), "WR003",
      "nightly: matches_either_day must be true or false"),
    .init(schedule(#"'{"inputs": "canary"}'"#), "WR003", "nightly: inputs must be an object"),
    .init(schedule(#"'{"inputs": [4711]}'"#), "WR003", "nightly: inputs must be an object"),
    .init(
      schedule(#"'{"environments": "canary"}'"#), "WR003",
      "nightly: environments must be a list of texts"),
    .init(
      schedule(#"'{"environments": [4711]}'"#), "WR003",
      "nightly: environments must be a list of texts"),
    .init(
      schedule(#"'{"environments": ["canary"]}'"#), "WR004", "ping: environment is not known"),
    .init(schedule(#"'{"priority": 4711}'"#), "WR003", "nightly: priority must be from 0 to 9"),
    .init(
      schedule(#"'{"priority": "canary"}'"#), "WR003", "nightly: priority must be from 0 to 9"),
    .init(schedule(#"'{"missed": "canary"}'"#), "WR003", "nightly: missed must be once or skip"),
    .init(schedule(#"'{"missed": 4711}'"#), "WR003", "nightly: missed must be once or skip"),
    .init(
      schedule(#"'{"time_zone": "canary"}'"#), "WR003",
      "nightly: the time zone is not known to this database"),
    .init(
      schedule(#"'{"queue": "Canary Queue"}'"#), "WR003",
      "ping: queue must be the name of a queue"),
    // Moments that never come.
    .init(
      schedule(#"'{"days": [30, 31], "months": [2]}'"#), "WR003",
      "nightly: the schedule never fires"),
    .init(
      schedule(#"'{"days": [31], "months": [2, 4, 6, 9, 11]}'"#), "WR003",
      "nightly: the schedule never fires"),
    .init(schedule(#"'{"days": []}'"#), "WR003", "nightly: the schedule never fires"),
    .init(schedule(#"'{"weekdays": []}'"#), "WR003", "nightly: the schedule never fires"),
    .init(schedule(#"'{"months": []}'"#), "WR003", "nightly: the schedule never fires"),
    .init(schedule(#"'{"hours": []}'"#), "WR003", "nightly: the schedule never fires"),
    .init(schedule(#"'{"minutes": []}'"#), "WR003", "nightly: the schedule never fires"),
  ]

  private static func whole(_ low: Int, _ high: Int) -> String {
    "must be whole numbers from \(low) to \(high)"
  }

  @Test(.timeLimit(.minutes(2)))
  func `every wrong call gets its own sentence and none of its words`() async throws {
    try await TestDatabase.with { database in
      for call in Self.calls + Self.schedules {
        // The server's full report, as any client could print it.
        let rows = try await database.sql(
          """
          select * from pg_temp.report($call$select \(call.sql)$call$)
          """, before: reporter)
        let (state, message): (String, String) = (
          try rows[0].decode("state"), try rows[0].decode("message")
        )
        let rest: String = try rows[0].decode("rest")
        #expect(state == call.state, "\(call.sql): \(message)")
        #expect(message == call.message, "\(call.sql)")
        #expect(!rest.isEmpty, "\(call.sql) has no hint")
        for value in ["canary", "4711", "c0de", "Canary"] {
          #expect(!message.contains(value), "\(call.sql)")
          #expect(!rest.contains(value), "\(call.sql): \(rest)")
        }
      }
      #expect(try await database.number("select count(*) from writ_data.job") == 0)
      #expect(try await database.number("select count(*) from writ_data.schedule") == 0)
    }
  }

  @Test func `what a schedule leaves out, or says is null, has its default`() async throws {
    try await TestDatabase.with { database in
      let call = schedule(
        #"""
        '{"is_last_day": null, "matches_either_day": null, "inputs": null, "environments": null,
          "priority": null, "missed": null, "time_zone": null, "queue": null}'
        """#)
      try await database.sql("select \(call)")
      let row = try await database.sql(
        "select concat_ws(' ', missed, time_zone, inputs) as defaults from writ.schedule")[0]
      #expect(try row.decode("defaults") == "once UTC {}")
    }
  }

  @Test func `an idempotency key stands for one payload`() async throws {
    try await TestDatabase.with { database in
      let first = try await database.number(
        "select writ.create_user('a@b.cd', idempotency_key => 'order 1')")
      let again = try await database.number(
        "select writ.create_user('a@B.cd', idempotency_key => 'order 1')")
      #expect(first == again)
      let error = try await database.refusal(
        "select writ.create_user('other@b.cd', idempotency_key => 'order 1')")
      #expect(error.sqlState == "WR006")
      #expect(
        error.serverMessage
          == "create_user: idempotency_key was used before with another payload")
      #expect(
        error.description
          == "create_user: idempotency_key was used before with another payload (SQLSTATE WR006);"
          + " hint: One key stands for one job: use a new key, or pass the same fields.")
      #expect(try await database.number("select count(*) from writ_data.job") == 1)
    }
  }
}

/// Catches an error in the server and gives all that a client would be told.
private let reporter = """
  create function pg_temp.report(call text, out state text, out message text, out rest text)
  language plpgsql as $$
  declare
    detail text;
    hint text;
    context text;
  begin
    execute call;
    state := '00000';
    message := 'not refused';
  exception when others then
    get stacked diagnostics state = returned_sqlstate, message = message_text,
      detail = pg_exception_detail, hint = pg_exception_hint, context = pg_exception_context;
    -- The last line of the context is this function's own statement, which quotes the call.
    rest := concat(detail, hint, split_part(context, 'SQL statement "select writ.', 1));
  end $$
  """

extension TestDatabase {
  fileprivate func sql(_ text: String, before: String) async throws -> [PostgresRow] {
    try await pool.withConnection { connection in
      let isThere: Bool = try connection.query(
        "select to_regprocedure('pg_temp.report(text)') is not null")[0].decode(0)
      if !isThere { try connection.executeScript(before) }
      return try connection.query(Statement(sql: text))
    }
  }
}
