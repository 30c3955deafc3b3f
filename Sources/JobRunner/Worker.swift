// A worker: claims jobs, runs them in its slots, keeps its lease, sweeps for the fleet, and stops in
// two stages. docs/worker.md tells the same for operators.

import JobModel
public import Logging
public import Secrets
public import ServiceLifecycle

/// Runs jobs until it is told to stop.
///
/// On graceful shutdown it claims no more; requests in flight finish, jobs of several steps go on for
/// ``WorkerConfiguration/Values/stepsContinueFor`` and are then handed back between two requests; after
/// ``WorkerConfiguration/Values/gracefulStopLimit`` requests are cut off and their jobs handed back as
/// unresolved. None of this costs an attempt. Cancelling the task cuts off at once.
public struct Worker: Service {
  private let configuration: WorkerConfiguration
  private let identity: WorkerIdentity
  private let store: any WorkerStore
  private let secrets: any SecretStore
  private let time: WorkerTime
  private let random: LockedRandom
  private let logger: Logger
  private let transport: Transport
  private let definitions: DefinitionCache
  private let circuits: CircuitBreakers
  private let stopping: Stopping
  private let box = StatisticsBox()
  private let idle = IdleFlag()
  /// Rung whenever there may be something to claim, and when the worker stops.
  private let bell = Signal()
  private static let pauseBetweenRegistrations: Duration = .milliseconds(500)

  /// A worker; starts nothing.
  ///
  /// - Parameters:
  ///   - configuration: How it runs.
  ///   - processID: The process, for the table of workers.
  ///   - store: The database; has to serve calls as long as ``run()`` runs.
  ///   - sender: What requests are sent with.
  ///   - secrets: Where keys are read from and written to.
  ///   - time: The clock that waits and leases are measured with.
  ///   - random: Decides the jitter of backoffs.
  ///   - logger: Gets constant messages with dotted metadata; never a payload or a secret.
  public init(
    configuration: WorkerConfiguration, processID: Int, store: any WorkerStore,
    sender: any HTTPSender, secrets: any SecretStore, time: WorkerTime,
    random: some RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(), logger: Logger
  ) {
    let values = configuration.values
    self.configuration = configuration
    identity = WorkerIdentity(
      name: values.name, host: values.host, processID: processID, version: values.version)
    self.store = store
    self.secrets = secrets
    self.time = time
    self.random = LockedRandom(random)
    self.logger = logger
    definitions = DefinitionCache(store: store)
    circuits = CircuitBreakers(
      store: store, policy: values.circuit, environments: values.environments.map(\.name),
      time: time, logger: logger)
    stopping = Stopping(time: time, stepsContinueFor: values.stepsContinueFor)
    transport = Transport(
      configuration: configuration, sender: sender, secrets: secrets, store: store, time: time,
      statistics: box, logger: logger)
  }

  /// What it has counted so far.
  public var statistics: WorkerStatistics { box.current }

  /// Works until graceful shutdown or cancellation; returns when no job runs any more.
  public func run() async throws {
    await withGracefulShutdownHandler {
      await withTaskGroup(of: Bool.self) { group in
        let services: [@Sendable () async -> Void] = [
          Sweeper(store, configuration, time, box, logger).run, listen, poll, circuits.run,
        ]
        for service in services {
          group.addTask {
            await service()
            return false
          }
        }
        group.addTask {
          await work()
          return true
        }
        for await isWorkOver in group where isWorkOver { group.cancelAll() }
      }
    } onGracefulShutdown: {
      logger.info("the worker stops: no more claims")
      stopping.begin()
      bell.ring()
    }
  }

  // MARK: Wake-ups

  private func listen() async {
    await store.listen(queues: configuration.values.queues) { bell.ring() }
  }

  /// Polling alone is correct; notifications only make it prompt.
  private func poll() async {
    while !Task.isCancelled {
      try? await time.sleep(for: configuration.values.pollInterval)
      bell.ring()
    }
  }

  // MARK: Registrations

  /// Works under one registration after the other; a new one when a lease has ended.
  private func work() async {
    while !stopping.isBegun, !Task.isCancelled {
      guard let lease = await register() else {
        try? await time.sleep(for: Self.pauseBetweenRegistrations)
        continue
      }
      await work(under: lease)
    }
    logger.info("the worker has stopped")
  }

  private func register() async -> Lease? {
    let askedAt = time.now
    let values = configuration.values
    do {
      let worker = try await store.register(identity, lease: values.leaseDuration)
      box.count(\.registrations)
      logger.info(
        "the worker is registered",
        metadata: ["worker.id": "\(worker)", "worker.name": "\(values.name)"])
      return Lease(
        worker: worker, validUntil: askedAt + values.leaseDuration, margin: values.leaseMargin,
        time: time)
    } catch {
      logger.warning(
        "the worker could not register",
        metadata: ["error": "\(store.safeDescription(of: error))"])
      return nil
    }
  }

  private func work(under lease: Lease) async {
    let recorder = Recorder(
      store: store, lease: lease, time: time, statistics: box, logger: logger)
    let keys = KeyReporter(
      store: store, secrets: secrets, lease: lease,
      environments: configuration.values.environments.map(\.name), logger: logger)
    let heartbeat = Heartbeat(
      store: store, lease: lease, values: configuration.values, time: time, idle: idle,
      keys: keys, circuits: circuits, logger: logger)
    let dispatcher = Dispatcher(
      context(Registration(lease: lease, keys: keys), recorder), heartbeat: heartbeat, idle: idle,
      bell: bell)
    idle.isIdle = false
    // Before the first claim: a rotation waits for a worker until it has said which keys it has.
    await keys.report()
    await circuits.refresh(worker: lease.worker)
    await withDiscardingTaskGroup { group in
      // Whichever ends first ends the others: the jobs, the lease, or the time to stop. Ending the
      // dispatcher from outside cancels its jobs.
      let over = Signal()
      let parts: [@Sendable () async -> Void] = [
        heartbeat.run, dispatcher.run, cutOff, lease.waitForEnd,
      ]
      for part in parts {
        group.addTask {
          await part()
          over.ring()
        }
      }
      await over.wait()
      group.cancelAll()
    }
    await recorder.drain()
    if lease.isLive { await deregister(lease) }
  }

  private func context(
    _ registration: Registration, _ recorder: Recorder
  ) -> ExecutionContext {
    ExecutionContext(
      configuration: configuration, registration: registration, recorder: recorder,
      transport: transport, circuits: circuits,
      definitions: definitions, secrets: secrets, store: store, stopping: stopping, time: time,
      random: random, statistics: box, logger: logger)
  }

  /// Returns when jobs that still run have had their time since the stop began.
  private func cutOff() async {
    await stopping.begun.wait()
    try? await time.sleep(for: configuration.values.gracefulStopLimit)
  }

  /// Gives up the registration, so that nobody waits for the lease to end.
  private func deregister(_ lease: Lease) async {
    let store = store
    let logger = logger
    // Unstructured, because it has to be done in a cancelled task too; the store's deadline ends it.
    await Task {
      do {
        try await store.deregister(worker: lease.worker)
      } catch {
        logger.warning(
          "the worker could not deregister",
          metadata: [
            "worker.id": "\(lease.worker)", "error": "\(store.safeDescription(of: error))",
          ])
      }
    }.value
  }
}
