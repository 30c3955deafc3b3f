// How the steps of a job type are drawn, in a terminal and for Mermaid: whole outputs.

import Arazzo
import JSON
import Testing

@testable import writ

@Suite struct StepDiagramTests {
  static let openAPI = """
    openapi: 3.1.0
    info: {title: Lamps, version: "1"}
    paths:
      /lamps/{id}:
        parameters: [{name: id, in: path, required: true, schema: {type: string}}]
        get: {operationId: look, responses: {"200": {description: The lamp}}}
        put: {operationId: light, x-effect: update, responses: {"200": {description: Lit}}}
        delete: {operationId: remove, x-effect: delete, responses: {"204": {description: Gone}}}
        post: {operationId: fill, x-effect: create, responses: {"201": {description: Filled}}}
    """

  static let arazzo = """
    arazzo: 1.0.1
    info: {title: Lamps, version: "1"}
    sourceDescriptions: [{name: lamps, url: lamps.yaml, type: openapi}]
    workflows:
      - workflowId: light-up
        x-writ: {jobType: light_up}
        inputs: {type: object, required: [id], properties: {id: {type: string}}}
        parameters: [{name: id, in: path, value: $inputs.id}]
        steps:
          - stepId: look
            operationId: look
            onSuccess:
              - name: lit
                type: end
                criteria: [{condition: $response.body#/lit == true}]
            onFailure:
              - {name: hurried, type: retry, retryAfter: 1.5, retryLimit: 3, criteria: [{condition: $statusCode == 429}]}
              - name: gone
                type: end
                criteria: [{condition: $statusCode == 404}]
                x-writ: {outcome: review, reason: "There is \\"no\\" such lamp."}
          - stepId: light
            operationId: light
            x-writ: {inDoubt: {goto: look}}
            onFailure:
              - {name: stuck, type: retry, stepId: clear, criteria: [{condition: $statusCode == 409}]}
            onSuccess: [{name: done, type: end}]
          - stepId: clear
            operationId: remove
            x-writ: {inDoubt: resend}
    """

  static func type(_ arazzo: String = arazzo) throws -> JobTypeDefinition {
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "lamps.arazzo.yaml", text: arazzo),
      DocumentText(path: "lamps.yaml", text: openAPI),
    ])
    return try #require(catalogue.jobType("light_up"))
  }

  /// A job type that reaches other workflows in every way: each does what no other does.
  static let nested = """
    arazzo: 1.1.0
    info: {title: Lamps, version: "1"}
    sourceDescriptions: [{name: lamps, url: lamps.yaml, type: openapi}]
    workflows:
      - workflowId: light-up
        x-writ: {jobType: light_up}
        dependsOn: [wipe]
        inputs: {type: object, required: [id], properties: {id: {type: string}}}
        steps:
          - stepId: ask
            workflowId: query
            parameters: [{name: id, value: $inputs.id}]
            onFailure:
              - {name: refill, type: retry, workflowId: fill, parameters: [{name: id, value: $inputs.id}], criteria: [{condition: $outputs.lit == null}]}
              - {name: give, type: goto, workflowId: light, parameters: [{name: id, value: $inputs.id}]}
      - workflowId: query
        inputs: {type: object, required: [id], properties: {id: {type: string}}}
        outputs: {lit: $steps.look.outputs.lit}
        steps:
          - stepId: look
            operationId: look
            parameters: [{name: id, in: path, value: $inputs.id}]
            outputs: {lit: $response.body#/lit}
      - workflowId: wipe
        inputs: {type: object, required: [id], properties: {id: {type: string}}}
        steps:
          - stepId: remove
            operationId: remove
            parameters: [{name: id, in: path, value: $inputs.id}]
            x-writ: {inDoubt: resend}
      - workflowId: fill
        inputs: {type: object, required: [id], properties: {id: {type: string}}}
        steps:
          - stepId: fill
            operationId: fill
            parameters: [{name: id, in: path, value: $inputs.id}]
            x-writ: {inDoubt: review}
      - workflowId: light
        inputs: {type: object, required: [id], properties: {id: {type: string}}}
        steps:
          - stepId: light
            operationId: light
            parameters: [{name: id, in: path, value: $inputs.id}]
            x-writ: {inDoubt: review}
            onFailure:
              - name: broken
                type: end
                x-writ: {outcome: review, reason: "\\e[31mThe lamp is broken"}
    """

  @Test func `every operation that a job can reach is in all four outputs`() throws {
    let type = try Self.type(Self.nested)
    let page = try #require(
      ReferencePage.all(of: Catalogue.load(files: type.files)).first { $0.name == "light_up.md" })
    let outputs = [
      JobTypeReport.lines(type).joined(separator: "\n"),
      MermaidChart.lines(type).joined(separator: "\n"),
      JobTypeReport.json(type).serialized(), page.text,
    ]
    for method in ["GET", "PUT", "DELETE", "POST"] {
      for output in outputs { #expect(output.contains("\(method) /lamps/{id}"), "\(output)") }
    }
    for name in ["wipe", "fill", "light"] {
      #expect(outputs[0].contains("\nThe workflow \(name)\n"))
      #expect(outputs[1].contains(#"["the workflow \#(name)"]"#))
      #expect(outputs[2].contains(#"{"name":"\#(name)","file":"lamps.arazzo.yaml","#))
      #expect(outputs[3].contains("### The workflow `\(name)`\n"))
    }
    #expect(outputs[0].contains("\n  first the workflow wipe\n"))
    #expect(outputs[1].contains(#"  start -->|"first"| w1"#))
    #expect(outputs[2].contains(#""depends_on":["wipe"]"#))
    #expect(outputs[3].contains("First the workflow `wipe`."))
    #expect(page.text.contains("| `ask/look` | GET /lamps/{id} |"))
    #expect(page.text.contains("| `broken` | `light` of `light` | waiting for a person |"))
  }

  @Test func `control characters of a document are shown instead of obeyed`() throws {
    let summary = #"summary: "\e[2JLamps""#
    let description = #"description: "\e[2JAll""#
    let type = try Self.type(
      Self.nested.replacing(
        "    x-writ: {jobType: light_up}\n",
        with: "    \(summary)\n    \(description)\n    x-writ: {jobType: light_up}\n"))
    let page = ReferencePage.all(of: try Catalogue.load(files: type.files)).map(\.text).joined()
    let text = JobTypeReport.lines(type).joined() + MermaidChart.lines(type).joined() + page
    #expect(!text.unicodeScalars.contains("\u{1B}"))
    #expect(text.contains(#"\u{1b}[2JLamps"#))
    #expect(text.contains(#"\u{1b}[31mThe lamp is broken"#))
    let error = #expect(throws: CatalogueError.self) {
      try Self.type(
        Self.arazzo.replacing("operationId: look\n", with: #"operationId: "\e[2J""# + "\n"))
    }
    let faults = ErrorReport(try #require(error)).lines.joined()
    #expect(faults.contains(#"\u{1b}[2J"#))
    #expect(!faults.unicodeScalars.contains("\u{1B}"))
  }

  @Test func `the workflows are boxes of the Mermaid chart, with ends of their own`() throws {
    let expected = """
      flowchart TD
        start([start]) --> s1
        s1["ask<br/>the workflow query"]
        completed_(["completed"])
        start -->|"first"| w1
        s1 -->|"runs"| w2
        s1 --> completed_
        s1 -.->|"failure: refill, then again, at most 1 x"| w3
        s1 -.->|"failure: give"| w4
        subgraph g1["the workflow wipe"]
          w1[["wipe"]] --> w1s1
          w1s1["remove<br/>DELETE /lamps/{id}"]
          w1completed_(["completed"])
        end
        w1s1 --> w1completed_
        w1s1 ==>|"in doubt"| w1s1
      """
    let lines = MermaidChart.lines(try Self.type(Self.nested))
    #expect(lines.prefix(16).joined(separator: "\n") == expected)
  }

  @Test func `the diagram shows each step with the ways out of it`() throws {
    let expected = """
      [1] look   GET /lamps/{id}     reads
       ├─ success: lit ──▶ end: completed
       ├─ success ──▶ [2] light
       ├─ failure: hurried ──▶ [1] look, after 1500ms, at most 3 times
       └─ failure: gone ──▶ end: waiting for a person – There is "no" such lamp.

      [2] light  PUT /lamps/{id}     updates
       ├─ success: done ──▶ end: completed
       ├─ failure: stuck ──▶ [2] light, first [3] clear, at most once
       └─ in doubt ──▶ [1] look

      [3] clear  DELETE /lamps/{id}  deletes
       ├─ success ──▶ end: completed
       └─ in doubt ──▶ [3] clear, sent again
      """
    let diagram = StepDiagram(try Self.type())
    let section = try #require(diagram.sections.all.first)
    #expect(diagram.lines(section).joined(separator: "\n") == expected)
  }

  @Test func `the Mermaid chart has the same edges`() throws {
    let expected = """
      flowchart TD
        start([start]) --> s1
        s1["look<br/>GET /lamps/{id}"]
        s2["light<br/>PUT /lamps/{id}"]
        s3["clear<br/>DELETE /lamps/{id}"]
        completed_(["completed"])
        review_(["waiting for a person"])
        s1 -->|"success: lit"| completed_
        s1 --> s2
        s1 -.->|"failure: hurried, at most 3 x"| s1
        s1 -.->|"failure: gone"| review_
        s2 -->|"success: done"| completed_
        s2 -.->|"failure: stuck, then again, at most 1 x"| s3
        s2 ==>|"in doubt"| s1
        s3 --> completed_
        s3 ==>|"in doubt"| s3
      """
    #expect(MermaidChart.lines(try Self.type()).joined(separator: "\n") == expected)
  }

  @Test func `the JSON has the edges with their conditions`() throws {
    let diagram = StepDiagram(try Self.type())
    let section = try #require(diagram.sections.all.first)
    let edges = StepGraph(section.workflow).edges.map { diagram.json($0, section).serialized() }
    #expect(edges.count == 9)
    #expect(
      edges[0] == #"{"from":"look","cause":"success","action":"lit","#
        + #""conditions":["$response.body#/lit == true"],"end":"completed"}"#)
    #expect(
      edges[2] == #"{"from":"look","cause":"failure","action":"hurried","#
        + #""conditions":["$statusCode == 429"],"to":"look","after":"1500ms","limit":3}"#)
  }
}
