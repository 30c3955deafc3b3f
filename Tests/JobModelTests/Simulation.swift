// One job, a fake AuthOS, a fake database and a fake worker that can be stopped dead at any point and
// whose requests can go wrong in every way that real ones do.

import Arazzo
import JSON
import Secrets

@testable import JobModel

/// What goes wrong with one request.
enum Fault: CaseIterable {
  case none, refusedConnection, dropBefore, dropAfter, timeoutAfter, serverTimeoutAfter,
    databaseErrorBefore, htmlBadGatewayBefore, htmlBadGatewayAfter, emptyNotFound, unavailable,
    limited, badKey
}

struct Simulation {
  struct Crash: Error {}

  /// The job as the database holds it.
  struct Row {
    var attempt = 0
    var failures = 0
    var isUnresolved = false
    var journal: [JournalEntry] = []
    var isCancelRequested = false
    var isPastActionDeadline = false
    var outcome: JobOutcome?
  }

  let definition: JobTypeDefinition
  let payload: JSONObject
  var authOS: FakeAuthOS
  var secrets: [String: String] = [:]
  var row = Row()
  var random: SeededRandom
  var maxAttempts = 200
  /// The point at which the worker dies; counts down, then never again.
  var crashAfter: Int?
  /// What goes wrong with the next requests; afterwards nothing does.
  var faults: [Fault] = []
  var requests: [String] = []
  var lostRequestPause = WorkflowMachine.defaultLostRequestPause
  /// A step whose first request a proxy gives up on and passes on 29 seconds later, all that AuthOS allows it.
  var lateStep: String?
  /// Requests that have still to act, and when.
  private(set) var late: [(due: Duration, request: StepRequest)] = []
  /// How long the job has waited between attempts.
  private var elapsed: Duration = .zero
  /// The rows of the job, as the database keeps them: a key that is there stays.
  var rows: [JobRow] = []
  private var keys: Set<String> = []
  var records: [JobRecord] = []
  var storeFailures = 0
  /// What a user was asked to do.
  var userActions: [UserActionRequest] = []
  /// After how many of those his time is over.
  var greatestUserActions = Int.max
  /// How often the other workers have not loaded the new key yet when they are asked.
  var loadingRounds = 0
  /// The attempts that a worker makes whose store has none of the keys.
  var elsewhere: Set<Int> = []
  /// Called before each request with its step.
  var beforeSending: (@Sendable (StepRequest, inout FakeAuthOS) -> Void)?
  /// Called before each local operation, with the secret store.
  var beforeLocal: (@Sendable (StepRequest, inout [String: String]) -> Void)?

  init(
    _ name: String, _ payload: JSONObject, authOS: FakeAuthOS, seed: UInt64 = 1
  ) throws {
    definition = try Repository.jobType(name)
    self.payload = payload
    self.authOS = authOS
    random = SeededRandom(seed: seed)
  }

  init(definition: JobTypeDefinition, payload: JSONObject) {
    self.definition = definition
    self.payload = payload
    authOS = FakeAuthOS()
    random = SeededRandom(seed: 1)
  }

  /// The result of the job, once it is completed.
  var result: JSONObject? {
    for case .complete(let result, _) in records.reversed() { return result }
    return nil
  }

  private mutating func point() throws {
    guard let left = crashAfter else { return }
    crashAfter = left > 0 ? left - 1 : nil
    if left == 0 { throw Crash() }
  }

  /// Claims the job again and again until it needs no worker any more.
  mutating func run(greatestAttempts: Int = 400) throws -> JobOutcome {
    while row.attempt < greatestAttempts {
      do {
        let outcome = try attempt()
        switch outcome {
        case .completed, .discarded, .cancelled, .review: return outcome
        case .retry, .handedBack: continue
        case .userAction:
          if userActions.count >= greatestUserActions { row.isPastActionDeadline = true }
        }
      } catch is Crash {
        row.failures += 1
      }
    }
    throw Endless()
  }

  struct Endless: Error {}

  /// One attempt: claim, drive the machine, record.
  mutating func attempt() throws -> JobOutcome {
    guard elsewhere.contains(row.attempt + 1) else { return try attemptHere() }
    let secretsHere = secrets
    secrets = [:]
    defer { secrets = secretsHere }
    return try attemptHere()
  }

  private mutating func attemptHere() throws -> JobOutcome {
    let wasUnresolved = row.isUnresolved
    row.attempt += 1
    row.isUnresolved = true
    let job = ClaimedJob(
      id: 7, type: definition.name, environment: "test", payload: payload, attempt: row.attempt,
      failures: min(row.failures, maxAttempts - 1), maxAttempts: maxAttempts,
      isUnresolved: wasUnresolved, isPastActionDeadline: row.isPastActionDeadline,
      isCancelRequested: row.isCancelRequested,
      journal: row.journal)
    var machine = WorkflowMachine(
      definition: definition, job: job,
      environment: ["organization": "org", "service": "svc"], lostRequestPause: lostRequestPause)
    var action = machine.start(random: &random)
    while true {
      let event: WorkflowMachine.Event
      switch action {
      case .send(let request, let records):
        try point()
        apply(records)
        try point()
        event = send(request)
        try point()
      case .seal(let seals):
        try point()
        event = .sealed(
          try seals.map { try SealedText(sealing: $0.secret, to: $0.key, as: $0.context) })
        try point()
      case .store(let writes):
        try point()
        if storeFailures > 0 {
          storeFailures -= 1
          event = .storeFailed
        } else {
          for write in writes {
            secrets[write.name] = write.secret.withBytes { String(decoding: $0, as: UTF8.self) }
          }
          event = .stored
        }
        try point()
      case .finish(let outcome, let records):
        try point()
        apply(records)
        return outcome
      }
      action = machine.handle(event, random: &random)
    }
  }

  private mutating func apply(_ records: [JobRecord]) {
    self.records += records
    for record in records {
      switch record {
      case .intent(let sequence, let step, let effect):
        upsert(
          JournalEntry(sequence: sequence, attempt: row.attempt, step: step, effect: effect))
      case .outcome(let outcome):
        // Through JSON and back, as the database keeps it.
        let json = record.json(job: 7, attempt: row.attempt)
        guard let entry = JournalEntry(json: json) else { preconditionFailure("unreadable") }
        precondition(outcome.sequence <= row.journal.count + 1, "a gap in the journal")
        upsert(entry)
        for new in outcome.rows where keys.insert(new.key).inserted { rows.append(new) }
        row.isUnresolved = false
      case .retry(let delay, let burnsAttempt, let isUnresolved, _):
        elapsed += delay
        if burnsAttempt { row.failures += 1 }
        row.isUnresolved = isUnresolved
      case .handBack(let isUnresolved): row.isUnresolved = isUnresolved
      case .userAction(let request):
        userActions.append(request)
        row.isUnresolved = false
      case .complete, .discard, .cancel, .review: row.isUnresolved = false
      }
    }
  }

  private mutating func upsert(_ entry: JournalEntry) {
    row.journal.removeAll { $0.sequence == entry.sequence }
    row.journal.append(entry)
  }

  private mutating func send(_ request: StepRequest) -> WorkflowMachine.Event {
    for (_, request) in late.filter({ $0.due <= elapsed }) { _ = answer(request) }
    late.removeAll { $0.due <= elapsed }
    beforeSending?(request, &authOS)
    requests.append(request.step)
    let fault = faults.isEmpty ? Fault.none : faults.removeFirst()
    if case .local(let input) = request.target {
      beforeLocal?(request, &secrets)
      return response(local(request, input))
    }
    if case .secrets(let uses) = request.credential,
      let name = uses[0].names[0].first, SecretNaming.isOfRotation(name), secrets[name] == nil
    {
      return .failure(.credentialMissing(name: name), duration: .zero)
    }
    if request.step == lateStep {
      lateStep = nil
      late.append((elapsed + .seconds(29), request))
      return response(StepResponse(status: 504))
    }
    switch fault {
    case .none: return response(answer(request))
    case .refusedConnection:
      return .failure(.notSent(.connectionRefused), duration: .zero)
    case .dropBefore: return .failure(.ambiguous(.connectionReset), duration: .zero)
    case .dropAfter:
      _ = answer(request)
      return .failure(.ambiguous(.connectionReset), duration: .zero)
    case .timeoutAfter:
      _ = answer(request)
      return .failure(.ambiguous(.responseTimeout), duration: .zero)
    case .serverTimeoutAfter:
      _ = answer(request)
      return response(StepResponse(status: 408))
    case .databaseErrorBefore:
      return response(
        StepResponse(
          status: 500, json: ["error": "Database error", "error_code": "DATABASE_ERROR"]))
    case .htmlBadGatewayBefore: return response(html)
    case .htmlBadGatewayAfter:
      _ = answer(request)
      return response(html)
    case .emptyNotFound: return response(StepResponse(status: 404))
    case .unavailable:
      return response(
        StepResponse(status: 503, json: ["error": "x", "error_code": "SERVICE_UNAVAILABLE"]))
    case .limited:
      return response(
        StepResponse(status: 429, headers: [(name: "X-RateLimit-After", value: "0")]))
    case .badKey: return .failure(.credentialMissing(name: "test/x.key"), duration: .zero)
    }
  }

  private var html: StepResponse {
    StepResponse(
      status: 502, headers: [(name: "content-type", value: "text/html")],
      body: Array("<html></html>".utf8))
  }

  private func response(_ response: StepResponse) -> WorkflowMachine.Event {
    .response(
      response, duration: .milliseconds(3), now: WallTime(secondsSince1970: 1_780_000_000))
  }

  private mutating func answer(_ request: StepRequest) -> StepResponse {
    var key: String?
    if case .secrets(let uses) = request.credential { key = secrets[uses[0].names[0][0]] }
    return authOS.answer(request, key: key)
  }

  private mutating func local(_ request: StepRequest, _ input: JSONValue) -> StepResponse {
    let stem = "\(input["environment"]?.stringValue ?? "")/\(input["job_type"]?.stringValue ?? "")"
    switch request.operationID {
    case "describeInstallation": return StepResponse(status: 200, json: ["name": "0123abcd"])
    case "describeKey":
      return StepResponse(
        status: 200,
        json: [
          "name": .string(stem + ".key"),
          "prefix": JSONValue(secrets[stem + ".key"].map { String($0.prefix(15)) }),
          "permissions": ["write:users"], "installation": "0123abcd",
        ])
    case "checkPendingKey":
      let isHere =
        input["role"] == "previous"
        ? holds(stem + ".previous.key", input)
        : holds(stem + ".pending.key", input) || holds(stem + ".key", input)
      return StepResponse(status: isHere ? 204 : 404, json: ["error_code": "KEY_ELSEWHERE"])
    case "promoteKey": return promote(stem, input)
    case "awaitKeyLoaded":
      guard holds(stem + ".key", input) else {
        return StepResponse(status: 404, json: ["error_code": "KEY_ELSEWHERE"])
      }
      guard loadingRounds > 0 else { return StepResponse(status: 204) }
      loadingRounds -= 1
      return StepResponse(
        status: 409, json: ["error_code": "KEY_NOT_LOADED", "reason": "Without it: worker 9."])
    case "discardPreviousKey":
      let previous = secrets[stem + ".previous.key"]
      let current = secrets[stem + ".key"].map { String($0.prefix(15)) }
      guard previous != nil || current == input["new_prefix"]?.stringValue else {
        return StepResponse(status: 404, json: ["error_code": "KEY_ELSEWHERE"])
      }
      if holds(stem + ".previous.key", input) { secrets[stem + ".previous.key"] = nil }
      return StepResponse(status: 204)
    default: return StepResponse(status: 400)
    }
  }

  private func holds(_ name: String, _ input: JSONValue) -> Bool {
    secrets[name].map { String($0.prefix(15)) } == input["prefix"]?.stringValue
  }

  private mutating func promote(_ stem: String, _ input: JSONValue) -> StepResponse {
    guard holds(stem + ".pending.key", input) else {
      let isDone = holds(stem + ".key", input)
      return StepResponse(status: isDone ? 204 : 404, json: ["error_code": "KEY_ELSEWHERE"])
    }
    secrets[stem + ".previous.key"] = secrets[stem + ".key"]
    secrets[stem + ".key"] = secrets.removeValue(forKey: stem + ".pending.key")
    return StepResponse(status: 204)
  }
}
