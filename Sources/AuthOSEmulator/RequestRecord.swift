// What arrived, in order: the requests of known operations and how they were answered.

/// One request, as the server saw it.
public struct RequestRecord: Sendable, Hashable {
  /// Its ordinal among all requests, from 1.
  public var number: Int
  /// The operation.
  public var operation: Operation
  /// The status of the answer, or 0 where the connection was dropped.
  public var status: Int
  /// The kind of the injected fault.
  public var fault: String?

  /// A record.
  public init(number: Int, operation: Operation, status: Int, fault: String? = nil) {
    self.number = number
    self.operation = operation
    self.status = status
    self.fault = fault
  }
}

/// The newest requests; a server that runs for weeks keeps no more than so many.
struct RequestLog {
  static let limit = 10_000
  private(set) var records: [RequestRecord] = []

  mutating func append(_ record: RequestRecord) {
    // Dropping half at a time keeps appending cheap.
    if records.count >= Self.limit { records.removeFirst(Self.limit / 2) }
    records.append(record)
  }
}
