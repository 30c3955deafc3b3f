// An SQL text, and whether the server keeps it prepared.

/// An SQL statement, with `$1`, `$2` … where its parameters go.
///
/// A literal is a statement that is not prepared: `connection.query("select now()")`. There is no
/// interpolation, so that a value cannot be pasted into SQL by accident; text that is computed is
/// passed as `Statement(sql:)`.
public struct Statement: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The name under which the server keeps it, per connection; nil if it is not kept.
  public let name: String?
  /// The text; one statement, without a semicolon at its end.
  public let sql: String

  /// A statement that each connection prepares when it first needs it.
  ///
  /// One name stands for one text: another text under a name in use is refused with
  /// ``PostgresError/Code/misuse``.
  public init(name: String, sql: String) {
    self.name = name
    self.sql = sql
  }

  /// A statement that is parsed and planned each time.
  public init(sql: String) {
    name = nil
    self.sql = sql
  }

  /// A statement that is parsed and planned each time.
  public init(stringLiteral value: String) { self.init(sql: value) }
}
