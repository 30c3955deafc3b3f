// A whole installation for one test: a database of its own, an emulated AuthOS on loopback, a secret
// store, and workers that a test starts and stops.

import Arazzo
import AuthOSEmulator
import JSON
import JobModel
import JobStore
import Logging
import Postgres
import Secrets
import ServiceLifecycle
import Synchronization
import Testing
import WritTesting

@testable import JobRunner

/// Draws the smallest numbers, so that backoffs are over at once.
struct LowRandom: RandomNumberGenerator {
  private var last: UInt64 = 0
  mutating func next() -> UInt64 {
    last += 1
    return last
  }
}

final class Workshop: Sendable {
  static let types = ["create_user", "change_plan", "revoke_access", "rotate_api_key"]
  static let password = "canary-password-7f3a"

  let authOS: EmulatedAuthOS
  let secrets: MemorySecretStore
  let admin: JobStore
  private let connectionString: String
  private let port: Int

  /// Prepares an installation and takes it down when the body has returned.
  static func open(
    faults: FaultPlan = FaultPlan(), users: [SeedUser] = [], settings: EmulatorSettings = .init(),
    _ body: @Sendable (Workshop) async throws -> Void
  ) async throws {
    let cluster = try await ThrowawayCluster.shared
    let template = try await cluster.template(named: "runner_template") { connectionString in
      try await prepare(connectionString)
    }
    let connectionString = try await cluster.makeDatabase(template: template)
    let privileges = try catalogue().jobTypes.filter { !$0.leastPrivilege.isEmpty }
    let authOS = EmulatedAuthOS(
      seed: EmulatorSeed(
        accounts: [SeedAccount(email: "ops@acme.test", password: password)], users: users,
        apiKeys: privileges.map { SeedAPIKey(name: $0.name, permissions: $0.leastPrivilege) }),
      settings: settings, faults: faults, at: UTCTime.now())
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let server = EmulatorServer(authOS, logger: quietLogger) { continuation.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // A server that cannot start ends the wait for its port.
        defer { continuation.finish() }
        try? await server.run()
      }
      guard let port = await ports.first(where: { _ in true }) else { throw CancellationError() }
      let workshop = try Workshop(authOS, port: port, connectionString)
      do {
        try await body(workshop)
      } catch {
        group.cancelAll()
        await workshop.admin.pool.close()
        throw error
      }
      group.cancelAll()
      await workshop.admin.pool.close()
    }
  }

  private init(_ authOS: EmulatedAuthOS, port: Int, _ connectionString: String) throws {
    self.authOS = authOS
    self.port = port
    self.connectionString = connectionString
    admin = JobStore(pool: try Self.pool(connectionString, connections: 2))
    var texts = [
      "default/management.email": "ops@acme.test", "default/management.password": Self.password,
    ]
    for (name, key) in authOS.seeded.apiKeys { texts["default/\(name).key"] = key }
    secrets = try MemorySecretStore(texts)
  }

  static func catalogue() throws -> Catalogue { try loadedCatalogue.get() }

  /// Read once: it takes a good part of a second in a debug build, which each test would pay for.
  private static let loadedCatalogue = Result {
    try Catalogue.load(files: EmbeddedCatalogue.documents)
  }

  private static func pool(_ connectionString: String, connections: Int) throws -> PostgresPool {
    PostgresPool(
      configuration: try PostgresConfiguration(connectionString: connectionString),
      maximumConnections: connections, waitTimeout: .seconds(60))
  }

  private static func prepare(_ connectionString: String) async throws {
    let pool = try pool(connectionString, connections: 1)
    try await Migrator(pool: pool).migrate()
    let store = JobStore(pool: pool)
    for type in try catalogue().jobTypes { try await store.publish(type) }
    _ = try await pool.query(
      Statement(sql: "create role test_worker login in role writ_worker"))
    await pool.close()
  }

  // MARK: Workers

  /// Runs a worker while the body runs, then stops it gracefully and waits for it.
  func withWorker(
    logger: Logger = quietLogger,
    _ change: (inout WorkerConfiguration.Values) -> Void = { _ in },
    wrap: (any WorkerStore) -> any WorkerStore = { $0 },
    wrapSender: (any HTTPSender) -> any HTTPSender = { $0 },
    wrapSecrets: (any SecretStore) -> any SecretStore = { $0 },
    _ body:
      @escaping @Sendable (Worker, _ stop: @escaping @Sendable () -> Void) async throws -> Void
  ) async throws {
    let configuration = try configuration(change)
    let database = try PostgresConfiguration(
      connectionString: connectionString.replacing("user='postgres'", with: "user='test_worker'"))
    let pool = PostgresPool(configuration: database, maximumConnections: 6)
    let sender = AsyncHTTPSender(configuration: configuration)
    let worker = Worker(
      configuration: configuration, processID: 1,
      store: wrap(
        WorkerDatabase(
          store: JobStore(pool: pool),
          listener: PostgresListener(configuration: database))),
      sender: wrapSender(sender), secrets: wrapSecrets(secrets), time: .continuous,
      random: LowRandom(), logger: logger)
    let group = ServiceGroup(
      configuration: .init(
        services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)],
        logger: quietLogger))
    let result = await withTaskGroup(of: Void.self) { tasks -> Result<Void, any Error> in
      tasks.addTask { try? await group.run() }
      do {
        try await body(worker) { Task { await group.triggerGracefulShutdown() } }
        await group.triggerGracefulShutdown()
        await tasks.waitForAll()
        return .success(())
      } catch {
        await group.triggerGracefulShutdown()
        return .failure(error)
      }
    }
    try await sender.shutdown()
    await pool.close()
    try result.get()
  }

  private func configuration(
    _ change: (inout WorkerConfiguration.Values) -> Void
  ) throws -> WorkerConfiguration {
    try makeConfiguration { values in
      values.sweepInterval = .milliseconds(50)
      values.pollInterval = .milliseconds(200)
      values.requestTimeout = .seconds(5)
      // The emulator ends a request with its connection.
      values.lostRequestPause = .seconds(1)
      values.environments = [
        EnvironmentConfiguration(
          name: "default", targets: ["authos": "http://127.0.0.1:\(port)"], organization: "acme",
          service: "portal")
      ]
      change(&values)
    }
  }

  // MARK: Jobs

  func order(_ type: String, _ payload: JSONValue) async throws -> Int {
    try await admin.enqueue(type: type, payload: payload)
  }

  func state(of job: Int) async throws -> String? { try await admin.job(job)?.summary.state }

  /// Waits until a job is in a state; shows its story when it is not.
  func expect(
    _ job: Int, toBe state: String, within deadline: Duration = .seconds(40),
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async throws {
    let isThere = try await eventually(deadline) {
      try await self.state(of: job) == state
    }
    guard !isThere else { return }
    let detail = try await admin.job(job)
    let steps = detail?.journal.map { "\($0.step) \($0.result ?? "open") \($0.errorCode ?? "")" }
    Issue.record(
      "job \(job) is \(detail?.summary.state ?? "gone"), not \(state): \(steps ?? []) \(detail?.summary.lastError?.serialized() ?? "")",
      sourceLocation: sourceLocation)
  }

  /// Every row of every table, as text.
  func dump() async throws -> String {
    let tables = try await admin.pool.query(
      Statement(
        sql: """
          select format('%I.%I', schemaname, tablename) as name
            from pg_tables where schemaname not in ('pg_catalog', 'information_schema')
          """))
    var text = ""
    for table in tables {
      let name: String = try table.decode("name")
      let rows = try await admin.pool.query(
        Statement(sql: "select t::text as line from \(name) as t"))
      for row in rows { text += try row.decode("line", as: String.self) + "\n" }
    }
    return text
  }

  func effects(_ effect: Effect) -> Int { authOS.ledger().filter { $0.effect == effect }.count }
}
