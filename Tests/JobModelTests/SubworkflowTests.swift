// Workflows that call, depend on and lead to other workflows; each is run with a crash at every point.

import Arazzo
import JSON
import Testing

@testable import JobModel

private let text = """
  arazzo: 1.0.1
  info: {title: Test, version: 1.0.0}
  sourceDescriptions:
    - {name: authos, url: openapi/authos.yaml, type: openapi}
  workflows:
    - workflowId: main
      x-writ: {jobType: main}
      dependsOn: [ready]
      inputs: {type: object, required: [email], properties: {email: {type: string}}}
      steps:
        - stepId: make
          workflowId: create
          parameters: [{name: address, value: $inputs.email}]
          outputs: {id: $outputs.id}
        - stepId: remove
          operationId: deleteUser
          parameters: [{name: user_id, in: path, value: $steps.make.outputs.id}]
          onFailure:
            - {name: again, type: retry, retryLimit: 2, stepId: link, criteria: [{condition: $statusCode == 404}]}
            - {name: other, type: goto, workflowId: last, criteria: [{condition: $statusCode == 404}]}
          onSuccess:
            - {name: last, type: goto, workflowId: last}
          x-writ: {inDoubt: resend}
        - stepId: link
          operationId: createUser
          requestBody: {contentType: application/json, payload: {email: $inputs.email}}
          x-writ: {inDoubt: resend}
    - workflowId: create
      inputs: {type: object, required: [address], properties: {address: {type: string}}}
      steps:
        - stepId: post
          operationId: createUser
          requestBody: {contentType: application/json, payload: {email: $inputs.address}}
          outputs: {id: $response.body#/id}
          x-writ: {inDoubt: resend}
      outputs: {id: $steps.post.outputs.id}
    - workflowId: ready
      steps:
        - {stepId: info, operationId: getServiceInfo, successCriteria: [{condition: $statusCode < 500}]}
    - workflowId: last
      steps:
        - {stepId: bye, operationId: getServiceInfo, successCriteria: [{condition: $statusCode < 500}]}
  """

@Suite struct `Sub-workflows` {
  private func simulation() throws -> Simulation {
    try Simulation(
      definition: jobType("main", arazzo: text), payload: JSONObject([("email", "a@example.com")]))
  }

  @Test func `run in order, with their inputs and outputs`() throws {
    var simulation = try simulation()
    #expect(try simulation.run() == .completed)
    #expect(simulation.requests == ["@ready/info", "make/post", "remove", "bye"])
    #expect(
      simulation.row.journal.map(\.step) == ["@ready/info", "make/post", "make", "remove", "bye"])
    #expect(
      simulation.authOS.ledger == ["create user a@example.com", "link user-1", "unlink user-1"])
  }

  @Test func `resume at any point`() throws {
    var point = 0
    while true {
      var simulation = try simulation()
      simulation.crashAfter = point
      #expect(try simulation.run() == .completed, "died at point \(point)")
      #expect(simulation.authOS.linked.isEmpty, "died at point \(point)")
      #expect(simulation.row.journal.allSatisfy { $0.result != nil })
      if simulation.crashAfter != nil { break }
      point += 1
    }
    #expect(point > 8)
  }
}
