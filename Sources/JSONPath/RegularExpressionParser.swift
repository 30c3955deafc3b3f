// The grammar of I-Regexp (RFC 9485, section 3), and what the common dialect adds to it.

struct RegularExpressionParser {
  let text: [Unicode.Scalar]
  let dialect: RegularExpression.Dialect
  var position = 0
  var depth = 0
  var ignoresCase = false

  static let greatestDepth = 64
  static let greatestRepetition = 1_000

  static let digit = CharacterSet(ranges: [0x30...0x39])
  static let word = CharacterSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
  static let space = CharacterSet(ranges: [
    0x9...0xD, 0x20...0x20, 0x85...0x85, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A,
    0x2028...0x2029, 0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
  ])

  init(_ pattern: String, _ dialect: RegularExpression.Dialect) {
    text = Array(pattern.unicodeScalars)
    self.dialect = dialect
  }

  mutating func parseWhole() throws(JSONPathError) -> PatternTree {
    if dialect == .common, take("(?i)") { ignoresCase = true }
    let tree = try parseAlternatives()
    guard current == nil else { throw failure("this ) closes nothing") }
    return tree
  }

  private mutating func parseAlternatives() throws(JSONPathError) -> PatternTree {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.greatestDepth else { throw failure("the pattern is nested too deeply") }
    var branches = [try parseBranch()]
    while take("|") { branches.append(try parseBranch()) }
    return branches.count == 1 ? branches[0] : .alternatives(branches)
  }

  private mutating func parseBranch() throws(JSONPathError) -> PatternTree {
    var pieces: [PatternTree] = []
    while let scalar = current, scalar != "|", scalar != ")" {
      let start = position
      let atom = try parseAtom()
      let quantifier = position
      guard let (least, most) = try parseQuantifier() else {
        pieces.append(atom)
        continue
      }
      if dialect == .portable, atom.isAnchor {
        position = quantifier
        throw failure("^ and $ cannot be repeated")
      }
      if dialect != .iRegexp { _ = take("?") }
      if let scalar = current, "*+?".unicodeScalars.contains(scalar) {
        throw failure("there is nothing to repeat here; write \\\(scalar) for the character")
      }
      if let most, most < least {
        position = start
        throw failure("the greatest number of repetitions is below the least")
      }
      pieces.append(.repeated(atom, least: least, most: most))
    }
    return pieces.count == 1 ? pieces[0] : pieces.isEmpty ? .empty : .sequence(pieces)
  }

  private mutating func parseQuantifier() throws(JSONPathError) -> (Int, Int?)? {
    switch current {
    case "*"?:
      position += 1
      return (0, nil)
    case "+"?:
      position += 1
      return (1, nil)
    case "?"?:
      position += 1
      return (0, 1)
    case "{"?:
      position += 1
      let least = try parseCount()
      var most: Int? = least
      if take(",") { most = current == "}" ? nil : try parseCount() }
      guard take("}") else { throw failure("a closing } is expected") }
      return (least, most)
    default: return nil
    }
  }

  private mutating func parseCount() throws(JSONPathError) -> Int {
    let start = position
    var value = 0
    while let scalar = current, ("0"..."9").contains(scalar) {
      value = min(value * 10 + Int(scalar.value - 0x30), Self.greatestRepetition + 1)
      position += 1
    }
    guard position > start else { throw failure("a number of repetitions is expected") }
    let greatest =
      dialect == .portable ? PatternTree.greatestPostgresRepetition : Self.greatestRepetition
    guard value <= greatest else {
      position = start
      throw failure("at most \(greatest) repetitions can be asked for")
    }
    return value
  }

  private mutating func parseAtom() throws(JSONPathError) -> PatternTree {
    guard let scalar = current else { throw failure("the pattern ends too early") }
    switch scalar {
    case "(": return try parseGroup()
    case "[": return .characters(try parseClass())
    case "\\": return try parseEscape()
    case "*", "+", "?", "{":
      throw failure("there is nothing to repeat here; write \\\(scalar) for the character")
    case "]", "}":
      guard dialect != .iRegexp else { throw failure("write \\\(scalar) for the character") }
    default: break
    }
    position += 1
    switch scalar {
    case ".": return .characters(.notLineEnd)
    case "^": return .start
    case "$": return .end
    default: return .characters(.single(scalar))
    }
  }

  private mutating func parseGroup() throws(JSONPathError) -> PatternTree {
    let start = position
    position += 1
    if current == "?" {
      guard dialect != .iRegexp, take("?:") else {
        throw failure(
          "a group (?\u{2026}) is not supported, but for (?:\u{2026}): no look-around, no names")
      }
    }
    let inner = try parseAlternatives()
    guard take(")") else {
      position = start
      throw failure("this ( is never closed")
    }
    return inner
  }

  // MARK: Escapes

  private mutating func parseEscape() throws(JSONPathError) -> PatternTree {
    if dialect != .iRegexp, position + 1 < text.count {
      switch text[position + 1] {
      case "b", "B", "A", "z", "Z", "p", "P":
        guard dialect == .common else { throw failure(Self.unportable) }
      default: break
      }
      switch text[position + 1] {
      case "b", "B":
        position += 2
        return .wordBoundary(isNegated: text[position - 1] == "B")
      case "A":
        position += 2
        return .start
      case "z", "Z":
        position += 2
        return .end
      case "1"..."9", "k":
        throw failure("a reference back is not supported")
      default: break
      }
    }
    return .characters(try parseCharacterEscape())
  }

  /// What follows a `\`, as a set of characters.
  private mutating func parseCharacterEscape() throws(JSONPathError) -> CharacterSet {
    let start = position
    position += 1
    guard let scalar = current else {
      position = start
      throw failure("a character is expected after \\")
    }
    position += 1
    switch scalar {
    case "n": return .single("\n")
    case "r": return .single("\r")
    case "t": return .single("\t")
    case "p" where dialect == .portable, "P" where dialect == .portable:
      position = start
      throw failure(Self.unportable)
    case "p", "P": return try parseProperty(isNegated: scalar == "P", start)
    case "(", ")", "*", "+", "-", ".", "?", "[", "\\", "]", "^", "{", "|", "}":
      return .single(scalar)
    default: break
    }
    if dialect != .iRegexp {
      switch scalar {
      case "d": return Self.digit
      case "D": return Self.digit.negated
      case "w": return Self.word
      case "W": return Self.word.negated
      case "s": return Self.space
      case "S": return Self.space.negated
      case "f": return .single("\u{C}")
      case "v": return .single("\u{B}")
      case "u", "x":
        let length = scalar == "u" ? 4 : 2
        let digits = text[position..<min(position + length, text.count)]
        if digits.count == length, digits.allSatisfy(\.properties.isASCIIHexDigit),
          let value = UInt32(String(String.UnicodeScalarView(digits)), radix: 16),
          let character = Unicode.Scalar(value)
        {
          position += length
          return .single(character)
        }
      case let mark
      where mark.isASCII && !mark.properties.isAlphabetic
        && !("0"..."9").contains(mark):
        return .single(mark)
      default: break
      }
    }
    position = start
    throw failure(
      dialect == .iRegexp
        ? "this escape is not in I-Regexp; for \\d write [0-9], for \\w write [A-Za-z0-9_]"
        : "this escape is not supported")
  }

  private static let unportable =
    "this escape means something else in PostgreSQL, or nothing; there are \\d, \\s, \\w, \\D, \\S, \\W, "
    + "\\n, \\r, \\t, \\f, \\v, \\xXX, \\uXXXX and signs"

  private mutating func parseProperty(
    isNegated: Bool, _ start: Int
  ) throws(JSONPathError) -> CharacterSet {
    guard take("{") else { throw failure("{ and a category are expected, such as \\p{Lu}") }
    let nameStart = position
    while let scalar = current, scalar.properties.isAlphabetic { position += 1 }
    let name = String(String.UnicodeScalarView(text[nameStart..<position]))
    guard take("}"), let categories = UnicodeCategories.named(name) else {
      position = start
      throw failure("\\p{\u{2026}} takes a general category of Unicode, such as L, Lu or Nd")
    }
    return CharacterSet(properties: [
      CharacterSet.Property(categories: categories, isNegated: isNegated)
    ])
  }

  // MARK: Classes

  private mutating func parseClass() throws(JSONPathError) -> CharacterSet {
    let start = position
    position += 1
    var set = CharacterSet()
    set.isNegated = take("^")
    var isEmpty = true
    while let scalar = current, scalar != "]" {
      isEmpty = false
      let first = try parseClassMember(isFirst: position == start + (set.isNegated ? 2 : 1))
      guard case .single(let lower) = first, current == "-", position + 1 < text.count,
        text[position + 1] != "]"
      else {
        set.add(first)
        continue
      }
      let rangeStart = position
      position += 1
      guard case .single(let upper) = try parseClassMember(isFirst: false), lower <= upper else {
        position = rangeStart
        throw failure("a range goes from a character to one that is not before it")
      }
      set.ranges.append(lower.value...upper.value)
    }
    guard take("]"), !isEmpty else {
      position = start
      throw failure(isEmpty ? "this [ ] holds no character" : "this [ is never closed")
    }
    return set
  }

  fileprivate enum Member {
    case single(Unicode.Scalar)
    case set(CharacterSet)
  }

  private mutating func parseClassMember(isFirst: Bool) throws(JSONPathError) -> Member {
    guard let scalar = current else { throw failure("this [ is never closed") }
    if scalar == "\\" {
      let set = try parseCharacterEscape()
      if set.properties.isEmpty, !set.isNegated, set.ranges.count == 1,
        set.ranges[0].count == 1, let single = Unicode.Scalar(set.ranges[0].lowerBound)
      {
        return .single(single)
      }
      return .set(set)
    }
    if dialect == .iRegexp {
      let isLast = position + 1 < text.count && text[position + 1] == "]"
      if scalar == "[" || scalar == "-" && !isFirst && !isLast {
        throw failure("write \\\(scalar) for the character")
      }
    }
    position += 1
    return .single(scalar)
  }

  // MARK: Characters

  private func failure(_ reason: String) -> JSONPathError {
    JSONPathError(reason: reason, position: position + 1)
  }

  private var current: Unicode.Scalar? { position < text.count ? text[position] : nil }

  private mutating func take(_ expected: String) -> Bool {
    guard text[position...].starts(with: expected.unicodeScalars) else { return false }
    position += expected.unicodeScalars.count
    return true
  }
}

extension PatternTree {
  /// Whether it is a single `^` or `$`.
  fileprivate var isAnchor: Bool {
    switch self {
    case .start, .end: true
    default: false
    }
  }
}

extension CharacterSet {
  fileprivate var negated: CharacterSet {
    var set = self
    set.isNegated.toggle()
    return set
  }

  /// The ranges of all that is not in a set of ranges.
  private var complement: [ClosedRange<UInt32>] {
    var result: [ClosedRange<UInt32>] = []
    var next: UInt32 = 0
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
      next = max(next, range.upperBound + 1)
    }
    return result + [next...0x10FFFF]
  }

  fileprivate mutating func add(_ member: RegularExpressionParser.Member) {
    switch member {
    case .single(let scalar): ranges.append(scalar.value...scalar.value)
    case .set(let set) where set.isNegated: ranges += set.complement
    case .set(let set):
      ranges += set.ranges
      properties += set.properties
    }
  }
}
