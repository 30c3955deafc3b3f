// A text that a pattern matches, for values that are made up from a schema.

extension RegularExpression {
  /// A short text that the pattern matches somewhere; `nil` where looking at one side of each choice finds
  /// none, such as in a contradiction.
  public var example: String? {
    var parser = RegularExpressionParser(pattern, .common)
    guard let tree = try? parser.parseWhole() else { return nil }
    let text = tree.example
    var limit = Int.max
    return (try? matchesSomewhere(text, workLimit: &limit)) == true ? text : nil
  }
}

extension PatternTree {
  fileprivate var example: String {
    switch self {
    case .empty, .start, .end, .wordBoundary: ""
    case .characters(let set): set.example
    case .sequence(let parts): parts.map(\.example).joined()
    case .alternatives(let branches): branches.first?.example ?? ""
    case .repeated(let inner, let least, _): String(repeating: inner.example, count: least)
    }
  }
}

extension CharacterSet {
  fileprivate var example: String {
    let usual = "a0A_- .@".unicodeScalars
    let printable = (0x21...0x7E).compactMap { Unicode.Scalar($0 as UInt32) }
    let first = ranges.first.flatMap { Unicode.Scalar($0.lowerBound) }
    return (Array(usual) + printable + [first].compactMap(\.self)).first(where: contains).map {
      String(Character($0))
    } ?? ""
  }
}
