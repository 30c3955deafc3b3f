// Which keys workers have told that they have, and who is waited for.

import JSON
import JobModel
import JobStore
import Postgres
import Testing

@Suite struct WorkerKeyTests {
  private static func key(_ digit: Character, type: String = "create_user") -> LoadedKey {
    LoadedKey(
      environment: "default", jobType: type,
      prefix: "sk_" + String(repeating: digit, count: 12),
      fingerprint: String(repeating: digit, count: 12))
  }

  private func lacking(_ database: TestDatabase) async throws -> [Int] {
    try await database.store.workersWithoutKey(
      environment: "default", jobType: "create_user", fingerprint: "bbbbbbbbbbbb"
    ).map(\.id)
  }

  @Test func `a worker is waited for until it shows the new key`() async throws {
    try await TestDatabase.with { database in
      let store = database.store
      let worker = try await database.worker()
      #expect(try await lacking(database) == [worker], "it has not said anything yet")
      _ = try await store.reportKeys(worker: worker, environments: ["default"], [Self.key("a")])
      let late = try await store.workersWithoutKey(
        environment: "default", jobType: "create_user", fingerprint: "bbbbbbbbbbbb")
      #expect(late.first?.words.contains("shows sk_aaaaaaaaaaaa") == true)
      _ = try await store.reportKeys(worker: worker, environments: ["default"], [Self.key("b")])
      #expect(try await lacking(database) == [])
      // Rolled back.
      _ = try await store.reportKeys(worker: worker, environments: ["default"], [Self.key("a")])
      #expect(try await lacking(database) == [worker])
    }
  }

  @Test func `a key that cannot be read counts as another one, and none as none`() async throws {
    try await TestDatabase.with { database in
      let store = database.store
      let worker = try await database.worker()
      let broken = LoadedKey(
        environment: "default", jobType: "create_user", prefix: nil, fingerprint: nil)
      _ = try await store.reportKeys(worker: worker, environments: ["default"], [broken])
      #expect(try await lacking(database) == [worker])
      // The same prefix with another secret behind it: a file that was cut short.
      var cut = Self.key("b")
      cut.fingerprint = "cccccccccccc"
      _ = try await store.reportKeys(worker: worker, environments: ["default"], [cut])
      #expect(try await lacking(database) == [worker])
      _ = try await store.reportKeys(
        worker: worker, environments: ["default"], [Self.key("a", type: "change_plan")])
      #expect(try await lacking(database) == [])
      #expect(try await database.number("select count(*) from writ_data.worker_key") == 1)
    }
  }

  @Test func `workers of other environments and workers that have ended are not waited for`()
    async throws
  {
    try await TestDatabase.with { database in
      let store = database.store
      let elsewhere = try await database.worker()
      _ = try await store.reportKeys(worker: elsewhere, environments: ["staging"], [])
      let ended = try await database.worker()
      _ = try await store.reportKeys(worker: ended, environments: ["default"], [Self.key("a")])
      #expect(try await lacking(database) == [ended])
      try await store.deregisterWorker(ended)
      #expect(try await lacking(database) == [])
      let lost = try await database.worker()
      _ = try await store.reportKeys(worker: lost, environments: ["default"], [Self.key("a")])
      _ = try await database.sql(
        "update writ_data.worker set lease_expires_at = clock_timestamp() where id = $1",
        [.int(lost)])
      #expect(try await lacking(database) == [])
      #expect(
        try await store.reportKeys(worker: lost, environments: ["default"], [Self.key("b")])
          == false, "a worker whose lease has ended writes nothing")
      _ = try await store.sweepJobs(limit: 10)
      #expect(try await database.number("select count(*) from writ_data.worker_key") == 0)
    }
  }

  @Test func `older definitions count while they have unfinished jobs`() async throws {
    try await TestDatabase.with { database in
      func open(_ environment: String = "default") async throws -> [String] {
        try await database.store.openDefinitions(environment: environment, jobType: "ping")
      }
      func publish(_ hash: String) async throws {
        let type = JobTypes.type("ping", hash: hash, inputs: [], subject: nil, replay: "never")
        try await database.sql("select writ.publish_job_type($1)", [.json(type.serialized())])
      }
      _ = try await database.number("select writ.ping()")
      #expect(try await open() == [], "it is the present one")
      try await publish("c1")
      #expect(try await open() == [String(repeating: "cc", count: 32)])
      #expect(try await open("staging") == [])
      try await publish("c2")
      let worker = try await database.worker()
      let job = try #require(try await database.claim(worker).first)
      #expect(try await open() == [String(repeating: "cc", count: 32)])
      try await database.record(
        worker, job, .complete(result: JSONObject(), recorded: RecordedFields()))
      #expect(try await open() == [])
    }
  }

  @Test func `an installation has one name`() async throws {
    try await TestDatabase.with { database in
      let name = try await database.store.installation()
      #expect(name.wholeMatch(of: /[0-9a-f]{8}/) != nil)
      #expect(try await database.store.installation() == name)
    }
  }

  @Test func `a loaded key is shown to people by its public part`() async throws {
    try await TestDatabase.with { database in
      let worker = try await database.worker()
      _ = try await database.store.reportKeys(
        worker: worker, environments: ["default"], [Self.key("a")])
      let rows = try await database.sql("select prefix, type from writ.worker_key")
      #expect(try rows.map { try $0.decode("prefix") } == ["sk_aaaaaaaaaaaa"])
    }
  }
}
