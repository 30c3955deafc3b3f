// The workflow machine, told events one by one.

import Arazzo
import JSON
import Testing

@testable import JobModel

/// Documents over the shipped descriptions, cut down to what a test is about.
private func document(_ workflows: String) -> String {
  """
  arazzo: 1.0.1
  info: {title: Test, version: 1.0.0}
  sourceDescriptions:
    - {name: authos, url: openapi/authos.yaml, type: openapi}
  workflows:
  \(workflows)
  """
}

private let reading = """
  - workflowId: w
    x-writ: {jobType: w}
    inputs: {type: object, required: [user_id], properties: {user_id: {type: string}}}
    steps:
      - stepId: look
        operationId: getUser
        parameters: [{name: user_id, in: path, value: $inputs.user_id}]
        onFailure:
          - {name: wait, type: retry, retryAfter: 3, retryLimit: 2, criteria: [{condition: $statusCode == 404}]}
          - name: gone
            type: end
            criteria: [{condition: $statusCode == 404}]
            x-writ: {outcome: discard, reason: It is gone.}
      - stepId: remove
        operationId: deleteUser
        parameters: [{name: user_id, in: path, value: $inputs.user_id}]
        x-writ: {inDoubt: review}
  """

/// Drives a machine by hand.
private struct Driver {
  var machine: WorkflowMachine
  var random = SeededRandom(seed: 1)
  var action: WorkflowMachine.Action

  init(
    _ text: String, journal: [JournalEntry] = [], _ change: (inout ClaimedJob) -> Void = { _ in }
  )
    throws
  {
    var job = ClaimedJob(
      id: 1, type: "w", environment: "test", payload: JSONObject([("user_id", "u/1")]),
      attempt: journal.isEmpty ? 1 : 2, maxAttempts: 3, journal: journal)
    change(&job)
    machine = WorkflowMachine(
      definition: try jobType("w", arazzo: document(text)), job: job, environment: [:])
    action = machine.start(random: &random)
  }

  /// A job of a built-in type.
  init(type: String, _ payload: JSONObject) throws {
    machine = WorkflowMachine(
      definition: try Repository.jobType(type),
      job: ClaimedJob(id: 1, type: type, environment: "test", payload: payload), environment: [:])
    action = machine.start(random: &random)
  }

  mutating func handle(_ event: WorkflowMachine.Event) {
    action = machine.handle(event, random: &random)
  }

  mutating func answer(
    _ status: Int, _ body: JSONValue? = nil, headers: [(name: String, value: String)] = []
  ) {
    handle(
      .response(
        StepResponse(status: status, headers: headers, body: body?.serializedBytes() ?? []),
        duration: .milliseconds(1), now: WallTime(secondsSince1970: 0)))
  }

  var request: StepRequest? { if case .send(let request, _) = action { request } else { nil } }

  var records: [JobRecord] {
    switch action {
    case .send(_, let records), .finish(_, let records): records
    case .seal, .store: []
    }
  }

  var kinds: [String] { records.map(\.kind) }

  var outcome: JobOutcome? { if case .finish(let outcome, _) = action { outcome } else { nil } }

  var journal: [JournalEntry] {
    records.compactMap { JournalEntry(json: $0.json(job: 1, attempt: 1)) }
  }
}

private let gone: JSONValue = ["error": "x", "error_code": "NOT_FOUND"]
private let someone: JSONValue = ["id": "u", "email": "e", "created_at": "now"]

@Suite struct `The workflow machine` {
  @Test func `writes the intent of a change before it, together with what came before`() throws {
    var driver = try Driver(reading)
    #expect(driver.kinds == [])
    #expect(driver.request?.path == "/api/service/users/u%2F1")
    #expect(
      driver.request?.credential
        == .secrets([
          SecretUse(.header(name: "X-Api-Key", prefix: ""), names: [["test/w.key"]])
        ]))
    driver.answer(200, someone)
    #expect(driver.kinds == ["outcome", "intent"])
    driver.answer(204)
    #expect(driver.kinds == ["outcome", "complete"])
    #expect(driver.outcome == .completed)
  }

  @Test func `takes the claim for the intent of the first request`() throws {
    var simulation = try Simulation(
      "create_user", JSONObject([("email", "a@example.com")]), authOS: FakeAuthOS())
    _ = try simulation.run()
    #expect(simulation.records.map(\.kind) == ["outcome", "complete"])
  }

  @Test func `asks again where a success described as JSON holds none`() throws {
    var driver = try Driver(reading)
    driver.handle(
      .response(
        StepResponse(status: 200, headers: [], body: Array("<html>".utf8)),
        duration: .milliseconds(1), now: WallTime(secondsSince1970: 0)))
    guard case .retry(_, let error, _)? = driver.outcome else {
      Issue.record("no retry")
      return
    }
    #expect(error.code == "unreadable_response")
    #expect(error.status == 200)
  }

  @Test(arguments: ["create_user", "change_plan", "get_user"])
  func `takes no success for one that lacks what the step reads and the service promises`(
    type: String
  ) throws {
    let payload = JSONObject([
      ("email", "a@example.com"), ("user_id", .string(someUser)), ("plan_id", "plan-team"),
    ])
    for body in [#"{"status":"maintenance"}"#, "[]", "null"] {
      var driver = try Driver(type: type, payload)
      driver.handle(
        .response(
          StepResponse(status: 200, headers: [], body: Array(body.utf8)),
          duration: .milliseconds(1), now: WallTime(secondsSince1970: 0)))
      guard case .retry(_, let error, _)? = driver.outcome else {
        Issue.record("no retry of \(type) after \(body): \(String(describing: driver.outcome))")
        continue
      }
      #expect(error.code == "unreadable_response")
    }
  }

  @Test func `retries as often as the action says, then takes the next action`() throws {
    var driver = try Driver(reading)
    var journal: [JournalEntry] = []
    for _ in 1...2 {
      driver.answer(404, gone)
      #expect(driver.kinds == ["outcome", "retry"])
      guard case .retry(let delay, _, let cause)? = driver.outcome else {
        Issue.record("no retry")
        return
      }
      #expect(delay == .seconds(3))
      #expect(cause == nil)
      journal += driver.journal
      driver = try Driver(reading, journal: journal)
    }
    driver.answer(404, gone)
    #expect(
      driver.outcome
        == .discarded(JobError(code: "gone", text: "It is gone.", step: "look", status: 404)))
  }

  /// The waits of a job that gets the same answer again and again, attempt by attempt.
  private func waits(
    _ count: Int, _ status: Int, _ body: JSONValue? = nil, headers: [(name: String, value: String)]
  ) throws -> [Duration] {
    var journal: [JournalEntry] = []
    var failures = 0
    return try (1...count).map { attempt in
      var driver = try Driver(reading, journal: journal) {
        $0.attempt = attempt
        $0.failures = failures
        $0.maxAttempts = 100
      }
      // The longest that the backoff may be.
      var random = HighRandom()
      driver.action = driver.machine.handle(
        .response(
          StepResponse(status: status, headers: headers, body: body?.serializedBytes() ?? []),
          duration: .milliseconds(1), now: WallTime(secondsSince1970: 2_000_000_000)),
        random: &random)
      journal = driver.records.compactMap { JournalEntry(json: $0.json(job: 1, attempt: attempt)) }
      guard case .retry(let delay, let burnsAttempt, _, _)? = driver.records.last else {
        Issue.record("no retry")
        return .zero
      }
      failures += burnsAttempt ? 1 : 0
      return delay
    }
  }

  private static let doubling: [Duration] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map {
    .seconds($0)
  }

  @Test(arguments: [408, 500, 502, 503, 504, 599, 425])
  func `a service that fails and says "now" is given more and more time`(status: Int) throws {
    for value in ["0", "1", "Sun, 06 Nov 1994 08:49:37 GMT"] {
      #expect(
        try waits(10, status, headers: [(name: "Retry-After", value: value)]) == Self.doubling)
    }
    #expect(
      try waits(3, status, headers: [(name: "Retry-After", value: "60")])
        == Array(repeating: .seconds(60), count: 3))
  }

  @Test func `a service that limits is asked when it says, else less and less often`() throws {
    #expect(
      try waits(10, 429, headers: [(name: "Retry-After", value: "1")])
        == Array(repeating: .seconds(1), count: 10))
    #expect(try waits(10, 429, headers: []) == Self.doubling)
    #expect(try waits(10, 429, headers: [(name: "Retry-After", value: "0")]) == Self.doubling)
  }

  @Test func `tries of an earlier step do not lengthen the wait of a limited one`() throws {
    let done = JournalEntry(
      sequence: 1, attempt: 50, step: "look", effect: .none, result: .succeeded, status: 200,
      action: StepAction(.next).json)
    var driver = try Driver(reading, journal: [done]) { $0.attempt = 51 }
    var random = HighRandom()
    driver.action = driver.machine.handle(
      .response(
        StepResponse(status: 429), duration: .milliseconds(1),
        now: WallTime(secondsSince1970: 0)), random: &random)
    guard case .retry(let delay, _, _)? = driver.outcome else {
      Issue.record("no retry")
      return
    }
    #expect(delay == .seconds(1))
  }

  @Test func `a login that fails has changed nothing, and counts unless it was limited`() throws {
    let failures: [(TransportFailure.LoginFailure, String, String, burns: Bool)] = [
      (
        .unanswered(.responseTimeout), "login_failed",
        "no session could be opened: no answer came in time", true
      ),
      (
        .answered(status: 502), "login_failed",
        "no session could be opened: the login was answered with 502", true
      ),
      (
        .limited(wait: .seconds(7)), "login_limited",
        "the service limits logins: the login was answered with 429", false
      ),
    ]
    for (failure, code, text, burns) in failures {
      var driver = try Driver(reading)
      driver.answer(200, someone)
      driver.handle(.failure(.loginFailed(failure), duration: .milliseconds(3)))
      #expect(driver.kinds == ["outcome", "retry"])
      #expect(driver.journal.last?.result == .failed)
      guard case .retry(let delay, let burnsAttempt, _, let error)? = driver.records.last else {
        Issue.record("no retry")
        return
      }
      #expect(burnsAttempt == burns)
      #expect(error == JobError(code: code, text: text, step: "remove", status: nil))
      if !burns { #expect(delay == .seconds(7)) }
    }
  }

  @Test func `does not count a retry that is asked for`() throws {
    var driver = try Driver(reading)
    driver.answer(404, gone, headers: [(name: "Retry-After", value: "9")])
    #expect(
      driver.records.last
        == .retry(
          delay: .seconds(9), burnsAttempt: false, isUnresolved: false,
          JobError(
            code: "NOT_FOUND", text: "it does not exist; asked again by wait", step: "look",
            status: 404)))
  }

  @Test func `waits for a person where a lost change cannot be read back`() throws {
    var driver = try Driver(reading)
    driver.answer(200, someone)
    driver.handle(.failure(.ambiguous(.responseTimeout), duration: .seconds(35)))
    #expect(driver.kinds == ["outcome", "review"])
    #expect(
      driver.outcome
        == .review(
          JobError(
            code: "response_timeout", text: "it is unknown whether remove took effect",
            step: "remove", status: nil)))
  }

  @Test func `sends a step again that a person replayed`() throws {
    var driver = try Driver(reading)
    driver.answer(200, someone)
    let first = driver.journal
    driver.handle(.failure(.ambiguous(.responseTimeout), duration: .seconds(35)))
    let journal = first.filter { $0.result != nil } + driver.journal
    let replayed = try Driver(reading, journal: journal)
    #expect(replayed.request?.step == "remove")
    #expect(replayed.records == [])
  }

  @Test func `begins anew when a job that was over is replayed`() throws {
    var driver = try Driver(reading)
    driver.answer(200, someone)
    var journal = driver.journal.filter { $0.result != nil }
    driver.answer(204)
    journal += driver.journal
    let replayed = try Driver(reading, journal: journal)
    #expect(replayed.request?.step == "look")
  }

  @Test func `finds a change in doubt when its intent has no outcome`() throws {
    var driver = try Driver(reading)
    driver.answer(200, someone)
    let resumed = try Driver(reading, journal: driver.journal)
    #expect(resumed.kinds == ["outcome", "review"])
    #expect(resumed.journal.map(\.sequence) == [2])
    #expect(resumed.journal.map(\.result) == [.ambiguous])
  }

  @Test func `finds the first step in doubt when the claim before left no trace`() throws {
    let text = reading.replacing("operationId: getUser", with: "operationId: deleteUser")

      .replacing(
        "    - stepId: remove", with: "      x-writ: {inDoubt: resend}\n    - stepId: remove")
    let resumed = try Driver(text) { $0.isUnresolved = true }
    #expect(resumed.kinds == ["outcome", "intent"])
    #expect(resumed.request?.step == "look")
    // A step that reads is simply sent again.
    let reads = try Driver(reading) { $0.isUnresolved = true }
    #expect(reads.kinds == [])
    #expect(reads.request?.step == "look")
  }

  @Test func `waits for a key that is not accepted, and names it`() throws {
    var driver = try Driver(reading)
    driver.answer(401, ["error": "Invalid API key", "error_code": "UNAUTHORIZED"])
    #expect(
      driver.records.last
        == .retry(
          delay: .seconds(30), burnsAttempt: false, isUnresolved: false,
          JobError(
            code: "UNAUTHORIZED", text: "the service does not accept the key test/w.key",
            step: "look", status: 401)))
  }

  @Test func `writes a failure without effect over the one before`() throws {
    var driver = try Driver(reading)
    driver.handle(.failure(.credentialMissing(name: "test/w.key"), duration: .zero))
    #expect(driver.journal.map(\.sequence) == [1])
    var again = try Driver(reading, journal: driver.journal)
    again.answer(200, someone)
    #expect(again.journal.map(\.sequence) == [1, 2])
  }

  @Test func `gives up after the last attempt, discarded if nothing changed`() throws {
    var driver = try Driver(reading) { $0.failures = 2 }
    driver.handle(.failure(.notSent(.connectionRefused), duration: .zero))
    #expect(
      driver.outcome
        == .discarded(
          JobError(
            code: "connection_refused",
            text: "nobody listens at the address; given up after 3 failures", step: "look")))
  }

  @Test func `gives up for review once something has changed`() throws {
    let text = reading.replacing("inDoubt: review", with: "inDoubt: resend")
    var driver = try Driver(text) { $0.failures = 2 }
    driver.answer(200, someone)
    driver.answer(408)
    guard case .review? = driver.outcome else {
      Issue.record("no review")
      return
    }
  }

  @Test func `is cancelled before its first change and not after`() throws {
    let cancelled = try Driver(reading) { $0.isCancelRequested = true }
    #expect(cancelled.outcome == .cancelled)
    #expect(cancelled.kinds == ["outcome", "cancel"])
    var late = try Driver(reading)
    late.answer(200, someone)
    late.handle(.cancelRequested)
    #expect(late.outcome == .cancelled)
    let changed = JournalEntry(
      sequence: 1, attempt: 1, step: "look", effect: .delete, result: .succeeded,
      action: StepAction(.next).json)
    var half = try Driver(reading, journal: [changed]) { $0.isCancelRequested = true }
    #expect(half.request?.step == "remove")
    half.handle(.cancelRequested)
    #expect(half.request?.step == "remove")
    #expect(half.kinds == [])
  }

  @Test func `is discarded past its deadline`() throws {
    let driver = try Driver(reading) { $0.isPastDeadline = true }
    #expect(
      driver.outcome
        == .discarded(
          JobError(
            code: "expired", text: "the job had changed nothing when its time was over",
            step: "look")))
  }

  @Test func `is handed back unharmed when the worker stops`() throws {
    var driver = try Driver(reading)
    driver.handle(.shuttingDown)
    #expect(driver.records == [.handBack(isUnresolved: false)])
    var later = try Driver(reading)
    later.answer(200, someone)
    later.handle(.shuttingDown)
    #expect(later.kinds == ["outcome", "hand_back"])
    #expect(later.journal.map(\.result) == [.failed])
    #expect(later.outcome == .handedBack)
  }

  @Test func `refuses an answer that the operation does not describe`() throws {
    var driver = try Driver(reading)
    driver.answer(202)
    guard case .discarded(let error)? = driver.outcome else {
      Issue.record("not discarded")
      return
    }
    #expect(error.code == "unexpected_response")
  }

  @Test func `never sends a path with an empty or climbing parameter`() throws {
    for value in ["", ".", ".."] {
      let driver = try Driver(reading) {
        $0.payload = JSONObject([("user_id", .string(value))])
      }
      #expect(
        driver.outcome
          == .discarded(
            JobError(
              code: "unusable_value", text: "the path parameter user_id has no value",
              step: "look")))
    }
  }

  @Test func `has a person look at a journal that the definition cannot have made`() throws {
    let stray = JournalEntry(
      sequence: 1, attempt: 1, step: "unknown", effect: .none, result: .succeeded,
      action: StepAction(.next).json)
    let driver = try Driver(reading, journal: [stray])
    guard case .review(let error)? = driver.outcome else {
      Issue.record("no review")
      return
    }
    #expect(error.code == "journal_mismatch")
  }

  @Test func `stops a workflow that goes in circles`() throws {
    let circle = reading.replacing(
      "      onFailure:",
      with: "      onSuccess: [{name: again, type: goto, stepId: look, "
        + "criteria: [{condition: $statusCode == 200}]}]\n      onFailure:")
    var driver = try Driver(circle)
    for _ in 0..<WorkflowMachine.greatestJournal { driver.answer(200, someone) }
    guard case .review(let error)? = driver.outcome else {
      Issue.record("no review")
      return
    }
    #expect(error.code == "too_many_steps")
  }

  @Test func `waits for a setting that the environment lacks`() throws {
    var random = SeededRandom(seed: 1)
    var machine = WorkflowMachine(
      definition: try Repository.jobType("rotate_api_key"),
      job: ClaimedJob(
        id: 1, type: "rotate_api_key", environment: "test",
        payload: JSONObject([("job_type", "create_user")]), isUnresolved: true),
      environment: ["service": "s"])
    guard case .finish(_, let records) = machine.start(random: &random) else {
      Issue.record("not finished")
      return
    }
    #expect(
      records == [
        .retry(
          delay: .seconds(30), burnsAttempt: false, isUnresolved: true,
          JobError(
            code: "setting_missing", text: "the environment test has no setting organization"))
      ])
  }
}
