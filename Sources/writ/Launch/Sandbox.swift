// What `up` and `demo` share: a private database, an emulator, keys, and worker processes.

import Arazzo
import AuthOSEmulator
import Foundation
import JSON
import PostgresCluster

/// A complete installation on one machine that ends with this process.
struct Sandbox: Sendable {
  /// The name of its one environment.
  static let environment = "sandbox"

  /// What a sandbox is made from.
  struct Plan: Sendable {
    /// Where configuration, secrets and logs are; exists.
    var directory: String
    /// Where the cluster keeps its data; `nil` for one that is thrown away.
    var clusterDirectory: String?
    var catalogue: Catalogue
    /// The port of the emulator, 0 for any.
    var port = 0
    var seed: UInt64 = 1
    var users: [SeedUser]
    var dateMode = DateMode.sqlite
    var faults = FaultPlan()
    /// Settings of the workers, as `--set` takes them.
    var workerSettings: [String] = []
    /// How long jobs wait to outlast a request whose answer was lost; `nil` leaves the worker's own default.
    ///
    /// The emulator has acted before it loses an answer, and ends a request with its connection.
    var lostRequestPause: Duration? = .seconds(2)
    /// The role that orders jobs.
    var ordering: SandboxDatabase.Login
    /// The addresses of other targets than the emulator.
    var targets: [String: String] = [:]
    /// The targets for which secrets are made up where none are given.
    var targetsWithMadeUpSecrets: [TargetUse] = []
    /// Files with secrets of targets, by `TARGET.WORD`.
    var secretFiles: [String: String] = [:]
  }

  let plan: Plan
  let database: SandboxDatabase
  let authOS: EmulatedAuthOS
  let secrets: SandboxSecrets
  /// Where the emulator answers.
  let url: String
  /// The file that makes `writ` commands talk to this sandbox.
  let configurationFile: String

  /// A few users to order jobs about.
  static let exampleUsers = [
    SeedUser(email: "ada@example.com", plan: "free"),
    SeedUser(email: "grace@example.com", plan: "pro"),
    SeedUser(email: "katherine@example.com", plan: "team"),
  ]

  /// Builds a sandbox, lends it, and takes it down, whatever happens.
  ///
  /// - Parameter progress: Gets a sentence before each part that takes its time.
  static func with<Value: Sendable>(
    _ plan: Plan, progress: @escaping @Sendable (String) -> Void,
    _ body: @escaping @Sendable (Sandbox) async throws -> Value
  ) async throws -> Value {
    progress("starting a private PostgreSQL cluster")
    let cluster = try await PrivateCluster.start(directory: plan.clusterDirectory)
    do {
      let value = try await withEmulator(plan, cluster, progress, body)
      await cluster.stop()
      return value
    } catch {
      await cluster.stop()
      throw error
    }
  }

  /// Starts a worker process.
  ///
  /// - Parameter name: The name under which it registers; its log is `NAME.log` in the directory.
  func startWorker(_ name: String) throws -> ChildProcess {
    var arguments = [
      "worker", "--stop-with-parent", "--config", configurationFile, "--database",
      database.connectionString(.worker), "--set", "worker.name=\(name)",
    ]
    if let pause = plan.lostRequestPause {
      arguments += ["--set", "worker.lost-request-pause=\(DurationText.written(pause))"]
    }
    for setting in plan.workerSettings { arguments += ["--set", setting] }
    return try ChildProcess.start(arguments, log: log(ofWorker: name))
  }

  /// The file that a worker's messages are appended to.
  func log(ofWorker name: String) -> String { "\(plan.directory)/\(name).log" }

  // MARK: Building

  private static func withEmulator<Value: Sendable>(
    _ plan: Plan, _ cluster: PrivateCluster,
    _ progress: @escaping @Sendable (String) -> Void,
    _ body: @escaping @Sendable (Sandbox) async throws -> Value
  ) async throws -> Value {
    let secrets = try SandboxSecrets(
      directory: "\(plan.directory)/secrets", environment: environment)
    for (name, file) in plan.secretFiles { try secrets.take(name, from: file) }
    try secrets.makeUp(plan.targetsWithMadeUpSecrets)
    try secrets.prepare(plan.catalogue)
    let authOS = EmulatedAuthOS(
      seed: EmulatorSeed(
        number: plan.seed, accounts: [try secrets.account()], users: plan.users,
        apiKeys: try secrets.apiKeys(plan.catalogue)),
      settings: EmulatorSettings(dateMode: plan.dateMode), faults: plan.faults, at: .now())
    progress("starting an AuthOS emulator")
    return try await ServedEmulator.with({ logger, isListening in
      EmulatorServer(authOS, port: plan.port, logger: logger) { port in
        authOS.baseURL = "http://127.0.0.1:\(port)"
        isListening(port)
      }
    }) { port in
      try await build(plan, cluster, authOS, secrets, port, progress, body)
    }
  }

  private static func build<Value: Sendable>(
    _ plan: Plan, _ cluster: PrivateCluster, _ authOS: EmulatedAuthOS, _ secrets: SandboxSecrets,
    _ port: Int, _ progress: @Sendable (String) -> Void, _ body: (Sandbox) async throws -> Value
  ) async throws -> Value {
    let sandbox = Sandbox(
      plan: plan, database: SandboxDatabase(cluster: cluster), authOS: authOS, secrets: secrets,
      url: "http://127.0.0.1:\(port)", configurationFile: "\(plan.directory)/writ.yaml")
    progress("migrating the database and publishing \(plan.catalogue.jobTypes.count) job types")
    try await sandbox.database.prepare(
      plan.catalogue,
      environment: sandbox.environment, ordering: plan.ordering)
    try sandbox.writeConfiguration()
    return try await body(sandbox)
  }

  /// Its one environment.
  var environment: Configuration.Environment {
    Configuration.Environment(
      name: Self.environment, isDefault: true,
      authos: .init(url: url, organization: "acme", service: "portal"), targets: plan.targets)
  }

  /// The targets of its job types that have no address, sorted.
  var missingTargets: [String] {
    let environment = environment
    let missing = plan.catalogue.jobTypes.flatMap(\.targets).filter {
      environment.url(of: $0) == nil
    }
    return Set(missing.map(\.source)).sorted()
  }

  /// The file for `writ` commands; JSON strings are YAML strings too.
  private func writeConfiguration() throws {
    func quoted(_ text: String) -> String { JSONValue.string(text).serialized() }
    let text = """
      # Written by writ at each start of this sandbox.
      database: \(quoted(database.connectionString(.admin)))
      secrets:
        directory: secrets
      environments:
        \(Self.environment):
          default: true
          authos:
            url: \(quoted(url))
            organization: acme
            service: portal
      \(plan.targets.isEmpty ? "" : "    targets:")

      """
      + plan.targets.sorted { $0.key < $1.key }.map {
        "      \($0.key): {url: \(quoted($0.value))}\n"
      }.joined()
    do {
      try text.write(toFile: configurationFile, atomically: true, encoding: .utf8)
    } catch {
      throw CommandError(.failure, "\(configurationFile) cannot be written")
    }
  }
}
