// What an API marks as secret is found wherever the mark stands, and goes neither on record nor into a request.

import Foundation
import Testing

@testable import Arazzo

@Suite struct SecretSchemaTests {
  private static let mark = "{type: string, x-writ: {secret: true}}"

  /// The library whose card has another schema, and whose workflow gives another part of it.
  private static func files(schema: String, number: String) -> [DocumentText] {
    let openAPI = Library.openAPI
      .replacing(
        """
        type: object
                        properties: {number: {type: string}, pin: {type: string, x-writ: {secret: true}}}
        """, with: schema
      )
      .replacing(
        "    Reader: {type",
        with: """
              Pin: \(mark)
              Node:
                type: object
                properties: {id: {type: string}, token: \(mark), child: {$ref: "#/components/schemas/Node"}}
              Tree:
                type: object
                properties: {id: {type: string}, child: {$ref: "#/components/schemas/Tree"}}
              Holder: {$defs: {pin: \(mark)}}
              Reader: {type
          """)
    #expect(openAPI.contains("Holder") && openAPI.contains("schema:\n                \(schema)"))
    let arazzo = Library.arazzo.replacing("number: $response.body#/number", with: number)
    return Library.files(arazzo: arazzo, openAPI: openAPI)
  }

  private static let node = "{$ref: '#/components/schemas/Node'}"

  static let secrets: [(schema: String, pointer: String)] = [
    (node, "/token"), (node, "/child/token"), (node, "/child/child/token"), (node, "/child"),
    ("{type: object, properties: {node: \(node)}}", "/node/child/token"),
    ("{type: object, properties: {node: \(node)}}", "/node/child"),
    ("{type: object, properties: {node: \(node)}}", "/node"),
    ("{properties: {a: {$ref: '#/components/schemas/Holder/$defs/pin'}}}", "/a"),
    ("{properties: {a: {$ref: '#/components/schemas/Pin', x-writ: {record: clear}}}}", "/a"),
    ("{$ref: '#/components/schemas/Node', properties: {token: {type: string}}}", "/token"),
    ("{prefixItems: [{type: string}, \(mark)]}", "/1"),
    ("{prefixItems: [{type: string}, \(mark)]}", ""),
    ("{prefixItems: [{type: string}], items: \(mark)}", "/1"),
    ("{items: \(mark)}", "/0"),
    ("{contains: \(mark)}", "/3"),
    ("{prefixItems: [{type: string}], unevaluatedItems: \(mark)}", "/1"),
    ("{patternProperties: {'^s_': \(mark)}}", "/s_a"),
    ("{patternProperties: {'^s_': \(mark)}}", ""),
    ("{additionalProperties: \(mark)}", "/a"),
    ("{properties: {id: {type: string}}, unevaluatedProperties: \(mark)}", "/a"),
    ("{anyOf: [{properties: {a: {type: string}}}], unevaluatedProperties: \(mark)}", "/a"),
    ("{propertyNames: \(mark)}", ""),
    ("{if: {properties: {a: \(mark)}}}", "/a"),
    ("{then: {properties: {a: \(mark)}}}", "/a"),
    ("{else: {properties: {a: \(mark)}}}", "/a"),
    ("{not: {properties: {a: \(mark)}}}", "/a"),
    ("{dependentSchemas: {b: {properties: {a: \(mark)}}}}", "/a"),
    ("{properties: {a: {contentSchema: \(mark)}}}", "/a"),
    ("{allOf: [{oneOf: [{anyOf: [{properties: {a: \(mark)}}]}]}]}", "/a"),
    ("{properties: {a: \(mark)}}", "/a/b"),
  ]

  @Test(arguments: secrets)
  func `a secret is found under every keyword that holds a schema`(
    secret: (schema: String, pointer: String)
  ) {
    let expression = "$response.body" + (secret.pointer.isEmpty ? "" : "#\(secret.pointer)")
    let errors = Library.errors(
      Self.files(schema: secret.schema, number: "number: \(expression)"))
    #expect(errors.count == 1, "\(errors)")
    #expect(
      errors.first?.hasSuffix(
        ".steps[2].outputs.number: \(expression): the API marks this as secret: write "
          + "x-writ.outputs.number: {secret: true} and a sink") == true, "\(errors)")
  }

  @Test(arguments: [
    (node, "/id"),
    ("{$ref: '#/components/schemas/Tree'}", "/child/child/id"),
    ("{prefixItems: [{type: string}, \(mark)]}", "/0"),
    ("{patternProperties: {'^s_': \(mark)}}", "/a"),
    ("{properties: {a: {type: string}}, additionalProperties: \(mark)}", "/a"),
    ("{properties: {a: {type: string}}, unevaluatedProperties: \(mark)}", "/a"),
    ("{allOf: [{properties: {a: {type: string}}}], unevaluatedProperties: \(mark)}", "/a"),
    ("{properties: {a: {type: string}}, then: {properties: {b: \(mark)}}}", "/a"),
    ("{properties: {a: {type: string}}, $defs: {b: \(mark)}}", ""),
  ])
  func `what stands beside a secret is none`(schema: String, pointer: String) {
    let expression = "$response.body" + (pointer.isEmpty ? "" : "#\(pointer)")
    // The library's own secret would make the whole body one.
    let errors = Library.errors(Self.files(schema: schema, number: "number: \(expression)"))
      .filter { !$0.contains("the output 'pin' of this step says") }
    #expect(errors == [])
  }

  @Test func `a schema that grows too deep is refused`() {
    let links = (0..<2_000).map {
      "    A\($0): {items: {$ref: '#/components/schemas/A\($0 + 1)'}}\n"
    }
    let openAPI = Library.openAPI
      .replacing("    Reader: {type", with: links.joined() + "    A2000: {}\n    Reader: {type")
      .replacing(
        "Readers:\n      type: object",
        with: "Readers:\n      not: {$ref: '#/components/schemas/A0'}")
    let errors = Library.errors(Library.files(openAPI: openAPI))
    #expect(
      errors.contains {
        $0.hasSuffix("the schema grows too large when its references are resolved")
      }, "\(errors)")
  }

  // MARK: Headers

  private static func headers(_ number: String, criterion: String? = nil) -> [DocumentText] {
    let openAPI = Library.openAPI.replacing(
      "description: The card\n",
      with: "description: The card\n          headers:\n"
        + "            X-Pin: {schema: {type: string, x-writ: {secret: true}}}\n"
        + "            X-Code: {content: {text/plain: {schema: \(mark)}}}\n"
        + "            X-Named: {$ref: '#/components/headers/Named'}\n"
        + "            X-Limit: {schema: {type: integer}}\n"
    ).replacing(
      "  schemas:\n",
      with: "  headers: {Named: {schema: {$ref: '#/components/schemas/Pin'}}}\n"
        + "  schemas:\n    Pin: \(mark)\n")
    var arazzo = Library.arazzo.replacing("number: $response.body#/number", with: number)
    if let criterion {
      arazzo = arazzo.replacing(
        "          - reference: $components.parameters.reader\n",
        with: "          - reference: $components.parameters.reader\n"
          + "        successCriteria: [\(criterion)]\n")
    }
    return Library.files(arazzo: arazzo, openAPI: openAPI)
  }

  @Test(arguments: ["X-Pin", "x-pin", "X-Code", "X-Named"])
  func `a header of a response may be a secret`(name: String) {
    let errors = Library.errors(Self.headers("number: $response.header.\(name)"))
    #expect(errors.count == 1, "\(errors)")
    #expect(
      errors.first?.hasSuffix(
        "$response.header.\(name): the API marks this as secret: write x-writ.outputs.number: "
          + "{secret: true} and a sink") == true, "\(errors)")
    let decided = Library.errors(
      Self.headers(
        "number: $response.body#/number", criterion: "{condition: $response.header.\(name) == 'a'}")
    )
    #expect(decided.count == 1, "\(decided)")
  }

  @Test func `any other header is none, and one that is no header is refused`() {
    #expect(Library.errors(Self.headers("number: $response.header.X-Limit")) == [])
    let files = Self.headers("number: $response.header.X-Limit").map {
      DocumentText(
        path: $0.path, text: $0.text.replacing("X-Limit: {schema: {", with: "X-Limit: {schemas: {"))
    }
    #expect(
      Library.errors(files).contains {
        $0.hasSuffix("a header has no field 'schemas'; did you mean schema?")
      })
  }

  // MARK: Requests

  private static let refusal =
    "the API marks this as secret, but what a step sends is on record; leave it out, and let the "
    + "worker authenticate: with a security scheme of the API, which may log in (x-writ.session), or "
    + "with a secret of the store (x-writ.credential)"

  /// A job type that calls the operation `login` of the API that comes with Writ.
  private static func login(_ body: String, sent: String = "$statusCode") throws -> [String] {
    let root = URL(filePath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let openAPI = try String(
      contentsOf: root.appending(path: "jobs/openapi/authos.yaml"), encoding: .utf8)
    let arazzo = """
      arazzo: 1.1.0
      info: {title: Log in, version: 1.0.0}
      sourceDescriptions: [{name: authos, url: openapi/authos.yaml, type: openapi}]
      workflows:
        - workflowId: logIn
          summary: Logs in
          x-writ: {jobType: log_in, subject: "user:{$inputs.email}"}
          inputs:
            type: object
            required: [email, password]
            properties:
              email: {type: string}
              password: {type: string}
              body: {type: object}
          steps:
            - stepId: login
              operationId: login
              requestBody: {\(body)}
              x-writ: {outputs: {sent: {record: clear}}}
              outputs: {sent: \(sent)}
          outputs: {sent: $steps.login.outputs.sent}
      """
    return Library.errors([
      DocumentText(path: "log_in.arazzo.yaml", text: arazzo),
      DocumentText(path: "openapi/authos.yaml", text: openAPI),
    ])
  }

  @Test(arguments: [
    "payload: {email: $inputs.email, password: $inputs.password}",
    "payload: {email: $inputs.email, password: 'no {$inputs.password}'}",
    "payload: {email: $inputs.email, password: a constant}",
    "payload: {email: a@b.example, password: a constant}",
    "payload: {email: $inputs.email, password: {a: [1]}}",
    "payload: $inputs.body",
    #"payload: '{"email": "{$inputs.email}", "password": "{$inputs.password}"}'"#,
    "payload: {email: a, password: null}, replacements: [{target: /password, value: $inputs.password}]",
    "payload: {email: a, password: null}, replacements: [{target: '$[?@ == null]', "
      + "targetSelectorType: jsonpath, value: $inputs.password}]",
  ])
  func `what the API marks as secret cannot be sent by a step`(body: String) throws {
    let errors = try Self.login(body)
    #expect(errors.count == 1, "\(errors)")
    #expect(errors.first?.hasSuffix(Self.refusal) == true, "\(errors)")
  }

  @Test(arguments: ["$request.body#/password", "$request.body"])
  func `what the API marks as secret cannot be read from the request`(sent: String) throws {
    let errors = try Self.login("payload: {email: $inputs.email, password: null}", sent: sent)
    #expect(errors.count == 1, "\(errors)")
    #expect(
      errors.first?.hasSuffix(
        "\(sent): the API marks this as secret: write x-writ.outputs.sent: {secret: true} and a sink"
      ) == true, "\(errors)")
    let email = "$request.body#/email"
    #expect(
      try Self.login("payload: {email: $inputs.email, password: null}", sent: email) == [])
  }

  @Test func `a parameter that the API marks as secret cannot be passed`() {
    let openAPI = Library.openAPI.replacing(
      "in: query, required: true, schema: {type: string}}",
      with: "in: query, required: true, schema: \(Self.mark)}")
    #expect(
      Library.errors(Library.files(openAPI: openAPI)) == [
        "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: \(Self.refusal)"
      ])
  }
}
