// One event of the trail.

public import JSON
public import Postgres

/// Who moved what, when, from which state to which.
public struct AuditEvent: Sendable, Hashable {
  /// The names of all events, as the type `writ_data.audit_event_kind` has them.
  public static let names = [
    "enqueued", "claimed", "step", "completed", "discarded", "cancelled", "retried",
    "review_requested", "handed_back", "lease_expired", "parked", "unparked", "promoted",
    "replayed",
    "cancel_requested", "type_published", "type_granted", "type_revoked", "environment_created",
    "default_environment_changed", "worker_registered", "worker_stopped", "worker_lost",
    "user_action_requested", "expired", "schedule_fired", "batch_created", "batch_finished",
    "limit_changed", "circuit_opened", "circuit_closed", "schedule_refused", "schedule_skipped",
    "schedule_added", "schedule_changed",
    "schedule_removed", "schedule_paused", "schedule_resumed",
  ]

  /// Its number; grows, but not without gaps.
  public let id: Int
  /// When, by the database's clock.
  public let occurredAt: PostgresTimestamp
  /// What: `enqueued`, `claimed`, `step`, `completed` … (docs/schema.md lists them).
  public let event: String
  /// The job.
  public let jobID: Int?
  /// The attempt.
  public let attempt: Int?
  /// The job type.
  public let type: String?
  /// The environment.
  public let environment: String?
  /// The state before.
  public let fromState: String?
  /// The state after.
  public let toState: String?
  /// What the job waits for, or waited for.
  public let waitingReason: String?
  /// The step.
  public let step: String?
  /// The database role that did it.
  public let roleName: String
  /// The person for whom it acted, as it said.
  public let actor: String?
  /// The worker.
  public let workerID: Int?
  /// The keyed digest of the subject, in hex.
  public let subjectDigest: String?
  /// The result of the step.
  public let outcome: String?
  /// The HTTP status.
  public let httpStatus: Int?
  /// The error code.
  public let errorCode: String?
  /// How long the step took.
  public let duration: Duration?
  /// The definition of the job.
  public let definitionHash: String?
  /// The fields that may be recorded; personal data as keyed digests.
  public let recorded: JSONValue?
  /// The columns that this program cannot read; what they hold is missing above.
  public let unreadable: [String]

  init(_ row: PostgresRow) throws {
    id = try row.decode("id")
    occurredAt = try row.decode("occurred_at")
    event = try row.decode("event")
    jobID = try row.decode("job_id")
    attempt = try row.decode("attempt")
    type = try row.decode("type")
    environment = try row.decode("environment")
    fromState = try row.decode("from_state")
    toState = try row.decode("to_state")
    waitingReason = try row.decode("waiting_reason")
    step = try row.decode("step")
    roleName = try row.decode("role_name")
    actor = try row.decode("actor")
    workerID = try row.decode("worker_id")
    subjectDigest = try row.decode("subject_digest")
    outcome = try row.decode("outcome")
    httpStatus = try row.decode("http_status")
    errorCode = try row.decode("error_code")
    duration = try row.decode("duration_us", as: Int?.self).map { .microseconds($0) }
    definitionHash = try row.decode("definition_hash")
    var unreadable: [String] = []
    recorded = try row.decodeJSON("recorded", noting: &unreadable)
    self.unreadable = unreadable
  }
}
