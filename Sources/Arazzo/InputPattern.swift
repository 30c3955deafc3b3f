// The `pattern` of an input: one reading for this program and for PostgreSQL.

internal import JSONPath

/// A regular expression that texts of an input must match somewhere.
///
/// It is read once, as what JSON Schema asks for (ECMA 262) without what cannot be said in PostgreSQL,
/// and compiled for both: ``postgresPattern`` finds exactly the texts that ``matches(_:)`` does, in every
/// collation. `\d` and `\w` are those of ASCII, and `.` is any character but a line feed or a carriage
/// return.
public struct InputPattern: Sendable, Hashable {
  /// The pattern as written.
  public let text: String
  /// The same in the words of PostgreSQL.
  public let postgresPattern: String
  private let expression: RegularExpression

  /// The most characters of a pattern.
  static let greatestLength = 1_000

  /// Reads a pattern.
  ///
  /// - Throws: ``ExpressionError`` with the place at which the pattern is wrong.
  public init(parsing text: String) throws(ExpressionError) {
    guard text.unicodeScalars.count <= Self.greatestLength else {
      throw ExpressionError(
        reason: "a pattern has at most \(Self.greatestLength) characters",
        position: Self.greatestLength + 1)
    }
    do {
      expression = try RegularExpression(text, .portable)
    } catch {
      throw ExpressionError(reason: error.reason, position: error.position)
    }
    guard let pattern = expression.postgresPattern else {
      throw ExpressionError(reason: "PostgreSQL cannot read it", position: 1)
    }
    self.text = text
    postgresPattern = pattern
  }

  /// Whether some part of a text matches; the time grows with the length of the text and no more.
  public func matches(_ text: String) -> Bool {
    var limit = Int.max
    return (try? expression.matchesSomewhere(text, workLimit: &limit)) ?? false
  }
}
