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

  @Test func `a document that is nested too deeply is refused`() {
    let text = String(repeating: "[", count: 500) + String(repeating: "]", count: 500)
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
}
