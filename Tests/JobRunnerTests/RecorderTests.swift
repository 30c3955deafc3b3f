import JSON
import JobModel
import Testing

@testable import JobRunner

@Suite struct RecorderTests {
  private let clock = ManualClock()
  private let statistics = StatisticsBox()

  private func makeRecorder(_ store: FakeStore) -> (Recorder, Lease) {
    let time = WorkerTime.manual(clock)
    let lease = Lease(worker: 1, validUntil: .seconds(7), margin: .seconds(1), time: time)
    let recorder = Recorder(
      store: store, lease: lease, time: time, statistics: statistics, logger: quietLogger)
    return (recorder, lease)
  }

  private func job(_ id: Int) -> ClaimedJob {
    ClaimedJob(id: id, type: "create_user", environment: "production", payload: .init())
  }

  @Test func `what is submitted while a call is on its way travels together in the next one`()
    async throws
  {
    let store = FakeStore()
    store.holdRecords()
    let (recorder, _) = makeRecorder(store)
    let outcomes = await withTaskGroup(of: RecordOutcome.self) { group in
      group.addTask { await recorder.submit([.cancel], of: job(1)) }
      _ = try? await eventually { store.recordCalls.count == 1 }
      for id in 2...20 { group.addTask { await recorder.submit([.cancel], of: job(id)) } }
      _ = try? await eventually { await recorder.waitingCount == 19 }
      store.releaseRecords()
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes == Array(repeating: .accepted(isCancelRequested: false), count: 20))
    #expect(store.recordCalls.map(\.count) == [1, 19])
  }

  @Test func `a lost lease is told to the job it concerns and to no other`() async {
    let store = FakeStore()
    store.answerRecords { entry in entry.job != 2 }
    let (recorder, _) = makeRecorder(store)
    #expect(await recorder.submit([.cancel], of: job(1)) == .accepted(isCancelRequested: false))
    #expect(await recorder.submit([.cancel], of: job(2)) == .leaseLost)
  }

  @Test func `a lost connection is tried again as long as the lease lasts`() async throws {
    let store = FakeStore()
    store.failRecords(times: 2, isTransient: true)
    let (recorder, _) = makeRecorder(store)
    async let outcome = recorder.submit([.cancel], of: job(1))
    for _ in 1...2 {
      #expect(try await eventually { clock.sleeperCount == 1 })
      clock.advance(by: .milliseconds(100))
    }
    #expect(await outcome == .accepted(isCancelRequested: false))
  }

  @Test func `an outcome that cannot be written before the lease ends is counted and left`()
    async throws
  {
    let store = FakeStore()
    store.failRecords(times: .max, isTransient: true)
    let (recorder, _) = makeRecorder(store)
    async let outcome = recorder.submit([.cancel], of: job(1))
    #expect(try await eventually { clock.sleeperCount == 1 })
    clock.advance(by: .seconds(7))
    #expect(await outcome == .unwritten)
    #expect(statistics.current.unwritten == 1)
  }

  @Test func `an entry that the database refuses does not take the others with it`() async {
    let store = FakeStore()
    store.holdRecords()
    store.refuseRecords { entries in entries.contains { $0.job == 3 } }
    let (recorder, _) = makeRecorder(store)
    let outcomes = await withTaskGroup(of: (Int, RecordOutcome).self) { group in
      group.addTask { (1, await recorder.submit([.cancel], of: job(1))) }
      _ = try? await eventually { store.recordCalls.count == 1 }
      for id in 2...4 { group.addTask { (id, await recorder.submit([.cancel], of: job(id))) } }
      _ = try? await eventually { await recorder.waitingCount == 3 }
      store.releaseRecords()
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    #expect(outcomes[3] == .refused)
    #expect([1, 2, 4].allSatisfy { outcomes[$0] == .accepted(isCancelRequested: false) })
  }

  @Test func `a cancelled job still writes what happened`() async {
    let store = FakeStore()
    let (recorder, _) = makeRecorder(store)
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await recorder.submit([.handBack(isUnresolved: true)], of: job(1))
    }
    #expect(await task.value == .accepted(isCancelRequested: false))
  }
}
