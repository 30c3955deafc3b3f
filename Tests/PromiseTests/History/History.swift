// What the database says happened: jobs, their journals and the audit trail.

import Postgres

/// A job, finished or not.
struct HistoryJob: Sendable, Hashable {
  var id: Int
  var type: String
  var state: String
  var waitingReason: String?
  var attempt: Int
  var failures: Int
  var errorCode: String?
  var userID: String?
}

/// An event of the audit trail.
struct HistoryEvent: Sendable, Hashable {
  var id: Int
  var event: String
  var jobID: Int
  var attempt: Int?
  var fromState: String?
  var toState: String?
  var step: String?
  var workerID: Int?
  /// Microseconds since 1970.
  var time: Int64
}

/// A step of a job: what was meant, and what came of it.
struct HistoryStep: Sendable, Hashable {
  var jobID: Int
  var sequence: Int
  var attempt: Int
  var step: String
  var effect: String
  var result: String?
  /// The error code, or what was decided then.
  var decision: String = ""
  /// Microseconds since 1970.
  var intentAt: Int64
  /// Microseconds since 1970.
  var outcomeAt: Int64?
}

/// Everything about some jobs.
struct History: Sendable {
  var jobs: [HistoryJob] = []
  var events: [HistoryEvent] = []
  var steps: [HistoryStep] = []

  /// Reads it all.
  static func read(_ pool: PostgresPool) async throws -> History {
    var history = History()
    history.jobs = try await pool.query(
      """
      select id, type, state, waiting_reason, attempt::int8 as attempt, failures::int8 as failures,
             last_error ->> 'code' as error_code, result ->> 'user_id' as user_id
        from writ.job order by id
      """
    ).map { row in
      HistoryJob(
        id: try row["id"].decode(), type: try row["type"].decode(),
        state: try row["state"].decode(), waitingReason: try row["waiting_reason"].decode(),
        attempt: try row["attempt"].decode(), failures: try row["failures"].decode(),
        errorCode: try row["error_code"].decode(), userID: try row["user_id"].decode())
    }
    history.events = try await pool.query(
      """
      select id, event, job_id, attempt::int8 as attempt, from_state, to_state, step, worker_id, occurred_at
        from writ.audit_event where job_id is not null order by id
      """
    ).map { row in
      HistoryEvent(
        id: try row["id"].decode(), event: try row["event"].decode(),
        jobID: try row["job_id"].decode(), attempt: try row["attempt"].decode(),
        fromState: try row["from_state"].decode(), toState: try row["to_state"].decode(),
        step: try row["step"].decode(), workerID: try row["worker_id"].decode(),
        time: try row["occurred_at"].decode(as: PostgresTimestamp.self).microsecondsSince1970)
    }
    history.steps = try await pool.query(
      """
      select job_id, seq::int8 as seq, attempt::int8 as attempt, step, effect, result, intent_at, outcome_at,
             concat_ws(' ', status, error_code, action ->> 'do', action ->> 'step', action ->> 'rule') as decision
        from writ.journal order by job_id, seq
      """
    ).map { row in
      HistoryStep(
        jobID: try row["job_id"].decode(), sequence: try row["seq"].decode(),
        attempt: try row["attempt"].decode(), step: try row["step"].decode(),
        effect: try row["effect"].decode(), result: try row["result"].decode(),
        decision: try row["decision"].decode(),
        intentAt: try row["intent_at"].decode(as: PostgresTimestamp.self).microsecondsSince1970,
        outcomeAt: try row["outcome_at"].decode(as: PostgresTimestamp?.self)?.microsecondsSince1970)
    }
    return history
  }

  /// The journals of the jobs about a subject, one step a line, for the message of a failed test.
  func story(of jobs: [Int]) -> String {
    steps.filter { jobs.contains($0.jobID) }.map {
      "  job \($0.jobID) attempt \($0.attempt) \($0.step): \($0.result ?? "no outcome") \($0.decision)"
    }.joined(separator: "\n")
  }
}
