// Regular expressions: what they match, what is refused, and that no pattern can keep a worker busy.

import JSONPath
import Testing

@Suite struct RegularExpressionTests {
  static let matches: [(String, String, Bool)] = [
    ("ab", "ab", true), ("ab", "abc", false), ("a|bc", "bc", true), ("a|bc", "ac", false),
    ("", "", true), ("", "a", false), ("a*", "aaa", true), ("a+", "", false), ("a?b", "b", true),
    ("(ab)+c", "ababc", true), ("a{2}", "aa", true), ("a{2}", "a", false),
    ("a{2,}", "aaaa", true), ("a{1,2}", "aaa", false), ("a{0}b", "b", true),
    (".", "\u{2028}", true), (".", "\n", false), (".", "\r", false), ("a.b", "a\u{10101}b", true),
    ("[a-c]+", "abcab", true), ("[^a-c]", "b", false), ("[^a-c]", "d", true), ("[-a]", "-", true),
    ("[a-]", "-", true), (#"[\]\[]"#, "]", true), (#"\."#, ".", true), (#"\."#, "a", false),
    (#"\p{Lu}"#, "Ä", true), (#"\p{Lu}"#, "ä", false), (#"\P{L}"#, "1", true),
    (#"[\p{L}0-9]+"#, "ä7", true), (#"\n"#, "\n", true), ("^ab$", "ab", true),
    ("é", "e\u{301}", false),
  ]

  @Test(arguments: matches)
  func `an I-Regexp matches the whole text or not`(
    pattern: String, text: String, isMatch: Bool
  ) throws {
    var limit = 10_000
    let expression = try RegularExpression(pattern, .iRegexp)
    #expect(try expression.matchesWhole(text, workLimit: &limit) == isMatch)
    #expect(limit < 10_000)
  }

  static let searches: [(String, String, Bool)] = [
    ("b+", "abba", true), ("^b", "ab", false), ("b$", "ab", true), ("^$", "", true),
    (#"^2\d{2}$"#, "204", true), (#"^2\d{2}$"#, "2040", false), (#"\bcat\b"#, "a cat sat", true),
    (#"\bcat\b"#, "concat", false), (#"\Bcat"#, "concat", true), ("(?i)ERROR", "an error", true),
    ("(?:ab)+?c", "xababc", true), (#"\s\S\w\W\D"#, " xy-z", true),
    (#"[\w.-]+@[\w.-]+"#, "a.b@c.de", true),
    (#"[^\s\d]"#, " 1 ", false), (#"[^\s\d]"#, " 1a", true), (#"[\D]"#, "5", false),
    (#"\u0041\x42"#, "AB", true), (#"\/"#, "/", true), ("}", "}", true),
  ]

  @Test(arguments: searches)
  func `the common dialect matches somewhere in the text or not`(
    pattern: String, text: String, isMatch: Bool
  ) throws {
    var limit = 10_000
    let expression = try RegularExpression(pattern, .common)
    #expect(try expression.matchesSomewhere(text, workLimit: &limit) == isMatch)
  }

  static let refused: [(String, RegularExpression.Dialect, String)] = [
    ("(a", .common, "this ( is never closed (at character 1)"),
    ("a)", .common, "this ) closes nothing (at character 2)"),
    ("[a", .common, "this [ is never closed (at character 1)"),
    ("[]", .common, "this [ ] holds no character (at character 1)"),
    (
      "[b-a]", .common,
      "a range goes from a character to one that is not before it (at character 3)"
    ),
    (
      "*a", .common, "there is nothing to repeat here; write \\* for the character (at character 1)"
    ),
    (
      "a**", .common,
      "there is nothing to repeat here; write \\* for the character (at character 3)"
    ),
    ("a{2,1}", .common, "the greatest number of repetitions is below the least (at character 1)"),
    ("a{x}", .common, "a number of repetitions is expected (at character 3)"),
    ("a{1001}", .common, "at most 1000 repetitions can be asked for (at character 3)"),
    ("a{2", .common, "a closing } is expected (at character 4)"),
    ("a\\", .common, "a character is expected after \\ (at character 2)"),
    (#"(a)\1"#, .common, "a reference back is not supported (at character 4)"),
    (
      "(?=a)", .common,
      "a group (?…) is not supported, but for (?:…): no look-around, no names (at character 2)"
    ),
    (
      #"\p{Greek}"#, .common,
      "\\p{…} takes a general category of Unicode, such as L, Lu or Nd (at character 1)"
    ),
    (#"\y"#, .common, "this escape is not supported (at character 1)"),
    (
      #"\d"#, .iRegexp,
      "this escape is not in I-Regexp; for \\d write [0-9], for \\w write [A-Za-z0-9_] (at character 1)"
    ),
    (
      "(?:a)", .iRegexp,
      "a group (?…) is not supported, but for (?:…): no look-around, no names (at character 2)"
    ),
    ("a]", .iRegexp, "write \\] for the character (at character 2)"),
    ("[a-b-c]", .iRegexp, "write \\- for the character (at character 5)"),
    (
      "a*?", .iRegexp,
      "there is nothing to repeat here; write \\? for the character (at character 3)"
    ),
    (
      "(a{1000}){1000}", .common,
      "the pattern is too large; use smaller repetitions (at character 1)"
    ),
  ]

  @Test(arguments: refused)
  func `what is no pattern is refused at its character`(
    pattern: String, dialect: RegularExpression.Dialect, message: String
  ) {
    let error = #expect(throws: JSONPathError.self) { try RegularExpression(pattern, dialect) }
    #expect(error?.description == message)
  }

  /// On these a backtracking matcher takes time that doubles with every character.
  @Test(arguments: [
    "(a*)*b", "(a|a)*b", "(a|aa)+$", "([a-z]+)*!", "(.*)(.*)(.*)(.*)x", "(a?){60}a{60}b",
  ])
  func `the work grows with the length of the text and no faster`(pattern: String) throws {
    let expression = try RegularExpression(pattern, .common)
    func work(_ length: Int) throws -> Int {
      let start = 1_000_000_000
      var limit = start
      let text = String(repeating: "a", count: length) + "?"
      #expect(try !expression.matchesSomewhere(text, workLimit: &limit))
      return start - limit
    }
    let (short, long) = (try work(500), try work(1_000))
    #expect(long < short * 5 / 2, "twice the text is about twice the work")
  }

  @Test func `a match stops at its limit`() throws {
    var limit = 1_000
    let expression = try RegularExpression("(a|b)*c", .common)
    #expect(throws: WorkLimitExceeded.self) {
      try expression.matchesSomewhere(String(repeating: "ab", count: 1_000), workLimit: &limit)
    }
  }
}
