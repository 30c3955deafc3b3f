// Documents that know nothing of Writ: shapes as in the examples of the Arazzo repository, in words of our
// own. They load, by the standards alone, and never become job types.

import JSON
import Testing

@testable import Arazzo

@Suite struct PlainWorkflowTests {
  /// A ticket shop: OpenAPI 3.0, effects and permissions unsaid, OAuth, XML beside JSON.
  static let tickets = """
    openapi: 3.0.3
    info: {title: Tickets, version: 1.0.0, contact: {email: desk@tickets.example}}
    servers: [{url: https://tickets.example/v1}]
    paths:
      /seats:
        get:
          operationId: findSeats
          parameters:
            - {name: row, in: query, schema: {type: array, items: {type: string}}}
            - {name: session, in: cookie, schema: {type: string}}
            - {name: Authorization, in: header, required: true, schema: {type: string}}
          responses:
            200: {description: The free seats, content: {application/json: {schema: {type: array, items: {type: object, nullable: true}}}, application/xml: {schema: {type: array}}}}
          security: [{shop: [read]}]
      /orders:
        post:
          operationId: placeOrder
          requestBody:
            content: {application/json: {schema: {type: object, properties: {seat: {type: string}}}}}
          responses: {201: {description: The order}}
      /token:
        post:
          operationId: getToken
          requestBody:
            content: {application/x-www-form-urlencoded: {schema: {type: object}}}
          responses: {200: {description: The token}}
    components:
      securitySchemes:
        shop: {type: oauth2, flows: {implicit: {authorizationUrl: https://tickets.example/auth, scopes: {read: r}}}}
    """

  static let shop = """
    arazzo: 1.0.0
    info: {title: Buy a ticket, version: 1.0.0}
    sourceDescriptions:
      - name: tickets
        url: https://raw.tickets.example/docs/main/openapi/tickets.yaml?ref=1
        type: openapi
    workflows:
      - workflowId: buy-ticket
        inputs: {$ref: "#/components/inputs/buyer"}
        parameters:
          - {name: session, in: cookie, value: abc}
        steps:
          - stepId: find-seat
            operationPath: '{$sourceDescriptions.tickets.url}#/paths/~1seats'
            parameters:
              - {name: row, in: query, value: $inputs.rows}
              - {name: Authorization, in: header, value: $inputs.token}
              - reference: $components.parameters.page
                value: 2
            successCriteria:
              - condition: $statusCode == 200
              - {context: $response.body, condition: "$[?count(@.id) > 0]", type: jsonpath}
            onSuccess:
              - name: none
                type: end
                criteria: [{context: $response.body, condition: "$[?count(@.seats) == 0]", type: jsonpath}]
            outputs: {seat: $response.body#/0/id}
          - stepId: order
            workflowId: place-order
            parameters: [{name: seat, value: $steps.find-seat.outputs.seat}]
            outputs: {order: $outputs.id}
        outputs: {order: $steps.order.outputs.order}
      - workflowId: place-order
        inputs: {type: object, properties: {seat: {type: string}, buyer: {oneOf: [{type: string}, {type: object}]}}}
        steps:
          - stepId: place
            operationId: placeOrder
            requestBody:
              contentType: application/json
              payload: |
                {"seat": "{$inputs.seat}", "buyer": {$inputs.buyer}, "paid": false}
            successCriteria: [{condition: $statusCode == 201}]
            outputs: {id: $response.body#/id}
        outputs: {id: $steps.place.outputs.id}
    components:
      inputs:
        buyer: {type: object, properties: {rows: {type: array, items: {type: string}}, token: {type: string}}}
      parameters:
        page: {name: page, in: query, value: 1}
    """

  static let files = [
    DocumentText(path: "examples/shop.arazzo.yaml", text: shop),
    DocumentText(path: "examples/tickets.yaml", text: tickets),
  ]

  @Test func `documents without a word to Writ load, with notes instead of faults`() throws {
    let catalogue = try Catalogue.load(files: Self.files)
    #expect(catalogue.jobTypes.isEmpty)
    let notes = catalogue.notes.map(\.description)
    #expect(
      notes.first
        == "examples/shop.arazzo.yaml:1: $: no workflow here is a job type, and no job type reaches "
        + "one; to make one, write x-writ.jobType on the workflow")
    let slip = "the operation findSeats has no query parameter 'page'"
    #expect(notes.contains { $0.hasSuffix(slip) }, "a slip of the document is a note: \(notes)")
    #expect(
      !notes.contains { $0.contains("inDoubt") || $0.contains("x-effect") },
      "what only Writ asks for is no slip: \(notes)")
  }

  @Test func `a plain workflow beside a job type is not in its way`() throws {
    let catalogue = try Catalogue.load(files: Self.files + Library.files())
    #expect(catalogue.jobTypes.map(\.name) == ["register_reader"])
    #expect(catalogue.jobTypes[0].files.count == 2)
  }

  @Test func `a job type that reaches the same operations must say more`() throws {
    let document = try #require(
      Edit(
        "  - workflowId: place-order\n",
        "  - workflowId: place-order\n    x-writ: {jobType: order}\n"
      )
      .applied(to: Self.shop))
    var files = Self.files
    files[0] = DocumentText(path: files[0].path, text: document)
    let errors = Library.errors(files)
    #expect(
      errors.contains {
        $0.hasPrefix(
          "examples/tickets.yaml:17: $.paths['/orders'].post: an operation with POST must say")
      }, "\(errors)")
    #expect(
      errors.contains { $0.contains("the step 'place' calls placeOrder, whose effect is create") },
      "\(errors)")
  }

  @Test func `the longest end of a URL's path names the file`() throws {
    var files =
      Self.files + [DocumentText(path: "examples/openapi/tickets.yaml", text: Self.tickets)]
    files[1] = DocumentText(path: "examples/tickets.yaml", text: "openapi: 3.1.0")
    let errors = Library.errors(files)
    #expect(errors.isEmpty, "\(errors)")
  }

  @Test func `a URL that no file stands for is refused by name`() {
    #expect(
      Library.errors([Self.files[0]]) == [
        "examples/shop.arazzo.yaml:5: $.sourceDescriptions[0].url: "
          + "'https://raw.tickets.example/docs/main/openapi/tickets.yaml?ref=1' is on the network, from "
          + "where nothing is fetched; put the document into the catalogue as 'tickets.yaml'"
      ])
  }

  @Test func `one file does not stand for two URLs`() throws {
    let other = try #require(
      Edit("https://raw.tickets.example/docs", "https://other.example/docs").applied(to: Self.shop))
    let errors = Library.errors(
      Self.files + [DocumentText(path: "examples/two.arazzo.yaml", text: other)])
    #expect(
      errors == [
        "examples/two.arazzo.yaml:5: $.sourceDescriptions[0].url: "
          + "'https://other.example/docs/main/openapi/tickets.yaml?ref=1' and "
          + "'https://raw.tickets.example/docs/main/openapi/tickets.yaml?ref=1' would both be the file "
          + "'examples/tickets.yaml'; give the files longer paths, each the end of its URL's path"
      ])
  }

  @Test func `a relative URL is looked up among the identities first`() throws {
    let main = try #require(
      Edit(
        "info: {title: Main", "$self: https://library.example/flows/main\ninfo: {title: Main"
      ).applied(to: SubWorkflowTests.main))
    let relative = try #require(
      Edit("\"https://library.example/shared\"", "../shared").applied(to: main))
    let catalogue = try Catalogue.load(files: SubWorkflowTests.files(main: relative))
    #expect(catalogue.jobTypes.map(\.name) == ["add_reader"])
  }

  static let texts: [(String, String)] = [
    (#"{"a": "{$inputs.quote}"}"#, #"{"a":"say \"no\""}"#),
    (#"{"a": {$inputs.count}, "b": "{$inputs.count}"}"#, #"{"a":7,"b":"7"}"#),
    (#"[{$inputs.list}, "x {$inputs.list} y"]"#, #"[[1],"x [1] y"]"#),
    (#"{"a": "$inputs.count"}"#, #"{"a":"$inputs.count"}"#),
    (#""\" {$inputs.count}""#, #""\" 7""#),
  ]

  @Test(arguments: texts)
  func `a JSON text with expressions gives a body in which values stay values`(
    text: String, body: String
  ) throws {
    var context = EvaluationContext()
    context.inputs = JSONObject([("quote", #"say "no""#), ("count", 7), ("list", .array([1]))])
    #expect(try JSONTextTemplate.parse(text).evaluate(in: context)?.serialized() == body)
  }
}
