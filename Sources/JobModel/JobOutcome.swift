// How a worker's work on a job ended, for its logs and metrics; the records say the same to the
// database.

/// How an attempt ended.
public enum JobOutcome: Sendable, Hashable {
  /// The job is done.
  case completed
  /// The job is refused or given up.
  case discarded(JobError)
  /// The job was called off before it changed anything.
  case cancelled
  /// The job is tried again after a while; `cause` is the failure, `nil` where an action of the
  /// workflow asked to wait.
  case retry(after: Duration, JobError, cause: FailureClass?)
  /// The job waits for a person.
  case review(JobError)
  /// The job waits until a user has acted elsewhere, and is looked at again after a while.
  case userAction(after: Duration, JobError)
  /// The job was given back unharmed.
  case handedBack
}
