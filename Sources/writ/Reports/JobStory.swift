// The story of one job on one screen: what it is, why it is not running, what happened in each attempt.

import JSON
import JobStore
import Postgres

/// Renders a job for people.
struct JobStory {
  let detail: JobDetail
  /// What the reader's role may see of a job that waits for a user.
  var status: JobStatus?
  /// The workers that the story may name.
  let workers: [WorkerSummary]
  /// To say how far away the next try is.
  let now: PostgresTimestamp

  private var job: JobSummary { detail.summary }

  /// The story of a job.
  ///
  /// - Throws: ``CommandError`` where there is no job of that number.
  static func read(_ id: Int, from store: JobStore) async throws -> JobStory {
    guard let detail = try await store.job(id) else {
      throw CommandError(.badData, "there is no job \(id)")
    }
    let asksUser = detail.summary.waitingReason == "user_action"
    return JobStory(
      detail: detail, status: asksUser ? try await store.status(id) : nil,
      workers: try await store.workers(limit: 1_000), now: .now())
  }

  /// All lines.
  func lines(usesColour: Bool = false) -> [String] {
    head(usesColour) + [""] + facts + [""] + story
  }

  /// The whole as JSON.
  var json: JSONValue {
    .members([
      ("job", detail.json), ("why", .string(why)),
      ("action_url", status?.actionURL.map { .string($0) }),
      ("action_deadline_at", status?.actionDeadlineAt.map { .string($0.description) }),
      ("journal", .array(detail.journal.map(\.json))),
      ("events", .array(detail.events.map(\.json))),
    ])
  }

  // MARK: What it is

  private func head(_ usesColour: Bool) -> [String] {
    let title = Style.bold.applied(to: "job \(job.id)", if: usesColour)
    let style = Self.style(ofState: job.state)
    let state = style?.applied(to: job.stateInWords, if: usesColour) ?? job.stateInWords
    return ["\(title)  \(job.type.printable)  \(state)", "  \(why.printable)"]
  }

  private var facts: [String] {
    var table = Table("", "")
    let by = detail.actor.map { "\(detail.enqueuedBy) for \($0)" } ?? detail.enqueuedBy
    table.add("  ordered", "\(job.enqueuedAt.toSeconds) by \(by)")
    table.add(
      "  where", "environment \(job.environment), queue \(job.queue), priority \(job.priority)")
    if let payload = detail.payload { table.add("  inputs", payload.serialized()) }
    if let result = detail.result, result != .null { table.add("  result", result.serialized()) }
    if let url = status?.actionURL { table.add("  user must visit", url.printable) }
    if let key = detail.idempotencyKey { table.add("  idempotency key", key) }
    if let deadline = detail.deadlineAt { table.add("  deadline", deadline.toSeconds) }
    table.add("  definition", String(detail.definitionHash.prefix(12)))
    for (what, query) in unreadable {
      table.add("  not shown", "\(what): this version of writ cannot read it; in SQL: \(query)")
    }
    return table.lines()
  }

  /// What of the job cannot be shown, and the query that shows it.
  private var unreadable: [(what: String, query: String)] {
    let names = ["payload": "inputs", "last_error": "last error"]
    return detail.unreadable.map { column in
      (names[column] ?? column, "select \(column) from writ.job where id = \(job.id)")
    }
      + detail.journal.flatMap { step in
        step.unreadable.map { column in
          (
            "\(column) of step \(step.step)",
            "select \(column) from writ.journal where job_id = \(job.id) and seq = \(step.sequence)"
          )
        }
      }
      + detail.events.flatMap { event in
        event.unreadable.map { column in
          (
            "what event \(event.id) has recorded",
            "select \(column) from writ.audit_event where id = \(event.id)"
          )
        }
      }
  }

  /// One sentence about why the job is, or is not, running.
  var why: String {
    switch (job.state, job.waitingReason) {
    case ("scheduled", _): "runs at \(job.runAt.toSeconds), \(distance(to: job.runAt))"
    case ("available", _): whyAvailable
    case ("running", _):
      "runs in \(name(ofWorker: detail.workerID))"
        + (detail.isCancelRequested ? "; it has been asked to stop before its next change" : "")
    case ("retryable", _):
      "next try at \(job.runAt.toSeconds), \(distance(to: job.runAt)); \(job.failures) of "
        + "\(job.maxAttempts.counting("attempt")) failed; last error: \(job.errorInWords)"
    case ("waiting", "predecessor"?):
      detail.predecessorID.map {
        "waits for job \($0), which is about the same subject and came first"
      } ?? "waits for an older job about the same subject"
    case ("waiting", "concurrency"?):
      "waits because as many jobs run as the limit of type \(job.type) or of environment "
        + "\(job.environment) allows; see `writ limits list`"
    case ("waiting", "rate"?):
      "waits because as many jobs have started as the rate of type \(job.type) or of environment "
        + "\(job.environment) allows, or a target that it calls does not answer; see `writ limits list` and "
        + "`writ circuits list`"
    case ("waiting", "batch"?):
      "waits until the batch whose callback it is has finished; see `writ batches list`"
    case ("waiting", "user_action"?):
      "waits until its user has acted: \(lastError); looks again at \(job.runAt.toSeconds), "
        + distance(to: job.runAt)
        + (status?.actionDeadlineAt.map { ", and gives up at \($0.toSeconds)" } ?? "")
        + "; if it is done, `writ jobs check \(job.id)`"
    case ("waiting", "review"?) where job.lastError?["code"]?.stringValue == "payload_unreadable":
      // A replay would only lead here again.
      "waits for a person: \(lastError): `writ jobs cancel \(job.id)`"
    case ("waiting", "review"?):
      "waits for a person: \(lastError); see `writ jobs replay \(job.id) --dry-run`, or "
        + "`writ jobs cancel \(job.id)`"
    case ("completed", _): "done as ordered, \(ending)"
    case ("discarded", _): "given up: \(lastError); \(ending)"
    case ("cancelled", _): "called off, \(ending)"
    default: job.stateInWords
    }
  }

  private var whyAvailable: String {
    workers.contains { $0.state == "live" }
      ? "due since \(job.runAt.toSeconds); the next free worker of environment \(job.environment), "
        + "queue \(job.queue) takes it"
      : "due since \(job.runAt.toSeconds), but no worker is alive: start one with `writ worker`"
  }

  /// The last error without its full stop, since the sentence goes on.
  private var lastError: String {
    let error = job.errorInWords
    return error.hasSuffix(".") ? String(error.dropLast()) : error
  }

  private var ending: String {
    guard let finished = job.finishedAt else { return "just now" }
    let time = DurationText.shown(finished - job.enqueuedAt)
    return "\(finished.toSeconds), \(time) after it was ordered"
  }

  private func distance(to moment: PostgresTimestamp) -> String {
    moment > now ? "in \(DurationText.shown(moment - now))" : "now"
  }

  private func name(ofWorker id: Int?) -> String {
    guard let id else { return "no worker" }
    guard let worker = workers.first(where: { $0.id == id }) else { return "worker \(id)" }
    return "\(worker.name) (process \(worker.processID) on \(worker.host))"
  }

  // MARK: What happened

  private var story: [String] {
    var table = Table("", "", "", "", "")
    for event in detail.events { table.add(row(event)) }
    for step in detail.journal where step.result == nil {
      table.add([
        step.intentAt.timeOfDay, "", "  \(step.step)", "in doubt",
        "sent or about to be sent; no outcome is recorded",
      ])
    }
    return table.lines().map { "  " + $0 }
  }

  private func row(_ event: AuditEvent) -> [String] {
    let time = event.occurredAt.timeOfDay
    switch event.event {
    case "claimed":
      let worker = workers.first { $0.id == event.workerID }?.name
      return [
        time, "attempt \(event.attempt ?? 0)", "claimed", "",
        "by \(worker ?? "worker \(event.workerID ?? 0)")",
      ]
    case "step":
      let facts = [
        event.httpStatus.map(String.init), event.errorCode, event.duration.map(DurationText.shown),
      ]
      return [
        time, "", "  \(event.step ?? "")", event.outcome ?? "",
        facts.compactMap(\.self).joined(separator: "  "),
      ]
    default:
      let isActOfPerson =
        Self.actsOfPeople.contains(event.event)
        || (event.event == "cancelled" && event.workerID == nil)
      let by = isActOfPerson ? "by \(event.actor ?? event.roleName)" : nil
      return [
        time, "", event.event.replacing("_", with: " "), target(event),
        [event.errorCode, by].compactMap(\.self).joined(separator: "  "),
      ]
    }
  }

  private func target(_ event: AuditEvent) -> String {
    guard let state = event.toState else { return "" }
    return event.waitingReason.map { state == "waiting" ? "\(state): \($0)" : state } ?? state
  }

  private static let actsOfPeople: Set<String> = ["enqueued", "replayed", "cancel_requested"]

  /// The colour of a state.
  static func style(ofState state: String) -> Style? {
    switch state.split(separator: " ").first {
    case "completed": .green
    case "discarded": .red
    case "waiting", "retryable": .yellow
    case "running": .cyan
    case "cancelled": .dim
    default: nil
    }
  }
}
