// A document to a tree of located values: JSON as RFC 8259 has it, anything else as YAML. Scalars of YAML are
// typed by the core schema of YAML 1.2 without its octal and hexadecimal numbers: `yes`, `no`, dates and `007`
// are texts.

internal import JSON
internal import Yams

extension DocumentNode {
  /// The longest text of a document, in bytes.
  static let maximumSize = 1 << 20
  /// The deepest nesting of a document.
  static let maximumDepth = 64
  /// The most values of a document; aliases can stand for more than its text has.
  static let maximumCount = 100_000

  /// Parses a document; `nil` after reporting why it cannot be read at all.
  ///
  /// A file named `….json` is JSON. Any other is YAML, unless it begins like JSON and is JSON: YAML in practice
  /// does not take all that JSON allows.
  ///
  /// - Parameter isPublished: Whether it was read already, by the version that published it. That one may have
  ///   taken YAML for JSON, so that this is no fault then.
  static func parse(
    _ document: DocumentText, isPublished: Bool = false, errors: ErrorCollector
  ) -> DocumentNode? {
    guard document.text.utf8.count <= maximumSize else {
      errors.report(
        "the document is longer than 1 MiB", at: SourceLocation(file: document.path, line: 1))
      return nil
    }
    if document.path.hasSuffix(".json"), !isPublished {
      return JSONDocumentReader.read(document, errors: errors)
    }
    if document.path.hasSuffix(".json") || JSONDocumentReader.looksLikeObject(document.text) {
      let found = ErrorCollector()
      if let node = JSONDocumentReader.read(document, errors: found) {
        found.errors.forEach { errors.report($0) }
        return node
      }
    }
    return parseYAML(document, errors: errors)
  }

  private static func parseYAML(_ document: DocumentText, errors: ErrorCollector) -> DocumentNode? {
    let start = SourceLocation(file: document.path, line: 1)
    if let line = AliasScan.lineOfExcess(in: document.text) {
      errors.report(
        "the document has more than \(AliasScan.maximumCount) aliases (*); write the value out or "
          + "put it into components", at: SourceLocation(file: document.path, line: line))
      return nil
    }
    do {
      guard let node = try compose(yaml: document.text, try Typing.resolver(), .default, .utf8)
      else {
        errors.report("the document is empty", at: start)
        return nil
      }
      let converter = NodeConverter(file: document.path, errors: errors)
      return converter.convert(node, path: "$", depth: 0, fallback: start)
    } catch {
      let (reason, mark) = describe(error)
      errors.report(
        reason,
        at: SourceLocation(
          file: document.path, line: max(1, mark?.line ?? 1), column: mark?.column ?? 1))
      return nil
    }
  }

  /// What an author has mostly done when the YAML parser says this.
  private static func hint(for problem: String) -> String {
    let hints = [
      (
        "mapping values are not allowed",
        "put quotes around a text with a colon in it, or look at the indentation"
      ),
      (
        "cannot start any token",
        "indent with spaces, not with tabs; a text that starts with @, ` or % needs quotes"
      ),
      ("found a tab character", "indent with spaces, not with tabs"),
      (
        "did not find expected key",
        "look at the indentation of this line and of the one above, and for a quote that is never closed"
      ),
      (
        "did not find expected alphabetic or numeric character",
        "a text that starts with * or & needs quotes"
      ),
      (
        "could not find expected ':'",
        "a field is written as name: value, with a space after the colon"
      ),
      ("did not find expected '-'", "the elements of a list start with - in the same column"),
      ("did not find expected ',' or '}'", "a comma or the closing } is missing"),
      ("did not find expected ',' or ']'", "a comma or the closing ] is missing"),
      ("unexpected end of stream", "a quote or a bracket is never closed"),
      ("found undefined alias", "a text that starts with * needs quotes"),
      ("unknown escape character", "in double quotes write \\\\ for \\, or use single quotes"),
    ]
    return hints.first { problem.contains($0.0) }.map { "; \($0.1)" } ?? ""
  }

  private static func describe(_ error: any Error) -> (String, Mark?) {
    switch error as? YamlError {
    case .parser(_, let problem, let mark, _)? where problem.hasPrefix("Maximum nesting level"):
      return ("the document is nested too deeply", mark)
    case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?:
      return ("this is not valid YAML or JSON: \(problem)\(hint(for: problem))", mark)
    case .composer(_, "but found another document", let mark, _)?:
      return ("a file holds one document; remove what follows ---", mark)
    case .composer(_, let problem, let mark, _)?:
      return ("this is not valid YAML or JSON: \(problem)", mark)
    case .duplicatedKeysInMapping(let names, let context)?:
      let list = names.map { "'\($0)'" }.joined(separator: ", ")
      // An element without its dash goes on with the fields of the one before.
      let hint = names.count > 1 ? "; each element of a list begins with '- '" : ""
      return ("the same field occurs twice in one object: \(list)\(hint)", context.mark)
    case .reader(let problem, _, _, _)?:
      return ("this is not valid YAML or JSON: \(problem)", nil)
    default:
      return ("this is not valid YAML or JSON", nil)
    }
  }
}

/// How plain scalars get their types.
private enum Typing {
  /// The tag of scalars that have neither quotes nor a tag of their own.
  static let plain = Tag.Name(rawValue: "plain")

  static func resolver() throws -> Resolver { try Resolver.basic.appending(plain, "^") }

  static func value(ofPlain text: String) -> JSONValue {
    switch text {
    case "", "~", "null", "Null", "NULL": return nil
    case "true", "True", "TRUE": return true
    case "false", "False", "FALSE": return false
    default: break
    }
    guard let first = text.utf8.first,
      first == UInt8(ascii: "-") || first == UInt8(ascii: "+") || first == UInt8(ascii: ".")
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
    else { return .string(text) }
    return number(text) ?? .string(text)
  }

  /// A number of JSON, or one that YAML also allows: with `+`, or without digits beside the dot.
  private static func number(_ text: String) -> JSONValue? {
    if let value = parsed(text) { return value }
    var rest = text[...]
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    if rest.first == ".", rest.dropFirst().first?.isNumber == true { rest = "0" + rest }
    if rest.last == ".", rest.dropLast().last?.isNumber == true { rest = rest.dropLast() }
    return parsed((isNegative ? "-" : "") + rest)
  }

  private static func parsed(_ text: String) -> JSONValue? {
    guard let value = try? JSONValue(parsing: text), case .number = value else { return nil }
    return value
  }
}

/// Turns Yams' tree into ours.
private final class NodeConverter {
  let file: String
  let errors: ErrorCollector
  /// How many values may still come.
  private var remaining = DocumentNode.maximumCount

  init(file: String, errors: ErrorCollector) {
    self.file = file
    self.errors = errors
  }

  func convert(
    _ node: Node, path: String, depth: Int, fallback: SourceLocation
  ) -> DocumentNode {
    let location = SourceLocation(
      file: file, line: node.mark?.line ?? fallback.line,
      column: node.mark?.column ?? fallback.column, path: path)
    let empty = DocumentNode(content: .scalar(nil), location: location)
    remaining -= 1
    guard remaining >= 0 else {
      if remaining == -1 { errors.report("the document holds too many values", at: location) }
      return empty
    }
    guard depth < DocumentNode.maximumDepth else {
      errors.report("the document is nested too deeply", at: location)
      return empty
    }
    switch node {
    case .scalar(let scalar):
      return DocumentNode(
        content: .scalar(value(of: scalar, node, at: location)), location: location)
    case .sequence(let sequence):
      let elements = sequence.enumerated().map { index, element in
        convert(element, path: "\(path)[\(index)]", depth: depth + 1, fallback: location)
      }
      return DocumentNode(content: .array(elements), location: location)
    case .mapping(let mapping):
      return DocumentNode(
        content: .object(members(of: mapping, path: path, depth: depth, location)),
        location: location)
    case .alias: return empty
    }
  }

  private func members(
    of mapping: Node.Mapping, path: String, depth: Int, _ location: SourceLocation
  ) -> [DocumentNode.Member] {
    var members: [DocumentNode.Member] = []
    var names: Set<String> = []
    for (key, value) in mapping {
      let keyLocation = SourceLocation(
        file: file, line: key.mark?.line ?? location.line, column: key.mark?.column ?? 1,
        path: path)
      guard let name = key.scalar?.string else {
        errors.report("the name of a field must be a plain text", at: keyLocation)
        continue
      }
      guard names.insert(name).inserted else {
        errors.report("the same field occurs twice in one object: '\(name)'", at: keyLocation)
        continue
      }
      let memberPath = path + DocumentNode.step(name)
      let converted = convert(value, path: memberPath, depth: depth + 1, fallback: keyLocation)
      let nameLocation = SourceLocation(
        file: file, line: keyLocation.line, column: keyLocation.column, path: memberPath)
      members.append(
        DocumentNode.Member(name: name, nameLocation: nameLocation, value: converted))
    }
    return members
  }

  private func value(
    of scalar: Node.Scalar, _ node: Node, at location: SourceLocation
  ) -> JSONValue {
    let tag = node.tag.description
    switch tag {
    case Typing.plain.rawValue:
      return scalar.style == .plain ? Typing.value(ofPlain: scalar.string) : .string(scalar.string)
    case Tag.Name.str.rawValue, "": return .string(scalar.string)
    default:
      errors.report("the tag \(tag) is not supported; remove it", at: location)
      return nil
    }
  }
}
