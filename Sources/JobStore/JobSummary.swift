// A job as people see it.

public import JSON
public import Postgres

/// A job in a list.
public struct JobSummary: Sendable, Hashable {
  /// Its number.
  public let id: Int
  /// Its type.
  public let type: String
  /// Its environment.
  public let environment: String
  /// Its queue.
  public let queue: String
  /// Its priority, 0 (first) to 9.
  public let priority: Int
  /// Its state, in the words of `JobState`.
  public let state: String
  /// What it waits for, in the words of `WaitingReason`, if it is waiting.
  public let waitingReason: String?
  /// How often it was claimed.
  public let attempt: Int
  /// How many attempts failed in a way that counts.
  public let failures: Int
  /// After how many of those it is given up.
  public let maxAttempts: Int
  /// When it is due, or fell due.
  public let runAt: PostgresTimestamp
  /// When it was enqueued.
  public let enqueuedAt: PostgresTimestamp
  /// When it finished.
  public let finishedAt: PostgresTimestamp?
  /// The last error: `code`, `text`, perhaps `step` and `status`.
  public let lastError: JSONValue?
  /// The columns that this program cannot read; what they hold is missing above.
  public let unreadable: [String]

  init(_ row: PostgresRow) throws {
    id = try row.decode("id")
    type = try row.decode("type")
    environment = try row.decode("environment")
    queue = try row.decode("queue")
    priority = try row.decode("priority")
    state = try row.decode("state")
    waitingReason = try row.decode("waiting_reason")
    attempt = try row.decode("attempt")
    failures = try row.decode("failures")
    maxAttempts = try row.decode("max_attempts")
    runAt = try row.decode("run_at")
    enqueuedAt = try row.decode("enqueued_at")
    finishedAt = try row.decode("finished_at")
    var unreadable: [String] = []
    lastError = try row.decodeJSON("last_error", noting: &unreadable)
    self.unreadable = unreadable
  }
}

/// Everything about one job.
public struct JobDetail: Sendable, Hashable {
  /// What a list shows of it.
  public let summary: JobSummary
  /// Whether a request may have left whose outcome nobody recorded.
  public let isUnresolved: Bool
  /// Whether a person has asked to cancel it.
  public let isCancelRequested: Bool
  /// The worker that holds it, or held it when it finished.
  public let workerID: Int?
  /// That worker's name.
  public let workerName: String?
  /// That worker's state: `live`, `stopped` or `lost`.
  public let workerState: String?
  /// Whom the job is about; personal data.
  public let subject: String?
  /// The definition that it was enqueued with.
  public let definitionHash: String
  /// The caller's idempotency key.
  public let idempotencyKey: String?
  /// The caller's trace context.
  public let traceparent: String?
  /// The role that ordered it.
  public let enqueuedBy: String
  /// The person for whom that role acted, as it said.
  public let actor: String?
  /// When it was claimed last.
  public let claimedAt: PostgresTimestamp?
  /// When it is given up, if it has not changed anything by then.
  public let deadlineAt: PostgresTimestamp?
  /// Since when it waits.
  public let waitingSince: PostgresTimestamp?
  /// What the caller passed, personal data; `nil` where this program cannot read it.
  public let payload: JSONValue?
  /// What it gave.
  public let result: JSONValue?
  /// The job that it waits for, where the reason is `predecessor`.
  public let predecessorID: Int?
  /// Its steps, the runs before a replay first.
  public let journal: [JournalRow]
  /// Its audit events, in order.
  public let events: [AuditEvent]
  /// The columns of the job that this program cannot read; what they hold is missing above.
  public let unreadable: [String]

  init(_ row: PostgresRow, journal: [JournalRow], events: [AuditEvent]) throws {
    summary = try JobSummary(row)
    isUnresolved = try row.decode("unresolved")
    isCancelRequested = try row.decode("cancel_requested")
    workerID = try row.decode("worker_id")
    workerName = try row.decode("worker_name")
    workerState = try row.decode("worker_state")
    subject = try row.decode("subject")
    definitionHash = try row.decode("definition_hash")
    idempotencyKey = try row.decode("idempotency_key")
    traceparent = try row.decode("traceparent")
    enqueuedBy = try row.decode("enqueued_by")
    actor = try row.decode("actor")
    claimedAt = try row.decode("claimed_at")
    deadlineAt = try row.decode("deadline_at")
    waitingSince = try row.decode("waiting_since")
    var unreadable = summary.unreadable
    payload = try row.decodeJSON("payload", noting: &unreadable)
    result = try row.decodeJSON("result", noting: &unreadable)
    self.unreadable = unreadable
    predecessorID = try row.decode("predecessor_id")
    self.journal = journal
    self.events = events
  }
}

/// One step of a job, as the journal keeps it.
public struct JournalRow: Sendable, Hashable {
  /// Its place, from 1.
  public let sequence: Int
  /// The attempt that wrote it last.
  public let attempt: Int
  /// The step, with the sub-workflows around it.
  public let step: String
  /// `none`, `create`, `update` or `delete`.
  public let effect: String
  /// `succeeded`, `failed` or `ambiguous`; `nil` for an intent without an outcome.
  public let result: String?
  /// The HTTP status.
  public let status: Int?
  /// The error code.
  public let errorCode: String?
  /// From the request to the answer.
  public let duration: Duration?
  /// When it was meant.
  public let intentAt: PostgresTimestamp
  /// When its outcome was recorded.
  public let outcomeAt: PostgresTimestamp?
  /// The recorded outputs.
  public let outputs: JSONValue?
  /// What was decided to do next.
  public let action: JSONValue?
  /// The columns that this program cannot read; what they hold is missing above.
  public let unreadable: [String]

  init(_ row: PostgresRow) throws {
    sequence = try row.decode("seq")
    attempt = try row.decode("attempt")
    step = try row.decode("step")
    effect = try row.decode("effect")
    result = try row.decode("result")
    status = try row.decode("status")
    errorCode = try row.decode("error_code")
    duration = try row.decode("duration_us", as: Int?.self).map { .microseconds($0) }
    intentAt = try row.decode("intent_at")
    outcomeAt = try row.decode("outcome_at")
    var unreadable: [String] = []
    outputs = try row.decodeJSON("outputs", noting: &unreadable)
    action = try row.decodeJSON("action", noting: &unreadable)
    self.unreadable = unreadable
  }
}
