// What can be told of a step before any job: that it can never succeed, or an action of it never be taken.
// Nothing is guessed here: a status that the API does not describe may come all the same.

internal import JSON

struct SuccessChecker {
  let errors: ErrorCollector

  func check(_ workflow: Workflow) {
    for step in workflow.steps {
      checkParameters(of: step)
      if checkSuccess(of: step) { checkActions(of: step) }
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

  /// Reports why a step can never succeed; whether it can.
  private func checkSuccess(of step: Step) -> Bool {
    guard let fault = Contradiction(in: step.successCriteria) else { return true }
    errors.report("the step can never succeed: \(fault.description)", at: fault.location)
    return false
  }

  private func checkActions(of step: Step) {
    for action in step.onSuccess {
      if let fault = Contradiction(in: action.criteria) {
        report(action.name, fault.description, at: fault.location)
      } else if let first = action.criteria.first, !canFollowSuccess(action, of: step) {
        report(
          action.name,
          "its criteria never hold when the step has succeeded; let successCriteria of the step take this "
            + "answer for a success, or make it a failure action", at: first.location)
      }
    }
    for action in step.onFailure {
      if let fault = Contradiction(in: action.criteria) {
        report(action.name, fault.description, at: fault.location)
      }
    }
  }

  private func canFollowSuccess(_ action: SuccessAction, of step: Step) -> Bool {
    guard step.successCriteria.isEmpty else {
      return Contradiction(in: step.successCriteria + action.criteria) == nil
    }
    guard let operation = step.operation, operation.describesAnySuccess else { return true }
    return Contradiction.statuses.contains { status in
      operation.describesSuccess(status)
        && !action.criteria.contains { $0.decision(at: status) == false }
    }
  }

  private func report(_ name: String, _ reason: String, at location: SourceLocation) {
    errors.report("the action '\(name)' is never taken: \(reason)", at: location)
  }
}

/// Why criteria that all have to hold never do, whatever the answer is.
private struct Contradiction {
  /// What a response can have as its status (RFC 9110, section 15: three digits); first those that criteria are
  /// mostly about, since the search ends with the first one that may fulfil them.
  static let statuses =
    [200, 404, 201, 204, 403, 401, 400, 409, 422, 429, 500, 503, 202] + Array(100...999)

  let description: String
  let location: SourceLocation

  /// Looks for a contradiction; `nil` where there is none that is sure.
  init?(in criteria: [Criterion]) {
    let alternatives = "; where one of several is enough, join them with || in one condition"
    for criterion in criteria
    where Self.statuses.allSatisfy({ criterion.decision(at: $0) == false }) {
      description = "'\(criterion.text)' holds for no answer"
      location = criterion.location
      return
    }
    if let first = criteria.first,
      Self.statuses.allSatisfy({ status in
        criteria.contains { $0.decision(at: status) == false }
      })
    {
      description = "no status fulfils all of these criteria" + alternatives
      location = first.location
      return
    }
    var wanted: [RuntimeExpression: [JSONValue]] = [:]
    for criterion in criteria {
      for (expression, value) in criterion.equalities {
        if let other = wanted[expression]?.first(where: { !Condition.canEqualBoth($0, value) }) {
          description =
            "\(expression) cannot be both \(Self.written(other)) and \(Self.written(value))"
            + alternatives
          location = criterion.location
          return
        }
        wanted[expression, default: []].append(value)
      }
    }
    return nil
  }

  /// A literal as it stands in a condition.
  private static func written(_ value: JSONValue) -> String {
    value.stringValue.map { "'\($0)'" } ?? value.serialized()
  }
}

extension Criterion {
  /// Whether it holds for a status; `nil` where that depends on more than the status.
  fileprivate func decision(at status: Int) -> Bool? {
    if case .simple(let condition) = kind { return condition.decision(at: status) }
    guard expressions.allSatisfy(\.isStatus) else { return nil }
    return evaluate(in: .of(status: status))
  }

  /// What has to equal which literal for the criterion to hold.
  fileprivate var equalities: [(RuntimeExpression, JSONValue)] {
    if case .simple(let condition) = kind { condition.equalities } else { [] }
  }
}

extension Condition {
  fileprivate func decision(at status: Int) -> Bool? {
    switch self {
    case .not(let condition): return condition.decision(at: status).map { !$0 }
    case .and(let left, let right):
      let both = [left.decision(at: status), right.decision(at: status)]
      return both.contains(false) ? false : both.contains(nil) ? nil : true
    case .or(let left, let right):
      let both = [left.decision(at: status), right.decision(at: status)]
      return both.contains(true) ? true : both.contains(nil) ? nil : false
    case .literal, .expression, .property, .element, .comparison:
      return expressions.allSatisfy(\.isStatus) ? evaluate(in: .of(status: status)) : nil
    }
  }

  fileprivate var equalities: [(RuntimeExpression, JSONValue)] {
    switch self {
    case .and(let left, let right): left.equalities + right.equalities
    case .comparison(.expression(let expression), .equal, .literal(let value)),
      .comparison(.literal(let value), .equal, .expression(let expression)):
      [(expression, value)]
    default: []
    }
  }

  /// Whether one value can equal both: `'1'` and `'1.0'` are two texts, and the number 1 equals either.
  fileprivate static func canEqualBoth(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if compare(left, .equal, right) { return true }
    guard case .string(let text) = left, let number = try? JSONValue(parsing: text),
      case .number = number
    else { return false }
    return compare(number, .equal, right)
  }
}

extension RuntimeExpression {
  fileprivate var isStatus: Bool { source == .statusCode }
}

extension EvaluationContext {
  fileprivate static func of(status: Int) -> EvaluationContext {
    var context = EvaluationContext()
    context.statusCode = status
    return context
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
