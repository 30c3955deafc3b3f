// Conditions: operators, precedence, comparisons between kinds.

import JSON
import Testing

@testable import Arazzo

@Suite struct ConditionTests {
  static let conditions: [(String, Bool)] = [
    ("$statusCode == 200", true),
    ("$statusCode==200&&$method=='get'", true),
    ("$statusCode >= 200 && $statusCode < 300", true),
    ("$statusCode != 200", false),
    ("$method == 'get'", true),
    ("$response.body.state == 'OPEN'", true),
    ("$response.body#/state == 'open'", true),
    ("$response.body.items[1].id == 2", true),
    ("$response.body.items[0]['id'] == 1", true),
    ("$response.body.items[$response.body.items[0].id].id == 2", true),
    ("$response.body.items[7] == null", true),
    ("$response.body#/items/0 != null", true),
    ("$response.body#/missing == null", true),
    ("$response.body#/missing != null", false),
    ("$response.body#/missing == $inputs.missing", false),
    ("$response.body#/missing != 'a'", false),
    ("$inputs.nothing == null", true),
    ("null == null", true),
    ("null == false", false),
    ("null != 0", true),
    ("$response.header.X-Rate-Limit > 9", true),
    ("$response.header.X-Rate-Limit == 10", true),
    ("'9' < '10'", false),
    ("'10' == '10.0'", false),
    ("10 == 10.0", true),
    ("1e2 == 100", true),
    ("-1 < 0", true),
    ("9007199254740993 == 9007199254740992", false),
    ("'a' < 'B'", true),
    ("'a' < 1", false),
    ("true == 'true'", false),
    ("'it''s' == 'IT''S'", true),
    ("$steps.find-it.outputs.flag", true),
    ("!$steps.find-it.outputs.flag", false),
    ("!!$steps.find-it.outputs.flag", true),
    ("!$inputs.missing", true),
    ("!($statusCode == 404) && !false", true),
    ("true || false && false", true),
    ("(true || false) && false", false),
    ("false && false || true", true),
    ("false || true == true", true),
    ("!false == true", true),
    ("$statusCode == 404 || $response.body.items[0].id == 1 && $method != 'POST'", true),
    ("0", true),
    ("''", true),
    ("null", false),
    ("false", false),
    ("$response.body.state.length == null", true),
  ]

  @Test(arguments: conditions)
  func `a condition holds as its operators say`(text: String, holds: Bool) throws {
    #expect(try Condition(parsing: text).evaluate(in: fullContext()) == holds)
  }

  static let refused: [(String, String)] = [
    ("", "a value is expected, but the condition ends (at character 1)"),
    ("$statusCode ==", "a value is expected, but the condition ends (at character 15)"),
    ("$statusCode = 200", "write == to compare (at character 13)"),
    ("1 == 1 == 1", "comparisons do not chain: join them with && (at character 7)"),
    ("(true", "a closing ) is expected (at character 6)"),
    ("$inputs.a[0", "a closing ] is expected (at character 12)"),
    ("$response.body.", "the name of a property is expected (at character 16)"),
    ("'a", "the string has no closing quote (at character 1)"),
    ("\"a\"", "a string stands in single quotes (at character 1)"),
    ("01 == 1", "this is not a number (at character 1)"),
    (
      "true true",
      "an operator (==, !=, <, <=, >, >=, &&, ||) or the end is expected (at character 6)"
    ),
    (
      "yes",
      "a value is expected: an expression ($…), a number, true, false, null, or a text in single "
        + "quotes (at character 1)"
    ),
    (
      String(repeating: "(", count: 100),
      "the condition is nested too deeply (at character 65)"
    ),
  ]

  @Test(arguments: refused)
  func `a broken condition is refused with the place`(text: String, error: String) {
    #expect(Self.message(text) == error)
  }

  static func message(_ text: String) -> String? {
    do {
      _ = try Condition(parsing: text)
      return nil
    } catch {
      return error.description
    }
  }

  @Test func `a regular expression is searched in the text of its context`() throws {
    let context = try fullContext()
    let location = SourceLocation(file: "x", line: 1)
    func holds(_ subject: String, _ pattern: String) throws -> Bool {
      let kind = Criterion.Kind.regex(
        context: try RuntimeExpression.parse(subject),
        pattern: try PatternTemplate(parsing: pattern))
      return Criterion(kind: kind, text: pattern, location: location).evaluate(in: context)
    }
    #expect(try holds("$statusCode", #"^2\d{2}$"#))
    #expect(try !holds("$statusCode", #"^5\d{2}$"#))
    #expect(try holds("$inputs.email", "@example"))
    #expect(try holds("$inputs.email", "^{$inputs.email}$"))
    #expect(try !holds("$inputs.nothing", "null"), "null never matches")
    #expect(try !holds("$inputs.missing", ""), "what is missing never matches")
  }
}
