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

/// What the database says to a worker that wants a circuit opened.
public enum CircuitVerdict: String, Sendable, Hashable, CaseIterable {
  /// It is open, now or since before.
  case open
  /// Another worker has had answers meanwhile: the target is well.
  case othersGetThrough = "others_get_through"
  /// No published type is known to call the target.
  case notCalled = "no_type_calls_it"
  /// The worker's lease has ended.
  case leaseEnded = "lease_ended"
}

/// The failures of one target since it last answered this worker.
///
/// One job that always fails says nothing about the target, and neither does a hiccup: it takes several jobs
/// and some time.
public struct CircuitEvidence: Sendable, Hashable {
  private var jobs: Set<Int> = []
  private var since: Duration?
  private var last: Duration?
  /// What failed longer ago than so many times the policy's silence, with no failure since, is no part of
  /// this outage.
  private static let longestGap = 6

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
    if let last, now - last > policy.silence * Self.longestGap { self = CircuitEvidence() }
    let since = since ?? now
    self.since = since
    last = now
    if jobs.count < policy.jobs { jobs.insert(job) }
    return jobs.count >= policy.jobs && now - since >= policy.silence
  }
}
