// What can be told of a step before any job: that it can never succeed, or an action of it never be taken.
// Nothing is guessed here: a status that the API does not describe may come all the same.

internal import JSON

struct SuccessChecker {
  let errors: ErrorCollector
  private let tests = StatusTests()
  private let judged = JudgedActions()

  init(errors: ErrorCollector) { self.errors = errors }

  func check(_ workflow: Workflow) {
    for step in workflow.steps {
      checkParameters(of: step)
      if let demand = checkSuccess(of: step) { checkActions(of: step, demand) }
    }
  }

  /// Reports a step that waits for a success that its operation does not describe.
  static func checkDescription(of step: Step, errors: ErrorCollector) {
    guard let operation = step.operation, step.successCriteria.isEmpty,
      !operation.describesAnySuccess
    else { return }
    errors.report(
      "the step can never succeed: it has no successCriteria, and the operation \(operation.name) "
        + "describes no 2xx response; write successCriteria, such as condition: $statusCode == 200, or "
        + "describe the response in the API", at: step.location)
  }

  // MARK: Parameters

  private func checkParameters(of step: Step) {
    for parameter in step.parameters {
      switch (parameter.location, parameter.value) {
      case (.path?, .literal(.null)), (.path?, .literal("")), (.path?, .literal(".")),
        (.path?, .literal("..")):
        errors.report(
          "the path parameter '\(parameter.name)' can never be sent: it is empty or only dots, which would "
            + "be another path; give it a value, such as $inputs.\(parameter.name)",
          at: parameter.sourceLocation)
      case (.header?, let value) where value.hasControlCharacter:
        errors.report(
          "the header '\(parameter.name)' can never be sent: there is a control character in it, such as "
            + "the end of a line", at: parameter.sourceLocation)
      default: break
      }
    }
  }

  // MARK: Criteria

  /// Reports why a step can never succeed; what its criteria ask if it can.
  private func checkSuccess(of step: Step) -> CriteriaDemand? {
    let demand = CriteriaDemand(of: step.successCriteria, tests)
    guard let fault = demand.contradiction else { return demand }
    errors.report("the step can never succeed: \(fault.description)", at: fault.location)
    return nil
  }

  /// - Parameter demand: What the step's successCriteria ask.
  private func checkActions(of step: Step, _ demand: CriteriaDemand) {
    let success = demandOfSuccess(step, demand)
    for action in step.onSuccess where judged.isNew(action.location, isShared: action.isShared) {
      let demand = CriteriaDemand(of: action.criteria, tests)
      if let fault = demand.contradiction {
        report(action.name, fault.description, at: fault.location)
      } else if !action.isShared, let first = action.criteria.first, !demand.canHold(with: success)
      {
        report(
          action.name,
          "its criteria never hold when the step has succeeded; let successCriteria of the step take this "
            + "answer for a success, or make it a failure action", at: first.location)
      }
    }
    for action in step.onFailure where judged.isNew(action.location, isShared: action.isShared) {
      if let fault = CriteriaDemand(of: action.criteria, tests).contradiction {
        report(action.name, fault.description, at: fault.location)
      }
    }
  }

  /// What an answer has to give for a step to succeed.
  private func demandOfSuccess(_ step: Step, _ demand: CriteriaDemand) -> CriteriaDemand {
    guard step.successCriteria.isEmpty, let operation = step.operation,
      operation.describesAnySuccess
    else { return demand }
    var statuses = StatusSet.none
    for status in 200...299 where operation.describesSuccess(status) {
      statuses.insert(status...status)
    }
    return CriteriaDemand(statuses: statuses)
  }

  private func report(_ name: String, _ reason: String, at location: SourceLocation) {
    errors.report("the action '\(name)' is never taken: \(reason)", at: location)
  }
}

/// The actions that have been looked at, of those that several steps have.
private final class JudgedActions {
  private struct Place: Hashable {
    let line: Int
    let column: Int
  }

  private var places: Set<Place> = []

  func isNew(_ location: SourceLocation, isShared: Bool) -> Bool {
    !isShared || places.insert(Place(line: location.line, column: location.column)).inserted
  }
}

extension ValueTemplate {
  /// Whether what the author has written has a character that no header may have.
  fileprivate var hasControlCharacter: Bool {
    let texts =
      switch self {
      case .literal(.string(let text)): [text]
      case .text(let parts):
        parts.compactMap { if case .literal(let text) = $0 { text } else { nil } }
      default: [String]()
      }
    return texts.contains { $0.utf8.contains { $0 < 0x20 || $0 == 0x7F } }
  }
}
