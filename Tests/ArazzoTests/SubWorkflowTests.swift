// Workflows that call workflows, of the same document and of others; what Arazzo 1.1 adds.

import Arazzo
import JSON
import Testing

@Suite struct SubWorkflowTests {
  static let shared = """
    arazzo: 1.1.0
    $self: https://library.example/shared
    info: {title: Shared, version: "1"}
    sourceDescriptions:
      - {name: library, url: ../openapi/library.yaml, type: openapi}
    workflows:
      - workflowId: findReader
        inputs:
          type: object
          required: [email]
          properties: {email: {type: string}}
        steps:
          - stepId: find
            operationId: findReader
            timeout: 1500
            parameters: [{name: email, in: query, value: $inputs.email}]
            outputs: {reader: "$response.body#/readers/0"}
        outputs: {reader: $steps.find.outputs.reader}
    """

  static let main = """
    arazzo: 1.1.0
    info: {title: Main, version: "1"}
    sourceDescriptions:
      - {name: library, url: openapi/library.yaml}
      - {name: shared, url: "https://library.example/shared", type: arazzo}
    workflows:
      - workflowId: add_reader
        x-writ: {jobType: add_reader}
        dependsOn: [prepare]
        inputs: {type: object, properties: {email: {type: string}}}
        steps:
          - stepId: find
            workflowId: $sourceDescriptions.shared.findReader
            parameters: [{name: email, value: $inputs.email}]
            successCriteria:
              - condition: $outputs.reader.id != null
            onFailure:
              - name: add
                type: goto
                workflowId: add
                parameters: [{name: email, value: $inputs.email}]
            outputs: {reader: $outputs.reader}
        outputs: {reader: $steps.find.outputs.reader}
      - workflowId: prepare
        steps:
          - stepId: find
            operationId: $sourceDescriptions.library.findReader
            parameters: [{name: email, in: query, value: x}]
      - workflowId: add
        inputs: {type: object, required: [email], properties: {email: {type: string}}}
        steps:
          - stepId: add
            operationId: $sourceDescriptions.library.addReader
            x-writ: {inDoubt: review}
            requestBody: {payload: {email: $inputs.email}}
    """

  static func files(main: String = main, shared: String = shared) -> [DocumentText] {
    [
      DocumentText(path: "main.arazzo.yaml", text: main),
      DocumentText(path: "shared/shared.arazzo.yaml", text: shared),
      DocumentText(path: Library.openAPIPath, text: Library.openAPI),
    ]
  }

  @Test func `a job type reaches the workflows of its own and of other documents`() throws {
    let catalogue = try Catalogue.load(files: Self.files())
    #expect(catalogue.jobTypes.map(\.name) == ["add_reader"], "what is lent is no job type")
    let type = try #require(catalogue.jobTypes.first)
    #expect(type.leastPrivilege == ["readers:read", "readers:write"])
    #expect(type.files.count == 3)
    let reference = WorkflowReference(source: "shared", workflowId: "findReader")
    #expect(type.workflow.steps.first?.target == .workflow(reference))
    let called = try #require(type.document.resolve(reference))
    #expect(called.document.file == "shared/shared.arazzo.yaml")
    #expect(called.workflow.steps.first?.timeout == .milliseconds(1500))
    #expect(try Catalogue.load(files: type.files).jobTypes == [type])
  }

  static let edits: [Edit] = [
    Edit(
      "dependsOn: [prepare]", "dependsOn: [add_reader]",
      "main.arazzo.yaml:7: $.workflows[0]: the workflow 'add_reader' depends on itself through its "
        + "dependsOn"),
    Edit(
      "workflowId: $sourceDescriptions.shared.findReader", "workflowId: add_reader",
      "main.arazzo.yaml:7: $.workflows[0]: the workflow 'add_reader' calls itself through its steps"
    ),
    Edit(
      "shared.findReader", "shared.findBook",
      "main.arazzo.yaml:13: $.workflows[0].steps[0].workflowId: there is no workflow 'findBook' in "
        + "shared/shared.arazzo.yaml"),
    Edit(
      "$sourceDescriptions.shared.findReader", "$sourceDescriptions.library.findReader",
      "main.arazzo.yaml:13: $.workflows[0].steps[0].workflowId: the source description 'library' is "
        + "an OpenAPI document; it has no workflows"),
    Edit(
      "operationId: $sourceDescriptions.library.addReader",
      "operationId: $sourceDescriptions.shared.addReader",
      "main.arazzo.yaml:33: $.workflows[2].steps[0].operationId: the source description 'shared' is "
        + "an Arazzo document; it has no operations"),
    Edit(
      "condition: $outputs.reader.id != null", "condition: $statusCode == 200",
      "main.arazzo.yaml:16: $.workflows[0].steps[0].successCriteria[0].condition: $statusCode: this "
        + "step calls a workflow, which has no request and no response; use $outputs"),
    Edit(
      "{name: email, value: $inputs.email}]\n        successCriteria",
      "{name: mail, value: $inputs.email}]\n        successCriteria",
      "main.arazzo.yaml:12: $.workflows[0].steps[0]: the workflow 'findReader' needs "
        + "the input 'email'",
      "main.arazzo.yaml:14: $.workflows[0].steps[0].parameters[0]: the workflow "
        + "'findReader' has no input 'mail'; did you mean email?"),
    Edit(
      "{name: email, value: $inputs.email}]\n        successCriteria",
      "{name: email, in: query, value: $inputs.email}]\n        successCriteria",
      "main.arazzo.yaml:14: $.workflows[0].steps[0].parameters[0].in: a parameter of a workflow has "
        + "no 'in'"),
    Edit(
      "  - workflowId: prepare", "  - workflowId: prepare\n    x-writ: {jobType: other}",
      "main.arazzo.yaml:24: $.workflows[1]: a document defines one job type, and 'add_reader' is it "
        + "already; remove x-writ.jobType or move the workflow to a file of its own"),
    Edit(
      "  - workflowId: prepare", "  - workflowId: prepare\n    x-writ: {replay: safe}",
      "main.arazzo.yaml:24: $.workflows[1]: x-writ has a meaning only on the "
        + "workflow that is the job type, 'add_reader'"),
  ]

  @Test(arguments: edits)
  func `a call that does not fit is refused`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Self.main))
    #expect(Library.errors(Self.files(main: document)) == edit.errors)
  }

  @Test func `two job types cannot have one name`() {
    var files = Library.files()
    files.append(DocumentText(path: "zz.arazzo.yaml", text: Library.arazzo))
    #expect(
      Library.errors(files) == [
        "zz.arazzo.yaml:10: $.workflows[0]: the job type 'register_reader' is already defined in "
          + "register_reader.arazzo.yaml"
      ])
  }

  @Test func `all faults of all documents are reported in one run`() throws {
    let arazzo = try #require(Edit("replay: safe", "replay: x").applied(to: Library.arazzo))
    let openAPI = try #require(Edit("3.1.0", "2.0.0").applied(to: Library.openAPI))
    #expect(Library.errors(Library.files(arazzo: arazzo, openAPI: openAPI)).count == 2)
  }
}
