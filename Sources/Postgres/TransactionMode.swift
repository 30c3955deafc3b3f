// How a transaction begins.

/// What a transaction sees of others, and whether it writes.
public struct TransactionMode: Hashable, Sendable {
  let begin: Statement

  /// Every statement sees what was committed before it; PostgreSQL's default.
  public static let readCommitted = Self(begin: "begin isolation level read committed")
  /// All statements see the same snapshot; a conflict is SQLSTATE 40001.
  public static let repeatableRead = Self(begin: "begin isolation level repeatable read")
  /// As if transactions ran one after the other; a conflict is SQLSTATE 40001.
  public static let serializable = Self(begin: "begin isolation level serializable")
  /// One snapshot, and no writes.
  public static let readOnlySnapshot = Self(
    begin: "begin isolation level repeatable read read only")
}
