// A pattern in the words of PostgreSQL, so that both find the same texts.
//
// The same letters do not say the same to both: `.` matches a line feed there, \d, \s and \w follow the
// collation, `[a[.]` begins a collating element, and signs of repetition read differently where they stand in
// unusual places. So nothing of what the author wrote is handed on: the tree is written out anew, with
// groups, sets, repetitions and code points alone (PostgreSQL manual, section 9.7.3.1).

extension RegularExpression {
  /// The same as an advanced regular expression of PostgreSQL, for patterns of the dialect
  /// ``Dialect/portable``; `nil` for what only other dialects have.
  public var postgresPattern: String? {
    var parser = RegularExpressionParser(pattern, .portable)
    guard let tree = try? parser.parseWhole() else { return nil }
    return tree.postgres
  }
}

extension PatternTree {
  /// The greatest number of repetitions that PostgreSQL takes (DUPMAX).
  static let greatestPostgresRepetition = 255

  fileprivate var postgres: String {
    switch self {
    case .empty: "(?:)"
    case .characters(let set): set.postgres
    case .start: "^"
    case .end: "$"
    // Not in the portable dialect.
    case .wordBoundary: "(?:)"
    case .sequence(let parts): parts.map(\.postgresPart).joined()
    case .alternatives(let branches): branches.map(\.postgres).joined(separator: "|")
    case .repeated(let inner, let least, let most):
      inner.postgresAtom + Self.quantifier(least, most)
    }
  }

  /// As a part of a sequence.
  private var postgresPart: String {
    if case .alternatives = self { "(?:\(postgres))" } else { postgres }
  }

  /// As what a quantifier follows.
  private var postgresAtom: String {
    if case .characters = self { postgres } else { "(?:\(postgres))" }
  }

  private static func quantifier(_ least: Int, _ most: Int?) -> String {
    switch (least, most) {
    case (0, nil): "*"
    case (1, nil): "+"
    case (0, 1?): "?"
    case (_, nil): "{\(least),}"
    case (_, let most?): least == most ? "{\(least)}" : "{\(least),\(most)}"
    }
  }
}

extension CharacterSet {
  /// A set of code points; properties are not in the portable dialect.
  fileprivate var postgres: String {
    if !isNegated, ranges.count == 1, ranges[0].count == 1 {
      return Self.postgres(ranges[0].lowerBound)
    }
    let members = ranges.map { range in
      range.count == 1
        ? Self.postgres(range.lowerBound)
        : "\(Self.postgres(range.lowerBound))-\(Self.postgres(range.upperBound))"
    }
    return "[\(isNegated ? "^" : "")\(members.joined())]"
  }

  /// A character that cannot be taken for a sign of the grammar.
  private static func postgres(_ code: UInt32) -> String {
    if let scalar = Unicode.Scalar(code), scalar.isASCII,
      scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
        || "_ @".unicodeScalars.contains(scalar)
    {
      return String(Character(scalar))
    }
    let digits = String(code, radix: 16, uppercase: true)
    let length = code > 0xFFFF ? 8 : 4
    return (length == 8 ? "\\U" : "\\u") + String(repeating: "0", count: length - digits.count)
      + digits
  }
}
