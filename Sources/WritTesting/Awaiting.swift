// Waiting for a condition with a deadline, instead of sleeping for luck.

/// A condition did not come true in time.
public struct DeadlinePassed: Error, Sendable, CustomStringConvertible {
  /// What was waited for, for how long, and what was seen last.
  public let description: String

  /// An error about a condition.
  public init(_ condition: String, within limit: Duration, lastSeen: String = "") {
    description =
      "not within \(limit): \(condition)" + (lastSeen.isEmpty ? "" : "; last seen: \(lastSeen)")
  }
}

/// Asks again and again until there is an answer.
///
/// - Parameters:
///   - condition: what is waited for, for the error.
///   - limit: how long at most.
///   - interval: the time between two questions.
/// - Throws: ``DeadlinePassed``, and what the question throws.
public func awaiting<Value: Sendable>(
  _ condition: String, within limit: Duration, every interval: Duration = .milliseconds(20),
  _ question: () async throws -> Value?
) async throws -> Value {
  let end = ContinuousClock.now + limit
  while true {
    if let answer = try await question() { return answer }
    guard ContinuousClock.now < end else { throw DeadlinePassed(condition, within: limit) }
    try await Task.sleep(for: interval)
  }
}

/// Asks again and again until the answer is yes.
public func awaiting(
  _ condition: String, within limit: Duration, every interval: Duration = .milliseconds(20),
  until question: () async throws -> Bool
) async throws {
  _ = try await awaiting(condition, within: limit, every: interval) {
    try await question() ? true : nil
  }
}
