// Slips of the pen: bad YAML, wrong indentation, words that are nearly right. Each row is one change of the
// library's job type and the exact faults.

import Testing

@Suite struct AuthorErrorTests {
  static let edits: [Edit] = [
    Edit(
      "email: $inputs.email\n            name: \"Reader",
      "email: inputs.email\n            name: \"Reader",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.payload.email: 'inputs.email' is "
        + "a text as it stands; the value of the input is $inputs.email, and inside a text {$inputs.email}"
    ),
    Edit(
      "email: $inputs.email\n            name: \"Reader",
      "email: {$inputs.email}\n            name: \"Reader",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.payload.email: without quotes, "
        + "braces make an object here: write $inputs.email, or put quotes around '{$inputs.email}'"),
    Edit(
      "email: $inputs.email\n            name: \"Reader",
      "email: $input.email\n            name: \"Reader",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.payload.email: an expression "
        + "starts with one of $url, $method, $statusCode, $request, $response, $inputs, $outputs, $steps, "
        + "$workflows, $sourceDescriptions, $components, $self; did you mean $inputs? (at character 1)"
    ),
    Edit(
      "number: $response.body#/number", "number: $response.body.number",
      "register_reader.arazzo.yaml:65: $.workflows[0].steps[2].outputs.number: a part of the body is named "
        + "by a JSON Pointer: write $response.body#/id, not .id (at character 15)"),
    Edit(
      "number: $response.body#/number", "number: $.number",
      "register_reader.arazzo.yaml:65: $.workflows[0].steps[2].outputs.number: an expression starts with one "
        + "of $url, $method, $statusCode, $request, $response, $inputs, $outputs, $steps, $workflows, "
        + "$sourceDescriptions, $components, $self; a part of the body is $response.body#/id (at character 1)"
    ),
    Edit(
      "      - stepId: card\n", "      - stepId: card\n        x-Writ: {}\n",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2].x-Writ: 'x-Writ' means nothing to Writ; did "
        + "you mean x-writ?"),
    Edit(
      "          payload:\n            email: $inputs.email\n            name: \"Reader {$inputs.name}\"\n          replacements",
      "          payload:\n          email: $inputs.email\n          replacements",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.email: a request body has no field "
        + "'email'; its fields are contentType, payload, replacements; if it belongs to 'payload', indent it "
        + "further"),
    Edit(
      "        successCriteria:\n          - condition: $statusCode == 200",
      "        successCriteria: $statusCode == 200",
      "register_reader.arazzo.yaml:34: $.workflows[0].steps[0].successCriteria: 'successCriteria' must be a "
        + "list, but this is a text; each element of a list begins with '- '"),
    Edit(
      "          - condition: $statusCode == 200", "          - $statusCode == 200",
      "register_reader.arazzo.yaml:35: $.workflows[0].steps[0].successCriteria[0]: a criterion must be an "
        + "object, but this is a text; write condition: before it"),
    Edit(
      "version: 1.0.0", "version: 1.0",
      "register_reader.arazzo.yaml:4: $.info.version: 'version' must be a text, but this is a number; put "
        + "quotes around it"),
    Edit(
      "summary: Adds a reader unless there is one", "summary: Adds a reader: unless there is one",
      "register_reader.arazzo.yaml:11: $: this is not valid YAML or JSON: mapping values are not allowed "
        + "in this context; put quotes around a text with a colon in it, or look at the indentation"
    ),
    Edit(
      "    summary: Adds", "\tsummary: Adds",
      "register_reader.arazzo.yaml:11: $: this is not valid YAML or JSON: found a "
        + "tab character that violates indentation; indent with spaces, not with tabs"
    ),
    Edit(
      "retry: {maxAttempts: 5, base: PT0.5S, cap: PT1M}", "retry: {maxAttempts: 5, base: PT0.5S",
      "register_reader.arazzo.yaml:16: $: this is not valid YAML or JSON: did not find expected ',' or "
        + "'}'; a comma or the closing } is missing"),
    Edit(
      "replay: safe", "replay: safe\n      replay: never",
      "register_reader.arazzo.yaml:18: $: the same field occurs twice in one object: "
        + "'replay'"),
    Edit(
      "replay: safe", "replay: Safe",
      "register_reader.arazzo.yaml:18: $.workflows[0].x-writ.replay: 'replay' must be one of safe, "
        + "never, review; did you mean safe?"),
    Edit(
      "requestTimeout: PT10S", "requestTimeout: PT0S",
      "register_reader.arazzo.yaml:16: $.workflows[0].x-writ.requestTimeout: 'requestTimeout' must be longer "
        + "than zero"),
    Edit(
      "requestTimeout: PT10S", "requestTimeOut: PT10S",
      "register_reader.arazzo.yaml:16: $.workflows[0].x-writ.requestTimeOut: x-writ of a workflow has no "
        + "field 'requestTimeOut'; did you mean requestTimeout?"),
    Edit(
      "      subject: \"reader:{$inputs.email}\"\n", "    subject: \"reader:{$inputs.email}\"\n",
      "register_reader.arazzo.yaml:15: $: this is not valid YAML or JSON: did not find expected key; look "
        + "at the indentation of this line and of the one above, and for a quote that is never closed"
    ),
    Edit(
      "      inDoubt: {goto: find}", "      {}\n        inDoubt: {goto: find}",
      "register_reader.arazzo.yaml:57: $: this is not valid YAML or JSON: did not "
        + "find expected key; look at the indentation of this line and of the one above, and for a quote that is never closed"
    ),
    Edit(
      "operationId: findReader", "operationID: findReader",
      "register_reader.arazzo.yaml:28: $.workflows[0].steps[0]: a step needs exactly one of operationId, "
        + "operationPath and workflowId",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].operationID: a step has no field "
        + "'operationID'; did you mean operationId?"),
    Edit(
      "operationId: findReader", "operationId: findreader",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].operationId: there is no operation "
        + "'findreader' in openapi/library.yaml; did you mean findReader?"),
    Edit(
      "inDoubt: {goto: find}", "inDoubt: {goto: fnid}",
      "register_reader.arazzo.yaml:55: $.workflows[0].steps[1].x-writ.inDoubt.goto: there is no step "
        + "'fnid' in this workflow; did you mean find?"),
    Edit(
      "- stepId: card", "- stepId: card\n        inDoubt: review",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2].inDoubt: 'inDoubt' is not a field of a "
        + "step: it belongs below x-writ, two columns further in"),
    Edit(
      "summary: Adds a reader unless there is one", "jobType: x",
      "register_reader.arazzo.yaml:11: $.workflows[0].jobType: 'jobType' is not a field of a workflow: it "
        + "belongs below x-writ, two columns further in"),
    Edit(
      "jobType: register_reader\n", "\n",
      "register_reader.arazzo.yaml:10: $.workflows[0]: this workflow has x-writ, but no x-writ.jobType, "
        + "which makes it a job type"),
    Edit(
      "in: query\n", "in: path\n",
      "register_reader.arazzo.yaml:28: $.workflows[0].steps[0]: the operation findReader needs the query "
        + "parameter 'email'",
      "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: the operation findReader has "
        + "no path parameter 'email'; it is in: query"),
    Edit(
      "            email: $inputs.email\n            name:",
      "            emial: $inputs.email\n            name:",
      "register_reader.arazzo.yaml:49: "
        + "$.workflows[0].steps[1].requestBody.payload.emial: the body has no property "
        + "'emial'; did you mean email?",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.payload: "
        + "the body needs the property 'email'"),
    Edit(
      "card: $steps.card.outputs.number", "card: $steps.card.output.number",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: .outputs. is expected after the step "
        + "(at character 12)"),
    Edit(
      "card: $steps.card.outputs.number", "card: $steps.card.outputs.numbre",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: $steps.card.outputs.numbre: the step "
        + "'card' has no output 'numbre'; did you mean number?"),
    Edit(
      "type: retry", "type: retyr",
      "register_reader.arazzo.yaml:79: $.components.failureActions.again.type: the "
        + "type of a failure action must be one of end, goto, retry; did you mean retry?",
      "register_reader.arazzo.yaml:80: $.components.failureActions.again.retryAfter: "
        + "'retryAfter' belongs to type: retry",
      "register_reader.arazzo.yaml:81: $.components.failureActions.again.retryLimit: "
        + "'retryLimit' belongs to type: retry"),
    Edit(
      "$components.failureActions.again", "$components.failureActions.agian",
      "register_reader.arazzo.yaml:43: "
        + "$.workflows[0].steps[0].onFailure[0].reference: there is no component 'agian' "
        + "in components.failureActions; did you mean again?"),
    Edit(
      "email: $inputs.email\n            name: \"Reader {$inputs.name}\"",
      "email: $inputs.email\n            name: \"${inputs.name}\"",
      "register_reader.arazzo.yaml:50: $.workflows[0].steps[1].requestBody.payload.name: '${inputs.name}' is a text as "
        + "it stands, with its braces; the value of the input is $inputs.name, and inside a text "
        + "{$inputs.name}"),
    Edit(
      "email: $inputs.email\n            name: \"Reader {$inputs.name}\"",
      "email: \"{{ $inputs.email }}\"\n            name: \"Reader {$inputs.name}\"",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.payload.email: '{{ $inputs.email }}' "
        + "is a text as it stands, with its braces; the value of the input is $inputs.email, and inside a text "
        + "{$inputs.email}"),
    Edit(
      "email: $inputs.email\n            name: \"Reader {$inputs.name}\"",
      "email: $inputs.email\n            name: \"costs ${$inputs.name}, {braces} and {$inputs.name}\""
    ),
    Edit(
      "subject: \"reader:{$inputs.email}\"", "subject: inputs.email",
      "register_reader.arazzo.yaml:14: $.workflows[0].x-writ.subject: 'inputs.email' is a text as it stands; the "
        + "value of the input is $inputs.email, and inside a text {$inputs.email}"),
    Edit(
      "          payload:\n            email: $inputs.email\n            name: \"Reader {$inputs.name}\"\n          replacements",
      "          payload:\n          replacements",
      "register_reader.arazzo.yaml:48: $.workflows[0].steps[1].requestBody.payload: the body must be of type "
        + "object, but this is empty; indent what belongs to it further than 'payload'"),
    Edit(
      "          payload:\n            email: $inputs.email\n            name: \"Reader {$inputs.name}\"\n          replacements",
      "          payload: [$inputs.email, $inputs.name]\n          replacements",
      "register_reader.arazzo.yaml:48: $.workflows[0].steps[1].requestBody.payload: the body must be of type "
        + "object, but this is a list"),
    Edit(
      "required: [email]", "required: [emial]",
      "register_reader.arazzo.yaml:22: $.workflows[0].inputs.required[0]: 'emial' is required, but there is no "
        + "such property; did you mean email?"),
    Edit(
      "name: {type: string, minLength", "name: {type: string, required: true, minLength",
      "register_reader.arazzo.yaml:25: $.workflows[0].inputs.properties.name.required: an input of type string "
        + "does not support 'required' here; supported are type, default, format, minLength, maxLength, "
        + "pattern, enum, title, description, examples, deprecated and $ref; the names of the required inputs "
        + "are a list beside 'properties'"),
    Edit(
      "      - stepId: add\n", "        stepId: add\n",
      "register_reader.arazzo.yaml:29: $: the same field occurs twice in one object: 'operationId', 'stepId'; "
        + "each element of a list begins with '- '"),
    Edit(
      "condition: $statusCode == 200", "condition: * == 200",
      "register_reader.arazzo.yaml:35: $: this is not valid YAML or JSON: did not find expected alphabetic or "
        + "numeric character; a text that starts with * or & needs quotes"),
    Edit(
      "            in: query\n", "",
      "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: a parameter of an operation "
        + "needs the field 'in': path, query, header or cookie"),
    Edit(
      "        outputs:\n          id: $response.body#/id\n", "        outputs: [id]\n",
      "register_reader.arazzo.yaml:58: $.workflows[0].steps[1].outputs: 'outputs' must be an object, but this is "
        + "a list"),
  ]

  @Test func `an input that cannot be read is not called unknown where a schedule gives it`() throws
  {
    let edit = Edit(
      "branch: {type: string, x-writ",
      "size: {type: text}\n        branch: {type: string, x-writ")
    let schedule = Edit(
      "replay: safe",
      "replay: safe\n      schedule: {cron: '0 3 * * *', inputs: {email: a@example.org, size: big}}"
    )
    let document = try #require(
      edit.applied(to: Library.arazzo).flatMap { schedule.applied(to: $0) })
    #expect(
      Library.errors(Library.files(arazzo: document)) == [
        "register_reader.arazzo.yaml:27: $.workflows[0].inputs.properties.size.type: 'type' must be one of "
          + "string, integer, number, boolean, array, object, null"
      ])
  }

  @Test(arguments: [
    "inputs.csv", "inputs.email.csv", "response.body", "steps.find.outputs.id", "see inputs.email",
    "Dear {{ inputs.name }}", "Hello {inputs.name}!", "release-${{ inputs.version }}",
    "{{ inputs.version }}", "${inputs.email} or ${inputs.name}", "costs ${$inputs.name}",
    "{{$inputs.name}}",
  ])
  func `a text that is more or other than a declared input stays as it is`(text: String) throws {
    let edit = Edit("name: \"Reader {$inputs.name}\"", "name: \"\(text)\"")
    let document = try #require(edit.applied(to: Library.arazzo))
    #expect(Library.errors(Library.files(arazzo: document)) == [])
  }

  @Test(arguments: [
    "inputs.name", "{inputs.name}", "${inputs.name}", "{{inputs.name}}", "{{ inputs.name }}",
    "${{ inputs.name }}",
  ])
  func `a text that is nothing but a declared input without its sign is refused`(text: String)
    throws
  {
    let edit = Edit("name: \"Reader {$inputs.name}\"", "name: \"\(text)\"")
    let document = try #require(edit.applied(to: Library.arazzo))
    let errors = Library.errors(Library.files(arazzo: document))
    #expect(errors.count == 1)
    #expect(errors.first?.contains("'\(text)' is a text as it stands") == true)
  }

  @Test(arguments: [
    ("openapi: 3.0.3", "type: object\n              nullable: true"),
    ("openapi: 3.1.0", "type: [object, \"null\"]"),
  ])
  func `a body that may be null can be null`(version: String, type: String) throws {
    let head = try #require(Edit("openapi: 3.1.0", version).applied(to: Library.openAPI))
    let nullable = Edit(
      "type: object\n              required: [email]",
      "\(type)\n              required: [email]")
    let payload = Edit(
      "payload:\n            email: $inputs.email\n            name: \"Reader {$inputs.name}\"\n"
        + "          replacements:\n            - target: /name\n              value: $inputs.name",
      "payload: null")
    let openAPI = try #require(nullable.applied(to: head))
    let arazzo = try #require(payload.applied(to: Library.arazzo))
    #expect(Library.errors(Library.files(arazzo: arazzo, openAPI: openAPI)) == [])
    #expect(
      Library.errors(Library.files(arazzo: arazzo, openAPI: head)) == [
        "register_reader.arazzo.yaml:48: $.workflows[0].steps[1].requestBody.payload: the body must be of type "
          + "object, but this is empty; indent what belongs to it further than 'payload'"
      ])
  }

  @Test(arguments: edits)
  func `a slip of the pen is refused with its place and how to mend it`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.arazzo))
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }
}
