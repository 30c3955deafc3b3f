// What a command that waits for rotations says about workers, and how often.

import JobStore
import Testing

@testable import writ

@Suite struct WorkerNoticesTests {
  private static func job(_ id: Int, _ environment: String, workers: Int) -> JobWorkers {
    JobWorkers(job: id, environment: environment, queue: "keys", workers: workers)
  }

  @Test func `a missing worker is told at once, now and then, and when it is there`() {
    var notices = WorkerNotices()
    let missing = [
      Self.job(1, "production", workers: 0), Self.job(2, "production", workers: 0),
      Self.job(3, "staging", workers: 1),
    ]
    let sentence =
      "writ: no live worker serves production: 2 rotations wait there until one is started (`writ worker`)"
    var told: [Int: [String]] = [:]
    for second in 0..<70 {
      let texts = notices.notices(missing, untaken: [], at: .seconds(second))
      if !texts.isEmpty { told[second] = texts }
    }
    #expect(told == [0: [sentence], 30: [sentence], 60: [sentence]])
    let found = [Self.job(1, "production", workers: 1)]
    #expect(
      notices.notices(found, untaken: [], at: .seconds(71))
        == ["writ: a live worker serves production now"])
    #expect(notices.notices(found, untaken: [], at: .seconds(72)) == [])
    #expect(
      notices.notices([missing[0]], untaken: [], at: .seconds(73))
        == [
          "writ: no live worker serves production: 1 rotation waits there until one is started (`writ worker`)"
        ])
  }

  @Test func `a queue that nobody takes is told after a while`() {
    var notices = WorkerNotices()
    let jobs = [Self.job(1, "production", workers: 2)]
    var told: [Int: [String]] = [:]
    for second in 0..<50 {
      // Somebody has it for a moment.
      let texts = notices.notices(jobs, untaken: second == 5 ? [] : [1], at: .seconds(second))
      if !texts.isEmpty { told[second] = texts }
    }
    let sentence =
      "writ: no worker takes the queue keys of production, or all slots are busy: 1 rotation waits there; see worker.queues and `writ doctor`"
    #expect(told == [16: [sentence], 46: [sentence]])
  }

  @Test func `workers are looked for every two seconds`() {
    var notices = WorkerNotices()
    let looks = (0..<50).filter { notices.isLookDue(at: .milliseconds($0 * 100)) }
    #expect(looks == [0, 20, 40])
  }
}
