// Regular expressions whose time grows only with the product of pattern and text.
//
// Swift's Regex backtracks: `(a*)*b` against thirty a's keeps a processor busy for as long as anybody
// waits. Patterns come from authors, but parts of them and the texts come from requests and answers, so
// a pattern is made into a nondeterministic automaton (Thompson's construction) and all its states walk
// over the text together: no input can make a worker hang.

/// A regular expression that matches in linear time.
public struct RegularExpression: Sendable, Hashable {
  /// What may be written.
  public enum Dialect: Sendable, Hashable {
    /// I-Regexp (RFC 9485), as JSONPath uses it; `^` and `$` are anchors, as in the languages that
    /// the RFC maps it to.
    case iRegexp
    /// I-Regexp and what authors know from elsewhere: `\d`, `\w`, `\s` and their opposites, `\b`,
    /// `(?:…)`, `(?i)` at the start, lazy quantifiers, `\uXXXX`. Without look-around and references back, which no automaton
    /// can match.
    case common
    /// The common dialect without what PostgreSQL cannot say or says otherwise: no `(?i)`, no `\b`, `\B`,
    /// `\A`, `\Z` and `\z`, no categories of Unicode, no quantifier after `^` or `$`, and at most 255
    /// repetitions.
    case portable
  }

  /// The pattern as written.
  public let pattern: String
  let program: Program

  /// Compiles a pattern.
  ///
  /// - Throws: ``JSONPathError`` with the place at which the pattern is wrong, also for one that is
  ///   too large.
  public init(_ pattern: String, _ dialect: Dialect) throws(JSONPathError) {
    var parser = RegularExpressionParser(pattern, dialect)
    let tree = try parser.parseWhole()
    self.pattern = pattern
    program = try Program.compiled(tree, ignoresCase: parser.ignoresCase)
  }

  /// Whether the whole text matches.
  ///
  /// - Parameter workLimit: Goes down by the work that was done.
  /// - Throws: ``WorkLimitExceeded``.
  public func matchesWhole(
    _ text: String, workLimit: inout Int
  ) throws(WorkLimitExceeded) -> Bool {
    try Matcher(program: program, text: text).run(isAnchored: true, workLimit: &workLimit)
  }

  /// Whether some part of the text matches.
  ///
  /// - Parameter workLimit: Goes down by the work that was done.
  /// - Throws: ``WorkLimitExceeded``.
  public func matchesSomewhere(
    _ text: String, workLimit: inout Int
  ) throws(WorkLimitExceeded) -> Bool {
    try Matcher(program: program, text: text).run(isAnchored: false, workLimit: &workLimit)
  }

  /// Compares the patterns, which decide everything else.
  public static func == (left: Self, right: Self) -> Bool {
    left.pattern == right.pattern && left.program == right.program
  }

  /// Hashes the pattern.
  public func hash(into hasher: inout Hasher) { hasher.combine(pattern) }
}

/// A set of characters.
struct CharacterSet: Sendable, Hashable {
  /// A set of general categories, or all but those.
  struct Property: Sendable, Hashable {
    var categories: Set<Unicode.GeneralCategory>
    var isNegated: Bool
  }

  var ranges: [ClosedRange<UInt32>] = []
  var properties: [Property] = []
  var isNegated = false

  static let notLineEnd = CharacterSet(ranges: [0xA...0xA, 0xD...0xD], isNegated: true)

  static func single(_ scalar: Unicode.Scalar) -> CharacterSet {
    CharacterSet(ranges: [scalar.value...scalar.value])
  }

  func contains(_ scalar: Unicode.Scalar) -> Bool {
    let isIn =
      ranges.contains { $0.contains(scalar.value) }
      || properties.contains {
        $0.categories.contains(scalar.properties.generalCategory) != $0.isNegated
      }
    return isIn != isNegated
  }

  func contains(_ scalar: Unicode.Scalar, ignoringCase: Bool) -> Bool {
    if contains(scalar) { return true }
    guard ignoringCase else { return false }
    let lower = scalar.properties.lowercaseMapping.unicodeScalars
    let upper = scalar.properties.uppercaseMapping.unicodeScalars
    return lower.count == 1 && lower.first.map(contains) == true
      || upper.count == 1 && upper.first.map(contains) == true
  }
}

/// A pattern as a tree.
indirect enum PatternTree: Sendable {
  case empty
  case characters(CharacterSet)
  case start, end
  case wordBoundary(isNegated: Bool)
  case sequence([PatternTree])
  case alternatives([PatternTree])
  case repeated(PatternTree, least: Int, most: Int?)
}

/// A pattern as an automaton.
struct Program: Sendable, Hashable {
  enum Instruction: Sendable, Hashable {
    case characters(CharacterSet)
    case split(Int, Int)
    case jump(Int)
    case start, end
    case wordBoundary(isNegated: Bool)
    case match
  }

  /// The most instructions: `(a{1000}){1000}` would be a million.
  static let greatestSize = 4_096

  private(set) var instructions: [Instruction] = []
  let ignoresCase: Bool

  static func compiled(_ tree: PatternTree, ignoresCase: Bool) throws(JSONPathError) -> Program {
    var program = Program(ignoresCase: ignoresCase)
    try program.add(tree)
    try program.append(.match)
    return program
  }

  private mutating func append(_ instruction: Instruction) throws(JSONPathError) {
    guard instructions.count < Self.greatestSize else {
      throw JSONPathError(reason: "the pattern is too large; use smaller repetitions", position: 1)
    }
    instructions.append(instruction)
  }

  private mutating func add(_ tree: PatternTree) throws(JSONPathError) {
    switch tree {
    case .empty: break
    case .characters(let set): try append(.characters(set))
    case .start: try append(.start)
    case .end: try append(.end)
    case .wordBoundary(let isNegated): try append(.wordBoundary(isNegated: isNegated))
    case .sequence(let parts): for part in parts { try add(part) }
    case .alternatives(let branches): try addAlternatives(branches)
    case .repeated(let inner, let least, let most): try addRepetition(inner, least, most)
    }
  }

  private mutating func addAlternatives(_ branches: [PatternTree]) throws(JSONPathError) {
    var jumps: [Int] = []
    for (index, branch) in branches.enumerated() {
      guard index < branches.count - 1 else {
        try add(branch)
        continue
      }
      let split = instructions.count
      try append(.split(split + 1, 0))
      try add(branch)
      jumps.append(instructions.count)
      try append(.jump(0))
      instructions[split] = .split(split + 1, instructions.count)
    }
    for jump in jumps { instructions[jump] = .jump(instructions.count) }
  }

  private mutating func addRepetition(
    _ inner: PatternTree, _ least: Int, _ most: Int?
  ) throws(JSONPathError) {
    for _ in 0..<least { try add(inner) }
    guard let most else {
      let split = instructions.count
      try append(.split(split + 1, 0))
      try add(inner)
      try append(.jump(split))
      instructions[split] = .split(split + 1, instructions.count)
      return
    }
    var splits: [Int] = []
    for _ in least..<max(least, most) {
      splits.append(instructions.count)
      try append(.split(instructions.count + 1, 0))
      try add(inner)
    }
    for split in splits { instructions[split] = .split(split + 1, instructions.count) }
  }
}

/// One walk over a text.
private struct Matcher {
  let program: Program
  let text: String.UnicodeScalarView

  init(program: Program, text: String) {
    self.program = program
    self.text = text.unicodeScalars
  }

  func run(isAnchored: Bool, workLimit: inout Int) throws(WorkLimitExceeded) -> Bool {
    let instructions = program.instructions
    var states: [Int] = []
    var next: [Int] = []
    var seen = [Int](repeating: -1, count: instructions.count)
    var index = text.startIndex
    var position = 0
    var previous: Unicode.Scalar?
    while true {
      let scalar = index == text.endIndex ? nil : text[index]
      if position == 0 || !isAnchored { states.append(0) }
      // Follow what takes no character; `seen` keeps every state from being entered twice.
      var cursor = 0
      while cursor < states.count {
        let state = states[cursor]
        cursor += 1
        guard seen[state] != position else { continue }
        seen[state] = position
        workLimit -= 1
        guard workLimit >= 0 else { throw WorkLimitExceeded() }
        switch instructions[state] {
        case .match: if !isAnchored || scalar == nil { return true }
        case .jump(let target): states.append(target)
        case .split(let first, let second):
          states.append(first)
          states.append(second)
        case .start: if previous == nil { states.append(state + 1) }
        case .end: if scalar == nil { states.append(state + 1) }
        case .wordBoundary(let isNegated):
          if (Self.isWord(previous) != Self.isWord(scalar)) != isNegated {
            states.append(state + 1)
          }
        case .characters(let set):
          if let scalar, set.contains(scalar, ignoringCase: program.ignoresCase) {
            next.append(state + 1)
          }
        }
      }
      guard let scalar, !isAnchored || !next.isEmpty else { return false }
      previous = scalar
      text.formIndex(after: &index)
      position += 1
      swap(&states, &next)
      next.removeAll(keepingCapacity: true)
    }
  }

  private static func isWord(_ scalar: Unicode.Scalar?) -> Bool {
    scalar.map { RegularExpressionParser.word.contains($0) } ?? false
  }
}
