// Stand-ins: what they answer from a description, what they refuse, and what counts as done twice.

import Arazzo
import AuthOSEmulator
import JSON
import Testing

@testable import writ

@Suite struct StandInTests {
  private static func standIn() throws -> StandIn {
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "openapi/billing.yaml", text: description),
      DocumentText(path: "bill.arazzo.yaml", text: jobType),
    ])
    let type = try #require(catalogue.jobType("bill"))
    return StandIn(name: "billing", document: try #require(type.api(ofTarget: "billing")))
  }

  private static func send(
    _ standIn: StandIn, _ method: String, _ path: String, _ body: JSONValue? = nil,
    headers: [(name: String, value: String)] = [("X-Key", "k")]
  ) -> (status: Int, body: JSONValue?) {
    var request = EmulatedRequest(method: method, path: path, headers: headers)
    if let body {
      request.headers.append(("Content-Type", "application/json; charset=utf-8"))
      request.body = body.serializedBytes()
    }
    let answer = standIn.respond(
      to: request, at: .now(), fault: standIn.nextFault(for: request))
    return (
      answer.response?.status ?? 0, answer.response.flatMap { try? JSONValue(parsing: $0.body) }
    )
  }

  @Test func `answers the first success that is described: its example, or a value that fits`()
    throws
  {
    let standIn = try Self.standIn()
    let made = Self.send(standIn, "POST", "/invoices", ["customer": "ada", "cents": 5])
    #expect(made.status == 201)
    // What the request calls the same is the same.
    #expect(
      made.body == [
        "id": "inv_000", "customer": "ada", "cents": 5, "due": "2030-01-01T00:00:00Z", "lines": [1],
        "state": "open",
      ])
    #expect(Self.send(standIn, "GET", "/invoices").body == [["id": "inv_1"]])
    #expect(Self.send(standIn, "GET", "/invoices/inv%207").body?["id"] == "inv 7")
    #expect(Self.send(standIn, "GET", "/invoices/last").body?["id"] == "the last")
    #expect(Self.send(standIn, "DELETE", "/invoices/7").status == 204)
  }

  @Test func `refuses what the description does not allow, and repeats nothing of it`() throws {
    let standIn = try Self.standIn()
    let cases: [(String, String, JSONValue?, Int, String)] = [
      ("POST", "/invoice", nil, 404, "the description of billing has no such method and path"),
      ("PUT", "/invoices", nil, 404, "the description of billing has no such method and path"),
      ("POST", "/invoices", nil, 422, "the operation needs a body"),
      ("POST", "/invoices", ["cents": 5], 422, "/customer is required"),
      ("POST", "/invoices", ["customer": 5], 422, "/customer must be of type string"),
      (
        "POST", "/invoices", ["customer": "a", "cents": "many"], 422,
        "/cents must be of type integer or null"
      ),
      (
        "POST", "/invoices", ["customer": "a", "state": "lost"], 422,
        "/state is none of the values that are allowed"
      ),
    ]
    for (method, path, body, status, title) in cases {
      let answer = Self.send(standIn, method, path, body)
      #expect(answer.status == status)
      #expect(answer.body == ["title": .string(title)])
    }
    let bare = Self.send(standIn, "GET", "/invoices", headers: [])
    #expect(bare.status == 401)
    #expect(bare.body == ["title": "the request lacks what the scheme key asks for"])
    #expect(standIn.effects.isEmpty)
    #expect(standIn.requests.count == cases.count + 1)
  }

  @Test func `what is made twice is found, and what is repeated in the same words is not`() throws {
    let standIn = try Self.standIn()
    let invoice: JSONValue = ["customer": "ada", "cents": 5]
    _ = Self.send(standIn, "POST", "/invoices", invoice)
    _ = Self.send(standIn, "PATCH", "/invoices/7", ["cents": 6])
    let clean = standIn.effects
    _ = Self.send(standIn, "PATCH", "/invoices/7", ["cents": 6])
    #expect(StandInDoubling.found(standIn.effects, beyond: clean) == [])
    _ = Self.send(standIn, "POST", "/invoices", invoice)
    _ = Self.send(standIn, "PATCH", "/invoices/7", ["cents": 7])
    _ = Self.send(standIn, "PATCH", "/invoices/7", ["cents": 8])
    #expect(
      StandInDoubling.found(standIn.effects, beyond: clean) == [
        "createInvoice took effect once too often", "changeInvoice took effect 2 times too often",
      ])
    standIn.restart([:])
    for _ in 0..<3 {
      let headers = [(name: "X-Key", value: "k"), (name: "Idempotency-Key", value: "job 1")]
      _ = Self.send(standIn, "POST", "/invoices", invoice, headers: headers)
    }
    #expect(standIn.effects.map(\.isRepeated) == [false, true, true])
    #expect(StandInDoubling.found(standIn.effects, beyond: clean) == [])
  }

  @Test func `the n-th request of an operation meets the n-th fault, before or after its effect`()
    throws
  {
    let standIn = try Self.standIn()
    standIn.restart(["createInvoice": [nil, .dropBefore, .dropAfter, .status500]])
    let statuses = (0..<5).map { _ in
      Self.send(standIn, "POST", "/invoices", ["customer": "ada"]).status
    }
    #expect(statuses == [201, 0, 0, 500, 201])
    #expect(standIn.effects.map(\.requestNumber) == [1, 3, 5])
    #expect(
      standIn.requests.map(\.fault) == [nil, "dropBefore", "dropAfter", "status500", nil])
    #expect(Self.send(standIn, "GET", "/invoices").status == 200)
  }

  private static let description = """
    openapi: 3.1.0
    info: {title: Billing, version: 1.0.0}
    servers: [{url: https://billing.example.com/v1}]
    security: [{key: []}]
    components:
      securitySchemes:
        key: {type: apiKey, in: header, name: X-Key}
      schemas:
        Invoice:
          allOf:
            - {type: object, required: [customer], properties: {customer: {type: string}}}
            - type: object
              properties:
                id: {type: string, pattern: '^inv_[0-9]{3}$'}
                cents: {type: [integer, 'null'], minimum: 1}
                due: {type: string, format: date-time}
                lines: {type: array, items: {type: integer}}
                state: {enum: [open, paid]}
    paths:
      /invoices:
        get:
          operationId: listInvoices
          responses:
            '200':
              description: All.
              content:
                application/json:
                  schema: {type: array}
                  examples: {one: {value: [{id: inv_1}]}}
        post:
          operationId: createInvoice
          x-effect: create
          requestBody:
            required: true
            content: {application/json: {schema: {$ref: '#/components/schemas/Invoice'}}}
          responses:
            '400': {description: Wrong.}
            '201':
              description: Made.
              content: {application/json: {schema: {$ref: '#/components/schemas/Invoice'}}}
      /invoices/{id}:
        parameters: [{name: id, in: path, required: true, schema: {type: string}}]
        get:
          operationId: getInvoice
          responses:
            2XX:
              description: One.
              content:
                application/json: {schema: {type: object, properties: {id: {type: string}}}}
        patch:
          operationId: changeInvoice
          x-effect: update
          requestBody: {content: {application/json: {schema: {type: object}}}}
          responses: {'200': {description: Changed.}}
        delete:
          operationId: deleteInvoice
          x-effect: delete
          responses: {'204': {description: Gone.}}
      /invoices/last:
        get:
          operationId: getLastInvoice
          responses:
            '200':
              description: The last.
              content: {application/json: {example: {id: the last}}}
    """

  private static let jobType = """
    arazzo: 1.0.1
    info: {title: Bill, version: 1.0.0}
    sourceDescriptions:
      - {name: billing, url: openapi/billing.yaml, type: openapi}
    workflows:
      - workflowId: bill
        x-writ: {jobType: bill}
        steps:
          - stepId: create
            operationId: createInvoice
            requestBody:
              contentType: application/json
              payload: {customer: ada}
            x-writ: {inDoubt: resend}
    """
}
