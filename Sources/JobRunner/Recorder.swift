// Group commit: while one call of `record` is on its way, whatever is submitted gathers, and the next
// call takes all of it. Under load one transaction carries the outcomes of many jobs; alone, a job waits
// for nobody. A job that somebody else's transaction holds is left out and sent again.

import JobModel
import Logging

/// What became of the records that a job submitted.
enum RecordOutcome: Sendable, Hashable {
  /// They are durable.
  case accepted(isCancelRequested: Bool)
  /// The job belongs to somebody else now: drop everything about it.
  case leaseLost
  /// They could not be written while the lease lasted; the sweeper will return the job.
  case unwritten
  /// The database will never take them, and the worker still holds the job: nobody else will end it.
  case refused
}

/// Writes the records of all running jobs of one registration.
actor Recorder {
  private struct Submission {
    var entries: [RecordEntry]
    var job: Int
    var answer: CheckedContinuation<RecordOutcome, Never>
    /// Whether another transaction was found to hold the job.
    var isHeldUp = false
  }

  private let store: any WorkerStore
  private let lease: Lease
  private let time: WorkerTime
  private let statistics: StatisticsBox
  private let logger: Logger
  private var waiting: [Submission] = []
  private var isWriting = false
  private var drained: [CheckedContinuation<Void, Never>] = []
  private static let batchLimit = 500
  private static let retryPause: Duration = .milliseconds(100)

  init(
    store: any WorkerStore, lease: Lease, time: WorkerTime, statistics: StatisticsBox,
    logger: Logger
  ) {
    self.store = store
    self.lease = lease
    self.time = time
    self.statistics = statistics
    self.logger = logger
  }

  /// Writes records and waits until they are durable or refused; goes on when the task is
  /// cancelled, since what happened has to be written down all the same.
  func submit(_ records: [JobRecord], of job: ClaimedJob) async -> RecordOutcome {
    let entries = records.map { RecordEntry(job: job.id, attempt: job.attempt, record: $0) }
    return await withCheckedContinuation { continuation in
      waiting.append(Submission(entries: entries, job: job.id, answer: continuation))
      guard !isWriting else { return }
      isWriting = true
      // Unstructured, because it serves many submitters and outlives the cancellation of any; it
      // ends when nothing waits, and `drain()` awaits that.
      Task { await writeAll() }
    }
  }

  /// How many submissions wait for the next call.
  var waitingCount: Int { waiting.count }

  /// Waits until everything that was submitted has its answer.
  func drain() async {
    guard isWriting else { return }
    await withCheckedContinuation { drained.append($0) }
  }

  private func writeAll() async {
    while !waiting.isEmpty {
      let batch = Array(waiting.prefix(Self.batchLimit))
      waiting.removeFirst(batch.count)
      await write(batch)
      if !waiting.isEmpty, waiting.allSatisfy(\.isHeldUp) { await awaitHolders() }
    }
    isWriting = false
    let drained = drained
    self.drained = []
    for continuation in drained { continuation.resume() }
  }

  private func write(_ batch: [Submission]) async {
    while true {
      do {
        statistics.count(\.flushes)
        let answers = try await store.record(
          worker: lease.worker, batch.flatMap(\.entries),
          skipsLocked: batch.contains(where: \.isHeldUp))
        distribute(answers, among: batch)
        return
      } catch {
        if store.isTransient(error) {
          guard lease.isLive, await pause() else { return fail(batch, error, .unwritten) }
        } else if batch.count > 1 {
          // One entry that the database refuses must not take the others with it.
          for submission in batch { await write([submission]) }
          return
        } else {
          return fail(batch, error, .refused)
        }
      }
    }
  }

  /// Nothing is left but jobs that other transactions hold: waits a moment, or gives them up when the
  /// lease has ended.
  private func awaitHolders() async {
    if lease.isLive, await pause() { return }
    let heldUp = waiting.filter(\.isHeldUp)
    waiting.removeAll(where: \.isHeldUp)
    fail(heldUp, "another transaction holds the job", .unwritten)
  }

  private func pause() async -> Bool {
    do {
      try await time.sleep(for: Self.retryPause)
      return true
    } catch {
      return false
    }
  }

  private func distribute(_ answers: [RecordAnswer], among batch: [Submission]) {
    var byJob: [Int: RecordOutcome] = [:]
    let heldUp = Set(answers.filter(\.isHeldUp).map(\.job))
    for answer in answers {
      if byJob[answer.job] == .leaseLost { continue }
      byJob[answer.job] =
        answer.isAccepted ? .accepted(isCancelRequested: answer.isCancelRequested) : .leaseLost
    }
    for var submission in batch {
      if heldUp.contains(submission.job) {
        submission.isHeldUp = true
        waiting.append(submission)
      } else {
        submission.answer.resume(returning: byJob[submission.job] ?? .leaseLost)
      }
    }
  }

  private func fail(_ batch: [Submission], _ error: any Error, _ outcome: RecordOutcome) {
    fail(batch, store.safeDescription(of: error), outcome)
  }

  private func fail(_ batch: [Submission], _ reason: String, _ outcome: RecordOutcome) {
    for submission in batch {
      statistics.count(\.unwritten)
      logger.error(
        outcome == .refused
          ? "the database refuses an outcome"
          : "an outcome could not be written and is left to the sweeper",
        metadata: [
          "job.id": "\(submission.job)", "error": "\(reason)",
        ])
      submission.answer.resume(returning: outcome)
    }
  }
}
