// Values of a document that contain runtime expressions: payloads, parameters, texts.

public import JSON

/// A value in which strings may be, or contain, runtime expressions.
///
/// A string that is one expression (`$inputs.age`) takes that expression's value with its type; a
/// string with embedded expressions (`user:{$inputs.id}`) becomes a string. A brace that does not
/// open an expression stays as it is.
public indirect enum ValueTemplate: Sendable, Hashable {
  /// A value without expressions.
  case literal(JSONValue)
  /// A single expression.
  case expression(RuntimeExpression)
  /// A string with embedded expressions.
  case text([TextPart])
  /// An array with expressions somewhere inside.
  case array([ValueTemplate])
  /// An object with expressions somewhere inside, in the order of the document.
  case object([Member])

  /// A piece of a string.
  public enum TextPart: Sendable, Hashable {
    /// Plain text.
    case literal(String)
    /// An embedded expression.
    case expression(RuntimeExpression)
  }

  /// A member of an object.
  public struct Member: Sendable, Hashable {
    /// Its name, which is never an expression.
    public var name: String
    /// Its value.
    public var value: ValueTemplate
  }

  /// Parses a string.
  ///
  /// - Throws: ``ExpressionError`` for a string that starts with `$` and a letter, or has a `{$`,
  ///   and is no proper expression.
  public init(parsing text: String) throws(ExpressionError) {
    if text.first == "$", let second = text.dropFirst().first, second.isLetter {
      self = .expression(try RuntimeExpression.parse(text))
      return
    }
    let parts = try Self.parts(of: text)
    let isPlain = parts.allSatisfy { if case .literal = $0 { true } else { false } }
    self = isPlain ? .literal(.string(text)) : .text(parts)
  }

  static func parts(of text: String) throws(ExpressionError) -> [TextPart] {
    let characters = Array(text)
    var parts: [TextPart] = []
    var literal = ""
    var position = 0
    while position < characters.count {
      guard characters[position] == "{", position + 1 < characters.count,
        characters[position + 1] == "$"
      else {
        literal.append(characters[position])
        position += 1
        continue
      }
      guard let end = characters[position...].firstIndex(of: "}") else {
        throw ExpressionError(
          reason: "an embedded expression ends with }", position: position + 1)
      }
      if !literal.isEmpty { parts.append(.literal(literal)) }
      literal = ""
      do {
        let inner = String(characters[(position + 1)..<end])
        parts.append(.expression(try RuntimeExpression.parse(inner)))
      } catch {
        throw ExpressionError(reason: error.reason, position: position + 1 + error.position)
      }
      position = end + 1
    }
    if !literal.isEmpty { parts.append(.literal(literal)) }
    return parts
  }

  /// The value with every expression replaced.
  ///
  /// - Returns: `nil` where an expression without a value is the whole or stands inside a text.
  ///   Inside an object such a member is left out, inside an array it becomes `null`.
  public func evaluate(in context: EvaluationContext) -> JSONValue? {
    switch self {
    case .literal(let value): return value
    case .expression(let expression): return expression.evaluate(in: context)
    case .text(let parts): return Self.evaluate(parts, in: context).map { .string($0) }
    case .array(let elements): return .array(elements.map { $0.evaluate(in: context) ?? .null })
    case .object(let members):
      return .object(
        JSONObject(
          members.compactMap { member in
            member.value.evaluate(in: context).map { (member.name, $0) }
          }))
    }
  }

  /// The value as text, as it stands in a path, a query, a header or a key name: strings as they
  /// are, everything else as JSON; `nil` where ``evaluate(in:)`` gives `nil`.
  public func evaluateText(in context: EvaluationContext) -> String? {
    evaluate(in: context).map(Self.text)
  }

  static func evaluate(_ parts: [TextPart], in context: EvaluationContext) -> String? {
    var result = ""
    for part in parts {
      switch part {
      case .literal(let text): result += text
      case .expression(let expression):
        guard let value = expression.evaluate(in: context) else { return nil }
        result += text(of: value)
      }
    }
    return result
  }

  static func text(of value: JSONValue) -> String {
    if case .string(let text) = value { text } else { value.serialized() }
  }

  /// All expressions, in their order.
  public var expressions: [RuntimeExpression] {
    switch self {
    case .literal: []
    case .expression(let expression): [expression]
    case .text(let parts):
      parts.compactMap { if case .expression(let expression) = $0 { expression } else { nil } }
    case .array(let elements): elements.flatMap(\.expressions)
    case .object(let members): members.flatMap(\.value.expressions)
    }
  }
}
