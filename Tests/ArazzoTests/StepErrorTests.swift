// The errors of steps: what they call, what they pass, what they give. Each row is one change and the exact errors that it causes.

import Testing

@Suite struct StepErrorTests {
  static let edits: [Edit] = [
    Edit(
      "- stepId: add",
      "- stepId: find",
      "register_reader.arazzo.yaml:44: $.workflows[0].steps[1].stepId: there are two "
        + "steps 'find' in this workflow",
      "register_reader.arazzo.yaml:70: "
        + "$.workflows[0].steps[2].x-writ.sink.pin.store: $steps.add.outputs.id: there "
        + "is no step 'add' in this workflow; did you mean card?",
      "register_reader.arazzo.yaml:75: $.components.parameters.reader.value: "
        + "$steps.add.outputs.id: there is no step 'add' in this workflow; did you mean "
        + "card?"),
    Edit(
      "operationId: findReader",
      "operationId: findBook",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].operationId: there is "
        + "no operation 'findBook' in openapi/library.yaml"),
    Edit(
      "operationId: findReader",
      "operationId: $sourceDescriptions.books.findBook",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].operationId: there is "
        + "no source description 'books'"),
    Edit(
      "operationId: findReader",
      "operationId: $inputs.email",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].operationId: an "
        + "operation is named by $sourceDescriptions.<name>.<operationId>"),
    Edit(
      "operationId: findReader",
      "workflowId: other",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].workflowId: there is no "
        + "workflow 'other' in this document"),
    Edit(
      "operationId: findReader",
      "operationId: findReader\n        workflowId: other",
      "register_reader.arazzo.yaml:28: $.workflows[0].steps[0]: a step needs exactly "
        + "one of operationId, operationPath and workflowId"),
    Edit(
      "operationId: findReader",
      "channelPath: x",
      "register_reader.arazzo.yaml:28: $.workflows[0].steps[0]: a step needs exactly "
        + "one of operationId, operationPath and workflowId",
      "register_reader.arazzo.yaml:29: $.workflows[0].steps[0].channelPath: "
        + "'channelPath' belongs to AsyncAPI, which is not supported"),
    Edit(
      "operationId: findReader",
      "operationId: findReader\n        timeout: 5",
      "register_reader.arazzo.yaml:30: $.workflows[0].steps[0].timeout: 'timeout' of a "
        + "step belongs to Arazzo 1.1, but this document is 1.0"),
    Edit(
      "operationId: findReader",
      "operationId: findReader\n        retries: 5",
      "register_reader.arazzo.yaml:30: $.workflows[0].steps[0].retries: a step has no "
        + "field 'retries'; its fields are stepId, description, operationId, "
        + "operationPath, workflowId, parameters, requestBody, successCriteria, onSuccess, "
        + "onFailure, outputs, timeout, dependsOn"),
    Edit(
      "#/paths/~1readers~1{id}~1card/put",
      "#/paths/~1readers~1{id}~1card/post",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2].operationPath: "
        + "'operationPath' leads to no operation in openapi/library.yaml"),
    Edit(
      "{$sourceDescriptions.library.url}#/paths/~1readers~1{id}~1card/put",
      "/readers/{id}/card",
      "register_reader.arazzo.yaml:61: $.workflows[0].steps[2].operationPath: "
        + "'operationPath' must look like "
        + "{$sourceDescriptions.<name>.url}#/paths/~1users/get"),
    Edit(
      "- name: email\n            in: query",
      "- name: mail\n            in: query",
      "register_reader.arazzo.yaml:28: $.workflows[0].steps[0]: the operation "
        + "findReader needs the query parameter 'email'",
      "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: the "
        + "operation findReader has no query parameter 'mail'; did you mean email?"),
    Edit(
      "- name: email\n            in: query",
      "- name: email",
      "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: a "
        + "parameter of an operation needs the field 'in': path, query, header or cookie"),
    Edit(
      "- name: email\n            in: query",
      "- name: email\n            in: cookie",
      "register_reader.arazzo.yaml:28: $.workflows[0].steps[0]: the operation "
        + "findReader needs the query parameter 'email'",
      "register_reader.arazzo.yaml:31: $.workflows[0].steps[0].parameters[0]: the "
        + "operation findReader has no cookie parameter 'email'; it is in: query"),
    Edit(
      "- name: email\n            in: query",
      "- name: email\n            in: body",
      "register_reader.arazzo.yaml:32: $.workflows[0].steps[0].parameters[0].in: "
        + "'in' must be one of path, query, header, cookie, querystring"),
    Edit(
      "value: $inputs.email\n",
      "value: $steps.add.outputs.id\n",
      "register_reader.arazzo.yaml:33: "
        + "$.workflows[0].steps[0].parameters[0].value: $steps.add.outputs.id: the step "
        + "'add' has not succeeded on the way from the start; lead this way through it, or "
        + "offer a list of values, in which what is missing is null"),
    Edit(
      "value: $inputs.email\n",
      "value: $response.body\n",
      "register_reader.arazzo.yaml:33: $.workflows[0].steps[0].parameters[0].value: "
        + "$response.body: it has no value before the request is sent"),
    Edit(
      "value: $inputs.email\n",
      "value: $input.email\n",
      "register_reader.arazzo.yaml:33: $.workflows[0].steps[0].parameters[0].value: an "
        + "expression starts with one of $url, $method, $statusCode, $request, $response, "
        + "$inputs, $outputs, $steps, $workflows, $sourceDescriptions, $components, $self; "
        + "did you mean $inputs? (at character 1)"),
    Edit(
      "reference: $components.parameters.reader",
      "reference: $components.parameters.writer",
      "register_reader.arazzo.yaml:60: $.workflows[0].steps[2]: the operation "
        + "issueCard needs the path parameter 'id'",
      "register_reader.arazzo.yaml:63: "
        + "$.workflows[0].steps[2].parameters[0].reference: there is no component 'writer' "
        + "in components.parameters"),
    Edit(
      "reference: $components.parameters.reader",
      "reference: $components.failureActions.again",
      "register_reader.arazzo.yaml:60: $.workflows[0].steps[2]: the operation "
        + "issueCard needs the path parameter 'id'",
      "register_reader.arazzo.yaml:63: "
        + "$.workflows[0].steps[2].parameters[0].reference: 'reference' must name a "
        + "component: $components.parameters.…"),
    Edit(
      "reference: $components.parameters.reader",
      "reference: $components.parameters.reader\n            in: path",
      "register_reader.arazzo.yaml:64: $.workflows[0].steps[2].parameters[0].in: a "
        + "reusable object has no field 'in'; its fields are reference, value"),
    Edit(
      "        parameters:\n          - reference: $components.parameters.reader\n",
      "",
      "register_reader.arazzo.yaml:60: $.workflows[0].steps[2]: the operation "
        + "issueCard needs the path parameter 'id'"),
    Edit(
      "contentType: application/json",
      "contentType: application/xml",
      "register_reader.arazzo.yaml:47: "
        + "$.workflows[0].steps[1].requestBody.contentType: XML is not supported"),
    Edit(
      "contentType: application/json",
      "contentType: text/plain",
      "register_reader.arazzo.yaml:47: "
        + "$.workflows[0].steps[1].requestBody.contentType: the operation does not take "
        + "'text/plain'; it takes application/json"),
    Edit(
      "contentType: application/json",
      "contentType: image/png",
      "register_reader.arazzo.yaml:47: "
        + "$.workflows[0].steps[1].requestBody.contentType: the content type 'image/png' "
        + "is not supported; application/json, …+json, application/x-www-form-urlencoded "
        + "and text/plain are"),
    Edit(
      "            email: $inputs.email\n            name",
      "            mail: $inputs.email\n            name",
      "register_reader.arazzo.yaml:49: "
        + "$.workflows[0].steps[1].requestBody.payload.mail: the body has no property "
        + "'mail'; did you mean email?",
      "register_reader.arazzo.yaml:49: $.workflows[0].steps[1].requestBody.payload: "
        + "the body needs the property 'email'"),
    Edit(
      #""Reader {$inputs.name}""#,
      #""Reader {$inputs.surname}""#,
      "register_reader.arazzo.yaml:50: "
        + "$.workflows[0].steps[1].requestBody.payload.name: $inputs.surname: there is no "
        + "input 'surname' in the inputs of this workflow"),
    Edit(
      "- target: /name",
      "- target: name",
      "register_reader.arazzo.yaml:52: "
        + "$.workflows[0].steps[1].requestBody.replacements[0].target: 'target' must be a "
        + "JSON Pointer, such as /user/email"),
    Edit(
      "- target: /name",
      "- target: $.name\n              targetSelectorType: jsonpath",
      "register_reader.arazzo.yaml:53: "
        + "$.workflows[0].steps[1].requestBody.replacements[0].targetSelectorType: "
        + "'targetSelectorType' belongs to Arazzo 1.1, but this document is 1.0"),
    Edit(
      "inDoubt: {goto: find}",
      "inDoubt: {goto: search}",
      "register_reader.arazzo.yaml:55: $.workflows[0].steps[1].x-writ.inDoubt.goto: "
        + "there is no step 'search' in this workflow"),
    Edit(
      "inDoubt: {goto: find}",
      "inDoubt: retry",
      "register_reader.arazzo.yaml:55: $.workflows[0].steps[1].x-writ.inDoubt: "
        + "'inDoubt' must be resend, review, or goto: <stepId>"),
    Edit(
      "          inDoubt: {goto: find}\n",
      "",
      "register_reader.arazzo.yaml:44: $.workflows[0].steps[1]: the step 'add' calls "
        + "addReader, whose effect is create: say in x-writ.inDoubt what to do when it is "
        + "unknown whether the request took effect: resend, review, or goto: <a step that "
        + "reads>"),
    Edit(
      "          inDoubt: {goto: find}\n",
      "          inDoubt: {goto: find}\n          promote: yes\n",
      "register_reader.arazzo.yaml:56: $.workflows[0].steps[1].x-writ.promote: x-writ "
        + "of a step has no field 'promote'; its fields are inDoubt, outputs, sink, rows, "
        + "credential, effect, reason"),
    Edit(
      "    successCriteria:\n",
      "    x-writ: {inDoubt: resend}\n        successCriteria:\n",
      "register_reader.arazzo.yaml:34: $.workflows[0].steps[0].x-writ.inDoubt: "
        + "findReader only reads, so there is nothing to doubt; remove 'inDoubt'"),
    Edit(
      "id: {record: clear}",
      "key: {record: clear}",
      "register_reader.arazzo.yaml:57: $.workflows[0].steps[1].x-writ.outputs.key: the "
        + "step has no output 'key'"),
    Edit(
      "id: {record: clear}",
      "id: {record: sometimes}",
      "register_reader.arazzo.yaml:57: "
        + "$.workflows[0].steps[1].x-writ.outputs.id.record: 'record' must be one of "
        + "clear, digest, never"),
    Edit(
      "id: {record: clear}",
      "id: {secret: true}",
      "register_reader.arazzo.yaml:57: $.workflows[0].steps[1].x-writ.outputs.id: the "
        + "secret 'id' needs a sink, x-writ.sink.id, or it is lost",
      "register_reader.arazzo.yaml:70: $.workflows[0].steps[2].x-writ.sink.pin.store: "
        + "$steps.add.outputs.id: this is a secret, which may flow only into a sink; to "
        + "authenticate with it, use x-writ.credential.secretOf",
      "register_reader.arazzo.yaml:75: $.components.parameters.reader.value: "
        + "$steps.add.outputs.id: this is a secret, which may flow only into a sink; to "
        + "authenticate with it, use x-writ.credential.secretOf"),
    Edit(
      "pin: {secret: true}",
      "pin: {record: clear}",
      "register_reader.arazzo.yaml:66: $.workflows[0].steps[2].outputs.pin: "
        + "$response.body#/pin: the API marks this as secret: write x-writ.outputs.pin: "
        + "{secret: true} and a sink",
      "register_reader.arazzo.yaml:70: $.workflows[0].steps[2].x-writ.sink.pin: a sink "
        + "takes secrets only: write x-writ.outputs.pin: {secret: true}"),
    Edit(
      "pin: {secret: true}",
      "pin: {record: clear, secret: true}",
      "register_reader.arazzo.yaml:69: "
        + "$.workflows[0].steps[2].x-writ.outputs.pin.record: a secret is never recorded; "
        + "remove 'record'"),
    Edit(
      #"pin: {store: "pins/{$steps.add.outputs.id}"}"#,
      "pin: {file: x}",
      "register_reader.arazzo.yaml:70: $.workflows[0].steps[2].x-writ.sink.pin: a sink "
        + "needs either 'store' or 'seal'",
      "register_reader.arazzo.yaml:70: $.workflows[0].steps[2].x-writ.sink.pin.file: a "
        + "sink has no field 'file'; its fields are store, seal"),
    Edit(
      "inDoubt: review",
      "inDoubt: review\n          credential: {secretOf: add.id}",
      "register_reader.arazzo.yaml:60: $.workflows[0].steps[2]: "
        + "x-writ.credential.secretOf: the step 'add' has no secret output 'id'"),
    Edit(
      "inDoubt: review",
      "inDoubt: review\n          credential: {secretOf: add}",
      "register_reader.arazzo.yaml:69: "
        + "$.workflows[0].steps[2].x-writ.credential.secretOf: 'secretOf' must be "
        + "<stepId>.<output>"),
    Edit(
      "inDoubt: review",
      "inDoubt: review\n          credential: {secretOf: sub.id}",
      "register_reader.arazzo.yaml:60: $.workflows[0].steps[2]: "
        + "x-writ.credential.secretOf: there is no step 'sub' in this workflow"),
    Edit(
      "inDoubt: review",
      "inDoubt: review\n          credential: {}",
      "register_reader.arazzo.yaml:69: $.workflows[0].steps[2].x-writ.credential: a "
        + "credential has either secretOf or stored"),
    Edit(
      "id: $response.body#/id",
      "id: $response.body#id",
      "register_reader.arazzo.yaml:59: $.workflows[0].steps[1].outputs.id: a JSON "
        + "Pointer starts with / and writes ~ as ~0 and / as ~1 (at character 16)"),
    Edit(
      "id: $response.body#/id",
      "id: $response.cookie.id",
      "register_reader.arazzo.yaml:59: $.workflows[0].steps[1].outputs.id: .header. or "
        + ".body is expected (at character 10)"),
    Edit(
      "id: $response.body#/id",
      "id: $outputs.id",
      "register_reader.arazzo.yaml:59: $.workflows[0].steps[1].outputs.id: "
        + "$outputs.id: $outputs has a value only after a step that calls a workflow; use "
        + "$steps"),
    Edit(
      "id: $response.body#/id",
      "id: $request.query.id",
      "register_reader.arazzo.yaml:59: $.workflows[0].steps[1].outputs.id: "
        + "$request.query.id: the operation addReader has no such parameter"),
    Edit(
      "inDoubt: review",
      "effect: none\n          reason: It only reads"),
    Edit(
      "inDoubt: review",
      "inDoubt: review\n          effect: delete",
      "register_reader.arazzo.yaml:68: $.workflows[0].steps[2].x-writ: an effect of a "
        + "step's own needs the field 'reason'"),
    Edit(
      "inDoubt: review",
      "inDoubt: review\n          reason: why",
      "register_reader.arazzo.yaml:69: $.workflows[0].steps[2].x-writ.reason: 'reason' "
        + "belongs to 'effect'"),
  ]

  @Test(arguments: edits)
  func `a step that breaks a rule is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.arazzo), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }
}
