// How the parameters and bodies of Arazzo become a request: OpenAPI's styles, cookies, whole queries, forms.

import Arazzo
import JSON
import Testing

@testable import JobModel

@Suite struct RequestParameterTests {
  static let openAPI = """
    openapi: 3.2.0
    info: {title: Search, version: "1"}
    paths:
      /search:
        get:
          operationId: search
          parameters:
            - {name: tag, in: query, schema: {type: array}}
            - {name: ids, in: query, explode: false, schema: {type: array}}
            - {name: at, in: query, schema: {type: object}}
            - {name: session, in: cookie, schema: {type: string}}
            - {name: theme, in: cookie, schema: {type: string}}
          responses: {"200": {description: Found}}
      /query:
        get:
          operationId: query
          parameters: [{name: all, in: querystring, content: {application/x-www-form-urlencoded: {}}}]
          responses: {"200": {description: Found}}
      /token:
        post:
          operationId: token
          x-effect: none
          requestBody: {content: {application/x-www-form-urlencoded: {schema: {type: object}}}}
          responses: {"200": {description: The token}}
      /notes:
        post:
          operationId: note
          x-effect: none
          requestBody: {content: {application/json: {schema: {type: object, properties: {text: {type: string}}}}}}
          responses: {"200": {description: The note}}
        put:
          operationId: noteInUTF8
          x-effect: none
          requestBody: {content: {application/json; charset=utf-8: {schema: {type: object}}}}
          responses: {"200": {description: The note}}
    """

  static func request(_ step: String) throws -> StepRequest {
    let arazzo = """
      arazzo: 1.1.0
      info: {title: Search, version: "1"}
      sourceDescriptions: [{name: api, url: api.yaml, type: openapi}]
      workflows:
        - workflowId: search
          x-writ: {jobType: search}
          inputs: {type: object, required: [q], properties: {q: {type: string}, list: {type: array, items: {type: string}}}}
          steps: [\(step)]
      """
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "search.arazzo.yaml", text: arazzo),
      DocumentText(path: "api.yaml", text: openAPI),
    ])
    let definition = try #require(catalogue.jobType("search"))
    let position = WorkflowPosition(
      definition: definition,
      inputs: JSONObject([("q", "a&b=c d"), ("list", .array(["x", "y,z"]))]))
    let builder = RequestBuilder(environment: "test", jobType: "search", jobID: 7)
    return try builder.request(
      definition.workflow.steps[0], path: "s", passes: 0, in: position.current,
      context: position.context())
  }

  @Test func `lists and objects in a query follow OpenAPI's style form`() throws {
    let request = try Self.request(
      """
      {stepId: s, operationId: search, parameters: [{name: tag, in: query, value: $inputs.list},
      {name: ids, in: query, value: $inputs.list}, {name: at, in: query, value: {row: 1, seat: $inputs.q}}]}
      """)
    #expect(request.path == "/search?tag=x&tag=y%2Cz&ids=x,y%2Cz&row=1&seat=a%26b%3Dc%20d")
  }

  @Test func `cookies are one header`() throws {
    let request = try Self.request(
      """
      {stepId: s, operationId: search, parameters: [{name: session, in: cookie, value: $inputs.q},
      {name: theme, in: cookie, value: dark}]}
      """)
    let cookies = request.headers.filter { $0.name == "cookie" }.map(\.value)
    #expect(cookies == ["session=a%26b%3Dc%20d; theme=dark"])
    #expect(request.path == "/search")
  }

  @Test func `a value in a whole query adds no field to it`() throws {
    let request = try Self.request(
      """
      {stepId: s, operationId: query, parameters: [{name: all, in: querystring,
      value: "filter=active&name={$inputs.q}&sort=up"}]}
      """)
    #expect(request.path == "/query?filter=active&name=a%26b%3Dc%20d&sort=up")
  }

  @Test func `an object is sent as a form where the operation takes one`() throws {
    let request = try Self.request(
      """
      {stepId: s, operationId: token, requestBody: {payload: {grant: code, code: $inputs.q,
      scope: $inputs.list, none: null, count: 2}}}
      """)
    #expect(
      request.body.map { String(decoding: $0, as: UTF8.self) }
        == "grant=code&code=a%26b%3Dc%20d&scope=x&scope=y%2Cz&count=2")
    #expect(request.headers.contains { $0.value == "application/x-www-form-urlencoded" })
  }

  @Test func `a value in the text of a form adds no field to it`() throws {
    let request = try Self.request(
      """
      {stepId: s, operationId: token, requestBody: {contentType: application/x-www-form-urlencoded,
      payload: "client_id={$inputs.q}&scope=a+b&list={$inputs.list}"}}
      """)
    let body = request.body.map { String(decoding: $0, as: UTF8.self) }
    #expect(
      body == "client_id=a%26b%3Dc%20d&scope=a+b&list=%5B%22x%22%2C%22y%2Cz%22%5D")
  }

  @Test(arguments: [
    "{stepId: s, operationId: noteInUTF8, requestBody: {payload: '{\"text\": \"{$inputs.q}\"}'}}",
    """
    {stepId: s, operationId: note, requestBody: {contentType: 'Application/JSON; charset=utf-8',
    payload: '{\"text\": \"{$inputs.q}\"}'}}
    """,
  ])
  func `a JSON text is JSON, whatever parameters its content type has`(step: String) throws {
    let request = try Self.request(step)
    #expect(request.body == Array(#"{"text":"a&b=c d"}"#.utf8))
    let type = request.headers.first { $0.name == "content-type" }?.value
    #expect(type?.lowercased() == "application/json; charset=utf-8")
  }
}
