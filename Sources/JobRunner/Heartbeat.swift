// Keeps the lease of one registration alive, says when it is over, and looks at keys and circuits each time.

import JobModel
import Logging

/// Renews the worker's lease.
struct Heartbeat: Sendable {
  private let store: any WorkerStore
  private let lease: Lease
  private let values: WorkerConfiguration.Values
  private let time: WorkerTime
  private let idle: IdleFlag
  private let keys: KeyReporter
  private let circuits: CircuitBreakers
  private let logger: Logger
  private static let pauseAfterError: Duration = .milliseconds(250)

  init(
    store: any WorkerStore, lease: Lease, values: WorkerConfiguration.Values, time: WorkerTime,
    idle: IdleFlag, keys: KeyReporter, circuits: CircuitBreakers, logger: Logger
  ) {
    self.store = store
    self.keys = keys
    self.circuits = circuits
    self.lease = lease
    self.values = values
    self.time = time
    self.idle = idle
    self.logger = logger
  }

  /// Renews until the lease has ended or the task is cancelled.
  func run() async {
    var pause = values.renewalInterval
    while lease.isLive {
      do { try await time.sleep(for: pause) } catch { return }
      pause = await renew() ? values.renewalInterval : Self.pauseAfterError
      guard lease.isLive else { break }
      await keys.report()
      await circuits.refresh(worker: lease.worker)
    }
    logger.warning("the lease has ended", metadata: ["worker.id": "\(lease.worker)"])
  }

  /// Renews once; `false` when it could not be done or the lease is lost.
  @discardableResult
  func renew() async -> Bool {
    // Measured from before the call: the database counts from when it handles it, which is later.
    let sentAt = time.now
    do {
      guard
        try await store.renew(
          worker: lease.worker, lease: values.leaseDuration, isIdle: idle.isIdle)
      else {
        lease.lose()
        return false
      }
      lease.renewed(until: sentAt + values.leaseDuration)
      return true
    } catch {
      if !Task.isCancelled {
        logger.warning(
          "the lease could not be renewed",
          metadata: [
            "worker.id": "\(lease.worker)", "error": "\(store.safeDescription(of: error))",
          ])
      }
      return false
    }
  }
}
