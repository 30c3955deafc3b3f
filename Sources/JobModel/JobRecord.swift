// What a worker writes about a job that it holds: the entries of `writ_worker.record`.

public import Arazzo
public import JSON

/// Why a job stands where it stands: a code for programs and a sentence for people.
public struct JobError: Sendable, Hashable {
  /// A word of our own, for example `connection_refused`; bounded, so fit for a metric's label.
  public var code: String
  /// A sentence that holds no value from a request or a response.
  public var text: String
  /// The step that it happened in.
  public var step: String?
  /// The HTTP status, where an answer came.
  public var status: Int?

  /// An error.
  public init(code: String, text: String, step: String? = nil, status: Int? = nil) {
    self.code = code
    self.text = text
    self.step = step
    self.status = status
  }

  /// The object that the job's `last_error` holds.
  public var json: JSONValue {
    var object = JSONObject([("code", .string(code)), ("text", .string(text))])
    object["step"] = step.map { .string($0) }
    object["status"] = status.map { JSONValue($0) }
    return .object(object)
  }
}

/// The fields that the audit event of a record may show, chosen by listing.
public struct RecordedFields: Sendable, Hashable {
  /// Fields that are shown as they are.
  public var clear = JSONObject()
  /// Fields that the database turns into keyed digests before it writes them anywhere.
  public var digested = JSONObject()

  /// No fields.
  public init() {}

  /// Whether there is no field.
  public var isEmpty: Bool { clear.isEmpty && digested.isEmpty }
}

/// That a user has to act before the job can go on.
public struct UserActionRequest: Sendable, Hashable {
  /// Where he has to go, exactly as the service said; for the requester alone.
  public var url: String
  /// After how long the service is asked again.
  public var delay: Duration
  /// How long he has, from the first such request of the step on.
  public var deadline: Duration
  /// Why, for the requester.
  public var error: JobError

  /// A request.
  public init(url: String, delay: Duration, deadline: Duration, error: JobError) {
    self.url = url
    self.delay = delay
    self.deadline = deadline
    self.error = error
  }
}

/// One entry for `writ_worker.record`.
public enum JobRecord: Sendable, Hashable {
  /// A step that changes something is about to be sent.
  case intent(sequence: Int, step: String, effect: OperationEffect)
  /// What came of a step.
  case outcome(StepOutcome)
  /// The job is done.
  case complete(result: JSONObject, recorded: RecordedFields)
  /// The job is refused or given up.
  case discard(JobError)
  /// The job is called off before it changed anything.
  case cancel
  /// The job is tried again after a while.
  case retry(delay: Duration, burnsAttempt: Bool, isUnresolved: Bool, JobError)
  /// The job waits for a person. Whether it is unresolved is what the attempt has recorded, unless it says so itself.
  case review(JobError, isUnresolved: Bool? = nil)
  /// The job waits until a user has acted; costs no attempt.
  case userAction(UserActionRequest)
  /// The worker stops and gives the job back; costs no attempt.
  case handBack(isUnresolved: Bool)
}

/// The outcome of one step, as the journal and the audit trail get it.
public struct StepOutcome: Sendable, Hashable {
  /// The position in the journal.
  public var sequence: Int
  /// The step, with the sub-workflows around it.
  public var step: String
  /// What the step does to the outside world.
  public var effect: OperationEffect
  /// What came of it.
  public var result: StepResult
  /// The HTTP status, where an answer came.
  public var status: Int?
  /// Our own code or AuthOS's `error_code`, for a failure.
  public var errorCode: String?
  /// From sending the request to having its answer.
  public var duration: Duration
  /// The outputs for the journal, secrets left out.
  public var outputs: JSONObject
  /// What was decided to do next.
  public var action: StepAction
  /// What the audit event may show.
  public var recorded: RecordedFields
  /// The rows of the job that came with it.
  public var rows: [JobRow]

  /// An outcome.
  public init(
    sequence: Int, step: String, effect: OperationEffect, result: StepResult, status: Int? = nil,
    errorCode: String? = nil, duration: Duration = .zero, outputs: JSONObject = JSONObject(),
    action: StepAction, recorded: RecordedFields = RecordedFields(), rows: [JobRow] = []
  ) {
    self.sequence = sequence
    self.step = step
    self.effect = effect
    self.result = result
    self.status = status
    self.errorCode = errorCode
    self.duration = duration
    self.outputs = outputs
    self.action = action
    self.recorded = recorded
    self.rows = rows
  }
}

extension JobRecord {
  /// The entry as `writ_worker.record` takes it.
  ///
  /// Members besides `job`, `attempt` and `kind`:
  /// - `intent`: `seq`, `step`, `effect`
  /// - `outcome`: `seq`, `step`, `effect`, `result`, `status`, `error_code`, `duration_us`,
  ///   `outputs`, `action`, `recorded`, `digested`, and `rows` where there are any: an array of
  ///   `[key, fields]`
  /// - `complete`: `result`, `recorded`, `digested`
  /// - `discard`: `error`
  /// - `review`: `error`, perhaps `unresolved`
  /// - `retry`: `delay_us`, `burns`, `unresolved`, `error`
  /// - `user_action`: `error`, `delay_us`, `action`: an object of `url` and `deadline_us`
  /// - `hand_back`: `unresolved`
  public func json(job: Int, attempt: Int) -> JSONValue {
    var object = JSONObject([
      ("job", JSONValue(job)), ("attempt", JSONValue(attempt)), ("kind", .string(kind)),
    ])
    for (name, value) in members { object[name] = value }
    return .object(object)
  }

  /// The entry's `kind`.
  public var kind: String {
    switch self {
    case .intent: "intent"
    case .outcome: "outcome"
    case .complete: "complete"
    case .discard: "discard"
    case .cancel: "cancel"
    case .retry: "retry"
    case .review: "review"
    case .userAction: "user_action"
    case .handBack: "hand_back"
    }
  }

  private var members: [(String, JSONValue)] {
    switch self {
    case .intent(let sequence, let step, let effect):
      [("seq", JSONValue(sequence)), ("step", .string(step)), ("effect", .string(effect.rawValue))]
    case .outcome(let outcome): outcome.members
    case .complete(let result, let recorded):
      [("result", .object(result))] + recorded.members
    case .discard(let error): [("error", error.json)]
    case .review(let error, let isUnresolved):
      [("error", error.json)] + (isUnresolved.map { [("unresolved", .bool($0))] } ?? [])
    case .cancel: []
    case .retry(let delay, let burnsAttempt, let isUnresolved, let error):
      [
        ("delay_us", JSONValue(delay.inMicroseconds)), ("burns", .bool(burnsAttempt)),
        ("unresolved", .bool(isUnresolved)), ("error", error.json),
      ]
    case .userAction(let request):
      [
        ("error", request.error.json), ("delay_us", JSONValue(request.delay.inMicroseconds)),
        (
          "action",
          [
            "url": .string(request.url),
            "deadline_us": JSONValue(request.deadline.inMicroseconds),
          ]
        ),
      ]
    case .handBack(let isUnresolved): [("unresolved", .bool(isUnresolved))]
    }
  }
}

extension StepOutcome {
  fileprivate var members: [(String, JSONValue)] {
    [
      ("seq", JSONValue(sequence)), ("step", .string(step)), ("effect", .string(effect.rawValue)),
      ("result", .string(result.rawValue)), ("status", JSONValue(status)),
      ("error_code", JSONValue(errorCode)), ("duration_us", JSONValue(duration.inMicroseconds)),
      ("outputs", .object(outputs)), ("action", action.json),
    ] + recorded.members
      + (rows.isEmpty
        ? [] : [("rows", .array(rows.map { [.string($0.key), .object($0.fields)] }))])
  }
}

extension RecordedFields {
  fileprivate var members: [(String, JSONValue)] {
    [("recorded", .object(clear)), ("digested", .object(digested))]
  }
}

extension Duration {
  /// The duration in whole microseconds, rounded down.
  var inMicroseconds: Int {
    let (seconds, attoseconds) = components
    return Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
  }
}
