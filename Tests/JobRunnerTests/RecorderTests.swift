import Arazzo
import JSON
import JobModel
import JobStore
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

  @Test func `a job that another transaction holds is sent again and holds up no other`()
    async throws
  {
    let store = FakeStore()
    store.holdUp([1])
    let (recorder, _) = makeRecorder(store)
    async let held = recorder.submit([.cancel], of: job(1))
    #expect(try await eventually { clock.sleeperCount == 1 })
    async let other = recorder.submit([.cancel], of: job(2))
    _ = try? await eventually { await recorder.waitingCount == 2 }
    clock.advance(by: .milliseconds(100))
    #expect(await other == .accepted(isCancelRequested: false))
    #expect(try await eventually { clock.sleeperCount == 1 })
    store.holdUp([])
    clock.advance(by: .milliseconds(100))
    #expect(await held == .accepted(isCancelRequested: false))
    #expect(store.skippingCalls == store.recordCalls.count - 1)
  }

  @Test func `a job that another transaction holds is given up when the lease has ended`()
    async throws
  {
    let store = FakeStore()
    store.holdUp([1])
    let (recorder, _) = makeRecorder(store)
    async let held = recorder.submit([.cancel], of: job(1))
    #expect(try await eventually { clock.sleeperCount == 1 })
    clock.advance(by: .seconds(8))
    #expect(await held == .unwritten)
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

  @Test func `a job whose record the database refuses waits for a person`() async throws {
    let store = FakeStore()
    let catalogue = try Workshop.catalogue()
    store.define(try #require(catalogue.jobType("create_user")), hash: "1")
    store.refuseRecords { $0.contains { $0.record.kind == "complete" } }
    let configuration = try makeConfiguration()
    let secrets = try MemorySecretStore(["production/create_user.key": "sk_0123456789_secret"])
    let sender = ScriptedSender { _, _ in .success(StepResponse(status: 200, json: ["id": "a\0b"]))
    }
    let (recorder, lease) = makeRecorder(store)
    let time = WorkerTime.manual(clock)
    var execution = JobExecution(
      ClaimedJob(
        id: 1, type: "create_user", environment: "production", definitionHash: "1",
        payload: JSONObject([("email", "ada@example.com")])),
      ExecutionContext(
        configuration: configuration,
        registration: Registration(
          lease: lease,
          keys: KeyReporter(
            store: store, secrets: secrets, lease: lease, environments: ["production"],
            logger: quietLogger)), recorder: recorder,
        transport: Transport(
          configuration: configuration, sender: sender, secrets: secrets, store: store, time: time,
          statistics: statistics, logger: quietLogger),
        circuits: CircuitBreakers(
          store: store, policy: CircuitPolicy(), environments: ["production"], time: time,
          logger: quietLogger), definitions: DefinitionCache(store: store), secrets: secrets,
        store: store,
        stopping: Stopping(time: time, stepsContinueFor: .seconds(10)), time: time,
        random: LockedRandom(SystemRandomNumberGenerator()), statistics: statistics,
        logger: quietLogger))
    await execution.run()
    #expect(sender.requests.count == 1)
    guard case .review(let error, _)? = store.records.last else {
      Issue.record("the job was left running")
      return
    }
    #expect(error.code == "record_refused")
    #expect(statistics.current.reviewed == 1)
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
