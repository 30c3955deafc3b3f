// What `--json` writes of jobs, steps, events and workers, and the words of tables.

import Foundation
import JSON
import JobStore
import Postgres

extension PostgresTimestamp {
  /// This machine's clock: for display only.
  static func now() -> Self {
    Self(microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000))
  }

  /// To the second for tables: `2026-05-02T10:14:07Z`.
  var toSeconds: String {
    let text = description
    guard let dot = text.firstIndex(of: ".") else { return text }
    return text[..<dot] + "Z"
  }

  /// To the millisecond, without the date: `10:14:07.120Z`.
  var timeOfDay: String {
    let text = description
    guard let start = text.firstIndex(of: "T") else { return text }
    let parts = text[text.index(after: start)...].dropLast().split(separator: ".")
    let fraction = parts.count > 1 ? String(parts[1].prefix(3)) : "000"
    return "\(parts[0]).\(fraction)Z"
  }
}

extension Duration {
  /// Whole microseconds.
  fileprivate var microseconds: Int { Int(self / .microseconds(1)) }
}

extension JSONValue {
  /// The names of columns that could not be read; `nil` where all could.
  fileprivate static func names(_ columns: [String]) -> JSONValue? {
    columns.isEmpty ? nil : .array(columns.map { .string($0) })
  }

  /// Members without a value are left out.
  static func members(_ members: [(String, JSONValue?)]) -> JSONValue {
    .object(JSONObject(members.compactMap { name, value in value.map { (name, $0) } }))
  }
}

extension JobSummary {
  /// The state, and what a waiting job waits for.
  var stateInWords: String { waitingReason.map { "\(state) for \($0)" } ?? state }

  /// Code and text of the last error, or nothing.
  var errorInWords: String {
    [lastError?["code"]?.stringValue, lastError?["text"]?.stringValue].compactMap(\.self)
      .joined(separator: ": ").printable
  }

  /// The members of the job, in the order of the documentation.
  var members: [(String, JSONValue?)] {
    [
      ("id", JSONValue(id)), ("type", .string(type)), ("environment", .string(environment)),
      ("queue", .string(queue)), ("priority", JSONValue(priority)), ("state", .string(state)),
      ("waiting_reason", waitingReason.map { .string($0) }),
      ("attempt", JSONValue(attempt)), ("failures", JSONValue(failures)),
      ("max_attempts", JSONValue(maxAttempts)), ("run_at", .string(runAt.description)),
      ("enqueued_at", .string(enqueuedAt.description)),
      ("finished_at", finishedAt.map { .string($0.description) }), ("last_error", lastError),
    ]
  }

  /// The job as JSON.
  var json: JSONValue { .members(members + [("unreadable", .names(unreadable))]) }
}

extension JobDetail {
  /// The job as JSON, without journal and events.
  var json: JSONValue {
    .members(
      summary.members + [
        ("unresolved", .bool(isUnresolved)), ("cancel_requested", .bool(isCancelRequested)),
        ("worker_id", workerID.map { JSONValue($0) }),
        ("worker", workerName.map { .string($0) }),
        ("predecessor", predecessorID.map { JSONValue($0) }),
        ("enqueued_by", .string(enqueuedBy)), ("actor", actor.map { .string($0) }),
        ("claimed_at", claimedAt.map { .string($0.description) }),
        ("deadline_at", deadlineAt.map { .string($0.description) }),
        ("waiting_since", waitingSince.map { .string($0.description) }),
        ("definition_hash", .string(definitionHash)),
        ("idempotency_key", idempotencyKey.map { .string($0) }),
        ("traceparent", traceparent.map { .string($0) }), ("payload", payload),
        ("result", result), ("unreadable", .names(unreadable)),
      ])
  }
}

extension JournalRow {
  /// The step as JSON.
  var json: JSONValue {
    .members([
      ("seq", JSONValue(sequence)), ("attempt", JSONValue(attempt)), ("step", .string(step)),
      ("effect", .string(effect)), ("result", result.map { .string($0) }),
      ("status", status.map { JSONValue($0) }), ("error_code", errorCode.map { .string($0) }),
      ("duration_us", duration.map { JSONValue($0.microseconds) }),
      ("intent_at", .string(intentAt.description)),
      ("outcome_at", outcomeAt.map { .string($0.description) }), ("outputs", outputs),
      ("action", action), ("unreadable", .names(unreadable)),
    ])
  }
}

extension AuditEvent {
  /// `available → running`, or nothing.
  var transition: String {
    guard let toState else { return fromState ?? "" }
    let target = waitingReason.map { "\(toState) (\($0))" } ?? toState
    return fromState.map { "\($0) → \(target)" } ?? target
  }

  /// Outcome, status, error code and duration, as far as there are any.
  var detail: String {
    [outcome, httpStatus.map(String.init), errorCode, duration.map(DurationText.shown)]
      .compactMap(\.self).joined(separator: "  ")
  }

  /// The event as JSON.
  var json: JSONValue {
    .members([
      ("id", JSONValue(id)), ("occurred_at", .string(occurredAt.description)),
      ("event", .string(event)), ("job_id", jobID.map { JSONValue($0) }),
      ("attempt", attempt.map { JSONValue($0) }), ("type", type.map { .string($0) }),
      ("environment", environment.map { .string($0) }),
      ("from_state", fromState.map { .string($0) }), ("to_state", toState.map { .string($0) }),
      ("waiting_reason", waitingReason.map { .string($0) }), ("step", step.map { .string($0) }),
      ("role", .string(roleName)), ("actor", actor.map { .string($0) }),
      ("worker_id", workerID.map { JSONValue($0) }),
      ("subject_digest", subjectDigest.map { .string($0) }),
      ("outcome", outcome.map { .string($0) }), ("http_status", httpStatus.map { JSONValue($0) }),
      ("error_code", errorCode.map { .string($0) }),
      ("duration_us", duration.map { JSONValue($0.microseconds) }),
      ("definition_hash", definitionHash.map { .string($0) }), ("recorded", recorded),
      ("unreadable", .names(unreadable)),
    ])
  }
}
