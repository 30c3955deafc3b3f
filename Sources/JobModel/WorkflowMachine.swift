// The heart of a job: a value that is told what happened and says what to do next. It knows no clock, no
// network and no database; whoever drives it (the worker, a test, a simulation) brings those.
//
// What it promises, and how:
// - No effect without a record. A claim is the intent of the first request; every later request
//   that changes something has an intent in `after`, durable before it leaves.
// - Nothing is decided twice. Each outcome is recorded with the decision that followed; a later attempt
//   replays decisions and evaluates nothing.
// - Nothing is done twice. A request that may have left is in doubt, and the step's own rule says what to
//   do: send again (where twice is once), read first, or wait for a person.
// - Nothing is left half-way. Once something changed, the job finishes, compensates or waits for review.
// - No secret is recorded. A secret output leaves the machine in `.store` or `.seal` and nowhere else.

public import Arazzo
public import JSON
public import Secrets

/// Runs the workflow of one claimed job.
///
/// Call ``start(random:)`` once, do what it says, tell ``handle(_:random:)`` what happened, and so
/// on until it says `finish`. Exactly one event follows each action; there is none after `finish`.
public struct WorkflowMachine: Sendable {
  /// What to do.
  public enum Action: Sendable {
    /// Make the records durable; if they are accepted, send the request. Answer with `response` or
    /// `failure`, or, if the request did not leave, with `cancelRequested` or `shuttingDown`.
    case send(StepRequest, after: [JobRecord])
    /// Seal the secrets, which takes randomness that only the cryptographic library draws. Answer with
    /// `sealed` or `sealFailed`.
    case seal([SecretSeal])
    /// Write the secrets durably. Answer with `stored` or `storeFailed`.
    case store([SecretWrite])
    /// Make the records durable; the work on the job is over.
    case finish(JobOutcome, [JobRecord])
  }

  /// What happened.
  public enum Event: Sendable {
    /// An answer came, `duration` after sending; `now` is for a `Retry-After` date.
    case response(StepResponse, duration: Duration, now: WallTime)
    /// No answer came.
    case failure(TransportFailure, duration: Duration)
    /// The sealed texts, in the order of the secrets.
    case sealed([SealedText])
    /// At least one secret could not be sealed.
    case sealFailed
    /// The secrets are durable.
    case stored
    /// At least one secret could not be written.
    case storeFailed
    /// The request did not leave, since a person asked to cancel the job.
    case cancelRequested
    /// The request did not leave, since the worker stops.
    case shuttingDown
  }

  /// What the machine waits for.
  enum Expectation: Sendable {
    case start
    case answer(StepRequest, sequence: Int, hasIntent: Bool)
    case sealing(StepOutcome, [SecretSeal], then: [SecretWrite], after: StepRequest)
    case storing(StepOutcome, after: StepRequest)
    case nothing
  }

  /// After how many entries of one run a job waits for a person: a workflow that goes in circles.
  public static let greatestJournal = 1_000
  /// The same for a type that keeps rows, which pages through lists: two entries a page.
  ///
  /// With pages of 100 elements that overlap by 10, enough for a list of 180,000.
  public static let greatestJournalWithRows = 4_000
  /// After how long a request whose answer was lost can no longer act, unless the worker was told otherwise:
  /// AuthOS ends every request after 30 seconds.
  public static let defaultLostRequestPause: Duration = .seconds(35)
  /// How long to wait for a credential that is missing or not accepted.
  static let credentialWait: Duration = .seconds(30)
  /// How long to wait for a worker whose store has what this one's lacks.
  static let otherStoreWait: Duration = .seconds(5)

  let definition: JobTypeDefinition
  let job: ClaimedJob
  let backoff: Backoff
  let builder: RequestBuilder
  let missingSettings: [String]
  let lostRequestPause: Duration
  var position: WorkflowPosition
  let origin: WorkflowPosition
  var expectation = Expectation.start
  /// The entries since the job last began from the start.
  var run: [JournalEntry] = []
  var lastSequence = 0
  /// Outcomes that are not durable yet.
  var pending: [JobRecord] = []
  /// Whether this attempt has a record on its way: from then on the claim is no intent any more.
  var hasWritten = false
  var isCancelRequested: Bool
  /// Whether the target of the request that is answered next is known to answer nobody: a failure counts
  /// against the target then, and not against the job.
  public var targetIsDown = false
  /// What the table of failures said about the last answer from outside; `nil` when it was not asked.
  public internal(set) var lastFailure: Classification?
  /// The outcome that was entered last, for the error of a job that ends with it.
  var lastOutcome: StepOutcome?

  /// A machine for a claimed job.
  ///
  /// - Parameters:
  ///   - definition: The definition that the job was enqueued with.
  ///   - job: The job with its journal.
  ///   - environment: The values of inputs that are marked `from: environment`, by their setting's
  ///     name.
  ///   - lostRequestPause: After how long a request whose answer was lost can no longer act, in whole
  ///     seconds; a fraction counts as a whole one.
  public init(
    definition: JobTypeDefinition, job: ClaimedJob, environment: [String: JSONValue],
    lostRequestPause: Duration = Self.defaultLostRequestPause
  ) {
    self.definition = definition
    self.job = job
    self.lostRequestPause = lostRequestPause
    backoff = Backoff(definition.workflow.policy.retry)
    builder = RequestBuilder(
      environment: job.environment, jobType: job.type, jobID: job.id)
    isCancelRequested = job.isCancelRequested
    let schema = definition.workflow.inputs
    var inputs = schema.normalized(job.payload)
    var missing: [String] = []
    for property in schema.properties {
      if let name = property.policy.environmentName {
        inputs[property.name] = environment[name]
        if environment[name] == nil, property.isRequired { missing.append(name) }
      } else if let field = property.policy.jobField {
        inputs[property.name] = job.value(of: field)
      }
    }
    missingSettings = missing
    position = WorkflowPosition(definition: definition, inputs: inputs)
    origin = position
  }

  /// What to do first: resumes where the journal ends.
  public mutating func start(random: inout some RandomNumberGenerator) -> Action {
    precondition(isExpecting(.start), "start(random:) is called once, before handle(_:random:)")
    guard missingSettings.isEmpty else { return waitForSettings() }
    guard replayJournal() else { return giveUpOnJournal() }
    if let action = resolveDoubt() { return action }
    return proceed(random: &random)
  }

  /// What to do next.
  public mutating func handle(
    _ event: Event, random: inout some RandomNumberGenerator
  ) -> Action {
    let expected = expectation
    expectation = .nothing
    lastFailure = nil
    switch (expected, event) {
    case (.answer(let request, let sequence, _), .response(let response, let duration, let now)):
      return answered(
        Answer(request: request, sequence: sequence, duration: duration), response, now: now,
        random: &random)
    case (.answer(let request, let sequence, _), .failure(let failure, let duration)):
      return notAnswered(
        Answer(request: request, sequence: sequence, duration: duration), failure,
        random: &random)
    case (.sealing(var outcome, let seals, let writes, let request), .sealed(let texts)):
      precondition(texts.count == seals.count, "there is one text for each secret")
      for (seal, text) in zip(seals, texts) {
        outcome.outputs[seal.output] = .string(text.description)
      }
      return store(writes, outcome, after: request) ?? proceed(random: &random)
    case (.sealing(let outcome, _, _, let request), .sealFailed):
      return storeFailed(
        Answer(request: request, sequence: outcome.sequence, duration: outcome.duration),
        Classification.secretNotSealed, status: outcome.status, random: &random)
    case (.storing(let outcome, _), .stored):
      commit(outcome)
      return proceed(random: &random)
    case (.storing(let outcome, let request), .storeFailed):
      return storeFailed(
        Answer(request: request, sequence: outcome.sequence, duration: outcome.duration),
        Classification.secretNotStored, status: outcome.status, random: &random)
    case (.answer(let request, let sequence, let hasIntent), .cancelRequested):
      return cancelled(request, sequence: sequence, hasIntent: hasIntent)
    case (.answer(let request, let sequence, let hasIntent), .shuttingDown):
      return handBack(request, sequence: sequence, hasIntent: hasIntent)
    default: preconditionFailure("the event does not answer the last action")
    }
  }

  private func isExpecting(_ wanted: Expectation) -> Bool {
    if case (.start, .start) = (expectation, wanted) { true } else { false }
  }
}

// MARK: Going on

extension WorkflowMachine {
  /// Decides what the machine can decide alone, then sends the next request or finishes.
  mutating func proceed(random: inout some RandomNumberGenerator) -> Action {
    while true {
      switch position.locate() {
      case .broken: return giveUpOnJournal()
      case .ended: return finish()
      case .completion(let step, let ending): complete(step, ending)
      case .operation(let step):
        if let action = stopBefore(step) { return action }
        let request: StepRequest
        do {
          request = try builder.request(
            step, path: position.path, passes: passes(of: position.path), in: position.current,
            context: position.context())
        } catch {
          stop(
            at: step, hasChanged ? .review : .discard, code: "unusable_value", text: error.reason)
          continue
        }
        if let response = LocalOperations.answer(to: request, lostRequestPause: lostRequestPause) {
          let answer = Answer(request: request, sequence: nextSequence(for: request.step))
          // The wall time is only read against a Retry-After that is a date, which these never send.
          if let action = settle(
            answer, response, now: WallTime(secondsSince1970: 0), random: &random)
          {
            return action
          }
          continue
        }
        return send(request)
      }
    }
  }

  private mutating func send(_ request: StepRequest) -> Action {
    let sequence = nextSequence(for: request.step)
    let isFirst = !hasWritten && pending.isEmpty
    let hasIntent = request.effect != .none && !isFirst
    var records = takePending()
    if hasIntent {
      records.append(.intent(sequence: sequence, step: request.step, effect: request.effect))
    }
    hasWritten = hasWritten || !records.isEmpty
    expectation = .answer(request, sequence: sequence, hasIntent: hasIntent)
    return .send(request, after: records)
  }

  /// The number of the next entry: a try of a step that failed without effect is written over.
  func nextSequence(for step: String) -> Int {
    if let last = run.last, last.step == step, last.isWrittenOver { return last.sequence }
    return lastSequence + 1
  }

  /// How often the job has been done with a step since it began: the same for every try of one
  /// delivery, another for one that the workflow means to make again.
  private func passes(of step: String) -> Int {
    run.count { $0.step == step && $0.result == .succeeded }
  }

  mutating func takePending() -> [JobRecord] {
    defer { pending = [] }
    return pending
  }

  /// Whether anything may have changed in the outside world since the job began.
  var hasChanged: Bool {
    run.contains { $0.effect != .none && ($0.result == .succeeded || $0.result == .ambiguous) }
  }

  /// What keeps the next step from being sent, if anything does.
  private mutating func stopBefore(_ step: Step) -> Action? {
    let greatest =
      definition.keepsRows ? Self.greatestJournalWithRows : Self.greatestJournal
    if run.count >= greatest {
      stop(at: step, .review, code: "too_many_steps", text: "the workflow goes in circles")
    } else if !hasChanged, isCancelRequested {
      return cancel(step)
    } else if !hasChanged, job.isPastDeadline {
      stop(
        at: step, .discard, code: "expired",
        text: "the job had changed nothing when its time was over")
    } else if let input = unusableKey(for: step) {
      stop(
        at: step, hasChanged ? .review : .discard, code: "unusable_value",
        text: "the public key of the input \(input) cannot be used")
    } else if let output = outputWithoutPlace(of: step) {
      stop(
        at: step, hasChanged ? .review : .discard, code: "unusable_value",
        text: "the name under which \(output) is to be stored is none that a secret can have")
    } else {
      return nil
    }
    return finish()
  }

  /// Enters the outcome of a step that is not sent, and ends the job with it.
  mutating func stop(at step: Step, _ outcome: EndOutcome, code: String, text: String) {
    commit(
      StepOutcome(
        sequence: nextSequence(for: position.path), step: position.path, effect: step.effect,
        result: .failed, errorCode: code,
        action: StepAction(.stop(outcome, reason: text), rule: code)))
  }

  /// Takes an outcome into the journal and moves on by its action.
  mutating func commit(_ outcome: StepOutcome) {
    pending.append(.outcome(outcome))
    enter(
      JournalEntry(
        sequence: outcome.sequence, attempt: job.attempt, step: outcome.step,
        effect: outcome.effect, result: outcome.result, status: outcome.status,
        outputs: outcome.outputs, action: outcome.action.json))
    lastOutcome = outcome
    let isDone = outcome.result == .succeeded
    position.apply(outcome.action, outputs: isDone ? outcome.outputs : nil)
  }

  mutating func enter(_ entry: JournalEntry) {
    if run.last?.sequence == entry.sequence { run.removeLast() }
    run.append(entry)
    lastSequence = max(lastSequence, entry.sequence)
  }
}
