// Watching rotations until they are over: how far they are, and whether anybody is there to do them.

import JobStore

/// Follows rotations that were ordered.
struct RotationWatch {
  private let store: JobStore
  private let limit: Duration?
  private var display: ProgressDisplay
  private var notices = WorkerNotices()
  private let clock = ContinuousClock()

  /// - Parameter limit: How long to follow them at most; `nil` is without end.
  init(store: JobStore, output: Output, limit: Duration?) {
    self.store = store
    self.limit = limit
    display = ProgressDisplay(output: output)
  }

  /// Returns whether all are over; their states are those of the last look.
  mutating func run(_ rotations: inout [KeyRotation]) async throws -> Bool {
    let start = clock.now
    defer { display.close() }
    var pause: Duration = .milliseconds(100)
    while true {
      try await look(&rotations)
      let elapsed = clock.now - start
      for text in try await workerNotices(rotations, after: elapsed) { display.interrupt(text) }
      let done = rotations.count(where: \.isOver)
      let sample = ProgressSample(
        done: done, total: rotations.count, note: "", elapsed: elapsed)
      guard done < rotations.count else {
        display.finish(sample)
        return true
      }
      if let limit, elapsed >= limit { return false }
      display.show(sample)
      try await Task.sleep(for: min(pause, limit.map { $0 - elapsed } ?? pause))
      pause = min(pause * 2, .seconds(1))
    }
  }

  private func look(_ rotations: inout [KeyRotation]) async throws {
    for index in rotations.indices where !rotations[index].isOver {
      guard let job = rotations[index].job else { continue }
      let status = try await store.status(job)
      rotations[index].state = [status.state, status.waitingReason].compactMap(\.self)
        .joined(separator: ": ")
      rotations[index].errorCode = status.errorCode
    }
  }

  private mutating func workerNotices(
    _ rotations: [KeyRotation], after elapsed: Duration
  ) async throws -> [String] {
    guard notices.isLookDue(at: elapsed) else { return [] }
    let open = rotations.filter { !$0.isOver }.compactMap(\.job)
    let workers = try await store.jobWorkers(open)
    let untaken = rotations.filter { $0.state == "available" }.compactMap(\.job)
    return notices.notices(workers, untaken: Set(untaken), at: elapsed)
  }
}

/// What to say about workers that are not there: at once, and then now and then.
struct WorkerNotices {
  private static let pauseBetweenLooks: Duration = .seconds(2)
  private static let pauseBetweenNotices: Duration = .seconds(30)
  /// A worker that is there takes a job within a poll.
  private static let patience: Duration = .seconds(10)

  private var nextLook: Duration = .zero
  /// When to say the same about an environment again.
  private var nextNotice: [String: Duration] = [:]
  private var withoutWorker: Set<String> = []
  /// Since when jobs have been seen in the line without anybody taking them.
  private var untakenSince: [Int: Duration] = [:]

  /// Whether it is time to look; the next look is due a while later.
  mutating func isLookDue(at now: Duration) -> Bool {
    guard now >= nextLook else { return false }
    nextLook = now + Self.pauseBetweenLooks
    return true
  }

  /// The sentences that a look gives rise to.
  ///
  /// - Parameter untaken: the jobs that are due and that nobody runs.
  mutating func notices(
    _ jobs: [JobWorkers], untaken: Set<Int>, at now: Duration
  ) -> [String] {
    untakenSince = Dictionary(
      uniqueKeysWithValues: untaken.map { ($0, untakenSince[$0] ?? now) })
    var texts: [String] = []
    for (environment, jobs) in Dictionary(grouping: jobs, by: \.environment).sorted(by: {
      $0.key < $1.key
    }) {
      guard jobs.allSatisfy({ $0.workers > 0 }) else {
        withoutWorker.insert(environment)
        guard mayRepeat(environment, now) else { continue }
        texts.append(
          "writ: no live worker serves \(environment): \(Self.count(jobs.count)) there until one is started "
            + "(`writ worker`)")
        continue
      }
      if withoutWorker.remove(environment) != nil {
        nextNotice[environment] = nil
        texts.append("writ: a live worker serves \(environment) now")
      }
      let late = jobs.filter { job in
        untakenSince[job.job].map { now - $0 >= Self.patience } ?? false
      }
      for (queue, late) in Dictionary(grouping: late, by: \.queue).sorted(by: { $0.key < $1.key })
      where mayRepeat("\(environment) \(queue)", now) {
        texts.append(
          "writ: no worker takes the queue \(queue) of \(environment), or all slots are busy: "
            + "\(Self.count(late.count)) there; see worker.queues and `writ doctor`")
      }
    }
    return texts
  }

  private mutating func mayRepeat(_ subject: String, _ now: Duration) -> Bool {
    if let next = nextNotice[subject], now < next { return false }
    nextNotice[subject] = now + Self.pauseBetweenNotices
    return true
  }

  private static func count(_ jobs: Int) -> String {
    jobs == 1 ? "1 rotation waits" : "\(jobs) rotations wait"
  }
}
