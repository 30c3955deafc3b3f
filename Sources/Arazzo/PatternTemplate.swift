// The patterns of `regex` criteria, which may have expressions in braces.

internal import JSON
internal import JSONPath

/// A regular expression in which runtime expressions may be embedded.
///
/// It matches in linear time whatever the pattern and the text are; the price is that look-around and
/// references back are refused.
public struct PatternTemplate: Sendable, Hashable {
  /// The pattern as written.
  public let parts: [ValueTemplate.TextPart]
  /// The pattern without expressions, compiled once.
  private let fixed: RegularExpression?

  /// Parses a pattern.
  ///
  /// - Throws: ``ExpressionError`` for a wrong expression, or for a pattern without expressions that
  ///   is no regular expression.
  public init(parsing text: String) throws(ExpressionError) {
    parts = try ValueTemplate.parts(of: text)
    guard parts.allSatisfy({ if case .literal = $0 { true } else { false } }) else {
      fixed = nil
      return
    }
    do {
      fixed = try RegularExpression(text, .common)
    } catch {
      throw ExpressionError(
        reason: "not a valid regular expression: \(error.reason)", position: error.position)
    }
  }

  /// The regular expression with the values in place; `nil` where one has no value or the whole is
  /// no regular expression.
  func expression(in context: EvaluationContext) -> RegularExpression? {
    if let fixed { return fixed }
    return ValueTemplate.evaluate(parts, in: context).flatMap {
      try? RegularExpression($0, .common)
    }
  }
}
