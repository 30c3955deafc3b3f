// What a worker has seen of a target, and when that is enough to say that the target answers nobody.

/// A target of an environment: what has a circuit of its own.
public struct CircuitName: Sendable, Hashable {
  /// The environment.
  public var environment: String
  /// The source description whose API is called, such as `authos`.
  public var target: String

  /// A name.
  public init(environment: String, target: String) {
    self.environment = environment
    self.target = target
  }
}

/// When a circuit opens, and what is let through then.
public struct CircuitPolicy: Sendable, Hashable {
  /// How many different jobs must have failed without one answer in between.
  public var jobs: Int
  /// For how long there must have been nothing but failures.
  public var silence: Duration
  /// The time between two jobs of one type that are let through.
  public var pause: Duration

  /// A policy; the defaults suit a production worker.
  public init(
    jobs: Int = 10, silence: Duration = .seconds(10), pause: Duration = .seconds(10)
  ) {
    self.jobs = jobs
    self.silence = silence
    self.pause = pause
  }
}

/// The failures of one target since it last answered this worker.
///
/// One job that always fails says nothing about the target, and neither does a hiccup: it takes several jobs
/// and some time.
public struct CircuitEvidence: Sendable, Hashable {
  private var jobs: Set<Int> = []
  private var since: Duration?

  /// No failure yet.
  public init() {}

  /// How many jobs have failed; no more are counted than the policy asks for.
  public var failedJobs: Int { jobs.count }

  /// Takes in a failure that counts against a job.
  ///
  /// - Parameters:
  ///   - job: The job.
  ///   - now: The time since any fixed moment, the same for all calls.
  ///   - policy: What is enough.
  /// - Returns: Whether the circuit should open.
  public mutating func failed(_ job: Int, at now: Duration, by policy: CircuitPolicy) -> Bool {
    let since = since ?? now
    self.since = since
    if jobs.count < policy.jobs { jobs.insert(job) }
    return jobs.count >= policy.jobs && now - since >= policy.silence
  }
}
