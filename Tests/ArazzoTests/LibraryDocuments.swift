// A small catalogue about a lending library: an API, a workflow over it, and how tests change them.

import Arazzo

enum Library {
  /// The API.
  static let openAPI = """
    openapi: 3.1.0
    info: {title: Lending library, version: "1"}
    servers:
      - url: https://library.example/api
    security:
      - key: []
    paths:
      /readers:
        get:
          operationId: findReader
          x-required-permission: readers:read
          parameters:
            - {name: email, in: query, required: true, schema: {type: string}}
          responses:
            "200":
              description: The readers
              content: {application/json: {schema: {$ref: "#/components/schemas/Readers"}}}
        post:
          operationId: addReader
          x-required-permission: [readers:write, readers:read]
          x-effect: create
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [email]
                  properties: {email: {type: string}, name: {type: string}}
                  additionalProperties: false
          responses:
            "201": {$ref: "#/components/responses/Added"}
            "409": {description: It exists}
      /readers/{id}/card:
        parameters:
          - {$ref: "#/components/parameters/Id"}
        put:
          operationId: issueCard
          x-required-permission: cards:write
          x-effect: create
          responses:
            2XX:
              description: The card
              content:
                application/json:
                  schema:
                    type: object
                    properties: {number: {type: string}, pin: {type: string, x-writ: {secret: true}}}
        delete:
          x-effect: delete
          security: [{session: []}]
          responses:
            "204": {description: Gone}
            default: {description: Something went wrong}
    components:
      parameters:
        Id: {name: id, in: path, required: true, schema: {type: string, format: uuid}}
      responses:
        Added:
          description: The new reader
          content: {application/json: {schema: {$ref: "#/components/schemas/Reader"}}}
      schemas:
        Reader: {type: object, properties: {id: {type: string}, email: {type: string}}}
        Readers:
          type: object
          properties: {readers: {type: array, items: {$ref: "#/components/schemas/Reader"}}}
      securitySchemes:
        key: {type: apiKey, in: header, name: X-API-Key}
        session:
          type: http
          scheme: bearer
          x-writ: {session: {operationId: login, ttl: PT1H}}
    """

  /// The workflow.
  static let arazzo = """
    arazzo: 1.0.1
    info:
      title: Register a reader
      version: 1.0.0
    sourceDescriptions:
      - name: library
        url: openapi/library.yaml
        type: openapi
    workflows:
      - workflowId: registerReader
        summary: Adds a reader unless there is one
        x-writ:
          jobType: register_reader
          subject: "reader:{$inputs.email}"
          retry: {maxAttempts: 5, base: PT0.5S, cap: PT1M}
          requestTimeout: PT10S
          deadline: PT1H
          replay: safe
          concurrency: 8
        inputs:
          type: object
          required: [email]
          properties:
            email: {type: string, format: email, x-writ: {record: digest, normalize: email}}
            name: {type: string, minLength: 1, maxLength: 80}
            branch: {type: string, x-writ: {from: environment, name: branch}}
        steps:
          - stepId: find
            operationId: findReader
            parameters:
              - name: email
                in: query
                value: $inputs.email
            successCriteria:
              - condition: $statusCode == 200
            onSuccess:
              - name: exists
                type: end
                x-writ: {outcome: completed, reason: The reader was there already}
                criteria:
                  - condition: $response.body#/readers/0 != null
            onFailure:
              - reference: $components.failureActions.again
          - stepId: add
            operationId: addReader
            requestBody:
              contentType: application/json
              payload:
                email: $inputs.email
                name: "Reader {$inputs.name}"
              replacements:
                - target: /name
                  value: $inputs.name
            x-writ:
              inDoubt: {goto: find}
              outputs:
                id: {record: clear}
            outputs:
              id: $response.body#/id
          - stepId: card
            operationPath: "{$sourceDescriptions.library.url}#/paths/~1readers~1{id}~1card/put"
            parameters:
              - reference: $components.parameters.reader
            outputs:
              number: $response.body#/number
              pin: $response.body#/pin
            x-writ:
              inDoubt: review
              outputs: {pin: {secret: true}}
              sink: {pin: {store: "pins/{$steps.add.outputs.id}"}}
        outputs:
          card: $steps.card.outputs.number
    components:
      parameters:
        reader: {name: id, in: path, value: $steps.add.outputs.id}
      failureActions:
        again:
          name: again
          type: retry
          retryAfter: 1.5
          retryLimit: 3
          criteria:
            - context: $statusCode
              condition: ^5\\d\\d$
              type: regex
    """

  static let arazzoPath = "register_reader.arazzo.yaml"
  static let openAPIPath = "openapi/library.yaml"

  static func files(arazzo: String = arazzo, openAPI: String = openAPI) -> [DocumentText] {
    [
      DocumentText(path: arazzoPath, text: arazzo),
      DocumentText(path: openAPIPath, text: openAPI),
    ]
  }

  /// The faults of a set of documents, one text each; none when it loads.
  static func errors(_ files: [DocumentText]) -> [String] {
    do {
      _ = try Catalogue.load(files: files)
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }
}

/// A change of a document: one text that occurs exactly once is replaced by another.
struct Edit: Sendable, CustomStringConvertible {
  let old: String
  let new: String
  let errors: [String]

  init(_ old: String, _ new: String, _ errors: String...) {
    self.old = old
    self.new = new
    self.errors = errors
  }

  var description: String { new.isEmpty ? "without \(old)" : new }

  /// The document after the change; `nil` unless the old text occurs exactly once.
  func applied(to document: String) -> String? {
    let pieces = document.split(separator: old, omittingEmptySubsequences: false)
    return pieces.count == 2 ? pieces.joined(separator: new) : nil
  }
}
