// The states of a job and the only moves between them.

/// Where a job stands.
///
/// The legal moves are those of ``nextStates``; the table's check, the drawing in `docs/` and this
/// type say the same, and a test compares them.
public enum JobState: String, Sendable, Hashable, CaseIterable {
  /// Its `run_at` lies ahead. Next: `available` (due), `discarded` (expired), `cancelled`.
  case scheduled
  /// Due; the next claim may take it. Next: `running` (claimed), `waiting` (parked behind another
  /// job or a limit), `discarded` (expired), `cancelled`.
  case available
  /// A worker holds it. Next: `completed`, `discarded`, `cancelled`, `retryable` (backoff),
  /// `waiting` (a person decides), `available` (handed back, or its worker was lost).
  case running
  /// Failed in a way that may pass; waits for its backoff. Next: `available` (due), `discarded`
  /// (expired), `cancelled`.
  case retryable
  /// Something has to happen first, see ``WaitingReason``. Next: `available` (it happened, or a
  /// person replayed it), `running` (a limit has room for it), `discarded`, `cancelled`.
  case waiting
  /// Done as ordered. Next: `available` (a person replays it).
  case completed
  /// Refused or given up, with the reason. Next: `available` (a person replays it).
  case discarded
  /// Called off before it changed anything. Next: `available` (a person replays it).
  case cancelled

  /// The states that may follow this one.
  public var nextStates: Set<JobState> {
    switch self {
    case .scheduled: [.available, .discarded, .cancelled]
    case .available: [.running, .waiting, .discarded, .cancelled]
    case .running: [.completed, .discarded, .cancelled, .retryable, .waiting, .available]
    case .retryable: [.available, .discarded, .cancelled]
    case .waiting: [.available, .running, .discarded, .cancelled]
    case .completed, .discarded, .cancelled: [.available]
    }
  }

  /// Whether a job may move from this state to another.
  public func mayBecome(_ next: JobState) -> Bool { nextStates.contains(next) }

  /// Whether the job is over: its row lives in the history.
  public var isFinal: Bool {
    switch self {
    case .completed, .discarded, .cancelled: true
    case .scheduled, .available, .running, .retryable, .waiting: false
    }
  }
}

/// What a job in state `waiting` waits for.
public enum WaitingReason: String, Sendable, Hashable, CaseIterable {
  /// An older job about the same subject is unfinished.
  case predecessor
  /// As many jobs of its type, or of its environment, run as a limit allows.
  case concurrency
  /// As many jobs of its type, or of its environment, have started as a rate allows.
  case rate
  /// It is the callback of a batch whose jobs are not done.
  case batch
  /// It is in doubt or stopped half-way: a person looks, then replays or cancels it.
  case review
  /// The service wants its user to act elsewhere first; it is looked at again from time to time.
  case userAction = "user_action"
}
