// Circuits: workers open and close them, people look.

import JSON
public import JobModel
public import Postgres

/// A target that has stopped answering, so that the jobs that call it start one at a time.
public struct OpenCircuit: Sendable, Hashable {
  /// The environment and the target.
  public let name: CircuitName
  /// Since when.
  public let openedAt: PostgresTimestamp
  /// The time between two jobs of one type that are let through.
  public let pause: Duration
  /// What the failures came to, for example `connection_refused`.
  public let errorCode: String
  /// How many jobs had failed when it was opened.
  public let failedJobs: Int
  /// The worker that opened it.
  public let openedByWorker: Int
  /// The job types that call the target.
  public let jobTypes: [String]
  /// How many jobs of these types are parked, by the circuit or a limit.
  public let parkedJobs: Int
}

extension JobStore {
  /// The circuits that are open, for people.
  public func circuits() async throws -> [OpenCircuit] {
    try await pool.query(.circuits).map { row in
      OpenCircuit(
        name: CircuitName(
          environment: try row.decode("environment"), target: try row.decode("target")),
        openedAt: try row.decode("opened_at"), pause: try row.decode("pause"),
        errorCode: try row.decode("error_code"), failedJobs: try row.decode("failed_jobs"),
        openedByWorker: try row.decode("opened_by_worker"), jobTypes: try row.decode("types"),
        parkedJobs: try row.decode("parked"))
    }
  }

  /// Closes a circuit on a person's word.
  ///
  /// - Parameters:
  ///   - target: The target.
  ///   - environment: The environment; `nil` for the default one.
  /// - Returns: Whether it was open.
  /// - Throws: `PostgresError` with SQLSTATE WR004 for an unknown environment.
  public func closeCircuit(target: String, environment: String? = nil) async throws -> Bool {
    try await row(.endCircuit, [.text(target), .text(environment)]).decode("was_open")
  }

  /// The circuits that are open in these environments, for a worker, which tells the targets that have answered it
  /// since it asked last.
  public func openCircuits(
    worker: Int, environments: [String], answered: Set<CircuitName>
  ) async throws -> Set<CircuitName> {
    let answers = JSONValue.array(
      answered.map { ["environment": .string($0.environment), "target": .string($0.target)] })
    return Set(
      try await pool.query(
        .openCircuits, [.int(worker), .texts(environments), .json(answers.serialized())]
      ).map { row in
        CircuitName(environment: try row.decode("environment"), target: try row.decode("target"))
      })
  }

  /// Opens a circuit for a worker that sees nothing but failures.
  ///
  /// - Throws: `PostgresError`; ``JobStoreError`` with `unreadableRow` for a verdict that this version does not know.
  public func openCircuit(
    worker: Int, _ name: CircuitName, _ policy: CircuitPolicy, failedJobs: Int, code: String
  ) async throws -> CircuitVerdict {
    let text: String = try await row(
      .openCircuit,
      [
        .int(worker), .text(name.environment), .text(name.target), .interval(policy.pause),
        .interval(policy.silence), .int(failedJobs), .text(code),
      ]
    ).decode("verdict")
    guard let verdict = CircuitVerdict(rawValue: text) else {
      throw JobStoreError(.unreadableRow, "column verdict holds none that is known")
    }
    return verdict
  }

  /// Closes a circuit for a worker that got an answer.
  ///
  /// - Returns: Whether this closed it.
  public func closeCircuit(worker: Int, _ name: CircuitName) async throws -> Bool {
    try await row(
      .closeCircuit, [.int(worker), .text(name.environment), .text(name.target)]
    ).decode("was_open")
  }
}
