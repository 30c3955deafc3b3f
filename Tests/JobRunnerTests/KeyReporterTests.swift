import Arazzo
import JSON
import JobModel
import Secrets
import Synchronization
import Testing

@testable import JobRunner

@Suite struct KeyReporterTests {
  private static let first = "sk_aaaaaaaaaaaa_" + String(repeating: "a", count: 64)
  private static let second = "sk_bbbbbbbbbbbb_" + String(repeating: "b", count: 64)
  private let clock = ManualClock()
  private let store = FakeStore()

  private func reporter(_ secrets: any SecretStore) -> KeyReporter {
    KeyReporter(
      store: store, secrets: secrets, lease: lease, environments: ["production"],
      logger: quietLogger)
  }

  private var lease: Lease {
    Lease(
      worker: 3, validUntil: .seconds(10), margin: .seconds(1), time: .manual(clock))
  }

  @Test func `a worker tells its keys once, and again when one has changed`() async throws {
    let secrets = try MemorySecretStore([
      "production/create_user.key": Self.first, "production/create_user.pending.key": Self.second,
      "production/management.password": "correct horse battery",
      "other/create_user.key": Self.first,
    ])
    let reporter = reporter(secrets)
    await reporter.report()
    await reporter.report()
    #expect(store.reports.count == 1)
    #expect(store.reports.first?.map(\.prefix) == ["sk_aaaaaaaaaaaa"])
    try secrets.set("production/create_user.key", Self.second)
    await reporter.report()
    #expect(store.reports.map { $0.map(\.prefix) } == [["sk_aaaaaaaaaaaa"], ["sk_bbbbbbbbbbbb"]])
    // Rolled back: the fleet has to hear of it.
    try secrets.set("production/create_user.key", Self.first)
    await reporter.report()
    #expect(store.reports.last?.map(\.prefix) == ["sk_aaaaaaaaaaaa"])
  }

  @Test func `something that is no key is told without any part of it`() async throws {
    let secrets = try MemorySecretStore(["production/create_user.key": "hunter2-hunter2-hunter2"])
    await reporter(secrets).report()
    #expect(
      store.reports == [
        [
          LoadedKey(
            environment: "production", jobType: "create_user", prefix: nil, fingerprint: nil)
        ]
      ])
  }

  @Test func `an environment that cannot be listed counts as it was seen last`() async throws {
    let secrets = UnlistableSecretStore(
      try MemorySecretStore([
        "production/create_user.key": Self.first, "sandbox/create_user.key": Self.first,
      ]))
    let reporter = KeyReporter(
      store: store, secrets: secrets, lease: lease, environments: ["production", "sandbox"],
      logger: quietLogger)
    secrets.hide("sandbox")
    await reporter.report()
    #expect(store.reports.isEmpty, "a worker that has told nothing is waited for")
    secrets.hide(nil)
    await reporter.report()
    #expect(store.reports.map(\.count) == [2])
    secrets.hide("sandbox")
    await reporter.report()
    #expect(store.reports.map(\.count) == [2])
    try secrets.base.set("production/create_user.key", Self.second)
    await reporter.report()
    #expect(store.reports.map(\.count) == [2, 2])
    #expect(store.reports.last?.map(\.prefix) == ["sk_bbbbbbbbbbbb", "sk_aaaaaaaaaaaa"])
  }

  // MARK: Waiting for the others

  private func answer(
    _ operation: String, prefix: String?, secrets: MemorySecretStore,
    patience: Duration = .milliseconds(250), with others: [(String, JSONValue)] = []
  ) async -> StepResponse {
    let handlers = LocalHandlers(
      secrets: secrets, store: store, time: .continuous, patience: patience,
      worker: "reader on db1")
    var input = JSONObject([("environment", "production"), ("job_type", "create_user")] + others)
    input["prefix"] = prefix.map { .string($0) }
    let lease = Lease(
      worker: 3, validUntil: .seconds(60), margin: .seconds(1), time: .continuous)
    return await handlers.perform(
      operation, input: .object(input),
      under: Registration(
        lease: lease,
        keys: KeyReporter(
          store: store, secrets: secrets, lease: lease, environments: ["production"],
          logger: quietLogger)))
  }

  @Test func `a new key may do what unfinished jobs of older versions need`() async throws {
    let catalogue = try Workshop.catalogue()
    store.define(try #require(catalogue.jobType("create_user")), hash: "new")
    store.define(try #require(catalogue.jobType("get_user")), hash: "old")
    let secrets = try MemorySecretStore([:])
    func permissions() async -> JSONValue? {
      let response = await answer("describeKey", prefix: nil, secrets: secrets)
      return (try? JSONValue(parsing: response.body))?["permissions"]
    }
    #expect(await permissions() == ["write:users"])
    store.leaveOpen(["old", "gone"])
    #expect(await permissions() == ["read:users", "write:users"])
  }

  private static let late = WorkerWithoutKey(
    id: 9, name: "mail", host: "db2", prefix: "sk_aaaaaaaaaaaa", hasReported: true)

  @Test func `a rotation goes on when the last worker shows the new key`() async throws {
    let secrets = try MemorySecretStore(["production/create_user.key": Self.second])
    store.answerWithoutKey([[Self.late], [Self.late]])
    let response = await answer(
      "awaitKeyLoaded", prefix: "sk_bbbbbbbbbbbb", secrets: secrets, patience: .seconds(50))
    #expect(response.status == 204)
    #expect(store.askedFingerprints == Array(repeating: Secret(Self.second).fingerprint, count: 3))
    #expect(store.reports.count == 1, "its own key is told first")
  }

  @Test func `the workers that lack the key are named`() async throws {
    let secrets = try MemorySecretStore(["production/create_user.key": Self.second])
    let silent = WorkerWithoutKey(id: 10, name: "new", host: "db3", prefix: nil, hasReported: false)
    store.answerWithoutKey(Array(repeating: [Self.late, silent], count: 100))
    let response = await answer("awaitKeyLoaded", prefix: "sk_bbbbbbbbbbbb", secrets: secrets)
    #expect(response.status == 409)
    #expect(
      String(decoding: response.body, as: UTF8.self)
        == #"{"error_code":"KEY_NOT_LOADED","reason":"Without it: worker 9 (mail on db2) shows sk_aaaaaaaaaaaa; worker 10 (new on db3) has not said which keys it has."}"#
    )
  }

  @Test func `a worker without the new key in its own store does not speak for the fleet`()
    async throws
  {
    let secrets = try MemorySecretStore(["production/create_user.key": Self.first])
    let response = await answer("awaitKeyLoaded", prefix: "sk_bbbbbbbbbbbb", secrets: secrets)
    #expect(response.status == 404)
    #expect(
      String(decoding: response.body, as: UTF8.self)
        == #"{"error_code":"KEY_ELSEWHERE","reason":"The secret store of worker 3 (reader on db1), which took this step, does not hold sk_bbbbbbbbbbbb; it is left to a worker whose store does."}"#
    )
    #expect(store.askedFingerprints.isEmpty)
    let promotion = await answer("promoteKey", prefix: "sk_bbbbbbbbbbbb", secrets: secrets)
    #expect(promotion.status == 404)
    #expect(try secrets.text("production/create_user.key") == Self.first)
  }

  @Test func `only the previous key that is meant is forgotten`() async throws {
    let secrets = try MemorySecretStore(["production/create_user.previous.key": Self.second])
    _ = await answer("discardPreviousKey", prefix: "sk_aaaaaaaaaaaa", secrets: secrets)
    #expect(try secrets.text("production/create_user.previous.key") == Self.second)
    _ = await answer("discardPreviousKey", prefix: "sk_bbbbbbbbbbbb", secrets: secrets)
    #expect(try secrets.text("production/create_user.previous.key") == nil)
  }

  @Test func `the previous key is asked for where it is, and forgotten once`() async throws {
    let here = try MemorySecretStore([
      "production/create_user.key": Self.second, "production/create_user.previous.key": Self.first,
    ])
    let elsewhere = try MemorySecretStore([:])
    let previous: [(String, JSONValue)] = [("role", "previous")]
    for (secrets, status) in [(here, 204), (elsewhere, 404)] {
      let response = await answer(
        "checkPendingKey", prefix: "sk_aaaaaaaaaaaa", secrets: secrets, with: previous)
      #expect(response.status == status)
    }
    let isNotNew = await answer(
      "checkPendingKey", prefix: "sk_bbbbbbbbbbbb", secrets: here, with: previous)
    #expect(isNotNew.status == 404)
    let new: [(String, JSONValue)] = [("new_prefix", "sk_bbbbbbbbbbbb")]
    for (secrets, status) in [(here, 204), (elsewhere, 404), (here, 204)] {
      let response = await answer(
        "discardPreviousKey", prefix: "sk_aaaaaaaaaaaa", secrets: secrets, with: new)
      #expect(response.status == status)
    }
    #expect(try here.text("production/create_user.previous.key") == nil)
    #expect(try here.text("production/create_user.key") == Self.second)
  }
}
