// Documents in JSON: all that RFC 8259 allows is read, and what it does not allow is refused with its place.

import JSON
import Testing

@testable import Arazzo

@Suite struct JSONDocumentTests {
  private static func read(
    _ text: String, path: String = "x.json", isPublished: Bool = false
  ) -> (node: DocumentNode?, errors: [String]) {
    let errors = ErrorCollector()
    let node = DocumentNode.parse(
      DocumentText(path: path, text: text), isPublished: isPublished, errors: errors)
    return (node, errors.errors.map(\.description))
  }

  /// What the YAML reader takes for something else or for nothing at all.
  static let allowed: [String] = [
    #"{"a": "\ud83d\ude00"}"#,
    "{\"a\": \"\u{7F}\"}",
    "{\"a\": \"\u{2028}\u{2029}\u{85}\u{FEFF}\"}",
    #"{"a": "\/\b\f\u0000"}"#,
    "{\"\(String(repeating: "k", count: 2_000))\": 1}",
    "\t{\t\"a\"\t:\t1\t,\t\"b\"\t:\t[\t]\t}\t",
    "{\r\n\"a\": 1,\r\n\"b\": {}\r\n}\r\n",
    #"{"a":[1e400,-0,1E5,1E+05,-0.0,12345678901234567890]}"#,
    #"{"":"","~":"~","null":"null","<<":{"a":1}}"#,
    #"{"a":"- b: c # d","e":"&x","f":"*x","g":"!!int 1","h":"---"}"#,
    "{\"e\u{301}\":1,\"\u{E9}\":2}",
    "[\(String(repeating: "\"&x\", \"*x\", ", count: 50))1]",
    String(repeating: "[", count: 64) + String(repeating: "]", count: 64),
    "\"a text\"", "null", "[]", "{}",
  ]

  @Test(arguments: allowed)
  func `whatever is JSON is read as JSON`(_ text: String) throws {
    let (node, errors) = Self.read(text)
    #expect(errors == [])
    #expect(try node?.value == JSONValue(parsing: text))
  }

  @Test func `a byte order mark in front is no part of the document`() {
    #expect(Self.read("\u{FEFF}{\"a\": 1}").node?.value == ["a": 1])
    #expect(
      Self.read("\u{FEFF}{\"a\": \"\\ud83d\\ude00\"}", path: "x.yaml").node?["a"]?.string == "😀")
  }

  @Test func `a value knows its line, its column and its path`() {
    let text = "{\r\n  \"ä€\": [1,\r    {\"b c\": \"x\"}],\n\n \"d\": null}"
    let node = Self.read(text).node
    let list = node?.members?.first
    #expect(
      list?.nameLocation == SourceLocation(file: "x.json", line: 2, column: 3, path: "$['ä€']"))
    #expect(
      list?.value.location == SourceLocation(file: "x.json", line: 2, column: 9, path: "$['ä€']"))
    #expect(
      list?.value.elements?.last?["b c"]?.location
        == SourceLocation(file: "x.json", line: 3, column: 13, path: "$['ä€'][1]['b c']"))
    #expect(
      node?["d"]?.location == SourceLocation(file: "x.json", line: 5, column: 7, path: "$.d"))
  }

  @Test func `a document has the same places in JSON and in YAML`() throws {
    let text = """
      {"a": [1, {"b": "x", "c": null}],
         "d": {"e": true,
               "f": [[], {}]}}
      """
    #expect(
      Self.places(Self.read(text).node)
        == Self.places(Self.read("# YAML\n" + text, path: "x.yaml").node, below: 1))
  }

  private static func places(_ node: DocumentNode?, below lines: Int = 0) -> [String] {
    guard let node else { return [] }
    let own = node.location
    return ["\(own.line - lines):\(own.column) \(own.path)"]
      + (node.elements ?? []).flatMap { places($0, below: lines) }
      + (node.members ?? []).flatMap { member in
        ["\(member.nameLocation.line - lines):\(member.nameLocation.column) name"]
          + places(member.value, below: lines)
      }
  }

  static let refused: [(text: String, error: String)] = [
    ("", "x.json:1: $: the document is empty"),
    (" \n\t", "x.json:1: $: the document is empty"),
    (
      "{\n  \"a\": 1,\n}",
      "x.json:3: $: this is not valid JSON: the name of a field is expected; remove the comma before the "
        + "closing bracket"
    ),
    (
      "[\n1,\n]",
      "x.json:3: $: this is not valid JSON: a value is expected; remove the comma before the closing bracket"
    ),
    (
      "{\n  // a note\n  \"a\": 1}",
      "x.json:2: $: this is not valid JSON: the name of a field is expected; JSON has no comments; remove "
        + "this one, or write YAML in a file named .yaml"
    ),
    (
      "{\"a\": 'b'}",
      "x.json:1: $: this is not valid JSON: a value is expected; names and texts stand in double quotes"
    ),
    (
      "{a: 1}",
      "x.json:1: $: this is not valid JSON: the name of a field is expected; it stands in double quotes"
    ),
    (
      "{\"a\": True}",
      "x.json:1: $: this is not valid JSON: a value is expected; a text stands in double quotes, a number "
        + "begins with a digit or -, and all else is an object, a list, true, false or null"
    ),
    (
      "{\"a\": 1\n \"b\": 2}",
      "x.json:2: $: this is not valid JSON: a comma or a closing bracket is expected; the comma before this "
        + "is missing"
    ),
    (
      "[01]",
      "x.json:1: $: this is not valid JSON: a comma or a closing bracket is expected; a number has no zeros "
        + "in front"
    ),
    (
      "{\"a\": \"b\n\"}",
      "x.json:1: $: this is not valid JSON: a control character inside a string; a text ends on its line: "
        + "close its quote, or write \\n for the end of a line and \\t for a tab"
    ),
    (
      "{\"a\": \"\\d\"}",
      "x.json:1: $: this is not valid JSON: an unknown escape inside a string; for \\ write \\\\"
    ),
    (
      "{\"a\": \"\\ud83d\"}",
      "x.json:1: $: this is not valid JSON: half a surrogate pair inside a string; a character beyond "
        + "\\uffff is written as two such escapes, or as itself"
    ),
    (
      "{\"a\": [1",
      "x.json:1: $: this is not valid JSON: a comma or a closing bracket is expected; a bracket or a quote is "
        + "never closed"
    ),
    (
      "{}\n{}",
      "x.json:2: $: this is not valid JSON: text after the value; a file holds one document"
    ),
    (
      "{\"a\": 1,\n\"b\": {\"c\": 1,\n\"c\": 2}}",
      "x.json:3: $.b: the same field occurs twice in one object: 'c'"
    ),
    (
      "{\"a\": [" + String(repeating: "0,", count: 100_000) + "0]}",
      "x.json:1: $.a[99998]: the document holds too many values"
    ),
  ]

  @Test(arguments: refused)
  func `what is not JSON is refused with its line and what to do`(text: String, error: String) {
    #expect(Self.read(text).errors == [error])
  }

  @Test(arguments: [65, 5_000, 200_000])
  func `JSON that is nested too deeply is refused`(depth: Int) {
    let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    let errors = Self.read(text).errors
    #expect(errors.count == 1)
    #expect(errors.first?.hasSuffix("[0]: the document is nested too deeply") == true)
  }

  @Test func `JSON is read as such whatever its file is called, and YAML is still YAML`() {
    let emoji = #"{"a": "\ud83d\ude00"}"#
    #expect(Self.read(emoji, path: "x.yaml").node?.value == ["a": "😀"])
    #expect(
      Self.read("{a: b, # note\n c: 'd',}", path: "x.yaml").node?.value == ["a": "b", "c": "d"])
    #expect(
      Self.read("{a: b\n c: d}", path: "x.yaml").errors.first?.contains("YAML or JSON") == true)
  }

  @Test
  func `YAML in a file named like JSON was taken once, and what was published then still loads`() {
    let text = "# note\na: b"
    #expect(Self.read(text).node == nil)
    #expect(Self.read(text, isPublished: true).node?.value == ["a": "b"])
    #expect(Self.read(#"{"a": "\ud83d\ude00"}"#, isPublished: true).node?.value == ["a": "😀"])
  }
}
