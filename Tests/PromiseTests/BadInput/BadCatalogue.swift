// Wrong catalogue files: one right job type, and one thing wrong with it each time.

/// A change that makes the right job type wrong, and what is said about it.
struct BadCatalogue: Sendable {
  var old: String
  var new: String
  var message: String

  init(_ old: String, _ new: String, _ message: String) {
    self.old = old
    self.new = new
    self.message = "writ: hello.arazzo.yaml:\(message)"
  }

  static let all = [
    BadCatalogue(
      "arazzo: 1.0.1", "arazzo: 3.0.0", "1: $.arazzo: only Arazzo 1.0 and 1.1 are supported"),
    BadCatalogue(
      "url: api.yaml", "url: other.yaml",
      "6: $.sourceDescriptions[0].url: there is no document 'other.yaml' in the catalogue"),
    BadCatalogue(
      "operationId: greet", "operationId: greed",
      "22: $.workflows[0].steps[0].operationId: there is no operation 'greed' in api.yaml; "
        + "did you mean greet?"),
    BadCatalogue(
      "        x-writ: {inDoubt: resend}\n", "",
      "21: $.workflows[0].steps[0]: the step 'greet' calls greet, whose effect is create: say in "
        + "x-writ.inDoubt what to do when it is unknown whether the request took effect: resend, review, "
        + "or goto: <a step that reads>"),
    BadCatalogue(
      "name: $inputs.name", "name: $inputs.nam",
      "26: $.workflows[0].steps[0].requestBody.payload.name: $inputs.nam: there is no input 'nam' in the "
        + "inputs of this workflow; did you mean name?"),
    BadCatalogue(
      "id: $steps.greet.outputs.id", "id: $steps.meet.outputs.id",
      "33: $.workflows[0].outputs.id: $steps.meet.outputs.id: there is no step 'meet' in this workflow"
        + "; did you mean greet?"
    ),
    BadCatalogue(
      "condition: $statusCode == 201", "condition: $statusCode = 201",
      "28: $.workflows[0].steps[0].successCriteria[0].condition: write == to compare (at character 13)"
    ),
    BadCatalogue(
      "condition: $statusCode == 201",
      "{condition: '$[?@.x', type: jsonpath, context: $response.body}",
      "28: $.workflows[0].steps[0].successCriteria[0].condition: a comma or ] is expected (at character 7)"
    ),
    BadCatalogue(
      "jobType: hello", "jobTyp: hello",
      "11: $.workflows[0].x-writ.jobTyp: x-writ of a workflow has no field 'jobTyp'; did you mean "
        + "jobType?"),
    BadCatalogue(
      "cap: PT5M", "cap: 5m",
      "12: $.workflows[0].x-writ.retry.cap: 'cap' must be a duration by ISO 8601 of days, hours, minutes "
        + "and seconds, such as PT30S or PT1H30M, at most a year"),
    BadCatalogue(
      "format: email", "format: e-mail",
      "19: $.workflows[0].inputs.properties.name.format: 'format' of a string must be one of uuid, "
        + "date-time, email, uri, writ-public-key"),
    BadCatalogue(
      "outputs: {id: $response.body#/id}", "outputs: {id: [",
      "33: $: this is not valid YAML or JSON: did not find expected ',' or ']'; a comma "
        + "or the closing ] is missing"),
  ]

  static let api = """
    openapi: 3.1.0
    info: {title: Greetings, version: '1'}
    servers: [{url: 'http://127.0.0.1:1'}]
    security: [{Key: []}]
    paths:
      /greetings:
        post:
          operationId: greet
          x-required-permission: write:greetings
          x-effect: create
          requestBody:
            content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}
          responses:
            '201':
              description: Made.
              content: {application/json: {schema: {type: object, properties: {id: {type: string}}}}}
    components:
      securitySchemes:
        Key: {type: apiKey, in: header, name: X-Api-Key}
    """

  static let right = """
    arazzo: 1.0.1
    info: {title: Hello, version: '1', summary: Greets.}
    sourceDescriptions:
      -
        name: api
        url: api.yaml
        type: openapi
    workflows:
      - workflowId: hello
        x-writ:
          jobType: hello
          retry: {maxAttempts: 3, base: PT1S, cap: PT5M}
        inputs:
          type: object
          required: [name]
          properties:
            name:
              type: string
              format: email
        steps:
          - stepId: greet
            operationId: greet
            requestBody:
              contentType: application/json
              payload:
                name: $inputs.name
            successCriteria:
              - condition: $statusCode == 201
            x-writ: {inDoubt: resend}
            outputs: {id: $response.body#/id}
        outputs:
          # What the job gives.
          id: $steps.greet.outputs.id
    """
}
