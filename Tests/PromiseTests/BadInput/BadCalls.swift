// Wrong calls of the SQL API, each with what its caller reads.

import Testing

/// One wrong call.
struct BadCall: Sendable, CustomTestStringConvertible {
  var sql: String
  var role = FixtureRole.enqueuer
  var state: String
  var message: String
  var column: String?

  var testDescription: String { sql }

  init(
    _ sql: String, as role: FixtureRole = .enqueuer, _ state: String, _ message: String,
    column: String? = nil
  ) {
    self.sql = sql
    self.role = role
    self.state = state
    self.message = message
    self.column = column
  }

  /// The value in a call is `hunter2…` wherever it may stand: no message repeats it.
  static let all: [BadCall] = [
    BadCall(
      "select writ.create_user()", "WR001", "create_user: email is required", column: "email"),
    BadCall(
      "select writ.create_user(email => 'hunter2')", "WR001",
      "create_user: email must be an e-mail address", column: "email"),
    BadCall(
      "select writ.create_user(email => repeat('hunter2', 50) || '@acme.test')", "WR001",
      "create_user: email must be an e-mail address", column: "email"),
    BadCall(
      "select writ.change_plan(user_id => 'hunter2', plan_id => gen_random_uuid()::text)", "WR001",
      "change_plan: user_id must be a UUID", column: "user_id"),
    BadCall(
      "select writ.change_plan(user_id => gen_random_uuid()::text, plan_id => null)", "WR001",
      "change_plan: plan_id is required", column: "plan_id"),
    BadCall(
      "select writ.change_plan(user_id => gen_random_uuid()::text, plan_id => gen_random_uuid()::text, current_period_end => 'hunter2')",
      "WR001", "change_plan: current_period_end must be a date and time with an offset",
      column: "current_period_end"),
    BadCall(
      "select writ.notify_webhook(event_type => 'a', subject => 'b', data => '\"hunter2\"')",
      "WR001", "notify_webhook: data must be an object", column: "data"),
    BadCall(
      "select writ.rotate_api_key(job_type => 'Hunter2')", "WR001",
      "rotate_api_key: job_type must match the pattern ^[a-z][a-z0-9_]*$", column: "job_type"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', priority => 10)", "WR003",
      "create_user: priority must be from 0 to 9", column: "priority"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', queue => 'Hunter2 !')", "WR003",
      "create_user: queue must be the name of a queue", column: "queue"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', run_at => 'infinity')", "WR003",
      "create_user: run_at must be a finite time before the year 10000", column: "run_at"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', traceparent => 'hunter2')", "WR003",
      "create_user: traceparent must have the form of W3C Trace Context", column: "traceparent"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', idempotency_key => '')", "WR003",
      "create_user: idempotency_key must have 1 to 200 characters, none of them a control character",
      column: "idempotency_key"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', environment => 'hunter2')", "WR004",
      "create_user: environment is not known", column: "environment"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test', idempotency_key => 'sk_0123456789ab_' || repeat('0a', 32))",
      "WR005", "create_user: idempotency_key looks like a secret", column: "idempotency_key"),
    BadCall(
      "select writ.enqueue('create_user', '{\"email\": \"a@acme.test\", \"nickname\": 1}')",
      "WR001",
      "create_user: unknown field nickname", column: "nickname"),
    BadCall(
      "select writ.enqueue('create_user', jsonb_build_object('email', 'a@acme.test', 'sk_0123456789ab_' || repeat('0a', 32), 1))",
      "WR001", "create_user: a field of the payload is not known", column: "payload"),
    BadCall(
      "select writ.enqueue('create_user', 'hunter2')", "WR001",
      "create_user: payload must be a JSON object", column: "payload"),
    BadCall(
      "select writ.enqueue('create_user', '{\"email\": 5}')", "WR001",
      "create_user: email must be an e-mail address", column: "email"),
    BadCall(
      "select writ.enqueue('delete_user', '{}')", "WR002", "there is no job type delete_user",
      column: "type"),
    BadCall(
      "select writ.enqueue('Hunter2', '{}')", "WR002", "the job type is not known", column: "type"),
    BadCall(
      "select writ.create_user(email => 'a@acme.test')", as: .stranger, "42501",
      "permission denied for schema writ"),
    BadCall("select * from writ_data.job", "42501", "permission denied for schema writ_data"),
    BadCall("select * from writ.job", "42501", "permission denied for view job"),
    BadCall(
      "select writ.status(4711)", "WR008", "there is no such job, or another role ordered it",
      column: "job_id"),
    BadCall(
      "select writ.replay(4711)", as: .admin, "WR008", "there is no such job", column: "job_id"),
    BadCall(
      "select writ.cancel(4711)", as: .admin, "WR008", "there is no such job", column: "job_id"),
    BadCall(
      "select writ.create_environment('Hunter 2')", as: .admin, "WR003",
      "create_environment: name must be the name of an environment", column: "name"),
    BadCall(
      "update writ_data.audit_event set actor = 'x'", as: .superuser, "WR010",
      "audit events are append-only: update is refused"),
    BadCall(
      "delete from writ_data.audit_event", as: .superuser, "WR010",
      "audit events are append-only: delete is refused"),
    BadCall(
      "truncate writ_data.audit_event", as: .superuser, "WR010",
      "audit events are append-only: truncate is refused"),
  ]
}
