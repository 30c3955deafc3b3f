// What the `x-writ` extensions say, as checked values: what the standards lack for a job type.

public import JSON

/// How the audit trail may record a field.
public enum RecordPolicy: String, Sendable, Hashable, CaseIterable {
  /// As it is.
  case clear
  /// As a keyed digest: it can be searched for, not read.
  case digest
  /// Not at all; the default.
  case never
}

/// Whether an administrator may run a finished job again.
public enum ReplaySafety: String, Sendable, Hashable, CaseIterable {
  /// Yes: running it twice does no harm.
  case safe
  /// No.
  case never
  /// After a person has looked at it; the default.
  case review
}

/// How often, and how far apart, a job is tried.
public struct RetryPolicy: Sendable, Hashable {
  /// The number of attempts, the first included; at least 1.
  public var maxAttempts: Int
  /// The upper bound of the first backoff.
  public var base: Duration
  /// The upper bound of every backoff; not below ``base``.
  public var cap: Duration

  /// A policy; the defaults are those of a workflow that says nothing.
  public init(
    maxAttempts: Int = 20, base: Duration = .seconds(1), cap: Duration = .seconds(300)
  ) {
    self.maxAttempts = maxAttempts
    self.base = base
    self.cap = cap
  }
}

/// How often something may start.
public struct RateLimit: Sendable, Hashable {
  /// How many starts; at least 1.
  public var limit: Int
  /// In which time.
  public var period: Duration

  /// A rate.
  public init(limit: Int, period: Duration) {
    self.limit = limit
    self.period = period
  }
}

/// The permissions that the key of a job type may have (`x-writ.permissions`).
public struct DeclaredPermissions: Sendable, Hashable {
  /// One of them.
  public struct Permission: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Where it is written.
    public var location: SourceLocation
  }

  /// All of them, in the order of the document.
  public var permissions: [Permission]
  /// Where they are written.
  public var location: SourceLocation
}

/// `x-writ` of a workflow.
public struct WorkflowPolicy: Sendable, Hashable {
  /// The name of the job type and of its SQL function; `nil` for a sub-workflow.
  public var jobType: String?
  /// Whom the job is about, over `$inputs`; jobs of one subject run in order.
  public var subject: ValueTemplate?
  /// How often, and how far apart, the job is tried.
  public var retry = RetryPolicy()
  /// The longest wait for one response.
  public var requestTimeout: Duration = .seconds(35)
  /// How long after it may run first a job that has changed nothing is wanted; `nil` for ever.
  ///
  /// The `expires_at` of an order stands in its place.
  public var deadline: Duration?
  /// Whether a finished job may run again.
  public var replay: ReplaySafety = .review
  /// The number of jobs of this type that may run at once over the fleet; `nil` for no limit.
  public var concurrency: Int?
  /// How many jobs of this type may start in a time over the fleet; `nil` for no limit.
  public var rate: RateLimit?
  /// How long an idempotency key stands for its job.
  public var idempotencyWindow: Duration = .seconds(30 * 86_400)
  /// The permissions that the key of the job type may have at most; `nil` for whatever the steps
  /// need.
  public var permissions: DeclaredPermissions?
  /// When jobs of the type are ordered by the clock.
  public var schedules: [SchedulePolicy] = []

  /// The policy of a workflow that says nothing.
  public init() {}
}

/// What to do with a step when it is unknown whether its request took effect.
public enum InDoubtRule: Sendable, Hashable {
  /// Send the request again: doing it twice is doing it once.
  case resend
  /// Stop; a person decides.
  case review
  /// Go to a step that finds out by reading.
  case goto(stepId: String)
}

/// `x-writ.outputs.<name>` of a step.
public struct OutputPolicy: Sendable, Hashable {
  /// How the audit trail may record the output.
  public var record: RecordPolicy = .never
  /// Whether the output is a secret, which may flow into a sink and nowhere else.
  public var isSecret = false

  /// The policy of an output about which nothing is said.
  public init() {}
}

/// With what a step's request authenticates, where it is not the job type's own key.
public enum StepCredential: Sendable, Hashable {
  /// The secret that a sink of an earlier step stored.
  case secretOf(stepId: String, output: String)
  /// The secret that the store keeps under this name, a text over `$inputs`.
  case stored(ValueTemplate)
}

/// Where a secret output goes.
public enum SecretSink: Sendable, Hashable {
  /// Into the secret store, under the name that this text over expressions gives, before the step
  /// counts as done.
  case store(ValueTemplate)
  /// Into the journal, sealed to the public key that this input of the workflow holds: from then
  /// on the output is no secret any more.
  case seal(input: String, location: SourceLocation)
}

/// `x-writ.rows` of a step: which part of its answer becomes rows of the job.
///
/// Rows are what a job gives beyond one small object. They are written with the outcome of the step, in
/// one transaction, and hold the listed fields and nothing else.
public struct RowsPolicy: Sendable, Hashable {
  /// A field of a row.
  public struct Field: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Where an element holds it.
    public var pointer: JSONPointer
  }

  /// The output that every step with rows has: how many elements its answer held.
  public static let countName = "rows"

  /// The list, as part of the response's body; a single object counts as a list of one.
  public var list: RuntimeExpression
  /// Which member tells an element from the others: an element that comes twice is one row.
  public var key: JSONPointer
  /// The fields, in the order of the document; at least one.
  public var fields: [Field]
}

/// `x-writ` of a step.
public struct StepPolicy: Sendable, Hashable {
  /// What to do in doubt; set exactly where the operation has an effect.
  public var inDoubt: InDoubtRule?
  /// What holds for outputs, by name; an output that is missing here has the default policy.
  public var outputs: [String: OutputPolicy] = [:]
  /// Where secret outputs go, by output.
  public var sinks: [String: SecretSink] = [:]
  /// Which part of the answer becomes rows of the job.
  public var rows: RowsPolicy?
  /// With what the request authenticates; `nil` for the job type's own key.
  public var credential: StepCredential?
  /// What the step does to the outside world, where that is not what its operation may do.
  ///
  /// An update with nothing in it only reads. `nil` for the operation's own effect.
  public var effect: OperationEffect?
  /// Why ``effect`` is true (`reason`); set exactly where ``effect`` is.
  public var effectReason: String?

  /// The policy of a step that says nothing.
  public init() {}
}

/// How a job ends when an action of type `end` is taken.
public enum EndOutcome: String, Sendable, Hashable, CaseIterable {
  /// Its purpose is reached.
  case completed
  /// It was refused and is not tried again.
  case discard
  /// It waits for a person.
  case review
}

/// `x-writ` of a failure action of type `end` with `outcome: userAction`: the service wants its user
/// to do something elsewhere first, and until then the job waits and asks again from time to time.
public struct UserActionPolicy: Sendable, Hashable {
  /// Where the user has to go: an expression over the response.
  ///
  /// Whoever knows the address can use it, so only the requester sees it.
  public var url: RuntimeExpression
  /// A word of the response that says why; `nil` for none.
  public var code: RuntimeExpression?
  /// A sentence for the person who reads the job.
  public var reason: String
  /// The wait before the first time that it is asked again; the waits double.
  public var recheckBase: Duration
  /// The longest wait.
  public var recheckCap: Duration
  /// How long the user has from the first time on that he was wanted.
  public var deadline: Duration

  /// A policy.
  public init(
    url: RuntimeExpression, code: RuntimeExpression? = nil, reason: String,
    recheckBase: Duration = .seconds(30), recheckCap: Duration = .seconds(600),
    deadline: Duration = .seconds(86_400)
  ) {
    self.url = url
    self.code = code
    self.reason = reason
    self.recheckBase = recheckBase
    self.recheckCap = recheckCap
    self.deadline = deadline
  }
}

/// `x-writ` of an action of type `end`.
public struct EndPolicy: Sendable, Hashable {
  /// How the job ends.
  public var outcome: EndOutcome
  /// A sentence for the person who reads the job.
  public var reason: String?

  /// A policy.
  public init(outcome: EndOutcome, reason: String? = nil) {
    self.outcome = outcome
    self.reason = reason
  }
}
