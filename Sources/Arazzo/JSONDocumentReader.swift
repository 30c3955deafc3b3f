// JSON (RFC 8259) to a tree of located values, within the limits of any document.

internal import JSON

struct JSONDocumentReader {
  private var parser: JSONParser
  private let file: String
  private let errors: ErrorCollector
  /// How many values may still come.
  private var remaining = DocumentNode.maximumCount
  /// The place that was looked up last; places are looked up in the order of the text.
  private var place = (offset: 0, line: 1, column: 1)

  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private init(_ document: DocumentText, errors: ErrorCollector) {
    // The parser of the module is not asked for values in values, so that its own limit does not matter.
    parser = JSONParser(bytes: Array(document.text.utf8), maximumDepth: 1)
    file = document.path
    self.errors = errors
    // A byte order mark does not belong there, but RFC 8259, section 8.1, lets a reader pass over it.
    if parser.bytes.starts(with: Self.byteOrderMark) {
      parser.position = Self.byteOrderMark.count
      place.offset = parser.position
    }
  }

  /// Whether a text begins as a JSON object does.
  static func looksLikeObject(_ text: String) -> Bool {
    let bytes = text.utf8
    let rest = bytes.starts(with: byteOrderMark) ? bytes.dropFirst(3) : bytes[...]
    return rest.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "{")
  }

  /// Reads a document; `nil` after reporting why it cannot be read at all.
  static func read(_ document: DocumentText, errors: ErrorCollector) -> DocumentNode? {
    var reader = JSONDocumentReader(document, errors: errors)
    do {
      return try reader.readDocument()
    } catch let error as DocumentError {
      errors.report(error)
    } catch let error as JSONParseError {
      errors.report(
        reader.description(of: error), at: reader.location(at: reader.offset(of: error), "$"))
    } catch {
      errors.report("this is not valid JSON", at: SourceLocation(file: document.path, line: 1))
    }
    return nil
  }

  // MARK: Values

  private mutating func readDocument() throws -> DocumentNode {
    parser.skipWhiteSpace()
    guard parser.current != nil else {
      throw DocumentError(
        location: SourceLocation(file: file, line: 1), reason: "the document is empty")
    }
    let node = try readValue("$", depth: 0)
    parser.skipWhiteSpace()
    guard parser.current == nil else { throw parser.failure("text after the value") }
    return node
  }

  private mutating func readValue(_ path: String, depth: Int) throws -> DocumentNode {
    let location = location(at: parser.position, path)
    remaining -= 1
    guard remaining >= 0 else {
      throw DocumentError(location: location, reason: "the document holds too many values")
    }
    guard depth < DocumentNode.maximumDepth else {
      throw DocumentError(location: location, reason: "the document is nested too deeply")
    }
    let content: DocumentNode.Content =
      switch parser.current {
      case UInt8(ascii: "{"): .object(try readMembers(location, depth: depth))
      case UInt8(ascii: "["): .array(try readElements(path, depth: depth))
      default: .scalar(try parser.parseValue(depth: 0))
      }
    return DocumentNode(content: content, location: location)
  }

  private mutating func readElements(_ path: String, depth: Int) throws -> [DocumentNode] {
    guard try opens(closing: UInt8(ascii: "]")) else { return [] }
    var elements: [DocumentNode] = []
    repeat {
      parser.skipWhiteSpace()
      elements.append(try readValue("\(path)[\(elements.count)]", depth: depth + 1))
      parser.skipWhiteSpace()
    } while try parser.continuesAfterElement(closing: UInt8(ascii: "]"))
    return elements
  }

  private mutating func readMembers(
    _ object: SourceLocation, depth: Int
  ) throws -> [DocumentNode.Member] {
    guard try opens(closing: UInt8(ascii: "}")) else { return [] }
    var members: [DocumentNode.Member] = []
    var names: Set<MemberName> = []
    repeat {
      parser.skipWhiteSpace()
      guard parser.current == UInt8(ascii: "\"") else {
        throw parser.failure("the name of a field is expected")
      }
      let start = location(at: parser.position, object.path)
      let name = try parser.parseString()
      parser.skipWhiteSpace()
      guard parser.current == UInt8(ascii: ":") else { throw parser.failure("a colon is expected") }
      parser.position += 1
      parser.skipWhiteSpace()
      let path = object.path + DocumentNode.step(name)
      let value = try readValue(path, depth: depth + 1)
      parser.skipWhiteSpace()
      guard names.insert(MemberName(name)).inserted else {
        errors.report("the same field occurs twice in one object: '\(name)'", at: start)
        continue
      }
      let nameLocation = SourceLocation(
        file: file, line: start.line, column: start.column, path: path)
      members.append(DocumentNode.Member(name: name, nameLocation: nameLocation, value: value))
    } while try parser.continuesAfterElement(closing: UInt8(ascii: "}"))
    return members
  }

  /// Takes an opening bracket; `false` where the closing one follows, which is taken too.
  private mutating func opens(closing: UInt8) throws -> Bool {
    parser.position += 1
    parser.skipWhiteSpace()
    guard parser.current == closing else { return true }
    parser.position += 1
    return false
  }

  // MARK: Places and messages

  /// The place of a byte; lines end with LF, CR or both, and a character is one column.
  private mutating func location(at offset: Int, _ path: String) -> SourceLocation {
    while place.offset < min(offset, parser.bytes.count) {
      let byte = parser.bytes[place.offset]
      place.offset += 1
      let isHalfOfCRLF =
        byte == 0x0D && place.offset < parser.bytes.count && parser.bytes[place.offset] == 0x0A
      if byte == 0x0A || byte == 0x0D && !isHalfOfCRLF {
        place.line += 1
        place.column = 1
      } else if byte & 0xC0 != 0x80 {
        place.column += 1
      }
    }
    return SourceLocation(file: file, line: place.line, column: place.column, path: path)
  }

  /// The byte that is at fault: a control character has been taken already, and may end the line.
  private func offset(of error: JSONParseError) -> Int {
    error.reason == "a control character inside a string" ? error.offset - 1 : error.offset
  }

  private func description(of error: JSONParseError) -> String {
    let hint = hint(for: error)
    return "this is not valid JSON: \(error.reason)" + (hint.isEmpty ? "" : "; \(hint)")
  }

  /// What an author has mostly done when the parser stops like this.
  private func hint(for error: JSONParseError) -> String {
    switch error.reason {
    case "a control character inside a string", "the text ends inside a string":
      return
        "a text ends on its line: close its quote, or write \\n for the end of a line and \\t for a tab"
    case "an unknown escape inside a string": return "for \\ write \\\\"
    case "half a surrogate pair inside a string":
      return "a character beyond \\uffff is written as two such escapes, or as itself"
    default: break
    }
    guard error.offset < parser.bytes.count else { return "a bracket or a quote is never closed" }
    let before = parser.bytes[..<error.offset].last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    switch (error.reason, parser.bytes[error.offset]) {
    case (_, UInt8(ascii: "/")), (_, UInt8(ascii: "#")):
      return "JSON has no comments; remove this one, or write YAML in a file named .yaml"
    case (_, UInt8(ascii: "'")): return "names and texts stand in double quotes"
    case ("the name of a field is expected", UInt8(ascii: "}")),
      ("a value is expected", UInt8(ascii: "}")) where before == UInt8(ascii: ","),
      ("a value is expected", UInt8(ascii: "]")) where before == UInt8(ascii: ","):
      return "remove the comma before the closing bracket"
    case ("the name of a field is expected", _): return "it stands in double quotes"
    case ("a value is expected", _):
      return
        "a text stands in double quotes, a number begins with a digit or -, and all else is an object, "
        + "a list, true, false or null"
    case ("text after the value", _): return "a file holds one document"
    case ("a comma or a closing bracket is expected", UInt8(ascii: "0")...UInt8(ascii: "9"))
    where before == UInt8(ascii: "0"):
      return "a number has no zeros in front"
    case ("a comma or a closing bracket is expected", UInt8(ascii: "\"")):
      return "the comma before this is missing"
    default: return ""
    }
  }
}
