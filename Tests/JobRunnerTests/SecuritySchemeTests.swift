// Every kind of credential over real HTTP: where it stands in the request, which secret it is, what a 401
// means, and that an answer which gives it back is no answer.

import Arazzo
import Foundation
import JSON
import JobModel
import JobStore
import Secrets
import Synchronization
import Testing
import WritTesting

@testable import JobRunner

@Suite struct SecuritySchemeTests {
  private static let openAPI = """
    openapi: 3.1.0
    info: {title: Ledger, version: "1"}
    servers: [{url: /relative}]
    paths:
      /header: {get: {operationId: header, security: [{header: []}], responses: {2XX: {description: x}}}}
      /query:
        get:
          operationId: query
          security: [{query: []}]
          parameters: [{name: page, in: query, schema: {type: string}}]
          responses: {2XX: {description: x}}
      /cookie: {get: {operationId: cookie, security: [{cookie: []}], responses: {2XX: {description: x}}}}
      /bearer: {get: {operationId: bearer, security: [{bearer: []}], responses: {2XX: {description: x}}}}
      /basic: {get: {operationId: basic, security: [{basic: []}], responses: {2XX: {description: x}}}}
      /both:
        get:
          operationId: both
          security: [{basic: [], header: [], application: []}, {bearer: []}]
          responses: {2XX: {description: x}}
      /open: {get: {operationId: open, security: [{}], responses: {2XX: {description: x}}}}
      /items/{id}:
        get:
          operationId: item
          security: []
          parameters: [{name: id, in: path, required: true, schema: {type: string}}]
          responses: {2XX: {description: x}}
    components:
      securitySchemes:
        header: {type: apiKey, in: header, name: X-Key}
        query: {type: apiKey, in: query, name: api key}
        cookie: {type: apiKey, in: cookie, name: sid}
        bearer: {type: http, scheme: Bearer}
        basic: {type: http, scheme: basic}
        application: {type: apiKey, in: header, name: X-App, x-writ: {secret: application}}
    """

  private static func definition(_ operation: String) throws -> JobTypeDefinition {
    let arazzo = """
      arazzo: 1.0.1
      info: {title: Ask, version: "1"}
      sourceDescriptions: [{name: ledger, url: openapi/ledger.yaml, type: openapi}]
      workflows:
        - workflowId: ask
          x-writ: {jobType: ask}
          inputs: {type: object, properties: {id: {type: string}}}
          steps:
            - stepId: ask
              operationId: \(operation)
              parameters: \(operation == "query" ? "[{name: page, in: query, value: $inputs.id}]" : operation == "item" ? "[{name: id, in: path, value: $inputs.id}]" : "[]")
      """
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "ask.arazzo.yaml", text: arazzo),
      DocumentText(path: "openapi/ledger.yaml", text: openAPI),
    ])
    return try #require(catalogue.jobType("ask"))
  }

  private let secrets: MemorySecretStore

  init() throws {
    secrets = try MemorySecretStore([
      "production/ask.ledger.key": "canary-key-of-the-type",
      "production/targets.ledger.key": "canary-key-of-all-types",
      "production/ask.key": "canary-key-of-AuthOS",
      "production/targets.ledger.token": "canary-token-1",
      "production/targets.ledger.user": "ada",
      "production/targets.ledger.password": "canary pass:word",
      "production/targets.ledger.application": "canary-application",
    ])
  }

  private func transport(
    _ receiver: WebhookReceiver?, pause: Duration = .seconds(30)
  ) throws -> (Transport, AsyncHTTPSender) {
    let configuration = try makeConfiguration { values in
      values.environments[0].targets["ledger"] = receiver.map { "http://127.0.0.1:\($0.port)" }
      values.refusedKeyPause = pause
    }
    let sender = AsyncHTTPSender(configuration: configuration)
    let transport = Transport(
      configuration: configuration, sender: sender, secrets: secrets, store: FakeStore(),
      time: .continuous, statistics: StatisticsBox(), logger: quietLogger)
    return (transport, sender)
  }

  private func request(
    _ operation: String, id: String = "1"
  ) throws -> (StepRequest, ClaimedJob, JobTypeDefinition) {
    let definition = try Self.definition(operation)
    let job = ClaimedJob(
      id: 1, type: "ask", environment: "production", payload: JSONObject([("id", .string(id))]))
    var machine = WorkflowMachine(definition: definition, job: job, environment: [:])
    var random = LowRandom()
    guard case .send(let request, _) = machine.start(random: &random) else {
      throw TransportFailure.notSent(.heldBack)
    }
    return (request, job, definition)
  }

  private func ask(
    _ operation: String, id: String = "1", _ transport: Transport
  ) async throws -> Result<StepResponse, TransportFailure> {
    let (request, job, definition) = try request(operation, id: id)
    let lease = Lease(
      worker: 1, validUntil: .seconds(10_000), margin: .seconds(1), time: .continuous)
    let keys = KeyReporter(
      store: FakeStore(), secrets: secrets, lease: lease, environments: [], logger: quietLogger)
    return await transport.send(
      request, of: job, definition, under: Registration(lease: lease, keys: keys))
  }

  @Test(arguments: [
    ("header", "/header", "x-key", "canary-key-of-the-type"),
    ("query", "/query?page=a%26b%3Dc&api%20key=canary-key-of-the-type", "", ""),
    ("cookie", "/cookie", "cookie", "sid=canary-key-of-the-type"),
    ("bearer", "/bearer", "authorization", "Bearer canary-token-1"),
    // RFC 7617: base64 of user, colon, password, which may hold colons itself.
    ("basic", "/basic", "authorization", "Basic YWRhOmNhbmFyeSBwYXNzOndvcmQ="),
    ("open", "/open", "authorization", nil),
  ])
  func `a credential stands where its scheme says`(
    operation: String, uri: String, header: String, value: String?
  ) async throws {
    let receiver = try await WebhookReceiver()
    let (transport, sender) = try transport(receiver)
    _ = try await ask(operation, id: "a&b=c", transport).get()
    try await sender.shutdown()
    try await receiver.stop()
    #expect(receiver.requests.map(\.uri) == [uri])
    if !header.isEmpty { #expect(receiver.requests.first?.headers[header] == value) }
  }

  @Test func `the schemes of one requirement are sent together, and the first requirement counts`()
    async throws
  {
    let receiver = try await WebhookReceiver()
    let (transport, sender) = try transport(receiver)
    _ = try await ask("both", transport).get()
    try await sender.shutdown()
    try await receiver.stop()
    let headers = try #require(receiver.requests.first?.headers)
    #expect(headers["authorization"]?.hasPrefix("Basic ") == true)
    #expect(headers["x-key"] == "canary-key-of-the-type")
    #expect(headers["x-app"] == "canary-application")
  }

  @Test func `a type without secrets of its own uses those of the target, never those of AuthOS`()
    async throws
  {
    let receiver = try await WebhookReceiver()
    let (transport, sender) = try transport(receiver)
    secrets.delete(try SecretName("production/ask.ledger.key"))
    _ = try await ask("header", transport).get()
    secrets.delete(try SecretName("production/targets.ledger.key"))
    let missing = try await ask("header", transport)
    try await sender.shutdown()
    try await receiver.stop()
    #expect(receiver.requests.map { $0.headers["x-key"] } == ["canary-key-of-all-types"])
    #expect(
      throws: TransportFailure.credentialMissing(
        name: "production/ask.ledger.key, or production/targets.ledger.key")
    ) { try missing.get() }
  }

  @Test func `user and password never come from two places`() async throws {
    let (transport, sender) = try transport(try await WebhookReceiver())
    try secrets.set("production/ask.ledger.user", "grace")
    let half = try await ask("basic", transport)
    try await sender.shutdown()
    #expect(
      throws: TransportFailure.credentialMissing(name: "production/ask.ledger.password")
    ) { try half.get() }
  }

  @Test(arguments: ["header", "query", "cookie", "bearer", "basic", "both"])
  func `a refused credential is kept back until one of its secrets changes`(
    operation: String
  ) async throws {
    let receiver = try await WebhookReceiver()
    let (transport, sender) = try transport(receiver)
    receiver.misbehave([.answer(401)])
    #expect(try await ask(operation, transport).get().status == 401)
    guard case .failure(.credentialUnusable) = try await ask(operation, transport) else {
      Issue.record("it was sent again")
      return
    }
    #expect(receiver.requests.count == 1)
    for word in ["key", "token", "password"] {
      try secrets.set("production/targets.ledger.\(word)", "another canary \(word)".hyphenated)
      try secrets.set("production/ask.ledger.key", "another-canary-key")
    }
    #expect(try await ask(operation, transport).get().status == 204)
    try await sender.shutdown()
    try await receiver.stop()
  }

  @Test func `a request is sent once more when its secret changed under way`() async throws {
    let secrets = secrets
    let receiver = try await WebhookReceiver(echo: { request in
      guard request.headers["x-key"] == "canary-key-of-the-type" else { return nil }
      try? secrets.set("production/ask.ledger.key", "canary-key-that-is-new")
      return (401, [:], "")
    })
    let (transport, sender) = try transport(receiver)
    #expect(try await ask("header", transport).get().status == 204)
    try await sender.shutdown()
    try await receiver.stop()
    #expect(receiver.requests.count == 2)
  }

  @Test(arguments: [
    ("header", "canary-key-of-the-type"), ("query", "canary-key-of-the-type"),
    ("cookie", "canary-key-of-the-type"), ("bearer", "canary-token-1"),
    ("basic", "YWRhOmNhbmFyeSBwYXNzOndvcmQ="), ("basic", "YWRhOmNhbmFyeSBwYXNzOndvcmQ"),
    ("basic", "canary pass:word"), ("basic", "canary%20pass%3aword"),
    ("basic", "canary%20pass%3Aword"), ("basic", "canary+pass%3Aword"),
    ("header", "Y2FuYXJ5LWtleS1vZi10aGUtdHlwZQ=="),
  ])
  func `an answer that repeats the credential is no answer`(
    operation: String, leak: String
  ) async throws {
    for inHeader in [false, true] {
      let receiver = try await WebhookReceiver(echo: { _ in
        inHeader ? (200, ["x-echo": leak], "{}") : (200, [:], #"{"echo":"\#(leak)"}"#)
      })
      let (transport, sender) = try transport(receiver)
      let result = try await ask(operation, transport)
      try await sender.shutdown()
      try await receiver.stop()
      #expect(receiver.requests.count == 1)
      #expect(throws: TransportFailure.ambiguous(.unreadableResponse)) { try result.get() }
    }
  }

  @Test(arguments: ["header", "query", "cookie", "bearer", "basic"], [302, 307, 401, 403, 429])
  func `a refusal that repeats the credential keeps its status and nothing else`(
    operation: String, status: Int
  ) async throws {
    let receiver = try await WebhookReceiver(echo: { request in
      let sent = [request.uri] + request.headers.map { "\($0.key): \($0.value)" }
      return (
        status, ["location": "http://elsewhere.example" + request.uri, "retry-after": "7"],
        sent.joined(separator: "; ") + "canary-key-of-the-type canary-token-1"
      )
    })
    let (transport, sender) = try transport(receiver)
    let response = try await ask(operation, transport).get()
    let next = try await ask(operation, transport)
    try await sender.shutdown()
    try await receiver.stop()
    #expect(response.status == status)
    #expect(response.body.isEmpty)
    #expect(response.headers.isEmpty)
    if status == 401 {
      guard case .failure(.credentialUnusable) = next else {
        Issue.record("it was sent again")
        return
      }
    }
  }

  /// Text with each UTF-16 code unit that `isEscaped` picks as `\uXXXX`.
  private static func escaped(
    _ text: String, _ isEscaped: (UInt16) -> Bool = { _ in true }
  ) -> String {
    text.utf16.map { unit in
      isEscaped(unit)
        ? "\\u" + String(repeating: "0", count: 4 - String(unit, radix: 16).count)
          + String(unit, radix: 16) : String(decoding: [unit], as: UTF16.self)
    }.joined()
  }

  @Test(arguments: [
    // As .NET writes a plus sign, and as Python and PHP write whatever is not ASCII.
    ("bearer", "canary+token+of+all", escaped("canary+token+of+all") { $0 == 0x2B }),
    ("bearer", "canary+token+of+all", escaped("canary+token+of+all") { $0 == 0x2B }.uppercasedHex),
    ("bearer", "canary+token+of+all", escaped("canary+token+of+all")),
    ("basic", "canário sécrèt 🔑🔒", escaped("canário sécrèt 🔑🔒") { $0 > 0x7E }),
    ("basic", "canário sécrèt 🔑🔒", escaped("canário sécrèt 🔑🔒")),
    ("basic", #"canary"pass\word"#, escaped(#"canary"pass\word"#)),
    // A message that holds JSON itself.
    ("bearer", "canary+token+of+all", #"{\"sent\":\"canary\\u002Btoken\\u002Bof\\u002Ball\"}"#),
  ])
  func `an answer that repeats the credential with escapes of JSON is no answer`(
    operation: String, secret: String, leak: String
  ) async throws {
    let word = operation == "basic" ? "password" : "token"
    try secrets.set("production/targets.ledger.\(word)", secret)
    for body in [#"{"echo":"\#(leak)"}"#, #"{"\#(leak)":1}"#, #"{"echo":"\#(leak)"#] {
      let receiver = try await WebhookReceiver(echo: { _ in (200, [:], body) })
      let (transport, sender) = try transport(receiver)
      let result = try await ask(operation, transport)
      try await sender.shutdown()
      try await receiver.stop()
      #expect(throws: TransportFailure.ambiguous(.unreadableResponse)) { try result.get() }
    }
  }

  @Test(arguments: [
    (#"a"#, nil), (#"a\"#, nil), (#"\x\u12"#, nil), (#"\u00e9\u002B\/\"\\"#, #"é+/"\"#),
    (#"\ud83d\udd11\ud83d"#, "🔑\u{fffd}"), (#"\uDD11\b\f\n\r\t"#, "\u{fffd}\u{8}\u{c}\n\r\t"),
    (#"\\u0041"#, #"\u0041"#), (#"\u0000"#, "\0"),
  ])
  func `escapes of JSON are read one layer at a time`(text: String, unescaped: String?) {
    #expect(
      JSONUnescaping.unescaped(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
        == unescaped)
  }

  @Test(arguments: [
    (
      "header", "production/ask.ledger.key", "canary\tkey",
      "a header takes visible ASCII characters only"
    ),
    (
      "cookie", "production/ask.ledger.key", "canary; admin=1",
      "a cookie takes visible ASCII characters without quotes, commas, semicolons and \\"
    ),
    ("basic", "production/targets.ledger.user", "ada:canary", "the name of a user has no colon"),
  ])
  func `a secret that would break out of its place is refused without being repeated`(
    operation: String, name: String, value: String, reason: String
  ) async throws {
    let receiver = try await WebhookReceiver()
    let (transport, sender) = try transport(receiver)
    try secrets.set(name, value)
    let result = try await ask(operation, transport)
    try await sender.shutdown()
    try await receiver.stop()
    #expect(receiver.requests.isEmpty)
    #expect(throws: TransportFailure.credentialUnusable(name: name, reason: reason)) {
      try result.get()
    }
  }

  @Test func `a target without an address is named with the setting that is missing`() async throws
  {
    let (transport, sender) = try transport(nil)
    let result = try await ask("open", transport)
    try await sender.shutdown()
    #expect(
      throws: TransportFailure.targetMissing(setting: "environments.production.targets.ledger.url")
    ) { try result.get() }
  }

  @Test(arguments: [
    "@evil.example", "//evil.example/x", "http://evil.example", "..", "../../admin", "a/../b",
    "%2e%2e", "x?y=1", "x#y", "x\r\nHost: evil.example", "\\evil.example", "é", "x;y", "…",
  ])
  func `an input chooses neither the host nor another path`(id: String) async throws {
    let receiver = try await WebhookReceiver()
    let (transport, sender) = try transport(receiver)
    if id == ".." {
      #expect(throws: TransportFailure.self) { try request("item", id: id) }
    } else {
      _ = try await ask("item", id: id, transport).get()
      let uri = try #require(receiver.requests.first?.uri)
      let segment = uri.dropFirst("/items/".count)
      #expect(uri.hasPrefix("/items/"))
      #expect(!segment.contains { "/?#@\\ ".contains($0) })
      #expect(segment.removingPercentEncoding == id)
      #expect(receiver.requests.first?.headers["host"] == "127.0.0.1:\(receiver.port)")
    }
    try await sender.shutdown()
    try await receiver.stop()
  }

  // MARK: Canaries

  /// A type with a step for each scheme, which records what it is answered.
  private static func everyScheme() throws -> JobTypeDefinition {
    let steps = ["header", "query", "cookie", "bearer", "basic", "both"].map { operation in
      """
            - stepId: \(operation)
              operationId: \(operation)
              outputs: {said: $response.body#/said, echo: $response.header.x-echo}
              x-writ: {outputs: {said: {record: clear}, echo: {record: clear}}}
      """
    }
    let arazzo = """
      arazzo: 1.0.1
      info: {title: Ask, version: "1"}
      sourceDescriptions: [{name: ledger, url: openapi/ledger.yaml, type: openapi}]
      workflows:
        - workflowId: ask_all
          x-writ: {jobType: ask_all, retry: {maxAttempts: 50, base: PT0.01S, cap: PT0.05S}}
          inputs: {type: object, properties: {}}
          steps:
      \(steps.joined(separator: "\n"))
          outputs: {said: $steps.basic.outputs.said}
      """
    let catalogue = try Catalogue.load(files: [
      DocumentText(path: "ask_all.arazzo.yaml", text: arazzo),
      DocumentText(path: "openapi/ledger.yaml", text: openAPI),
    ])
    return try #require(catalogue.jobType("ask_all"))
  }

  @Test func `a server that gives every kind of credential back puts none into a table or a log`()
    async throws
  {
    let canaries = [
      "canary-key-of-the-type", "canary-token-1", "canary pass:word", "canary-application",
      "YWRhOmNhbmFyeSBwYXNzOndvcmQ",
    ]
    let seen = Mutex<Set<Substring>>([])
    let receiver = try await WebhookReceiver(echo: { request in
      let path = request.uri.prefix { $0 != "?" }
      guard seen.withLock({ $0.insert(path).inserted }) else {
        return (200, [:], #"{"said":"welcome"}"#)
      }
      let sent = [request.uri] + request.headers.map { "\($0.key): \($0.value)" }
      return (200, ["x-echo": sent.joined(separator: " ")], #"{"said":"welcome"}"#)
    })
    try await Workshop.open { workshop in
      let sink = LogSink()
      for (word, value) in [
        ("key", canaries[0]), ("token", canaries[1]), ("user", "ada"), ("password", canaries[2]),
        ("application", canaries[3]),
      ] {
        try workshop.secrets.set("default/targets.ledger.\(word)", value)
      }
      try await workshop.admin.publish(try Self.everyScheme())
      try await workshop.withWorker(
        logger: sink.logger,
        { $0.environments[0].targets["ledger"] = "http://127.0.0.1:\(receiver.port)" }
      ) { _, _ in
        let job = try await workshop.order("ask_all", [:])
        try await workshop.expect(job, toBe: "completed")
        #expect(try await workshop.admin.job(job)?.summary.failures == 6)
      }
      let dump = try await workshop.dump()
      #expect(dump.contains("welcome"))
      for canary in canaries {
        #expect(!dump.contains(canary), "\(canary)")
        #expect(!sink.text.contains(canary), "\(canary)")
      }
      #expect(sink.text.contains("job completed"))
    }
    #expect(seen.withLock(\.count) == 6, "every scheme was used, and given back once")
    try await receiver.stop()
  }
}

extension String {
  fileprivate var hyphenated: String { replacing(" ", with: "-") }

  /// The same with `\u002B` in place of `\u002b`.
  fileprivate var uppercasedHex: String { replacing("002b", with: "002B") }
}
