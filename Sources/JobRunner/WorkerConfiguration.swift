// What a worker is told before it starts: checked as a whole, so that one start shows every fault.

public import JobModel

/// How a worker runs.
public struct WorkerConfiguration: Sendable, Hashable {
  /// The values before they are checked; the defaults suit a production worker.
  public struct Values: Sendable, Hashable {
    /// The name under which the worker registers; shown in `writ.worker`, not necessarily unique.
    public var name = "worker"
    /// The name of the machine.
    public var host = "localhost"
    /// The version that is registered and sent as `User-Agent: writ/<version>`.
    public var version = "development"
    /// How many jobs run at once: 1 … 10,000.
    public var slots = 16
    /// The queues to take jobs from, in no order; at least one.
    public var queues: [String] = ["default"]
    /// The environments to run jobs of; at least one.
    public var environments: [EnvironmentConfiguration] = []
    /// How long claims stay valid without a renewal, by the database's clock.
    ///
    /// More than three times ``renewalInterval``, so that two lost renewals lose no job. Together
    /// with ``sweepInterval`` at most 9 s: a dead worker's jobs run elsewhere within 10 s.
    public var leaseDuration: Duration = .seconds(7)
    /// The time between two renewals of the lease.
    public var renewalInterval: Duration = .seconds(2)
    /// How long before the end of its lease a worker stops starting requests.
    public var leaseMargin: Duration = .seconds(1)
    /// The time between two sweeps; one worker of the fleet at a time does the work of a sweep.
    public var sweepInterval: Duration = .seconds(1)
    /// The most rows that one sweep moves.
    public var sweepLimit = 1_000
    /// The time between two claims of an idle worker that no notification wakes.
    public var pollInterval: Duration = .seconds(1)
    /// The most jobs that one claim takes: 1 … 1,000.
    public var claimBatch = 100
    /// How long jobs of several steps go on after the request to stop, before they are handed back
    /// between two requests.
    public var stepsContinueFor: Duration = .seconds(10)
    /// How long requests in flight may go on after the request to stop; then they are cut off.
    public var gracefulStopLimit: Duration = .seconds(25)
    /// The longest wait for a connection to be made, TLS included.
    public var connectTimeout: Duration = .seconds(5)
    /// The longest wait for an answer where the job type sets no other.
    public var requestTimeout: Duration = .seconds(35)
    /// The largest response body that is read, in bytes.
    public var responseLimitBytes = 1_048_576
    /// How long jobs are put off whose key was refused, as long as the key stays the same.
    public var refusedKeyPause: Duration = .seconds(30)
    /// When the circuit of a target opens: 1 … 1,000 jobs.
    public var circuit = CircuitPolicy()
    /// How long a job waits whose request got no answer and could still undo what comes next; in whole seconds, a
    /// fraction counts as a whole one.
    ///
    /// Longer than any service works on a request, with the proxies in front of it.
    public var lostRequestPause: Duration = WorkflowMachine.defaultLostRequestPause
    /// The longest wait for one call of the database, for whoever makes the pool; below the lease,
    /// so that a renewal that hangs is given up in time to try another.
    public var databaseTimeout: Duration = .seconds(5)

    /// The defaults.
    public init() {}
  }

  /// The checked values.
  public let values: Values

  /// Checks values.
  ///
  /// - Throws: ``WorkerConfigurationError`` with every fault.
  public init(_ values: Values) throws {
    let faults = Self.faults(in: values)
    guard faults.isEmpty else { throw WorkerConfigurationError(faults: faults) }
    self.values = values
  }

  /// The environment of a name.
  public func environment(_ name: String) -> EnvironmentConfiguration? {
    values.environments.first { $0.name == name }
  }

  private static func faults(in values: Values) -> [String] {
    counts(values) + names(values) + times(values)
      + values.environments.flatMap { environment in
        environment.faults.map { "environment \(environment.name): \($0)" }
      }
  }

  private static func counts(_ values: Values) -> [String] {
    [
      ("slots", values.slots, 1...10_000),
      ("claim batch", values.claimBatch, 1...1_000),
      ("sweep limit", values.sweepLimit, 1...100_000),
      ("response limit", values.responseLimitBytes, 1_024...67_108_864),
      ("circuit jobs", values.circuit.jobs, 1...1_000),
    ].compactMap { name, value, range in
      range.contains(value)
        ? nil : "\(name) must be \(range.lowerBound) to \(range.upperBound), not \(value)"
    }
  }

  private static func names(_ values: Values) -> [String] {
    var faults: [String] = []
    if values.name.isEmpty { faults.append("name must not be empty") }
    if values.queues.isEmpty { faults.append("queues must name at least one queue") }
    if values.queues.contains("") { faults.append("queues must not hold an empty name") }
    if Set(values.queues).count < values.queues.count {
      faults.append("queues must not name a queue twice")
    }
    if values.environments.isEmpty {
      faults.append("environments must hold at least one environment")
    }
    let names = values.environments.map(\.name)
    if Set(names).count < names.count {
      faults.append("environments must not name an environment twice")
    }
    return faults
  }

  private static func times(_ values: Values) -> [String] {
    var faults = [
      ("lease", values.leaseDuration), ("renewal interval", values.renewalInterval),
      ("lease margin", values.leaseMargin), ("sweep interval", values.sweepInterval),
      ("poll interval", values.pollInterval), ("graceful stop limit", values.gracefulStopLimit),
      ("connect timeout", values.connectTimeout), ("request timeout", values.requestTimeout),
      ("refused key pause", values.refusedKeyPause),
      ("lost request pause", values.lostRequestPause), ("database timeout", values.databaseTimeout),
      ("circuit silence", values.circuit.silence), ("circuit pause", values.circuit.pause),
    ].compactMap { name, value in
      value > .zero ? nil : "\(name) must be longer than zero"
    }
    if values.leaseDuration <= values.renewalInterval * 3 {
      faults.append("lease must be longer than three renewal intervals")
    }
    if values.leaseMargin + values.renewalInterval >= values.leaseDuration {
      faults.append("lease margin and renewal interval must be shorter than the lease")
    }
    if values.leaseDuration + values.sweepInterval > .seconds(9) {
      faults.append(
        "lease and sweep interval must be at most 9 s together, so that a dead worker's jobs run "
          + "elsewhere within 10 s")
    }
    if values.databaseTimeout >= values.leaseDuration {
      faults.append("database timeout must be shorter than the lease")
    }
    if values.stepsContinueFor < .zero || values.stepsContinueFor > values.gracefulStopLimit {
      faults.append("steps must continue for zero up to the graceful stop limit")
    }
    return faults
  }
}

/// Everything that is wrong with a worker's configuration.
public struct WorkerConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The faults, each a sentence without a full stop; at least one.
  public let faults: [String]

  /// All faults, one a line.
  public var description: String {
    "the worker's configuration is refused:\n" + faults.map { "  - \($0)" }.joined(separator: "\n")
  }
}
