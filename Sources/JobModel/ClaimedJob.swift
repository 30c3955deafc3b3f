// A job as a claim hands it to a worker.

public import JSON

/// A job that a worker has claimed, with the journal of its earlier attempts.
public struct ClaimedJob: Sendable, Hashable {
  /// The job's number.
  public var id: Int
  /// The job type, for example `create_user`.
  public var type: String
  /// The environment whose service and keys it uses.
  public var environment: String
  /// The queue that it was claimed from.
  public var queue: String
  /// The hash of the definition that it was enqueued with.
  public var definitionHash: String
  /// What the caller passed, checked at enqueue.
  public var payload: JSONObject
  /// Whom it is about; jobs of one subject run one at a time, in order.
  public var subject: String?
  /// The number of this claim, from 1; the fencing token of every later write.
  public var attempt: Int
  /// How many attempts have failed in a way that counts.
  public var failures: Int
  /// After how many counted failures it is given up.
  public var maxAttempts: Int
  /// Whether the claim before this one ended without any outcome on record, so that its first
  /// request may have left (the value before this claim).
  public var isUnresolved: Bool
  /// Whether the deadline of the job has passed.
  public var isPastDeadline: Bool
  /// Whether the time is over that a user had to act in.
  public var isPastActionDeadline: Bool
  /// Whether a person has asked to cancel it.
  public var isCancelRequested: Bool
  /// The W3C `traceparent` that the caller passed.
  public var traceparent: String?
  /// The journal in the order of its sequence numbers.
  public var journal: [JournalEntry]
  /// What of its row this program cannot read; payload and journal are empty then.
  public var unreadable: UnreadablePart?

  /// A part of a job's row.
  public enum UnreadablePart: Sendable, Hashable {
    /// No version of this program could have put it there.
    case payload
    /// A newer version may have written it.
    case journal
  }

  /// A claimed job; what is left out is what a job has that nothing happened to yet.
  public init(
    id: Int, type: String, environment: String, queue: String = "default",
    definitionHash: String = "", payload: JSONObject, subject: String? = nil, attempt: Int = 1,
    failures: Int = 0, maxAttempts: Int = 20, isUnresolved: Bool = false,
    isPastDeadline: Bool = false, isPastActionDeadline: Bool = false,
    isCancelRequested: Bool = false, traceparent: String? = nil,
    journal: [JournalEntry] = [], unreadable: UnreadablePart? = nil
  ) {
    self.id = id
    self.type = type
    self.environment = environment
    self.queue = queue
    self.definitionHash = definitionHash
    self.payload = payload
    self.subject = subject
    self.attempt = attempt
    self.failures = failures
    self.maxAttempts = maxAttempts
    self.isUnresolved = isUnresolved
    self.isPastDeadline = isPastDeadline
    self.isPastActionDeadline = isPastActionDeadline
    self.isCancelRequested = isCancelRequested
    self.traceparent = traceparent
    self.journal = journal
    self.unreadable = unreadable
  }
}
