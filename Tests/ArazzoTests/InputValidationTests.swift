// What callers may pass: every rule with its exact words, and never the value.

import Arazzo
import JSON
import Testing

@Suite struct InputValidationTests {
  static func schema() throws -> InputSchema {
    let arazzo = """
      arazzo: 1.0.1
      info: {title: t, version: "1"}
      sourceDescriptions: [{name: library, url: openapi/library.yaml}]
      workflows:
        - workflowId: all_kinds
          x-writ: {jobType: all_kinds}
          inputs:
            type: object
            required: [email]
            additionalProperties: false
            properties:
              email: {type: string, format: email, x-writ: {normalize: email}}
              id: {type: string, format: uuid}
              at: {type: string, format: date-time}
              link: {type: [string, "null"], format: uri}
              name: {$ref: "#/components/inputs/name"}
              plan: {type: string, enum: [free, pro], default: free}
              code: {type: string, pattern: "^[a-z]+$", x-writ: {normalize: lowercase}}
              count: {type: integer, minimum: 1, maximum: 10}
              ratio: {type: number, minimum: 0.5}
              active: {type: boolean}
              tags: {type: array, items: {type: string}, minItems: 1, maxItems: 2}
              ids: {type: array, items: {type: string, format: uuid}}
              numbers: {type: array, items: {type: integer}}
              extra: {type: object}
              lines: {type: [array, "null"], items: {type: object}}
              open: {description: Anything.}
              site: {type: string, x-writ: {from: environment, name: site}}
              job: {type: integer, x-writ: {from: job, name: id}}
          steps:
            - stepId: find
              operationId: findReader
              parameters: [{name: email, in: query, value: $inputs.email}]
      components:
        inputs:
          name: {type: string, minLength: 1, maxLength: 3}
      """
    let catalogue = try Catalogue.load(files: Library.files(arazzo: arazzo))
    return try #require(catalogue.jobTypes.first?.workflow.inputs)
  }

  static let cases: [(String, [String])] = [
    (#"{}"#, ["email is required"]),
    (#"[]"#, ["the inputs must be an object"]),
    (#"{"email":"ada@example.com"}"#, []),
    (#"{"email":" ada@EXAMPLE.com "}"#, []),
    (#"{"email":"ada"}"#, ["email must be an e-mail address"]),
    (#"{"email":"a@b"}"#, ["email must be an e-mail address"]),
    (#"{"email":"a b@example.com"}"#, ["email must be an e-mail address"]),
    (#"{"email":"ada@example.com\n.org"}"#, ["email must be an e-mail address"]),
    (#"{"email":7}"#, ["email must be an e-mail address"]),
    (#"{"email":null}"#, ["email must not be null"]),
    (#"{"email":"a@b.c","id":"0b6e9b0e-7a47-4a51-8f86-3f1a0a4c2d11"}"#, []),
    (#"{"email":"a@b.c","id":"0b6e9b0e"}"#, ["id must be a UUID"]),
    (#"{"email":"a@b.c","at":"2026-01-31T12:00:00Z"}"#, []),
    (#"{"email":"a@b.c","at":"2026-01-31 12:00:00.5+01:00"}"#, []),
    (
      #"{"email":"a@b.c","at":"2026-13-01T00:00:00Z"}"#,
      ["at must be a date and time by RFC 3339, such as 2026-01-31T12:00:00Z"]
    ),
    (#"{"email":"a@b.c","link":null}"#, []),
    (#"{"email":"a@b.c","link":"readers/1"}"#, ["link must be an absolute URI"]),
    (#"{"email":"a@b.c","name":""}"#, ["name must have at least 1 character"]),
    (#"{"email":"a@b.c","name":"äöü"}"#, []),
    (#"{"email":"a@b.c","name":"äöüß"}"#, ["name must have at most 3 characters"]),
    (#"{"email":"a@b.c","name":"\u0000"}"#, ["name must be a text"]),
    (#"{"email":"a@b.c","plan":"gold"}"#, ["plan must be one of free, pro"]),
    (#"{"email":"a@b.c","code":"ABC"}"#, []),
    (#"{"email":"a@b.c","code":"a1"}"#, ["code must match the pattern ^[a-z]+$"]),
    (#"{"email":"a@b.c","count":0}"#, ["count must be at least 1"]),
    (#"{"email":"a@b.c","count":11}"#, ["count must be at most 10"]),
    (#"{"email":"a@b.c","count":1.5}"#, ["count must be an integer"]),
    (#"{"email":"a@b.c","count":2.0}"#, []),
    (#"{"email":"a@b.c","ratio":0.4}"#, ["ratio must be at least 0.5"]),
    (#"{"email":"a@b.c","ratio":"1"}"#, ["ratio must be a number"]),
    (#"{"email":"a@b.c","active":"true"}"#, ["active must be true or false"]),
    (#"{"email":"a@b.c","tags":[]}"#, ["tags must have at least 1 element"]),
    (#"{"email":"a@b.c","tags":["a","b","c"]}"#, ["tags must have at most 2 elements"]),
    (#"{"email":"a@b.c","tags":[1]}"#, ["tags must be a list of texts"]),
    (#"{"email":"a@b.c","ids":["x"]}"#, ["ids must be a list of UUIDs"]),
    (#"{"email":"a@b.c","numbers":[1,"2"]}"#, ["numbers must be a list of integers"]),
    (#"{"email":"a@b.c","extra":{"any":[1]}}"#, []),
    (#"{"email":"a@b.c","extra":3}"#, ["extra must be an object"]),
    (#"{"email":"a@b.c","extra":[{}]}"#, ["extra must be an object"]),
    (#"{"email":"a@b.c","extra":null}"#, ["extra must not be null"]),
    (#"{"email":"a@b.c","lines":[{"any":1},2]}"#, []),
    (#"{"email":"a@b.c","lines":{}}"#, ["lines must be a list"]),
    (#"{"email":"a@b.c","lines":null}"#, []),
    (#"{"email":"a@b.c","open":3}"#, []),
    (#"{"email":"a@b.c","open":null}"#, []),
    (
      #"{"email":"a@b.c","site":"x"}"#,
      ["site is supplied by the worker's environment and cannot be passed"]
    ),
    (
      #"{"email":"a@b.c","mail":"x"}"#,
      [
        "mail is unknown; the inputs are email, id, at, link, name, plan, code, count, ratio, "
          + "active, tags, ids, numbers, extra, lines, open"
      ]
    ),
  ]

  @Test(arguments: cases)
  func `a value that breaks a rule is refused by the rule`(json: String, violations: [String])
    throws
  {
    let value = try JSONValue(parsing: json)
    #expect(try Self.schema().validate(value).map(\.description) == violations)
  }

  @Test func `defaults are filled in and texts normalized`() throws {
    let inputs = JSONObject([("email", " Ada@EXAMPLE.com "), ("code", " ABC")])
    let normalized = try Self.schema().normalized(inputs)
    #expect(
      JSONValue.object(normalized).serialized()
        == #"{"email":"Ada@example.com","code":"abc","plan":"free"}"#)
  }

  static let durations: [(String, Int?)] = [
    ("PT1S", 1000), ("PT0.25S", 250), ("PT1M30S", 90_000), ("PT1H", 3_600_000),
    ("P1D", 86_400_000), ("P1DT1H", 90_000_000), ("PT0.5H", 1_800_000),
    ("P1M", nil), ("P1W", nil), ("P1Y", nil), ("PT", nil), ("P", nil), ("1S", nil), ("PT1", nil),
    ("PT1S1M", nil), ("PT1.5M1S", nil), ("PT-1S", nil), ("PT1,5S", nil), ("PT0S", nil),
    ("P367D", nil), ("PT1S ", nil), ("P1DT", nil), ("PT99999999999999999999S", nil),
  ]

  @Test(arguments: durations)
  func `durations are read by ISO 8601`(text: String, milliseconds: Int?) throws {
    let edit = Edit("deadline: PT1H", "deadline: \"\(text)\"")
    let document = try #require(edit.applied(to: Library.arazzo))
    let loaded = try? Catalogue.load(files: Library.files(arazzo: document))
    #expect(
      loaded?.jobTypes.first?.workflow.policy.deadline
        == milliseconds.map { .milliseconds($0) })
  }
}
