// Success and failure actions, of steps and of whole workflows.

internal import JSON

struct ActionReader {
  let document: ArazzoReader
  let stepIds: [String]
  let uses: ExpressionUses
  let stepId: String?
  var errors: ErrorCollector { document.errors }

  func readSuccess(_ step: ObjectReader, inheriting workflow: ObjectReader) -> [SuccessAction] {
    let own = read(step, "onSuccess", "successActions", isShared: false, successAction)
    let shared = read(workflow, "successActions", "successActions", isShared: true, successAction)
    return own + shared.filter { candidate in !own.contains { $0.name == candidate.name } }
  }

  func readFailure(_ step: ObjectReader, inheriting workflow: ObjectReader) -> [FailureAction] {
    let own = read(step, "onFailure", "failureActions", isShared: false, failureAction)
    let shared = read(workflow, "failureActions", "failureActions", isShared: true, failureAction)
    return own + shared.filter { candidate in !own.contains { $0.name == candidate.name } }
  }

  private func read<Action>(
    _ object: ObjectReader, _ field: String, _ components: String, isShared: Bool,
    _ make: (_ object: ObjectReader, _ name: String, _ type: String, _ isShared: Bool) -> Action?
  ) -> [Action] {
    var names: Set<String> = []
    var last: String?
    return (object.list(field) ?? []).compactMap { node in
      guard let (target, _) = document.reusable(node, components) else { return nil }
      let what = components == "successActions" ? "a success action" : "a failure action"
      let retry = components == "successActions" ? [] : ["retryAfter", "retryLimit"]
      guard
        let action = ObjectReader(
          target, what,
          fields: ["name", "type", "workflowId", "stepId", "parameters", "criteria"] + retry,
          hasPolicy: true, errors: errors),
        let name = action.requiredString("name", what),
        let type = action.requiredString("type", what)
      else { return nil }
      if !names.insert(name).inserted {
        errors.report("there are two actions '\(name)' in this list", at: node.location)
      }
      if let last, !document.isPublished {
        errors.report(
          "the action '\(name)' is never taken: '\(last)' before it has no criteria, so that it always "
            + "applies; give it some, or put it last", at: node.location)
      }
      // A retry is passed over once its limit is reached.
      if type != "retry", action["criteria"]?.elements?.isEmpty ?? true { last = last ?? name }
      if type != "end", let policy = action["x-writ"] {
        errors.report("x-writ has a meaning only on an action of type end", at: policy.location)
      }
      if type != "retry" {
        for field in retry where action[field] != nil {
          action.report("'\(field)' belongs to type: retry", at: action[field])
        }
      }
      return make(action, name, type, isShared || node["reference"] != nil)
    }
  }

  private func successAction(
    _ object: ObjectReader, _ name: String, _ type: String, isShared: Bool
  ) -> SuccessAction? {
    let criteria = readCriteria(object)
    let kind: SuccessAction.Kind
    switch type {
    case "end": kind = .end(readEnd(object, standard: .completed))
    case "goto":
      guard let target = readTarget(object, isRequired: true) else { return nil }
      kind = .goto(target)
    default:
      object.report(
        "the type of a success action must be one of end, goto"
          + Suggestion.question(type, among: ["end", "goto"]), at: object["type"])
      return nil
    }
    return SuccessAction(
      name: name, kind: kind, criteria: criteria, location: object.location, isShared: isShared)
  }

  private func failureAction(
    _ object: ObjectReader, _ name: String, _ type: String, isShared: Bool
  ) -> FailureAction? {
    let criteria = readCriteria(object)
    let kind: FailureAction.Kind
    switch type {
    case "end":
      if object["x-writ"]?["outcome"]?.string == Self.userAction {
        guard let policy = readUserAction(object) else { return nil }
        kind = .askUser(policy)
      } else {
        kind = .end(readEnd(object, standard: .discard))
      }
    case "goto":
      guard let target = readTarget(object, isRequired: true) else { return nil }
      kind = .goto(target)
    case "retry":
      kind = .retry(
        after: readRetryAfter(object), limit: object.integer("retryLimit", in: 0...1000) ?? 1,
        first: readTarget(object, isRequired: false))
    default:
      object.report(
        "the type of a failure action must be one of end, goto, retry"
          + Suggestion.question(type, among: ["end", "goto", "retry"]), at: object["type"])
      return nil
    }
    return FailureAction(
      name: name, kind: kind, criteria: criteria, location: object.location, isShared: isShared)
  }

  private func readCriteria(_ object: ObjectReader) -> [Criterion] {
    CriterionReader(document: document, uses: uses, stepId: stepId)
      .readList(object, "criteria", mayBeEmpty: true)
  }

  private func readRetryAfter(_ object: ObjectReader) -> Duration {
    guard let node = object["retryAfter"] else { return .zero }
    guard let seconds = node.scalar?.doubleValue, seconds >= 0, seconds <= 86_400 else {
      object.report("'retryAfter' must be a number of seconds from 0 to 86400", at: node)
      return .zero
    }
    return .milliseconds(Int64((seconds * 1000).rounded()))
  }

  private func readEnd(_ object: ObjectReader, standard: EndOutcome) -> EndPolicy {
    reportTargets(of: object)
    var policy = EndPolicy(outcome: standard)
    guard let node = object["x-writ"],
      let fields = ObjectReader(
        node, "x-writ of an action", fields: ["outcome", "reason"], isExtensible: false,
        errors: errors)
    else { return policy }
    if standard == .completed, fields["outcome"]?.string == Self.userAction {
      fields.report(
        "outcome: userAction belongs to a failure action: a step whose user has not acted yet has not "
          + "succeeded, so let its successCriteria say so", at: fields["outcome"])
      return policy
    }
    policy.outcome = fields.choice("outcome", as: EndOutcome.self) ?? standard
    policy.reason = fields.string("reason")
    if policy.outcome == .review, policy.reason == nil {
      fields.report("an end with outcome: review needs a 'reason' for the person who reviews")
    }
    return policy
  }

  private func reportTargets(of object: ObjectReader) {
    for field in ["workflowId", "stepId", "parameters"] where object[field] != nil {
      object.report("'\(field)' belongs to type: goto", at: object[field])
    }
  }

  private static let userAction = "userAction"

  /// An end with `outcome: userAction`, which is none: the job waits and the step is sent again.
  private func readUserAction(_ object: ObjectReader) -> UserActionPolicy? {
    reportTargets(of: object)
    guard let node = object["x-writ"],
      let fields = ObjectReader(
        node, "x-writ of an action with outcome: userAction",
        fields: ["outcome", "reason", "url", "code", "recheck", "deadline"],
        isExtensible: false, errors: errors)
    else { return nil }
    let what = "an end with outcome: userAction"
    let reason = fields.requiredString("reason", what)
    let url = fields.required("url", what).flatMap { readResponseExpression($0, mayBeSecret: true) }
    let code = fields["code"].flatMap { readResponseExpression($0, mayBeSecret: false) }
    guard let reason, let url else { return nil }
    var policy = UserActionPolicy(url: url, code: code, reason: reason)
    if let node = fields["recheck"],
      let recheck = ObjectReader(
        node, "recheck", fields: ["base", "cap"], isExtensible: false, errors: errors)
    {
      policy.recheckBase = recheck.duration("base") ?? policy.recheckBase
      policy.recheckCap =
        recheck.duration("cap") ?? max(policy.recheckCap, policy.recheckBase)
      if policy.recheckBase > policy.recheckCap {
        recheck.report("'base' must not be longer than 'cap'")
      }
    }
    policy.deadline = fields.duration("deadline") ?? policy.deadline
    return policy
  }

  private func readResponseExpression(
    _ node: DocumentNode, mayBeSecret: Bool
  ) -> RuntimeExpression? {
    guard let expression = errors.expression(node) else { return nil }
    uses.note(
      [expression], at: node.location, .response, step: stepId, mayBeSecret: mayBeSecret)
    guard case .response = expression.source else {
      errors.report(
        "this must be an expression over the response, such as $response.body#/url",
        at: node.location)
      return nil
    }
    return expression
  }

  private func readTarget(_ object: ObjectReader, isRequired: Bool) -> ActionTarget? {
    switch (object["stepId"], object["workflowId"]) {
    case (let step?, nil):
      if let parameters = object["parameters"] {
        object.report("'parameters' belongs to an action with workflowId", at: parameters)
      }
      guard let name = object.string("stepId") else { return nil }
      guard stepIds.contains(name) else {
        object.report(
          "there is no step '\(name)' in this workflow"
            + Suggestion.question(name, among: stepIds), at: step)
        return nil
      }
      return .step(name)
    case (nil, let workflow?):
      if let parameters = object["parameters"], !document.allowsVersion1_1 {
        object.report(
          "'parameters' of an action belongs to Arazzo 1.1, but this document is 1.0",
          at: parameters)
      }
      let parameters = ParameterReader(
        document: document, uses: uses, stepId: stepId, scope: .response
      ).readList(object, needsLocation: false)
      return document.workflowReference(workflow).map { .workflow($0, parameters: parameters) }
    case (nil, nil):
      if isRequired { object.report("an action of type goto needs stepId or workflowId") }
      return nil
    case (_?, _?):
      object.report("an action has either stepId or workflowId, not both")
      return nil
    }
  }
}
