// A catalogue that is right: what the documents say arrives in the values.

import Arazzo
import JSON
import Testing

@Suite struct CatalogueTests {
  static func load() throws -> JobTypeDefinition {
    let catalogue = try Catalogue.load(files: Library.files())
    return try #require(catalogue.jobType("register_reader"))
  }

  @Test func `a catalogue holds the job types with everything that they reach`() throws {
    let type = try Self.load()
    #expect(type.workflow.workflowId == "registerReader")
    #expect(type.leastPrivilege == ["cards:write", "readers:read", "readers:write"])
    #expect(type.files.map(\.path) == [Library.openAPIPath, Library.arazzoPath])
    #expect(try Catalogue.load(files: type.files).jobTypes == [type])
  }

  @Test func `the policy of a workflow is read`() throws {
    let policy = try Self.load().workflow.policy
    #expect(
      policy.retry == RetryPolicy(maxAttempts: 5, base: .milliseconds(500), cap: .seconds(60)))
    #expect(policy.requestTimeout == .seconds(10))
    #expect(policy.deadline == .seconds(3600))
    #expect(policy.replay == .safe)
    #expect(policy.concurrency == 8)
    var context = EvaluationContext()
    context.inputs = JSONObject([("email", "ada@example.com")])
    #expect(policy.subject?.evaluateText(in: context) == "reader:ada@example.com")
  }

  @Test func `a rate and a window of idempotency are read, and have defaults`() throws {
    #expect(try Self.load().workflow.policy.rate == nil)
    #expect(try Self.load().workflow.policy.idempotencyWindow == .seconds(30 * 86_400))
    let text = try #require(
      Edit(
        "concurrency: 8",
        "rate: {limit: 5, per: PT0.5S}\n      idempotencyWindow: P2D"
      ).applied(to: Library.arazzo))
    let files = Library.files(arazzo: text)
    let policy = try #require(try Catalogue.load(files: files).jobType("register_reader"))
      .workflow.policy
    #expect(policy.rate == RateLimit(limit: 5, period: .milliseconds(500)))
    #expect(policy.idempotencyWindow == .seconds(2 * 86_400))
  }

  @Test func `steps hold their operation, their actions and their policy`() throws {
    let workflow = try Self.load().workflow
    #expect(workflow.steps.map(\.stepId) == ["find", "add", "card"])
    let find = try #require(workflow.step(id: "find"))
    #expect(find.operation?.operationId == "findReader")
    #expect(find.operation?.effect == OperationEffect.none)
    #expect(find.policy.inDoubt == nil)
    #expect(
      find.onSuccess.map(\.kind) == [
        .end(EndPolicy(outcome: .completed, reason: "The reader was there already"))
      ])
    #expect(
      find.onFailure.map(\.kind) == [.retry(after: .milliseconds(1500), limit: 3, first: nil)])
    let card = try #require(workflow.step(id: "card"))
    #expect(card.operation?.name == "issueCard")
    #expect(card.policy.inDoubt == .review)
    #expect(card.outputPolicy("pin").isSecret)
    #expect(card.outputPolicy("number") == OutputPolicy())
    #expect(workflow.step(id: "add")?.policy.inDoubt == .goto(stepId: "find"))
  }

  @Test func `operations inherit what their path and document say`() throws {
    let document = try Self.load().document
    guard case .openAPI(let api)? = document.sources["library"] else {
      Issue.record("the source is no OpenAPI document")
      return
    }
    let remove = try #require(api.operation(.delete, "/readers/{id}/card"))
    #expect(remove.name == "DELETE /readers/{id}/card")
    #expect(remove.parameter("id", in: .path)?.isRequired == true)
    #expect(remove.servers == ["https://library.example/api"])
    #expect(remove.security == [["session"]])
    #expect(api.operation(id: "findReader")?.security == [["key"]])
    #expect(api.securitySchemes["key"]?.kind == .apiKey(name: "X-API-Key", in: .header))
    #expect(api.securitySchemes["session"]?.session?["ttl"] == "PT1H")
    #expect(remove.describesSuccess(204))
    #expect(!remove.describesSuccess(200), "only what is described is a success")
    #expect(remove.response(for: 500)?.status == .default)
    #expect(api.operation(id: "issueCard")?.describesSuccess(299) == true)
    let schema = api.operation(id: "addReader")?.response(for: 201)?.content.first?.schema
    #expect(schema?["properties"]?["id"]?["type"] == "string", "references are put in place")
  }

  @Test func `inputs are read with their kinds, limits and policies`() throws {
    let inputs = try Self.load().workflow.inputs
    #expect(inputs.properties.map(\.name) == ["email", "name", "branch"])
    #expect(inputs.parameters.map(\.name) == ["email", "name"])
    #expect(inputs["email"]?.kind == .email)
    #expect(inputs["email"]?.isRequired == true)
    #expect(inputs["email"]?.policy.record == .digest)
    #expect(inputs["name"]?.constraints.maxLength == 80)
    #expect(inputs["branch"]?.policy.environmentName == "branch")
  }

  @Test func `a body is built from its payload and its replacements`() throws {
    let add = try #require(try Self.load().workflow.step(id: "add"))
    var context = EvaluationContext()
    context.inputs = JSONObject([("email", "ada@example.com"), ("name", "Ada")])
    #expect(
      add.requestBody?.evaluate(in: context)?.serialized()
        == #"{"email":"ada@example.com","name":"Ada"}"#)
    context.inputs["name"] = nil
    #expect(
      add.requestBody?.evaluate(in: context)?.serialized() == #"{"email":"ada@example.com"}"#,
      "what has no value is left out")
  }

  @Test func `a step without criteria succeeds with a status that its operation describes`() throws
  {
    let add = try #require(try Self.load().workflow.step(id: "add"))
    var context = EvaluationContext()
    for (status, succeeds) in [(201, true), (200, false), (409, false), (500, false)] {
      context.statusCode = status
      #expect(add.succeeds(in: context) == succeeds, "status \(status)")
    }
    context.statusCode = nil
    #expect(!add.succeeds(in: context))
  }

  @Test func `JSON documents are read like YAML documents`() throws {
    let document = """
      {"arazzo": "1.0.0", "info": {"title": "t", "version": "1"},
       "sourceDescriptions": [{"name": "library", "url": "./openapi/library.yaml"}],
       "workflows": [{"workflowId": "find", "x-writ": {"jobType": "find"},
         "inputs": {"type": "object", "properties": {"email": {"type": "string"}}},
         "steps": [{"stepId": "find", "operationId": "$sourceDescriptions.library.findReader",
           "parameters": [{"name": "email", "in": "query", "value": "$inputs.email"}]}]}]}
      """
    let files = [
      DocumentText(path: "find.arazzo.json", text: document),
      DocumentText(path: Library.openAPIPath, text: Library.openAPI),
    ]
    let catalogue = try Catalogue.load(files: files)
    #expect(catalogue.jobTypes.map(\.name) == ["find"])
    #expect(catalogue.jobTypes.first?.workflow.policy.retry == RetryPolicy())
  }
}
