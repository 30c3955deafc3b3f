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

  static func workflow() throws -> Workflow {
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "lamps.arazzo.yaml", text: arazzo),
      DocumentText(path: "lamps.yaml", text: openAPI),
    ])
    return try #require(catalogue.jobType("light_up")).workflow
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
    #expect(StepDiagram.lines(try Self.workflow()).joined(separator: "\n") == expected)
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
    #expect(MermaidChart.lines(try Self.workflow()).joined(separator: "\n") == expected)
  }

  @Test func `the JSON has the edges with their conditions`() throws {
    let edges = StepGraph(try Self.workflow()).edges.map { StepDiagram.json($0).serialized() }
    #expect(edges.count == 9)
    #expect(
      edges[0] == #"{"from":"look","cause":"success","action":"lit","#
        + #""conditions":["$response.body#/lit == true"],"end":"completed"}"#)
    #expect(
      edges[2] == #"{"from":"look","cause":"failure","action":"hurried","#
        + #""conditions":["$statusCode == 429"],"to":"look","after":"1500ms","limit":3}"#)
  }
}
