// What a worker has counted since it started.

import Synchronization

/// Counts of a worker since its start; whoever shows them takes differences.
public struct WorkerStatistics: Sendable, Hashable {
  /// Jobs claimed.
  public internal(set) var claimed = 0
  /// Jobs that ended `completed`.
  public internal(set) var completed = 0
  /// Jobs that ended `discarded`.
  public internal(set) var discarded = 0
  /// Jobs that ended `cancelled`.
  public internal(set) var cancelled = 0
  /// Attempts that ended with a later retry, whatever the reason.
  public internal(set) var retried = 0
  /// Jobs that wait for a person's review.
  public internal(set) var reviewed = 0
  /// Attempts that ended with a user who has to act.
  public internal(set) var askedUser = 0
  /// Jobs handed back because the worker stops.
  public internal(set) var handedBack = 0
  /// Jobs dropped because their lease had passed on.
  public internal(set) var leaseLost = 0
  /// Outcomes that could not be written and are left to the sweeper.
  public internal(set) var unwritten = 0
  /// Requests sent.
  public internal(set) var requests = 0
  /// Requests without a response.
  public internal(set) var failedRequests = 0
  /// Jobs put off because their key is refused or missing.
  public internal(set) var putOff = 0
  /// Logins for management sessions.
  public internal(set) var logins = 0
  /// Calls of `record`; less than the number of outcomes, since they travel together.
  public internal(set) var flushes = 0
  /// Times that the worker registered anew because its lease had ended.
  public internal(set) var registrations = 0
  /// Jobs returned by this worker's sweeps.
  public internal(set) var swept = 0
  /// Jobs running now.
  public internal(set) var running = 0

  /// Nothing counted.
  public init() {}
}

/// The counts of one worker, shared by its tasks.
final class StatisticsBox: Sendable {
  private let counts = Mutex(WorkerStatistics())

  var current: WorkerStatistics { counts.withLock { $0 } }

  func count(_ field: any WritableKeyPath<WorkerStatistics, Int> & Sendable, by number: Int = 1) {
    counts.withLock { $0[keyPath: field] += number }
  }
}
