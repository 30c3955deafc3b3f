// Returns the jobs of lost workers and promotes due ones, for the whole fleet: the database lets one
// sweep at a time do the work.

import Logging

/// Sweeps at an interval until it is cancelled.
struct Sweeper: Sendable {
  private let store: any WorkerStore
  private let values: WorkerConfiguration.Values
  private let time: WorkerTime
  private let statistics: StatisticsBox
  private let logger: Logger

  init(
    _ store: any WorkerStore, _ configuration: WorkerConfiguration, _ time: WorkerTime,
    _ statistics: StatisticsBox, _ logger: Logger
  ) {
    self.store = store
    values = configuration.values
    self.time = time
    self.statistics = statistics
    self.logger = logger
  }

  func run() async {
    while !Task.isCancelled {
      await sweep()
      do { try await time.sleep(for: values.sweepInterval) } catch { return }
    }
  }

  private func sweep() async {
    do {
      let returned = try await store.sweep(limit: values.sweepLimit)
      guard returned > 0 else { return }
      statistics.count(\.swept, by: returned)
      logger.info("jobs of lost workers returned", metadata: ["jobs": "\(returned)"])
    } catch {
      guard !Task.isCancelled else { return }
      logger.warning(
        "a sweep failed", metadata: ["error": "\(store.safeDescription(of: error))"])
    }
  }
}
