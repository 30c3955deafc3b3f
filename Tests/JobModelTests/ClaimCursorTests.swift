// The claim cursor against a queue in which transactions draw their place early and commit late.

import Testing

@testable import JobModel

/// A queue as the database has it: orders are drawn from a sequence, jobs appear at commit.
private struct Queue {
  struct Job { var order: Int, priority: Int, xid: Int, enqueuedAt: Duration }
  var nextOrder = 1
  var nextXid = 100
  var running: [Int: (jobs: [Job], commitsAt: Duration)] = [:]
  var available: [Job] = []
  var locked: [(job: Job, until: Duration)] = []

  mutating func advance(to now: Duration) {
    for (xid, transaction) in running where transaction.commitsAt <= now {
      available += transaction.jobs
      running[xid] = nil
    }
    available += locked.filter { $0.until <= now }.map(\.job)
    locked.removeAll { $0.until <= now }
  }

  mutating func begin(_ priorities: [Int], at now: Duration, commitsAt: Duration) {
    let jobs = priorities.map { priority in
      defer { nextOrder += 1 }
      return Job(order: nextOrder, priority: priority, xid: nextXid, enqueuedAt: now)
    }
    running[nextXid] = (jobs, commitsAt)
    nextXid += 1
  }

  mutating func claim(_ count: Int, above bounds: [Int]) -> (ClaimCursor.Finding, [Job]) {
    let candidates = available.filter { $0.order > bounds[$0.priority] }
      .sorted { ($0.priority, $0.order) < ($1.priority, $1.order) }
    let taken = Array(candidates.prefix(count))
    available.removeAll { job in taken.contains { $0.order == job.order } }
    return (
      ClaimCursor.Finding(
        claimed: taken.map { ($0.priority, $0.order) }, isExhausted: candidates.count < count,
        snapshotXmin: running.keys.min() ?? nextXid, snapshotXmax: nextXid), taken
    )
  }
}

@Suite struct `The claim cursor` {
  @Test func `begins with everything, then goes on from what it saw`() {
    var cursor = ClaimCursor()
    #expect(cursor.next(now: .zero).scan == .full)
    cursor.note(
      ClaimCursor.Finding(
        claimed: [(5, 40), (5, 41), (5, -3)], isExhausted: false, snapshotXmin: 1, snapshotXmax: 2),
      of: .full, now: .zero)
    let (scan, bounds) = cursor.next(now: .milliseconds(10))
    #expect(scan == .fast)
    #expect(bounds == [0, 0, 0, 0, 0, 41, 0, 0, 0, 0])
    #expect(!cursor.isIdle)
  }

  @Test func `looks once more from the safe place before it is idle`() {
    var cursor = ClaimCursor()
    let nothing = ClaimCursor.Finding(
      claimed: [], isExhausted: true, snapshotXmin: 5, snapshotXmax: 5)
    cursor.note(
      ClaimCursor.Finding(
        claimed: [(5, 40)], isExhausted: false, snapshotXmin: 5, snapshotXmax: 5),
      of: .full, now: .zero)
    #expect(!cursor.isIdle)
    #expect(cursor.next(now: .milliseconds(1)).scan == .fast)
    cursor.note(nothing, of: .fast, now: .milliseconds(1))
    #expect(!cursor.isIdle)
    #expect(cursor.next(now: .milliseconds(2)).scan == .safe)
    cursor.note(nothing, of: .safe, now: .milliseconds(2))
    #expect(cursor.isIdle)
    #expect(cursor.next(now: .milliseconds(1_500)).scan == .safe)
    #expect(cursor.next(now: .seconds(60)).scan == .full)
  }

  @Test func `stays idle as long as there is nothing to claim`() {
    var cursor = ClaimCursor()
    let nothing = ClaimCursor.Finding(
      claimed: [], isExhausted: true, snapshotXmin: 5, snapshotXmax: 5)
    for millisecond in 0..<100 {
      let scan = cursor.next(now: .milliseconds(millisecond)).scan
      cursor.note(nothing, of: scan, now: .milliseconds(millisecond))
      #expect(cursor.isIdle)
    }
  }

  @Test func `does not move the safe place while a transaction of the checkpoint runs`() {
    var cursor = ClaimCursor()
    cursor.note(
      ClaimCursor.Finding(
        claimed: [(0, 10)], isExhausted: true, snapshotXmin: 7, snapshotXmax: 9), of: .full,
      now: .zero)
    let late = ClaimCursor.Finding(
      claimed: [], isExhausted: true, snapshotXmin: 8, snapshotXmax: 20)
    cursor.note(late, of: .safe, now: .seconds(30))
    #expect(cursor.safe[0] == 0)
    let over = ClaimCursor.Finding(
      claimed: [], isExhausted: true, snapshotXmin: 9, snapshotXmax: 20)
    cursor.note(over, of: .safe, now: .seconds(31))
    #expect(cursor.safe[0] == 10)
  }

  @Test func `does not move the safe place within five seconds`() {
    var cursor = ClaimCursor()
    let finding = ClaimCursor.Finding(
      claimed: [(0, 10)], isExhausted: true, snapshotXmin: 9, snapshotXmax: 9)
    cursor.note(finding, of: .full, now: .zero)
    cursor.note(finding, of: .safe, now: .milliseconds(4_999))
    #expect(cursor.safe[0] == 0)
    cursor.note(finding, of: .safe, now: .seconds(5))
    #expect(cursor.safe[0] == 10)
  }

  @Test func `never waits long for a job that committed late`() {
    for seed in UInt64(1)...25 {
      var random = SeededRandom(seed: seed)
      var queue = Queue()
      var cursor = ClaimCursor()
      var claimed = 0
      var now = Duration.zero
      while now < .seconds(150) {
        now += .milliseconds(Int.random(in: 5...200, using: &random))
        queue.advance(to: now)
        if now < .seconds(80) {
          for _ in 0..<Int.random(in: 0...3, using: &random) {
            let takes = Bool.random(using: &random) ? 1 : Int.random(in: 1...20_000, using: &random)
            let count = Int.random(in: 1...4, using: &random)
            queue.begin(
              (0..<count).map { _ in Int.random(in: 0...9, using: &random) }, at: now,
              commitsAt: now + .milliseconds(takes))
          }
          if let index = queue.available.indices.randomElement(using: &random) {
            queue.locked.append((queue.available.remove(at: index), now + .milliseconds(300)))
          }
        }
        let (scan, bounds) = cursor.next(now: now)
        let (finding, jobs) = queue.claim(Int.random(in: 1...16, using: &random), above: bounds)
        claimed += jobs.count
        cursor.note(finding, of: scan, now: now)
      }
      #expect(queue.available.isEmpty && queue.running.isEmpty, "seed \(seed)")
      #expect(claimed == queue.nextOrder - 1, "seed \(seed)")
    }
  }

  @Test func `the safe place never passes a job that is still to appear`() {
    for seed in UInt64(1)...25 {
      var random = SeededRandom(seed: seed)
      var queue = Queue()
      var cursor = ClaimCursor()
      var now = Duration.zero
      for _ in 0..<1_500 {
        now += .milliseconds(Int.random(in: 5...100, using: &random))
        queue.advance(to: now)
        queue.begin(
          [Int.random(in: 4...6, using: &random)], at: now,
          commitsAt: now + .milliseconds(Int.random(in: 1...15_000, using: &random)))
        let (scan, bounds) = cursor.next(now: now)
        let (finding, _) = queue.claim(Int.random(in: 1...16, using: &random), above: bounds)
        cursor.note(finding, of: scan, now: now)
        let coming = queue.running.values.flatMap(\.jobs) + queue.available
        if coming.contains(where: { $0.order <= cursor.safe[$0.priority] }) {
          Issue.record("seed \(seed): a job is behind the safe place")
        }
      }
      #expect(cursor.safe.contains { $0 > 0 })
    }
  }

  @Test func `stays off the dead part of the index while a backlog is worked off`() {
    var queue = Queue()
    queue.begin(Array(repeating: 5, count: 4_000), at: .zero, commitsAt: .zero)
    queue.advance(to: .zero)
    var cursor = ClaimCursor()
    var walked = 0
    for step in 0..<800 {
      let now = Duration.milliseconds(step * 20)
      let (scan, bounds) = cursor.next(now: now)
      walked += cursor.fast[5] - bounds[5]
      let (finding, _) = queue.claim(5, above: bounds)
      cursor.note(finding, of: scan, now: now)
    }
    // Starting from the left end each time would walk 1.6 million dead entries.
    #expect(walked < 40_000)
  }
}
