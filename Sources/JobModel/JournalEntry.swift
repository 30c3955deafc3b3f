// One row of a job's journal: what was meant, and what came of it.

public import Arazzo
public import JSON

/// What came of a step.
public enum StepResult: String, Sendable, Hashable, CaseIterable {
  /// Its success criteria held.
  case succeeded
  /// It failed, and it is certain that it changed nothing.
  case failed
  /// Whether it took effect is unknown.
  case ambiguous
}

/// One row of a job's journal.
///
/// An entry without a ``result`` is an open intent: the request may have left. A row whose result is
/// `failed` and whose action is `again` is written over by the next try of the same step, under the
/// same sequence number, so that waiting out a long outage does not grow the journal; the audit
/// trail keeps every try.
public struct JournalEntry: Sendable, Hashable {
  /// The position in the journal, from 1, without gaps.
  public var sequence: Int
  /// The attempt that wrote it last.
  public var attempt: Int
  /// The step, with the sub-workflows around it: `remove_old`, `prepare/look_up`.
  public var step: String
  /// What the step does to the outside world.
  public var effect: OperationEffect
  /// What came of it; `nil` for an open intent.
  public var result: StepResult?
  /// The HTTP status, where an answer came.
  public var status: Int?
  /// The outputs, secrets left out.
  public var outputs: JSONObject
  /// What was decided to do next, so that nothing is evaluated twice (``StepAction/json``).
  public var action: JSONValue?

  /// An entry.
  public init(
    sequence: Int, attempt: Int, step: String, effect: OperationEffect,
    result: StepResult? = nil, status: Int? = nil, outputs: JSONObject = JSONObject(),
    action: JSONValue? = nil
  ) {
    self.sequence = sequence
    self.attempt = attempt
    self.step = step
    self.effect = effect
    self.result = result
    self.status = status
    self.outputs = outputs
    self.action = action
  }

  /// An entry from one element of the `journal` array that a claim returns, an object with the
  /// columns of the journal table; columns that are not needed are ignored.
  ///
  /// - Returns: `nil` where `seq`, `attempt`, `step` or `effect` is missing or of the wrong kind.
  public init?(json: JSONValue) {
    guard let sequence = json["seq"]?.intValue, let attempt = json["attempt"]?.intValue,
      let step = json["step"]?.stringValue,
      let effect = json["effect"]?.stringValue.flatMap(OperationEffect.init(rawValue:))
    else { return nil }
    var result: StepResult?
    if let text = json["result"]?.stringValue {
      guard let known = StepResult(rawValue: text) else { return nil }
      result = known
    }
    let action = json["action"].flatMap { $0.isNull ? nil : $0 }
    self.init(
      sequence: sequence, attempt: attempt, step: step, effect: effect, result: result,
      status: json["status"]?.intValue, outputs: json["outputs"]?.objectValue ?? JSONObject(),
      action: action)
  }
  /// Whether the next try of the same step writes over it.
  var isWrittenOver: Bool {
    result == .failed && action.flatMap(StepAction.init(json:))?.isWrittenOver == true
  }
}
