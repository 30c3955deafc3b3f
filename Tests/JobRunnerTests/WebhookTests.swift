// The example of a second API, from the order in the database to a receiver that verifies signatures,
// drops duplicates and misbehaves.

import Arazzo
import JSON
import JobModel
import JobStore
import Logging
import Secrets
import Synchronization
import Testing
import WritTesting

@testable import JobRunner

@Suite struct WebhookTests {
  private static let secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

  /// `notify_webhook` in a hurry: the same document and steps, with short waits.
  private static func impatient() throws -> JobTypeDefinition {
    let files = try #require(try Workshop.catalogue().jobType("notify_webhook")).files.map { file in
      guard file.path.hasSuffix(".arazzo.yaml") else { return file }
      let text = file.text.replacing("jobType: notify_webhook", with: "jobType: notify_soon")
        .replacing(
          "maxAttempts: 20, base: PT5S, cap: PT12H",
          with: "maxAttempts: 20, base: PT0.02S, cap: PT0.1S"
        )
        .replacing("requestTimeout: PT20S", with: "requestTimeout: PT0.5S")
        .replacing("retryAfter: 600", with: "retryAfter: 0.05")
      return DocumentText(path: file.path, text: text)
    }
    return try #require(try Catalogue.load(files: files).jobType("notify_soon"))
  }

  private static func order(_ workshop: Workshop, _ number: Int = 1) async throws -> Int {
    try await workshop.order(
      "notify_soon",
      [
        "event_type": "user.created", "subject": .string("user \(number)"),
        "data": ["number": JSONValue(number)],
      ])
  }

  private static func open(
    _ receiver: WebhookReceiver, secret: String? = secret, hasURL: Bool = true,
    logger: Logger = quietLogger, _ body: @escaping @Sendable (Workshop) async throws -> Void
  ) async throws {
    try await Workshop.open { workshop in
      try await workshop.admin.publish(try impatient())
      if let secret {
        try workshop.secrets.set("default/targets.webhook_receiver.signing", secret)
      }
      try await workshop.withWorker(
        logger: logger,
        { if hasURL { $0.environments[0].targets["webhook_receiver"] = receiver.url } }
      ) { _, _ in try await body(workshop) }
    }
    try await receiver.stop()
  }

  private static func receiver() async throws -> WebhookReceiver {
    try await WebhookReceiver(key: .secret(secret), clock: { 1_800_000_000 })
  }

  private static func story(_ workshop: Workshop, _ job: Int) async throws -> (
    code: String?, text: String?
  ) {
    let error = try await workshop.admin.job(job)?.summary.lastError
    return (error?["code"]?.stringValue, error?["text"]?.stringValue)
  }

  @Test func `a message arrives once, signed, at the configured address`() async throws {
    let receiver = try await Self.receiver()
    try await Self.open(receiver) { workshop in
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "completed")
      #expect(receiver.requests.map(\.fault) == [nil])
      #expect(receiver.requests.map(\.uri) == ["/hooks"])
      #expect(receiver.requests.first?.id.hasPrefix("writ_\(job)_") == true)
      #expect(
        receiver.requests.first?.body == #"{"type":"user.created","data":{"number":1}}"#)
    }
    #expect(receiver.effects.count == 1)
  }

  @Test func `whatever goes wrong on the way, a message takes effect once`() async throws {
    let receiver = try await Self.receiver()
    try await Self.open(receiver) { workshop in
      let faults: [[WebhookReceiver.Fault]] = [
        [.dropAfterEffect], [.dropBefore, .dropAfterEffect], [.answer(500)], [.answer(503)],
        [.silenceAfterEffect], [.answer(429, headers: ["retry-after": "0"])], [.answer(425)],
        [.answer(502), .dropAfterEffect, .answer(504)], [.answer(408)],
        [.answer(404), .answer(403)],
      ]
      for (number, faults) in faults.enumerated() {
        let before = receiver.requests.count
        receiver.misbehave(faults)
        let job = try await Self.order(workshop, number)
        try await workshop.expect(job, toBe: "completed")
        let requests = receiver.requests[before...]
        #expect(requests.count == faults.count + 1, "\(faults)")
        #expect(Set(requests.map(\.id)).count == 1, "\(faults)")
        #expect(requests.allSatisfy { $0.fault == nil }, "\(faults)")
        #expect(receiver.effects.count == number + 1, "\(faults)")
      }
    }
  }

  @Test func `a receiver that wants no more ends the job with a sentence`() async throws {
    let receiver = try await Self.receiver()
    try await Self.open(receiver) { workshop in
      receiver.misbehave([.answer(410)])
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "discarded")
      #expect(
        try await Self.story(workshop, job).text
          == "The receiver wants no more messages (410); take its address out of the configuration."
      )
    }
    #expect(receiver.requests.count == 1)
  }

  @Test func `a redirect is not followed`() async throws {
    let receiver = try await Self.receiver()
    try await Self.open(receiver) { workshop in
      receiver.misbehave([.answer(308, headers: ["location": "/elsewhere"])])
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "discarded")
      #expect(try await Self.story(workshop, job).code == "redirected")
    }
    #expect(receiver.requests.map(\.uri) == ["/hooks"])
  }

  @Test func `without an address a job waits and says which setting is missing`() async throws {
    let receiver = try await Self.receiver()
    try await Self.open(receiver, hasURL: false) { workshop in
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "retryable")
      let story = try await Self.story(workshop, job)
      #expect(story.code == "target_missing")
      #expect(
        story.text
          == "the address of the target is not configured; set environments.default.targets.webhook_receiver.url"
      )
    }
    #expect(receiver.requests.isEmpty)
  }

  @Test(arguments: [
    (
      nil,
      "the secret default/notify_soon.webhook_receiver.signing, or default/targets.webhook_receiver.signing is missing or unusable"
    ),
    (
      "whsec_canary-that-is-no-base64",
      "the secret default/targets.webhook_receiver.signing is unusable: after whsec_ it must be the base64 of 24 to 64 random bytes"
    ),
  ])
  func `without a signing secret a job waits and names it`(
    secret: String?, text: String
  ) async throws {
    let receiver = try await Self.receiver()
    try await Self.open(receiver, secret: secret) { workshop in
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "retryable")
      let story = try await Self.story(workshop, job)
      #expect(story.code == "credential_missing")
      #expect(story.text == text)
      #expect(try await !workshop.dump().contains("canary-that-is-no-base64"))
    }
    #expect(receiver.requests.isEmpty)
  }

  @Test func `a receiver that knows the next key already takes messages signed by both`()
    async throws
  {
    let receiver = try await Self.receiver()
    let other = "whsec_" + String(repeating: "QUFB", count: 8)
    try await Self.open(receiver, secret: "\(other) \(Self.secret)") { workshop in
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "completed")
    }
    #expect(receiver.requests.map(\.fault) == [nil])
  }

  @Test func `a refused signature waits for another secret`() async throws {
    let receiver = try await Self.receiver()
    let other = "whsec_" + String(repeating: "QUFB", count: 8)
    try await Self.open(receiver, secret: other) { workshop in
      let job = try await Self.order(workshop)
      try await workshop.expect(job, toBe: "retryable")
      #expect(receiver.requests.map(\.fault) == ["no signature fits"])
      #expect(try await Self.story(workshop, job).code == "unauthorized")
    }
    #expect(receiver.effects.isEmpty)
  }
}
