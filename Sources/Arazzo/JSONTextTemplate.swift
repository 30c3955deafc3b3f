// A JSON body that is written as a text with expressions in braces, as Arazzo's examples do.
//
// The text is read as JSON once, with marks where the expressions are; so a value with quotes in it stays a
// value, and a fault is found when the document is read.

internal import JSON

enum JSONTextTemplate {
  /// Begin and end of a mark: private-use characters, which no document has by accident.
  private static let begin: Character = "\u{F8F0}"
  private static let end: Character = "\u{F8F1}"

  /// The template of a JSON text: an expression inside quotes becomes text, one outside keeps its
  /// type.
  ///
  /// - Throws: ``ExpressionError`` for a wrong expression and for what is no JSON.
  static func parse(_ text: String) throws(ExpressionError) -> ValueTemplate {
    let parts = try ValueTemplate.parts(of: text)
    var expressions: [RuntimeExpression] = []
    var marked = ""
    var isInQuotes = false
    var isEscaped = false
    for part in parts {
      switch part {
      case .literal(let literal):
        for character in literal {
          if isEscaped {
            isEscaped = false
          } else if character == "\\", isInQuotes {
            isEscaped = true
          } else if character == "\"" {
            isInQuotes.toggle()
          }
        }
        marked += literal
      case .expression(let expression):
        let mark = "\(begin)\(expressions.count)\(end)"
        marked += isInQuotes ? mark : "\"\(begin)=\(mark)\""
        expressions.append(expression)
      }
    }
    do {
      return template(of: try JSONValue(parsing: marked), expressions)
    } catch {
      throw ExpressionError(reason: "the text of a JSON body must be JSON: \(error)", position: 1)
    }
  }

  private static func template(
    of value: JSONValue, _ expressions: [RuntimeExpression]
  ) -> ValueTemplate {
    switch value {
    case .string(let text): return template(of: text, expressions)
    case .array(let elements):
      let values = elements.map { template(of: $0, expressions) }
      return values.allSatisfy(\.isLiteral) ? .literal(value) : .array(values)
    case .object(let object):
      let members = object.members.map {
        ValueTemplate.Member(name: $0.name, value: template(of: $0.value, expressions))
      }
      return members.allSatisfy(\.value.isLiteral) ? .literal(value) : .object(members)
    default: return .literal(value)
    }
  }

  private static func template(
    of text: String, _ expressions: [RuntimeExpression]
  ) -> ValueTemplate {
    guard text.contains(begin) else { return .literal(.string(text)) }
    if text.hasPrefix("\(begin)=\(begin)"), let index = Int(text.dropFirst(3).dropLast()),
      expressions.indices.contains(index)
    {
      return .expression(expressions[index])
    }
    var parts: [ValueTemplate.TextPart] = []
    for (number, piece) in text.split(separator: begin, omittingEmptySubsequences: false)
      .enumerated()
    {
      guard number > 0, let stop = piece.firstIndex(of: end), let index = Int(piece[..<stop]),
        expressions.indices.contains(index)
      else {
        if !piece.isEmpty { parts.append(.literal(String(piece))) }
        continue
      }
      parts.append(.expression(expressions[index]))
      let rest = piece[piece.index(after: stop)...]
      if !rest.isEmpty { parts.append(.literal(String(rest))) }
    }
    return .text(parts)
  }
}
