// `writ types test`: a job type against the emulator, as its author runs it.

import Foundation
import JSON
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `A trial of a job type` {
    @Test(.timeLimit(.minutes(2)))
    func `tells what every fault at every request came to, and leaves nothing behind`() async throws
    {
      let trial = try await WritProcess.start(
        ["types", "test", "create_user", "--every-fault", "--json"])
      #expect(try await trial.awaitEnd(within: .seconds(100)) == .exited(0), "\(trial.errors)")
      let document = try JSONValue(parsing: trial.output.joined().utf8.map { $0 })
      let trials = document["trials"]?.arrayValue ?? []
      #expect(trials.count > 12)
      #expect(document["as_expected"] == true)
      #expect(
        trials.allSatisfy {
          $0["effects"]?.arrayValue?.compactMap { $0["effect"]?.stringValue } == [
            "userInserted", "linkInserted",
          ]
        })
      let left = try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
      #expect(!left.contains { $0.hasPrefix("writ-demo-\(trial.identifier)-") })
    }

    @Test(.timeLimit(.minutes(2)))
    func `finds that a type of one's own makes something twice`() async throws {
      try await TemporaryDirectory.with { directory in
        let file = "\(directory)/make_key.arazzo.yaml"
        try Data(Self.careless.utf8).write(to: URL(fileURLWithPath: file))
        let fine = try await WritProcess.start(["types", "test", file])
        #expect(try await fine.awaitEnd(within: .seconds(60)) == .exited(0), "\(fine.errors)")
        #expect(fine.output.last == "  as expected: completed")
        let trial = try await WritProcess.start(
          ["types", "test", file, "--fault", "make=dropAfter"])
        #expect(try await trial.awaitEnd(within: .seconds(60)) == .exited(1), "\(trial.errors)")
        #expect(trial.output.last == "  not as expected: 1 API key too many")
        let wrong = try await WritProcess.start(
          ["types", "test", file, "--fault", "make=dropAfter", "--expect", "review"])
        #expect(try await wrong.awaitEnd(within: .seconds(60)) == .exited(1))
        #expect(
          wrong.output.last == "  not as expected: completed, 1 API key too many")
      }
    }

    /// Sends again in doubt, where sending twice makes two.
    private static let careless = """
      arazzo: 1.0.1
      info: {title: Make a key, version: 1.0.0}
      sourceDescriptions:
        - {name: authos, url: openapi/authos.yaml, type: openapi}
      workflows:
        - workflowId: make_key
          x-writ: {jobType: make_key}
          inputs:
            type: object
            required: [name]
            properties:
              name: {type: string, examples: [mine]}
              organization: {type: string, x-writ: {from: environment, name: organization}}
              service: {type: string, x-writ: {from: environment, name: service}}
          steps:
            - stepId: make
              operationId: createApiKey
              parameters:
                - {name: org_slug, in: path, value: $inputs.organization}
                - {name: service_slug, in: path, value: $inputs.service}
              requestBody:
                contentType: application/json
                payload: {name: $inputs.name, permissions: ["read:users"]}
              x-writ: {inDoubt: resend}
      """
  }
}
