// writ worker: take jobs and run them until told to stop.

import ArgumentParser
import Foundation
import JobModel
import JobRunner
import JobStore
import Logging
import Postgres
import Secrets
import ServiceLifecycle
import UnixSignals

struct WorkerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "worker", abstract: "Take jobs and run them.",
    discussion: """
      Run as many as you like against one database. SIGTERM and ctrl-C stop it in two stages: it claims no \
      more, finishes or hands back what it has, and ends; nothing of that costs a job an attempt. Needs the \
      role writ_worker.

      EXAMPLES
        writ worker
        writ worker --set worker.slots=64 --set worker.queues=default,bulk
      """)

  @Flag(
    name: .customLong("stop-with-parent"),
    help: ArgumentHelp("Stop when standard input ends.", visibility: .hidden))
  var stopsWithParent = false
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    forbidCoreDumps()
    if stopsWithParent { ParentWatch.begin() }
    let configuration = try options.load()
    let logger = configuration.logger()
    guard !configuration.environments.isEmpty else {
      throw CommandError(
        .configuration,
        "environments: a worker needs at least one; add `environments: {production: {authos: {url: …, "
          + "organization: …, service: …}}}` to the configuration")
    }
    let workerConfiguration = try WorkerConfiguration(configuration.workerValues())
    let databaseTimeout = workerConfiguration.values.databaseTimeout
    let pool = PostgresPool(
      configuration: try configuration.postgres(statementTimeout: databaseTimeout),
      maximumConnections: 6, waitTimeout: databaseTimeout)
    let secrets = try configuration.secretStore()
    let sender = AsyncHTTPSender(configuration: workerConfiguration)
    let worker = Worker(
      configuration: workerConfiguration, processID: Int(getpid()),
      store: WorkerDatabase(
        store: JobStore(pool: pool),
        listener: PostgresListener(configuration: try configuration.postgres())),
      sender: sender, secrets: secrets, time: .system, logger: logger)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(
        services: [.init(service: worker, successTerminationBehavior: .gracefullyShutdownGroup)],
        gracefulShutdownSignals: [.sigterm, .sigint], logger: quiet(logger)))
    do {
      try await group.run()
    } catch {
      try? await sender.shutdown()
      await pool.close()
      throw error
    }
    try? await sender.shutdown()
    await pool.close()
  }

  /// A worker holds keys in its memory, and a core dump would write them to a disk.
  private func forbidCoreDumps() {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
  }

  /// The group tells of its own steps at `debug` and `info`, which say nothing that the worker does not.
  private func quiet(_ logger: Logger) -> Logger {
    var quiet = logger
    quiet.logLevel = max(logger.logLevel, .warning)
    return quiet
  }
}

extension WorkerTime {
  /// The machine's clocks.
  static var system: WorkerTime {
    WorkerTime(
      clock: ContinuousClock(),
      secondsSince1970: { .milliseconds(Int64(Date().timeIntervalSince1970 * 1_000)) })
  }
}

extension Configuration {
  /// Where secrets are kept.
  func secretStore() throws -> any SecretStore {
    guard let secretsDirectory else {
      return EnvironmentSecretStore(environment: ProcessInfo.processInfo.environment)
    }
    return try DirectorySecretStore(directory: secretsDirectory)
  }

  /// What a worker is told: its own defaults, and what was configured; reads the files of authorities.
  ///
  /// - Throws: ``ConfigurationError`` with every file that cannot be used.
  func workerValues() throws(ConfigurationError) -> WorkerConfiguration.Values {
    var values = WorkerConfiguration.Values()
    values.host = ProcessInfo.processInfo.hostName
    values.name = worker.name ?? "\(values.host)-\(getpid())"
    values.version = BuildVersion.text
    let served = environments.filter { worker.environments?.contains($0.name) ?? true }
    let trustRoots = try trustRoots(of: served)
    values.environments = served.map {
      var targets = $0.targets
      targets[SecretNaming.authOS] = $0.authos?.url
      return EnvironmentConfiguration(
        name: $0.name, targets: targets, organization: $0.authos?.organization,
        service: $0.authos?.service, trustRoots: trustRoots[$0.name] ?? [:])
    }
    func set<Value>(_ path: WritableKeyPath<WorkerConfiguration.Values, Value>, _ value: Value?) {
      if let value { values[keyPath: path] = value }
    }
    set(\.slots, worker.slots)
    set(\.queues, worker.queues)
    set(\.leaseDuration, worker.lease)
    set(\.renewalInterval, worker.renewalInterval)
    set(\.leaseMargin, worker.leaseMargin)
    set(\.sweepInterval, worker.sweepInterval)
    set(\.pollInterval, worker.pollInterval)
    set(\.claimBatch, worker.claimBatch)
    set(\.stepsContinueFor, worker.stepsContinueFor)
    set(\.gracefulStopLimit, worker.gracefulStopLimit)
    set(\.connectTimeout, worker.connectTimeout)
    set(\.requestTimeout, worker.requestTimeout)
    set(\.refusedKeyPause, worker.refusedKeyPause)
    set(\.circuit.jobs, worker.circuitJobs)
    set(\.circuit.silence, worker.circuitSilence)
    set(\.circuit.pause, worker.circuitPause)
    set(\.lostRequestPause, worker.lostRequestPause)
    set(\.databaseTimeout, worker.databaseTimeout)
    return values
  }

  /// The authorities of targets, by environment and target.
  ///
  /// - Throws: ``ConfigurationError`` with every file that cannot be used.
  func trustRoots(
    of environments: [Environment]
  ) throws(ConfigurationError) -> [String: [String: TrustRoots]] {
    var roots: [String: [String: TrustRoots]] = [:]
    var faults: [ConfigurationFault] = []
    for environment in environments {
      for (target, file) in environment.authorities.sorted(by: { $0.key < $1.key }) {
        do throws(TrustRootsError) {
          roots[environment.name, default: [:]][target] = try TrustRoots(file: file.path)
        } catch {
          faults.append(
            ConfigurationFault(origin: file.origin, key: file.key, reason: error.description))
        }
      }
    }
    guard faults.isEmpty else { throw ConfigurationError(faults: faults) }
    return roots
  }
}
