// How often each route answered with each status, and which faults were injected.

public import JSON

/// Counts of requests since the start.
public struct RequestCounts: Sendable {
  /// What is counted together: one operation (or `unknown`) with one outcome.
  public struct Line: Sendable, Hashable {
    /// The operation's name, or `unknown` for paths and methods without one.
    public var operation: String
    /// The status, or 0 where the connection was dropped.
    public var status: Int

    /// A line to look up a count by.
    public init(operation: String, status: Int) {
      self.operation = operation
      self.status = status
    }
  }

  /// All requests.
  public internal(set) var total = 0
  /// Requests by operation and status.
  public internal(set) var answers: [Line: Int] = [:]
  /// Injected faults by kind.
  public internal(set) var faults: [String: Int] = [:]

  /// The counts as JSON, sorted by operation and status.
  public var json: JSONValue {
    let lines = answers.sorted {
      ($0.key.operation, $0.key.status) < ($1.key.operation, $1.key.status)
    }
    let answers = lines.map { line, count in
      JSONValue.object(
        JSONObject([
          ("operation", .string(line.operation)), ("status", JSONValue(line.status)),
          ("count", JSONValue(count)),
        ]))
    }
    let faults = faults.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) }
    return [
      "total": JSONValue(total), "answers": .array(answers), "faults": .object(JSONObject(faults)),
    ]
  }
}
