// The conditions of `jsonpath` criteria, which may have expressions in braces.
//
// Arazzo puts the value into the text and reads the result. A value with a quote in it could then change
// what is asked, so here a value stays a value: inside a quoted text of the query it is escaped; outside, it
// must be a number, true, false or null, or the criterion does not hold.

internal import JSON
internal import JSONPath

/// A JSONPath query in which runtime expressions may be embedded.
public struct JSONPathTemplate: Sendable, Hashable {
  /// The query as written.
  public let parts: [ValueTemplate.TextPart]
  /// The query without expressions, parsed once.
  private let fixed: JSONPath?
  /// For each part, the quote inside which it starts.
  private let quotes: [Unicode.Scalar?]

  /// Parses a query.
  ///
  /// - Throws: ``ExpressionError`` for a wrong expression and for what cannot become a query whatever
  ///   the values are.
  public init(parsing text: String) throws(ExpressionError) {
    parts = try ValueTemplate.parts(of: text)
    quotes = Self.quotes(of: parts)
    let sample = Self.sample(of: parts, quotes)
    let parsed: JSONPath
    do throws(JSONPathError) {
      parsed = try JSONPath(parsing: sample)
      if let unusable = parsed.unusableRegularExpressions.first { throw unusable }
    } catch {
      throw ExpressionError(reason: error.reason, position: error.position)
    }
    fixed = sample == text ? parsed : nil
  }

  /// The query with the values in place; `nil` where one has no value or does not fit its place.
  func query(in context: EvaluationContext) -> JSONPath? {
    if let fixed { return fixed }
    var text = ""
    for (part, quote) in zip(parts, quotes) {
      switch part {
      case .literal(let literal): text += literal
      case .expression(let expression):
        guard let value = expression.evaluate(in: context) else { return nil }
        if let quote {
          text += Self.escaped(ValueTemplate.text(of: value), in: quote)
        } else {
          guard let literal = Self.literal(value) else { return nil }
          text += literal
        }
      }
    }
    return try? JSONPath(parsing: text)
  }

  /// The text of a value that stands outside of quotes.
  private static func literal(_ value: JSONValue) -> String? {
    switch value {
    case .null, .bool, .number: return value.serialized()
    case .string(let text):
      // A header or a text input that reads as one of those.
      switch try? JSONValue(parsing: text) {
      case .number?, .bool?, .null?: return text
      default: return nil
      }
    case .array, .object: return nil
    }
  }

  private static func escaped(_ text: String, in quote: Unicode.Scalar) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar == quote || scalar == "\\" { result.append("\\") }
      if scalar.value < 0x20 {
        let digits = String(scalar.value, radix: 16)
        result += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  private static func quotes(of parts: [ValueTemplate.TextPart]) -> [Unicode.Scalar?] {
    var quote: Unicode.Scalar?
    var isEscaped = false
    return parts.map { part in
      let start = quote
      guard case .literal(let text) = part else { return start }
      for scalar in text.unicodeScalars {
        if isEscaped {
          isEscaped = false
        } else if scalar == "\\", quote != nil {
          isEscaped = true
        } else if scalar == quote {
          quote = nil
        } else if quote == nil, scalar == "'" || scalar == "\"" {
          quote = scalar
        }
      }
      return start
    }
  }

  private static func sample(
    of parts: [ValueTemplate.TextPart], _ quotes: [Unicode.Scalar?]
  ) -> String {
    zip(parts, quotes).map { part, quote in
      switch part {
      case .literal(let text): text
      case .expression: quote == nil ? "0" : "x"
      }
    }.joined()
  }
}
