// What is refused, and the whole message with its place.

import JSON
import JSONPath
import Testing

@Suite struct JSONPathErrorTests {
  static let refused: [(String, String)] = [
    ("", "a JSONPath query starts with $ (at character 1)"),
    ("users", "a JSONPath query starts with $ (at character 1)"),
    (" $", "a JSONPath query starts with $ (at character 1)"),
    ("$ ", "a segment (.name, […] or ..) or the end of the query is expected (at character 2)"),
    ("$a", "a segment (.name, […] or ..) or the end of the query is expected (at character 2)"),
    ("$.", "a name or * is expected after the dot (at character 3)"),
    ("$.1", "a name or * is expected after the dot (at character 3)"),
    ("$. a", "a name or * is expected after the dot (at character 3)"),
    ("$.['a']", "a name or * is expected after the dot (at character 3)"),
    ("$..", "a name, * or [ is expected after .. (at character 4)"),
    ("$[]", "a selector is expected: a quoted name, an index, a slice, * or ? (at character 3)"),
    ("$[a]", "a selector is expected: a quoted name, an index, a slice, * or ? (at character 3)"),
    ("$[0", "a comma or ] is expected (at character 4)"),
    ("$[0,]", "a selector is expected: a quoted name, an index, a slice, * or ? (at character 5)"),
    ("$[01]", "an integer has no leading zero, and zero no sign (at character 3)"),
    ("$[-0]", "an integer has no leading zero, and zero no sign (at character 3)"),
    ("$[9007199254740992]", "an integer is at most 9007199254740991 (at character 3)"),
    ("$[1:2:3:4]", "a comma or ] is expected (at character 8)"),
    ("$['a]", "the string has no closing quote (at character 3)"),
    (
      #"$['\x']"#,
      "after \\, one of b f n r t / \\ u or the quote of this string is expected (at character 4)"
    ),
    (
      #"$["\'"]"#,
      "after \\, one of b f n r t / \\ u or the quote of this string is expected (at character 4)"
    ),
    (#"$['\u12']"#, "four hexadecimal digits are expected after \\u (at character 4)"),
    (#"$['\ud800']"#, "the half of a surrogate pair stands alone (at character 4)"),
    (
      "$['\n']",
      "a control character is written as an escape, such as \\n or \\u000a (at character 4)"
    ),
    (
      "$[?]",
      "a query (@… or $…), a function, a number, a quoted text, true, false or null is expected (at character 4)"
    ),
    ("$[?@.a = 1]", "write == to compare (at character 8)"),
    ("$[?@.a == b]", "a query starts with @ or $, a text stands in quotes (at character 11)"),
    ("$[?@.a == 01]", "a number has no leading zero (at character 11)"),
    ("$[?@.a == 1.]", "a digit is expected after the point (at character 13)"),
    ("$[?@.a == 1e]", "a digit is expected in the exponent (at character 13)"),
    ("$[?(@.a]", "an operator or ) is expected (at character 8)"),
    (
      "$[?@.a &&]",
      "a query (@… or $…), a function, a number, a quoted text, true, false or null is expected (at character 10)"
    ),
    (
      "$[?!@.a == 1]",
      "! stands before a query, a function or a group: write !(…) or turn the operator round (at character 5)"
    ),
    ("$[?1]", "a value alone is no condition; compare it with something (at character 4)"),
    // Well-typedness.
    (
      "$[?@.* == 1]",
      "this query may select many nodes and cannot be compared; use only names and indices, or count(…) or value(…) (at character 4)"
    ),
    (
      "$[?1 == @..a]",
      "this query may select many nodes and cannot be compared; use only names and indices, or count(…) or value(…) (at character 9)"
    ),
    ("$[?length(@.a)]", "length() gives a value; compare it with something (at character 4)"),
    (
      "$[?match(@.a, 'a') == true]",
      "match() gives a truth and cannot be compared; use it alone, or with ! (at character 4)"
    ),
    (
      "$[?length(@.*) > 1]",
      "length() takes one value, but this query may select many; use only names and indices, or value(…) (at character 11)"
    ),
    ("$[?count(1) > 1]", "count() takes a query, such as @.items[*] (at character 10)"),
    ("$[?count(@.a, @.b) > 1]", "count() takes 1 argument (at character 4)"),
    ("$[?match(@.a) ]", "match() takes 2 arguments (at character 4)"),
    ("$[?length(@.a == 1) > 1]", "length() takes no condition as an argument (at character 11)"),
    ("$[?length(match(@.a, 'a')) > 1]", "match() gives a truth, not a value (at character 11)"),
    (
      "$[?size(@.a) > 1]",
      "there is no such function; the functions are length, count, match, search, value (at character 4)"
    ),
    // Scripts, which only the draft had.
    (
      "$.a[(@.length-1)]",
      "a selector is expected: a quoted name, an index, a slice, * or ? (at character 5)"
    ),
  ]

  @Test(arguments: refused)
  func `what is no query is refused at its character`(query: String, message: String) {
    let error = #expect(throws: JSONPathError.self) { try JSONPath(parsing: query) }
    #expect(error?.description == message)
  }

  @Test func `a pattern that can match nothing is known beforehand`() throws {
    let query = try JSONPath(parsing: #"$[?match(@.a, '\\d+')]"#)
    #expect(
      query.unusableRegularExpressions.map(\.description) == [
        "the pattern is no I-Regexp (RFC 9485) and matches nothing: this escape is not in I-Regexp; "
          + "for \\d write [0-9], for \\w write [A-Za-z0-9_] (at character 15)"
      ])
    #expect(try query.values(in: ["a", ["a": "12"]]).isEmpty)
  }

  @Test func `a query nested without end is refused`() {
    let groups = String(repeating: "(", count: 100_000)
    #expect(throws: JSONPathError.self) { try JSONPath(parsing: "$[?" + groups) }
    let text = "$[?" + String(repeating: "(", count: 1_000) + "@.a"
    let error = #expect(throws: JSONPathError.self) { try JSONPath(parsing: text) }
    #expect(error?.description == "the filter is nested too deeply (at character 36)")
    let filters = String(repeating: "$[?@", count: 1) + String(repeating: "[?@", count: 1_000)
    #expect(throws: JSONPathError.self) { try JSONPath(parsing: filters) }
  }

  @Test(arguments: [
    "$..*..*..*..*..*", "$..[*,*]..[*,*]..[*,*]..[*,*]..[*,*]..[*,*]",
    "$..[?count($..[?count($..*) > 1]) > 5]",
  ])
  func `a hostile query stops at its limit`(query: String) throws {
    let nested = String(repeating: "[", count: 60) + "1" + String(repeating: ",2]", count: 60)
    let document = try JSONValue(parsing: nested)
    let path = try JSONPath(parsing: query)
    #expect(throws: WorkLimitExceeded.self) { try path.nodes(in: document, workLimit: 50_000) }
  }
}
