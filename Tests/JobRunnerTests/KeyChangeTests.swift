// The old key is deleted while requests with it are on their way: none of them fails.

import Arazzo
import JSON
import JobModel
import JobStore
import Logging
import Secrets
import Testing

@testable import JobRunner

@Suite struct KeyChangeTests {
  private static let old = "sk_aaaaaaaaaaaa_" + String(repeating: "a", count: 64)
  private static let new = "sk_bbbbbbbbbbbb_" + String(repeating: "b", count: 64)
  private let clock = ManualClock()
  private let store = FakeStore()

  /// Runs an order whose first request is answered like this, after something has happened.
  private func run(
    _ first: StepResponse, meanwhile: @escaping @Sendable (MemorySecretStore) throws -> Void
  ) async throws -> ScriptedSender {
    let catalogue = try Workshop.catalogue()
    store.define(try #require(catalogue.jobType("create_user")), hash: "1")
    let configuration = try makeConfiguration()
    let secrets = try MemorySecretStore(["production/create_user.key": Self.old])
    let sender = ScriptedSender { _, number in
      guard number == 1 else {
        return .success(StepResponse(status: 200, json: ["id": "u1", "email": "a@b.cd"]))
      }
      try? meanwhile(secrets)
      return .success(first)
    }
    let time = WorkerTime.manual(clock)
    let statistics = StatisticsBox()
    let lease = Lease(worker: 1, validUntil: .seconds(7), margin: .seconds(1), time: time)
    let recorder = Recorder(
      store: store, lease: lease, time: time, statistics: statistics, logger: quietLogger)
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
    return sender
  }

  private static let refused = StepResponse(
    status: 401, json: ["error": "Invalid API key", "error_code": "UNAUTHORIZED"])
  /// What AuthOS answers when the key goes between its recognition and the note of its use.
  private static let gone = StepResponse(
    status: 404, json: ["error": "API key not found", "error_code": "NOT_FOUND"])

  private static let rotate: @Sendable (MemorySecretStore) throws -> Void = {
    try $0.set("production/create_user.key", new)
  }

  @Test(arguments: [false, true])
  func `a request whose key was replaced meanwhile goes out again with the new one`(
    isGone: Bool
  ) async throws {
    let sender = try await run(isGone ? Self.gone : Self.refused, meanwhile: Self.rotate)
    #expect(sender.requests.map(\.authorizationText) == [Self.old, Self.new])
    #expect(store.records.last?.kind == "complete")
    #expect(store.records.allSatisfy { $0.kind != "retry" && $0.kind != "discard" })
  }

  @Test func `a key that is gone and was not replaced puts the job off and decides nothing`()
    async throws
  {
    let sender = try await run(Self.gone) { _ in }
    #expect(sender.requests.count == 1)
    guard case .retry(let delay, let burnsAttempt, _, let error)? = store.records.last else {
      Issue.record("\(store.records)")
      return
    }
    #expect(delay == .seconds(30))
    #expect(!burnsAttempt)
    #expect(error.text == "the secret production/create_user.key is missing or unusable")
  }

  @Test func `nothing goes out again when the lease has ended meanwhile`() async throws {
    let clock = clock
    let sender = try await run(Self.refused) {
      try Self.rotate($0)
      clock.advance(by: .seconds(8))
    }
    #expect(sender.requests.count == 1)
  }
}
