// `writ types test`: a job type against the emulator, as its author runs it.

import AuthOSEmulator
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

    @Test(.timeLimit(.minutes(2)))
    func `tries a type of another API at a stand-in, finds what it makes twice, and shows no key`()
      async throws
    {
      try await TemporaryDirectory.with { directory in
        let file = "\(directory)/bill.arazzo.yaml"
        try FileManager.default.createDirectory(
          atPath: "\(directory)/openapi", withIntermediateDirectories: false)
        try Data(Self.billing.utf8).write(
          to: URL(fileURLWithPath: "\(directory)/openapi/billing.yaml"))
        try Data(Self.bill.utf8).write(to: URL(fileURLWithPath: file))
        let key = "canary-8c1f0e6a5b7d4c39"
        try Data("\(key)\n".utf8).write(to: URL(fileURLWithPath: "\(directory)/key.txt"))
        let trial = try await WritProcess.start([
          "types", "test", file, "--every-fault", "--json", "--secret",
          "billing.key=\(directory)/key.txt",
        ])
        #expect(try await trial.awaitEnd(within: .seconds(100)) == .exited(1), "\(trial.errors)")
        let output = trial.output.joined()
        #expect(!(output + trial.errors.joined()).contains(key))
        let trials = try JSONValue(parsing: output.utf8.map { $0 })["trials"]?.arrayValue ?? []
        // Every kind that any service can show, and the job without faults.
        #expect(trials.count == Fault.kinds.count - Fault.kindsOfAuthOS.count + 1)
        for trial in trials {
          let kind = trial["faults"]?[0]?["kind"]?.stringValue ?? "none"
          let isDoubled = [
            "error500AfterEffect", "timeout408AfterEffect", "dropAfter",
            "htmlBadGateway502AfterEffect",
          ].contains(kind)
          #expect(
            trial["doubled"]
              == (isDoubled ? ["createInvoice took effect once too often"] : []), "\(kind)")
          #expect(trial["requests"]?[0]?["target"] == "billing")
        }
        #expect(trials.first?["outcome"] == "completed")
      }
    }

    @Test(.timeLimit(.minutes(4)))
    func `sends the requests of a type to a server of one's own`() async throws {
      try await TemporaryDirectory.with { directory in
        let secret = "whsec_\(Data((1...32).map { UInt8($0) }).base64EncodedString())"
        let receiver = try await WebhookReceiver(key: .secret(secret))
        let file = "\(directory)/signing.txt"
        try Data("\(secret)\n".utf8).write(to: URL(fileURLWithPath: file))
        let trial = try await WritProcess.start([
          "types", "test", "notify_webhook", "--target", "webhook_receiver=\(receiver.url)",
          "--secret", "webhook_receiver.signing=\(file)",
        ])
        #expect(try await trial.awaitEnd(within: .seconds(150)) == .exited(0), "\(trial.errors)")
        // The receiver takes only what is signed with the key of the file.
        #expect(receiver.effects.count == 1)
        #expect(!(trial.output + trial.errors).joined().contains(secret))
        let wrong = try await WritProcess.start([
          "types", "test", "notify_webhook", "--target", "receiver=\(receiver.url)",
        ])
        #expect(try await wrong.awaitEnd(within: .seconds(20)) == .exited(64))
        #expect(
          wrong.errors.first
            == "writ: --target receiver: notify_webhook calls no such API; it calls webhook_receiver"
        )
        try await receiver.stop()
      }
    }

    private static let billing = """
      openapi: 3.1.0
      info: {title: Billing, version: 1.0.0}
      components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
      security: [{key: []}]
      paths:
        /invoices:
          post:
            operationId: createInvoice
            x-effect: create
            requestBody:
              required: true
              content:
                application/json:
                  schema: {type: object, required: [customer], properties: {customer: {type: string}}}
            responses:
              '201':
                description: Made.
                content:
                  application/json:
                    schema: {type: object, properties: {id: {type: string, examples: [inv_1]}}}
      """

    private static let bill = """
      arazzo: 1.0.1
      info: {title: Bill a customer, version: 1.0.0}
      sourceDescriptions:
        - {name: billing, url: openapi/billing.yaml, type: openapi}
      workflows:
        - workflowId: bill
          x-writ: {jobType: bill}
          inputs:
            type: object
            required: [customer]
            properties: {customer: {type: string, examples: [ada]}}
          steps:
            - stepId: create
              operationId: createInvoice
              requestBody: {contentType: application/json, payload: {customer: $inputs.customer}}
              x-writ: {inDoubt: resend}
      """

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
