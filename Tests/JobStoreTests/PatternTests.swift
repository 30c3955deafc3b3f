// Patterns of inputs: what is accepted can be published, and finds the same texts here and in PostgreSQL.

import Arazzo
import JSON
import JobStore
import Postgres
import Testing

@Suite struct PatternTests {
  /// Patterns as authors write them, and all that once was accepted and then refused or read otherwise.
  static let written = [
    "^[A-Za-z0-9_]+([.][A-Za-z0-9_]+)*$", "[.]", "[^.]", "^[:a]$", "[=]", "a[[.]b", "[a[.]",
    "[[:alpha:]]",
    #"^\S+@\S+$"#, #"\D\W"#, #"^[\s\S]*$"#, #"[^\d\s]"#, #"\n|\r|\t"#, #"[\x00-\x1f]"#, #"\u00e9"#,
    "é+",
    "^.+$", "^.$", "a.b", "a+?b", "a??", "a{2,3}?", "(?:a|b)*?c", "a{255}", "^a{0,3}$", "x{0}",
    "(a|)b",
    "()", "(?:)", "", "a||b", "(a*)*b", "(a|a)*b", "(?:(?:a?){0,9}){0,9}b", "]", "}", "a]b}",
    #"\_\@\#\"\'"#,
    #"\/"#, #"\*\*\*"#, "[-a]", "[a-]", "[+--]", #"[\]\\^-]"#, "[$^]", "^a|b$", "(^|,)a(,|$)",
    "a^b", "a$b",
    "***", "(?i)a", #"\bname\b"#, #"\p{L}"#, #"(a)\1"#, "(?=a)", "(?<n>a)", "^*", "$+", "a**",
    "a{256}",
    "a{2,1}", "[]", "[z-a]", #"[a-\d]"#, #"\A"#, "(", "[a", #"\"#, "{1}", "a{x}", "a{,2}", "😀",
    "[😀-😂]", "😀{2}",
  ]

  /// Texts in which the differences between dialects and collations show.
  static let texts = [
    "", "a", "b", "ab", "aab", "aaab", "abc", "a.b", ".", "a\nb", "\n", "\r", "\t", " ", "\u{A0}",
    "\u{2028}",
    "é", "e\u{301}", "É", "٣", "5", "_", "-", "+", "a+", "*", "?", "[", "]", "}", "{1}", "\\", "^",
    "$", "|", "/",
    ":", "=", "@", "#", "\"", "'", ",a,", "x y", "name", "a@b", "\u{1}", "😀", "😁😀😀", "aa", "bb",
    "b5 c_",
    String(repeating: "a", count: 255), String(repeating: "ab", count: 40),
  ]

  @Test func `a pattern that is accepted finds the same texts in PostgreSQL, in every collation`()
    async throws
  {
    try await TestDatabase.with { database in
      var accepted = 0
      for pattern in Self.written {
        guard let read = try? InputPattern(parsing: pattern) else { continue }
        accepted += 1
        try await Self.compare(read, Self.texts, database)
      }
      // Both kinds must be there, or the test says nothing.
      #expect((45..<Self.written.count - 15).contains(accepted), "\(accepted)")
    }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `generated patterns find the same texts in PostgreSQL`(seed: UInt64) async throws {
    try await TestDatabase.with { database in
      var random = PatternRandom(state: seed)
      var accepted = 0
      for _ in 0..<600 {
        let pattern = random.pattern(depth: 3)
        guard let read = try? InputPattern(parsing: pattern) else { continue }
        accepted += 1
        let texts = (0..<12).map { _ in random.text() } + ["", "a\n", "é"]
        try await Self.compare(read, texts, database)
      }
      #expect(accepted > 100, "only \(accepted) patterns were accepted; seed \(seed)")
    }
  }

  private static func compare(
    _ pattern: InputPattern, _ texts: [String], _ database: TestDatabase
  ) async throws {
    let expected = texts.map(pattern.matches)
    for collation in ["C", "en-x-icu"] {
      let found: [String] = try await database.sql(
        """
        select case when t ~ ($1 collate "\(collation)") then 'yes' else 'no' end
          from jsonb_array_elements_text($2) with ordinality as e (t, n) order by n
        """,
        [
          .text(pattern.postgresPattern),
          .json(JSONValue.array(texts.map { .string($0) }).serialized()),
        ]
      ).map { try $0.decode(0) }
      #expect(
        found.map { $0 == "yes" } == expected,
        "\(pattern.text) as \(pattern.postgresPattern) in \(collation) among \(texts)")
    }
    let isPublishable: Bool = try await database.sql(
      "select writ_data.is_portable_pattern($1)", [.text(pattern.postgresPattern)])[0].decode(0)
    #expect(isPublishable, "\(pattern.text) as \(pattern.postgresPattern)")
  }

  @Test func `the function of a type refuses by the pattern, and shows it as it was written`()
    async throws
  {
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "openapi/writ.yaml", text: Self.local),
      DocumentText(path: "t.arazzo.yaml", text: Self.type),
    ])
    try await TestDatabase.with { database in
      let type = try #require(catalogue.jobType("t"))
      _ = try await database.store.publish(type)
      _ = try await database.sql("select writ.t(event => 'user.created')")
      for text in ["user:created", "user.created\n", ""] {
        let error = await #expect(throws: PostgresError.self) {
          _ = try await database.sql("select writ.t(event => $1)", [.text(text)])
        }
        #expect(
          error?.serverMessage == #"t: event must match the pattern ^\w+([.]\w+)*$"#)
      }
    }
  }

  private static let local = """
    openapi: 3.1.0
    info: {title: Local, version: 1.0.0}
    x-writ-local: true
    paths:
      /nextPage:
        post:
          operationId: nextPage
          x-effect: none
          requestBody: {content: {application/json: {schema: {type: object}}}}
          responses: {'200': {description: Next.}}
    """

  private static let type = #"""
    arazzo: 1.0.1
    info: {title: T, version: 1.0.0}
    sourceDescriptions:
      - {name: writ, url: openapi/writ.yaml, type: openapi}
    workflows:
      - workflowId: t
        x-writ: {jobType: t}
        inputs:
          type: object
          required: [event]
          properties:
            event: {type: string, pattern: '^\w+([.]\w+)*$'}
        steps:
          - stepId: s
            operationId: nextPage
            requestBody:
              contentType: application/json
              payload: {offset: 0, total: 0, limit: 1, overlap: 0}
    """#
}

/// Random patterns and texts of few letters, so that they often meet.
private struct PatternRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }

  private mutating func pick(_ words: [String]) -> String {
    words.randomElement(using: &self) ?? ""
  }

  mutating func text() -> String {
    (0..<Int.random(in: 0...6, using: &self)).map { _ in
      pick([
        "a", "b", "c", "A", "1", "_", ".", "[", "]", "-", "^", "\\", "\n", " ", "é", "٣",
        "\u{2003}", "+",
      ])
    }.joined()
  }

  mutating func pattern(depth: Int) -> String {
    (0..<Int.random(in: 1...3, using: &self)).map { _ in branch(depth: depth) }.joined(
      separator: "|")
  }

  private mutating func branch(depth: Int) -> String {
    (0..<Int.random(in: 0...4, using: &self)).map { _ in
      atom(depth: depth) + quantifier()
    }.joined()
  }

  private mutating func quantifier() -> String {
    pick(["", "", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "+?", "{0}", "++", "{3,1}"])
  }

  private mutating func atom(depth: Int) -> String {
    switch Int.random(in: 0..<(depth > 0 ? 10 : 7), using: &self) {
    case 0, 1: pick(["a", "b", "c", "1", "_", "é", "-", "]", "}", " ", "\""])
    case 2: pick([".", "^", "$"])
    case 3: pick([#"\d"#, #"\w"#, #"\s"#, #"\D"#, #"\W"#, #"\S"#])
    case 4:
      pick([
        #"\."#, #"\["#, #"\]"#, #"\\"#, #"\^"#, #"\+"#, #"\n"#, #"\-"#, #"\u0061"#, #"\b"#, #"\/"#,
      ])
    case 5, 6: set()
    case 7: "(\(pattern(depth: depth - 1)))"
    default: "(?:\(pattern(depth: depth - 1)))"
    }
  }

  private mutating func set() -> String {
    let members = (0..<Int.random(in: 1...3, using: &self)).map { _ in
      pick([
        "a", "b-c", ".", "[.", "[:", "[=", "-", "^", #"\d"#, #"\S"#, #"\w"#, #"\]"#, #"\\"#, "é",
        "A-z", #"\n"#,
        "[", "+--", #"\s"#, "$", "]",
      ])
    }.joined()
    return "[\(pick(["", "^"]))\(members)]"
  }
}
