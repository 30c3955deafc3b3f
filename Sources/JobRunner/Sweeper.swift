// Returns the jobs of lost workers, promotes due ones and fires due schedules, for the whole fleet: the
// database lets one sweep at a time do the work, and one worker fire a schedule.

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
      await fireSchedules()
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

  /// Each in a transaction of its own; what is left after so many waits for the next sweep, here or
  /// elsewhere.
  private func fireSchedules() async {
    do {
      for _ in 0..<values.sweepLimit {
        guard !Task.isCancelled, let firing = try await store.fireSchedule() else { return }
        logger.info(
          "a schedule was due",
          metadata: [
            "schedule.name": "\(firing.schedule)", "schedule.outcome": "\(firing.outcome)",
            "job.id": "\(firing.job.map(String.init) ?? "")",
          ])
      }
    } catch {
      guard !Task.isCancelled else { return }
      logger.warning(
        "a schedule could not fire; the next sweep tries again",
        metadata: ["error": "\(store.safeDescription(of: error))"])
    }
  }
}
