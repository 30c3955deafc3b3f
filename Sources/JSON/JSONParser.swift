// A strict RFC 8259 parser. Foundation's JSONDecoder loses the digits of wide numbers and takes ten
// times as long for bodies of our size (some 300 bytes), and every response passes through here.

/// Why a text is not JSON, and at which byte.
public struct JSONParseError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong, in words that never quote the text.
  public let reason: String
  /// The offset in bytes at which parsing stopped.
  public let offset: Int

  /// The reason and the offset.
  public var description: String { "not valid JSON at byte \(offset): \(reason)" }
}

extension JSONValue {
  /// Parses a whole text; white space around the value is allowed, anything else is not.
  ///
  /// - Parameters:
  ///   - bytes: The text in UTF-8.
  ///   - allowsTrailingBytes: Whether to ignore whatever follows the first complete value.
  ///   - maximumDepth: How deeply values may be nested.
  /// - Throws: ``JSONParseError``, also for a member name that occurs twice.
  public init(
    parsing bytes: some Sequence<UInt8>, allowsTrailingBytes: Bool = false, maximumDepth: Int = 128
  ) throws {
    var parser = JSONParser(bytes: Array(bytes), maximumDepth: maximumDepth)
    self = try parser.parseDocument(allowsTrailingBytes: allowsTrailingBytes)
  }

  /// Parses a whole text.
  ///
  /// - Throws: ``JSONParseError``.
  public init(parsing text: String) throws { try self.init(parsing: text.utf8) }
}

/// The parser of a text, piece by piece for those who need to know where each piece stands.
package struct JSONParser {
  /// The text in UTF-8.
  package let bytes: [UInt8]
  /// The offset of the byte that is read next.
  package var position = 0
  private let maximumDepth: Int

  /// A parser at the first byte.
  package init(bytes: [UInt8], maximumDepth: Int) {
    self.bytes = bytes
    self.maximumDepth = maximumDepth
  }

  fileprivate mutating func parseDocument(allowsTrailingBytes: Bool) throws -> JSONValue {
    skipWhiteSpace()
    let value = try parseValue(depth: 0)
    skipWhiteSpace()
    guard allowsTrailingBytes || position == bytes.count else {
      throw failure("text after the value")
    }
    return value
  }

  /// An error at the byte that is read next.
  package func failure(_ reason: String) -> JSONParseError {
    JSONParseError(reason: reason, offset: position)
  }

  /// The byte that is read next; `nil` at the end.
  package var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  /// Skips the white space of JSON.
  package mutating func skipWhiteSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  /// Parses the value that begins here, which stands in `depth` others.
  ///
  /// - Throws: ``JSONParseError``.
  package mutating func parseValue(depth: Int) throws -> JSONValue {
    guard depth < maximumDepth else { throw failure("nested too deeply") }
    switch current {
    case UInt8(ascii: "{"): return try parseObject(depth: depth)
    case UInt8(ascii: "["): return try parseArray(depth: depth)
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", as: .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", as: .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", as: .null)
    case UInt8(ascii: "-"): return try parseNumber()
    case let digit? where (0x30...0x39).contains(digit): return try parseNumber()
    case nil: throw failure("the text ends where a value is expected")
    default: throw failure("a value is expected")
    }
  }

  private mutating func parseWord(_ word: StaticString, as value: JSONValue) throws -> JSONValue {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count,
      word.withUTF8Buffer({ bytes[position..<end].elementsEqual($0) })
    else { throw failure("a value is expected") }
    position = end
    return value
  }

  private mutating func parseObject(depth: Int) throws -> JSONValue {
    position += 1
    var members: [(String, JSONValue)] = []
    var names: Set<MemberName> = []
    skipWhiteSpace()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object(JSONObject())
    }
    while true {
      skipWhiteSpace()
      guard current == UInt8(ascii: "\"") else { throw failure("a member name is expected") }
      let name = try parseString()
      guard names.insert(MemberName(name)).inserted else {
        throw failure("a member name occurs twice")
      }
      skipWhiteSpace()
      guard current == UInt8(ascii: ":") else { throw failure("a colon is expected") }
      position += 1
      skipWhiteSpace()
      members.append((name, try parseValue(depth: depth + 1)))
      skipWhiteSpace()
      guard try continuesAfterElement(closing: UInt8(ascii: "}")) else { break }
    }
    return .object(JSONObject(checkedMembers: members))
  }

  private mutating func parseArray(depth: Int) throws -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipWhiteSpace()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      skipWhiteSpace()
      elements.append(try parseValue(depth: depth + 1))
      skipWhiteSpace()
      guard try continuesAfterElement(closing: UInt8(ascii: "]")) else { break }
    }
    return .array(elements)
  }

  /// Takes the comma or the closing bracket after an element; `true` for the comma.
  ///
  /// - Throws: ``JSONParseError`` for anything else.
  package mutating func continuesAfterElement(closing: UInt8) throws -> Bool {
    switch current {
    case UInt8(ascii: ","):
      position += 1
      return true
    case closing:
      position += 1
      return false
    default: throw failure("a comma or a closing bracket is expected")
    }
  }

  private mutating func parseNumber() throws -> JSONValue {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") {
      position += 1
    } else {
      try skipDigits()
    }
    if current == UInt8(ascii: ".") {
      position += 1
      try skipDigits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try skipDigits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    return .number(JSONNumber(checkedText: text))
  }

  private mutating func skipDigits() throws {
    let start = position
    while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
    guard position > start else { throw failure("a digit is expected") }
  }

  /// Parses the string whose opening quote is here.
  ///
  /// - Throws: ``JSONParseError``.
  package mutating func parseString() throws -> String {
    position += 1
    let start = position
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
      position += 1
    }
    if current == UInt8(ascii: "\"") {
      defer { position += 1 }
      return try decoded(bytes[start..<position])
    }
    var content = Array(bytes[start..<position])
    while true {
      guard let byte = current else { throw failure("the text ends inside a string") }
      position += 1
      switch byte {
      case UInt8(ascii: "\""): return try decoded(content[...])
      case UInt8(ascii: "\\"): try appendEscape(to: &content)
      case 0..<0x20: throw failure("a control character inside a string")
      default: content.append(byte)
      }
    }
  }

  private func decoded(_ bytes: ArraySlice<UInt8>) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw failure("a string is not valid UTF-8")
    }
    return text
  }

  private mutating func appendEscape(to content: inout [UInt8]) throws {
    guard let byte = current else { throw failure("the text ends inside a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"): content.append(contentsOf: Array(String(try parseScalar()).utf8))
    default: throw failure("an unknown escape inside a string")
    }
  }

  private mutating func parseScalar() throws -> Character {
    let first = try parseFourHexDigits()
    var value = UInt32(first)
    if (0xD800..<0xDC00).contains(first) {
      guard current == UInt8(ascii: "\\"), position + 1 < bytes.count,
        bytes[position + 1] == UInt8(ascii: "u")
      else { throw failure("half a surrogate pair inside a string") }
      position += 2
      let second = try parseFourHexDigits()
      guard (0xDC00..<0xE000).contains(second) else {
        throw failure("half a surrogate pair inside a string")
      }
      value = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(value) else {
      throw failure("half a surrogate pair inside a string")
    }
    return Character(scalar)
  }

  private mutating func parseFourHexDigits() throws -> UInt16 {
    guard position + 4 <= bytes.count,
      bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt16(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits are expected") }
    position += 4
    return value
  }
}

extension JSONObject {
  /// An object of members whose names the parser found to be distinct.
  fileprivate init(checkedMembers: [(String, JSONValue)]) {
    self.init()
    append(checked: checkedMembers)
  }
}
