// The grammar of RFC 9535 (appendix A) by recursive descent: segments and selectors. Filters are in
// JSONPathParser+Filters.swift.

import JSON

struct JSONPathParser {
  let text: [Unicode.Scalar]
  var position = 0
  var depth = 0
  var unusableRegularExpressions: [JSONPathError] = []

  /// How deep filters may be nested; a bound on the recursion of parser and evaluator.
  static let greatestDepth = 32
  /// The longest query, in Unicode scalars.
  static let greatestLength = 16_384
  /// The integers that I-JSON (RFC 7493) can hold exactly.
  static let greatestInteger = 9_007_199_254_740_991

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func parseWhole() throws(JSONPathError) -> Query {
    guard text.count <= Self.greatestLength else {
      throw JSONPathError(
        reason: "the query is longer than \(Self.greatestLength) characters", position: 1)
    }
    guard take("$") else { throw failure("a JSONPath query starts with $") }
    let segments = try parseSegments()
    guard isAtEnd else {
      throw failure("a segment (.name, [\u{2026}] or ..) or the end of the query is expected")
    }
    return Query(isAbsolute: true, segments: segments)
  }

  // MARK: Segments

  mutating func parseSegments() throws(JSONPathError) -> [Segment] {
    var segments: [Segment] = []
    while true {
      let start = position
      skipSpace()
      if take("..") {
        segments.append(Segment(isDescendant: true, selectors: try parseSelection(after: "..")))
      } else if take(".") {
        segments.append(Segment(isDescendant: false, selectors: try parseSelection(after: ".")))
      } else if current == "[" {
        segments.append(Segment(isDescendant: false, selectors: try parseBracket()))
      } else {
        position = start
        return segments
      }
    }
  }

  private mutating func parseSelection(after dots: String) throws(JSONPathError) -> [Selector] {
    if take("*") { return [.wildcard] }
    if dots == "..", current == "[" { return try parseBracket() }
    guard let first = current, Self.startsName(first) else {
      throw failure(
        dots == ".."
          ? "a name, * or [ is expected after .." : "a name or * is expected after the dot")
    }
    let start = position
    while let scalar = current, Self.startsName(scalar) || Self.isDigit(scalar) { position += 1 }
    return [.name(string(from: start))]
  }

  private mutating func parseBracket() throws(JSONPathError) -> [Selector] {
    position += 1
    var selectors: [Selector] = []
    repeat {
      skipSpace()
      selectors.append(try parseSelector())
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("a comma or ] is expected") }
    return selectors
  }

  private mutating func parseSelector() throws(JSONPathError) -> Selector {
    switch current {
    case "*"?:
      position += 1
      return .wildcard
    case "'"?, "\""?: return .name(try parseString())
    case "?"?:
      position += 1
      skipSpace()
      return .filter(try parseLogical())
    case let scalar? where scalar == ":" || scalar == "-" || Self.isDigit(scalar):
      return try parseIndexOrSlice()
    default:
      throw failure("a selector is expected: a quoted name, an index, a slice, * or ?")
    }
  }

  private mutating func parseIndexOrSlice() throws(JSONPathError) -> Selector {
    let first = current == ":" ? nil : try parseInteger()
    let afterFirst = position
    skipSpace()
    guard take(":") else {
      position = afterFirst
      guard let first else { throw failure("an index is expected") }
      return .index(first)
    }
    skipSpace()
    let end = try parseOptionalInteger()
    let afterEnd = position
    skipSpace()
    var step: Int?
    if take(":") {
      let afterColon = position
      skipSpace()
      step = try parseOptionalInteger()
      if step == nil { position = afterColon }
    } else {
      position = afterEnd
    }
    return .slice(start: first, end: end, step: step ?? 1)
  }

  private mutating func parseOptionalInteger() throws(JSONPathError) -> Int? {
    guard let scalar = current, scalar == "-" || Self.isDigit(scalar) else { return nil }
    return try parseInteger()
  }

  private mutating func parseInteger() throws(JSONPathError) -> Int {
    let start = position
    let isNegative = take("-")
    let digits = takeDigits()
    guard !digits.isEmpty else { throw failure("a digit is expected") }
    guard digits == "0" ? !isNegative : digits.first != "0" else {
      position = start
      throw failure("an integer has no leading zero, and zero no sign")
    }
    guard let value = Int(digits), value <= Self.greatestInteger else {
      position = start
      throw failure("an integer is at most \(Self.greatestInteger)")
    }
    return isNegative ? -value : value
  }

  // MARK: Strings

  mutating func parseString() throws(JSONPathError) -> String {
    let start = position
    let quote = text[position]
    position += 1
    var result = String.UnicodeScalarView()
    while let scalar = current {
      if scalar == quote {
        position += 1
        return String(result)
      }
      if scalar == "\\" {
        result.append(try parseEscape(quote: quote))
      } else if scalar.value < 0x20 {
        throw failure("a control character is written as an escape, such as \\n or \\u000a")
      } else {
        result.append(scalar)
        position += 1
      }
    }
    position = start
    throw failure("the string has no closing quote")
  }

  private mutating func parseEscape(quote: Unicode.Scalar) throws(JSONPathError) -> Unicode.Scalar {
    let start = position
    position += 1
    guard let scalar = current else {
      position = start
      throw failure("the string has no closing quote")
    }
    position += 1
    switch scalar {
    case quote, "\\", "/": return scalar
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u": return try parseUnicodeEscape(start)
    default:
      position = start
      throw failure("after \\, one of b f n r t / \\ u or the quote of this string is expected")
    }
  }

  private mutating func parseUnicodeEscape(_ start: Int) throws(JSONPathError) -> Unicode.Scalar {
    let first = try parseHexadecimal(start)
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard (0xD800...0xDBFF).contains(first), take("\\u") else {
      position = start
      throw failure("the half of a surrogate pair stands alone")
    }
    let second = try parseHexadecimal(start)
    guard (0xDC00...0xDFFF).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    else {
      position = start
      throw failure("the half of a surrogate pair stands alone")
    }
    return scalar
  }

  private mutating func parseHexadecimal(_ start: Int) throws(JSONPathError) -> UInt32 {
    let end = position + 4
    guard end <= text.count, text[position..<end].allSatisfy(\.properties.isASCIIHexDigit),
      let value = UInt32(String(String.UnicodeScalarView(text[position..<end])), radix: 16)
    else {
      position = start
      throw failure("four hexadecimal digits are expected after \\u")
    }
    position = end
    return value
  }

  // MARK: Characters

  func failure(_ reason: String) -> JSONPathError {
    JSONPathError(reason: reason, position: position + 1)
  }

  var isAtEnd: Bool { position == text.count }
  var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

  static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  static func startsName(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
      || scalar.value >= 0x80
  }

  func string(from start: Int) -> String {
    String(String.UnicodeScalarView(text[start..<position]))
  }

  mutating func takeDigits() -> String {
    let start = position
    while let scalar = current, Self.isDigit(scalar) { position += 1 }
    return string(from: start)
  }

  mutating func skipSpace() {
    while let scalar = current, scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r"
    {
      position += 1
    }
  }

  mutating func take(_ expected: String) -> Bool {
    let scalars = expected.unicodeScalars
    guard text[position...].starts(with: scalars) else { return false }
    position += scalars.count
    return true
  }
}
