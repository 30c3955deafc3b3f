// A row of a job as people see it.

public import JSON

/// One row of what a job has read.
public struct JobRowSummary: Sendable, Hashable {
  /// Its place among the rows of the job, from 1.
  public let place: Int
  /// Its fields; may be personal data.
  public let data: JSONValue
}
