// Documents that nobody writes on purpose, and some that somebody might: loading ends, with errors.

import Arazzo
import Testing

@Suite struct HostileDocumentTests {
  /// A small generator with a fixed sequence (SplitMix64), so that a failure can be run again.
  struct Randomness: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var value = state
      value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
      value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
      return value ^ (value >> 31)
    }
  }

  static let pieces = [
    "{", "}", "[", "]", ":", "- ", "\n", "\t", "'", "\"", "&a ", "*a ", "!!int ", "null", "$", "#",
    "$ref: '#/components'", "$inputs.", "{$", "~", "\u{0}", "é", "😀", "? ", "| ", "x-writ: ",
    "<<: ",
  ]

  static func mutated(_ text: String, _ random: inout Randomness) -> String {
    var characters = Array(text)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let start = Int.random(in: 0..<characters.count, using: &random)
      let end = min(characters.count, start + Int.random(in: 0...12, using: &random))
      switch Int.random(in: 0..<4, using: &random) {
      case 0: characters.removeSubrange(start..<end)
      case 1: characters.insert(contentsOf: pieces.randomElement(using: &random)!, at: start)
      case 2: characters.insert(contentsOf: characters[start..<end], at: start)
      default:
        let lines = String(characters).split(separator: "\n", omittingEmptySubsequences: false)
        var changed = lines
        changed.swapAt(
          Int.random(in: 0..<lines.count, using: &random),
          Int.random(in: 0..<lines.count, using: &random))
        characters = Array(changed.joined(separator: "\n"))
      }
      if characters.isEmpty { characters = ["a"] }
    }
    return String(characters)
  }

  @Test(arguments: 1...8)
  func `a document that was changed at random loads or is refused, and never crashes`(seed: Int) {
    var random = Randomness(state: UInt64(seed))
    for _ in 0..<100 {
      let isAPI = Bool.random(using: &random)
      let files =
        isAPI
        ? Library.files(openAPI: Self.mutated(Library.openAPI, &random))
        : Library.files(arazzo: Self.mutated(Library.arazzo, &random))
      for error in Library.errors(files) {
        #expect(!error.isEmpty)
      }
    }
  }

  @Test func `aliases that would multiply are refused`() {
    var lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for level in 1...12 {
      let last = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
      lines.append("a\(level): &a\(level) [\(last)]")
    }
    let text = lines.joined(separator: "\n")
    #expect(
      Library.errors([DocumentText(path: "x.arazzo.yaml", text: text)]) == [
        "x.arazzo.yaml:5: $: the document has more than 32 aliases (*); write the value out or put "
          + "it into components"
      ])
  }

  @Test func `a few aliases are what they stand for`() throws {
    let edit = Edit(
      "title: Register a reader", "title: &title Register a reader\n  summary: *title")
    let document = try #require(edit.applied(to: Library.arazzo))
    #expect(Library.errors(Library.files(arazzo: document)) == [])
  }

  @Test(arguments: [500, 5_000])
  func `a document that is nested too deeply is refused`(depth: Int) {
    let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    let errors = Library.errors([DocumentText(path: "x.arazzo.yaml", text: text)])
    #expect(errors.contains { $0.hasSuffix("the document is nested too deeply") })
  }

  @Test func `a document that is too long or empty is refused`() {
    let long = String(repeating: "# comment\n", count: 200_000)
    #expect(
      Library.errors([DocumentText(path: "x.arazzo.yaml", text: long)]) == [
        "x.arazzo.yaml:1: $: the document is longer than 1 MiB"
      ])
    #expect(
      Library.errors([DocumentText(path: "x.arazzo.yaml", text: "")]) == [
        "x.arazzo.yaml:1: $: the document is empty"
      ])
  }

  @Test func `schemas that refer to themselves are read once`() throws {
    let edit = Edit(
      "Reader: {type: object, properties: {id: {type: string}, email: {type: string}}}",
      "Reader: {type: object, properties: {id: {type: string}, friend: {$ref: '#/components/schemas/Reader'}}}"
    )
    let document = try #require(edit.applied(to: Library.openAPI))
    #expect(Library.errors(Library.files(openAPI: document)) == [])
  }

  /// A condition whose tree would be as deep as it is long, of one kind of operator each.
  static let chains: [(start: String, link: String)] = [
    ("true", "||true"), ("true", "&&true"), ("$response.body", ".a"), ("$response.body", "[0]"),
    ("$response.body", ".a[0]"), ("true", "||true&&true"), ("1 == 1", "||1 == 1"),
  ]

  @Test(arguments: chains)
  func `a condition with too many operators is refused, however long`(
    chain: (start: String, link: String)
  ) throws {
    let many = chain.start + String(repeating: chain.link, count: 600)
    #expect {
      _ = try Condition(parsing: many)
    } throws: {
      ($0 as? ExpressionError)?.reason
        == "a condition has at most 500 operators, properties and indices; write a shorter one"
    }
    let endless = chain.start + String(repeating: chain.link, count: 150_000)
    #expect {
      _ = try Condition(parsing: endless)
    } throws: {
      ($0 as? ExpressionError)?.reason.hasPrefix("a condition has at most 16384 characters") == true
    }
  }

  @Test(arguments: chains)
  func `a condition with as many operators as are allowed is evaluated`(
    chain: (start: String, link: String)
  ) throws {
    let count = 500 / chain.link.matches(of: /\|\||&&|==|\.|\[/).count - 1
    let condition = try Condition(
      parsing: chain.start + String(repeating: chain.link, count: count))
    _ = condition.evaluate(in: EvaluationContext())
    #expect(condition.expressions.count <= 1)
  }

  @Test func `a condition that is too long is refused with its place`() throws {
    let long = "true" + String(repeating: " || true", count: 20_000)
    let edit = Edit("- condition: $statusCode == 200", "- condition: '\(long)'")
    let document = try #require(edit.applied(to: Library.arazzo))
    #expect(
      Library.errors(Library.files(arazzo: document)) == [
        "register_reader.arazzo.yaml:35: $.workflows[0].steps[0].successCriteria[0].condition: a "
          + "condition has at most 16384 characters; this one has 160004 (at character 16385)"
      ])
  }
}
