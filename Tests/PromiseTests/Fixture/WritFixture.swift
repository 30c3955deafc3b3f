// A whole Writ for one test: database, AuthOS, secrets and configuration; and everything gone afterwards.

import Arazzo
import AuthOSEmulator
import Foundation
import JobStore
import Logging
import Postgres
import Secrets
import Synchronization
import WritTesting

/// What a test of whole processes works with.
final class WritFixture: Sendable {
  let database: FixtureDatabase
  /// Connections as superuser, for looking.
  let pool: PostgresPool
  /// The emulator, which runs in this process.
  let authOS: EmulatedAuthOS
  let port: Int
  /// Holds configuration and secrets; nobody else may read it.
  let directory: String
  let options: FixtureOptions
  private let processes = Mutex<[WritProcess]>([])

  /// The job types that call AuthOS with a key of their own.
  static let keyedTypes = [
    "create_user", "change_plan", "revoke_access", "request_provider_token",
  ]

  private init(
    _ database: FixtureDatabase, _ pool: PostgresPool, _ authOS: EmulatedAuthOS, port: Int,
    directory: String, _ options: FixtureOptions
  ) {
    self.database = database
    self.pool = pool
    self.authOS = authOS
    self.port = port
    self.directory = directory
    self.options = options
  }

  /// Sets everything up, runs the test, and ends every process and the emulator, however the test ends.
  static func with<Value: Sendable>(
    _ options: FixtureOptions = FixtureOptions(),
    _ body: @Sendable @escaping (WritFixture) async throws -> Value
  ) async throws -> Value {
    let database = try await FixtureDatabase.make(options)
    return try await database.withPool(.superuser) { pool in
      try await TemporaryDirectory.with { directory in
        let authOS = EmulatedAuthOS(
          seed: try seed(options), settings: options.settings, faults: options.faults, at: .now())
        try authOS.prepareSigningKey()
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let server = EmulatorServer(
          authOS, logger: Logger(label: "emulator") { _ in SwiftLogNoOpLogHandler() }
        ) { bound.yield($0) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            // A server that cannot start ends the wait for its port.
            defer { bound.finish() }
            try await server.run()
          }
          var iterator = ports.makeAsyncIterator()
          guard let port = await iterator.next() else { throw CancellationError() }
          let fixture = WritFixture(
            database, pool, authOS, port: port, directory: directory, options)
          try fixture.writeSecrets()
          try fixture.writeConfiguration()
          do {
            let value = try await body(fixture)
            await fixture.end()
            group.cancelAll()
            return value
          } catch {
            await fixture.end()
            group.cancelAll()
            throw error
          }
        }
      }
    }
  }

  // MARK: Processes

  /// Starts `writ` with this fixture's configuration, as a role of the database.
  func start(
    _ arguments: [String], as role: FixtureRole, environment: [String: String] = [:]
  ) async throws -> WritProcess {
    let variables = [
      "WRIT_CONFIG": "\(directory)/writ.yaml", "WRIT_DATABASE": database.connectionString(role),
    ]
    let process = try await WritProcess.start(
      arguments, environment: variables.merging(environment) { $1 }, directory: directory)
    processes.withLock { $0.append(process) }
    return process
  }

  /// Runs a command to its end.
  func run(
    _ arguments: [String], as role: FixtureRole, within limit: Duration = .seconds(30)
  ) async throws -> WritProcess {
    let process = try await start(arguments, as: role)
    try await process.awaitEnd(within: limit)
    return process
  }

  /// Starts a worker and waits until it may claim.
  func startWorker(_ name: String = "worker") async throws -> WritProcess {
    let process = try await start(["worker", "--set", "worker.name=\(name)"], as: .worker)
    try await process.awaitLine("the worker is registered") {
      $0.contains("the worker is registered")
    }
    return process
  }

  /// Kills every process.
  func end() async {
    for process in processes.withLock({ $0 }) { await process.destroy() }
  }

  // MARK: Orders

  /// Orders a job as the enqueuer, with plain SQL.
  @discardableResult
  func order(_ call: String, _ parameters: [PostgresParameter] = []) async throws -> Int {
    try await database.withPool(.enqueuer) { pool in
      try await pool.query(Statement(sql: "select \(call) as id"), parameters)[0]["id"].decode()
    }
  }

  /// Waits until no job is unfinished but those that wait for a person.
  ///
  /// - Parameter hurries: whether jobs that wait for their next attempt are made due at once.
  func awaitEveryJob(within limit: Duration, hurries: Bool = false) async throws {
    do {
      try await awaiting("every job to end", within: limit, every: .milliseconds(100)) {
        if hurries { try await self.hurry() }
        return try await self.unfinishedJobs() == 0
      }
    } catch let error as DeadlinePassed {
      let states = try await pool.query(
        """
        select type || ' ' || state || coalesce(' ' || waiting_reason, '') || ' '
               || coalesce(last_error ->> 'code', '') || ': ' || count(*) as line
          from writ.job group by type, state, waiting_reason, last_error ->> 'code' order by 1
        """)
      let lines = try states.map { try $0["line"].decode(as: String.self) }
      throw DeadlinePassed(
        error.description, within: limit, lastSeen: lines.joined(separator: ", "))
    }
  }

  /// Makes every job that waits for its time due now, where a test has nothing to learn from the wait.
  func hurry() async throws {
    try await pool.execute(
      "update writ_data.job set run_at = clock_timestamp() where state = 'retryable' and run_at > clock_timestamp()"
    )
  }

  private func unfinishedJobs() async throws -> Int {
    try await pool.query(
      """
      select count(*) as jobs from writ_data.job
       where not (state = 'waiting' and waiting_reason = 'review')
      """)[0]["jobs"].decode()
  }

  // MARK: Files

  /// The secret store, as the workers see it.
  var secretsDirectory: String { "\(directory)/secrets" }

  /// The secret of a name now.
  func secret(_ name: String) -> String? {
    FileManager.default.contents(atPath: "\(secretsDirectory)/default/\(name)").map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func writeSecrets() throws {
    try write("management.email", options.managementEmail)
    try write("management.password", options.managementPassword)
    for (type, key) in authOS.seeded.apiKeys where Self.keyedTypes.contains(type) {
      try write("\(type).key", key)
    }
  }

  /// Puts a secret into the store, with the modes that it demands.
  func write(_ name: String, _ secret: String) throws {
    let folder = "\(secretsDirectory)/default"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o700], ofItemAtPath: secretsDirectory)
    guard
      FileManager.default.createFile(
        atPath: "\(folder)/\(name)", contents: Data(secret.utf8),
        attributes: [.posixPermissions: 0o600])
    else { throw ProcessFailure("\(folder)/\(name) cannot be written") }
  }

  private func writeConfiguration() throws {
    var settings = options.worker
    // Where waits are shortened, no request is held for more than 4 s.
    if options.retry != nil, settings["lost-request-pause"] == nil {
      settings["lost-request-pause"] = "6s"
    }
    let worker = settings.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)\n" }
    let text = """
      secrets:
        directory: \(secretsDirectory)
      log:
        level: \(options.logLevel)
        format: json
      environments:
        default:
          authos:
            url: http://127.0.0.1:\(options.frontPort ?? port)
            organization: acme
            service: portal
      """
      + (options.targets.isEmpty ? "" : "\n    targets:")
      + options.targets.sorted { $0.key < $1.key }.map { "\n      \($0.key): {url: \($0.value)}" }
      .joined() + (worker.isEmpty ? "\n" : "\nworker:\n" + worker.joined())
    let path = "\(directory)/writ.yaml"
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw ProcessFailure("\(path) cannot be written") }
  }

  /// The service with a key for each job type that may do what the type's operations require, and no more.
  private static func seed(_ options: FixtureOptions) throws -> EmulatorSeed {
    let catalogue = try Catalogue.load(files: EmbeddedCatalogue.documents)
    return EmulatorSeed(
      accounts: [
        SeedAccount(
          email: options.managementEmail, password: options.managementPassword,
          role: .custom(capabilities: ["services.manage", "services.view"]))
      ],
      users: options.users,
      apiKeys: try keyedTypes.map { name in
        guard let type = catalogue.jobType(name) else {
          throw ProcessFailure("the catalogue has no job type \(name)")
        }
        return SeedAPIKey(name: name, permissions: type.leastPrivilege, key: options.keys[name])
      }
        + (0..<options.otherKeys).map {
          SeedAPIKey(name: "other \($0)", permissions: ["read:users"])
        })
  }
}
