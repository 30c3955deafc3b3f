// `x-writ` of workflows and steps.

internal import JSON

struct PolicyReader {
  let errors: ErrorCollector
  let uses: ExpressionUses
  /// Whether the document was checked already, by the version that published it.
  var isPublished = false
  /// The inputs that the workflow declares.
  var inputNames: Set<String> = []

  /// Reads `x-writ` of a workflow.
  ///
  /// - Parameter unreadInputs: The inputs that are declared and could not be read.
  func workflow(
    _ node: DocumentNode, inputs: InputSchema, unreadInputs: Set<String> = []
  ) -> WorkflowPolicy {
    var policy = WorkflowPolicy()
    guard
      let object = ObjectReader(
        node, "x-writ of a workflow",
        fields: [
          "jobType", "subject", "retry", "requestTimeout", "deadline", "replay", "concurrency",
          "rate", "idempotencyWindow",
          "schedule", "permissions",
        ], isExtensible: false, errors: errors)
    else { return policy }
    policy.jobType = object.string("jobType")
    if let name = policy.jobType, !InputSchemaReader.isName(name) {
      object.report(
        "a job type is named by at most 63 lower-case letters, digits and _, starting with a "
          + "letter", at: object["jobType"])
    }
    if let name = policy.jobType, JobTypeNames.taken.contains(name), !isPublished {
      object.report(
        "no job type can be named '\(name)', as there is a function writ.\(name) already; choose "
          + "another name", at: object["jobType"])
    }
    policy.subject = template("subject", of: object)
    if let subject = policy.subject, let node = object["subject"] {
      uses.note(subject.expressions, at: node.location, .inputsOnly)
    }
    policy.retry = readRetry(object)
    policy.requestTimeout = object.duration("requestTimeout") ?? policy.requestTimeout
    policy.deadline = object.duration("deadline")
    policy.replay = object.choice("replay", as: ReplaySafety.self) ?? .review
    policy.concurrency = object.integer("concurrency", in: 1...100_000)
    policy.rate = readRate(object)
    policy.idempotencyWindow = object.duration("idempotencyWindow") ?? policy.idempotencyWindow
    policy.permissions = readPermissions(object)
    policy.schedules =
      object["schedule"].map {
        ScheduleReader(errors: errors, inputs: inputs, unreadInputs: unreadInputs).read($0)
      } ?? []
    return policy
  }

  private func template(_ name: String, of object: ObjectReader) -> ValueTemplate? {
    if !isPublished, let node = object[name], let text = node.string {
      errors.reportForgottenSigns(text, inputs: inputNames, at: node)
    }
    return object.template(name)
  }

  private func readPermissions(_ object: ObjectReader) -> DeclaredPermissions? {
    guard let node = object["permissions"], object.list("permissions") != nil else { return nil }
    let list = object.strings("permissions")
    for (index, item) in list.enumerated()
    where list[..<index].contains(where: { $0.text == item.text }) {
      errors.report("the permission '\(item.text)' is listed twice", at: item.node.location)
    }
    return DeclaredPermissions(
      permissions: list.map { .init(name: $0.text, location: $0.node.location) },
      location: node.location)
  }

  private func readRate(_ object: ObjectReader) -> RateLimit? {
    guard let node = object["rate"],
      let rate = ObjectReader(
        node, "rate", fields: ["limit", "per"], isExtensible: false, errors: errors),
      rate.required("limit", "rate") != nil, rate.required("per", "rate") != nil,
      let limit = rate.integer("limit", in: 1...100_000), let period = rate.duration("per")
    else { return nil }
    guard period >= .milliseconds(1), period <= .seconds(31 * 86_400) else {
      rate.report("'per' must be from PT0.001S to P31D", at: rate["per"])
      return nil
    }
    return RateLimit(limit: limit, period: period)
  }

  private func readRetry(_ object: ObjectReader) -> RetryPolicy {
    var policy = RetryPolicy()
    guard let node = object["retry"],
      let retry = ObjectReader(
        node, "retry", fields: ["maxAttempts", "base", "cap"], isExtensible: false,
        errors: errors)
    else { return policy }
    policy.maxAttempts = retry.integer("maxAttempts", in: 1...1000) ?? policy.maxAttempts
    policy.base = retry.duration("base") ?? policy.base
    policy.cap = retry.duration("cap") ?? max(policy.cap, policy.base)
    if policy.base > policy.cap { retry.report("'base' must not be longer than 'cap'") }
    return policy
  }

  // MARK: Steps

  func step(
    _ step: ObjectReader, stepId: String?, target: StepTarget?, stepIds: [String]
  ) -> StepPolicy {
    var policy = StepPolicy()
    let node = step["x-writ"]
    let object = node.flatMap {
      ObjectReader(
        $0, "x-writ of a step",
        fields: ["inDoubt", "outputs", "sink", "rows", "credential", "effect", "reason"],
        isExtensible: false, errors: errors)
    }
    if let object {
      readEffect(object, target, into: &policy)
      policy.inDoubt = object["inDoubt"].flatMap { readInDoubt($0, stepIds) }
      policy.outputs = readOutputs(object, step)
      policy.sinks = readSinks(object, stepId, policy.outputs)
      policy.credential = object["credential"].flatMap { readCredential($0, stepId, stepIds) }
      policy.rows = object["rows"].flatMap { rows in
        RowsReader(errors: errors, uses: uses).read(rows, of: step, stepId: stepId, target: target)
      }
    }
    checkInDoubt(object?["inDoubt"], step, stepId, target, effect: policy.effect)
    return policy
  }

  /// An effect of the step's own, with the reason that makes it true.
  private func readEffect(
    _ object: ObjectReader, _ target: StepTarget?, into policy: inout StepPolicy
  ) {
    guard let node = object["effect"] else {
      if let reason = object["reason"] {
        errors.report("'reason' belongs to 'effect'", at: reason.location)
      }
      return
    }
    if case .workflow? = target {
      errors.report(
        "'effect' belongs to the steps of the workflow that is called", at: node.location)
    }
    policy.effect = object.choice("effect", as: OperationEffect.self)
    policy.effectReason = object.requiredString("reason", "an effect of a step's own")
  }

  private func checkInDoubt(
    _ rule: DocumentNode?, _ step: ObjectReader, _ stepId: String?, _ target: StepTarget?,
    effect: OperationEffect?
  ) {
    switch target {
    case .operation(let operation, _, _)? where (effect ?? operation.effect) != .none:
      guard rule == nil else { return }
      errors.own.report(
        "the step '\(stepId ?? "")' calls \(operation.name), whose effect is "
          + "\((effect ?? operation.effect).rawValue): say in x-writ.inDoubt what to do when it is "
          + "unknown whether the request took effect: resend, review, or goto: <a step that reads>",
        at: step.location)
    case .operation(let operation, _, _)?:
      guard let rule else { return }
      errors.report(
        "\(operation.name) only reads, so there is nothing to doubt; remove 'inDoubt'",
        at: rule.location)
    case .workflow?:
      guard let rule else { return }
      errors.report(
        "'inDoubt' belongs to the steps of the workflow that is called", at: rule.location)
    case nil: break
    }
  }

  private func readInDoubt(_ node: DocumentNode, _ stepIds: [String]) -> InDoubtRule? {
    switch node.string {
    case "resend": return .resend
    case "review": return .review
    default: break
    }
    guard let target = node["goto"], node.members?.count == 1, let name = target.string else {
      errors.report("'inDoubt' must be resend, review, or goto: <stepId>", at: node.location)
      return nil
    }
    guard stepIds.contains(name) else {
      errors.report(
        "there is no step '\(name)' in this workflow"
          + Suggestion.question(name, among: stepIds), at: target.location)
      return nil
    }
    return .goto(stepId: name)
  }

  private func readOutputs(
    _ object: ObjectReader, _ step: ObjectReader
  ) -> [String: OutputPolicy] {
    var policies: [String: OutputPolicy] = [:]
    for member in object.map("outputs") {
      let isListed = step["outputs"].map { $0.members == nil || $0[member.name] != nil }
      if isListed != true {
        errors.report(
          "the step has no output '\(member.name)'"
            + Suggestion.question(
              member.name, among: step["outputs"]?.members?.map(\.name) ?? []),
          at: member.nameLocation)
      }
      guard
        let fields = ObjectReader(
          member.value, "x-writ of an output", fields: ["record", "secret"],
          isExtensible: false, errors: errors)
      else { continue }
      var policy = OutputPolicy()
      policy.isSecret = fields.boolean("secret") ?? false
      policy.record = fields.choice("record", as: RecordPolicy.self) ?? .never
      if policy.isSecret {
        let isSealed = object["sink"]?[member.name]?["seal"] != nil
        if isSealed, fields["record"] != nil, policy.record != .clear {
          fields.report(
            "what is sealed is recorded as it is: remove 'record', or write record: clear",
            at: fields["record"])
        } else if !isSealed, policy.record != .never {
          fields.report("a secret is never recorded; remove 'record'", at: fields["record"])
        }
        if isSealed { policy.record = .clear }
        if object["sink"]?[member.name] == nil {
          errors.report(
            "the secret '\(member.name)' needs a sink, x-writ.sink.\(member.name), or it is lost",
            at: member.nameLocation)
        }
      }
      policies[member.name] = policy
    }
    return policies
  }

  private func readSinks(
    _ object: ObjectReader, _ stepId: String?, _ outputs: [String: OutputPolicy]
  ) -> [String: SecretSink] {
    var sinks: [String: SecretSink] = [:]
    for member in object.map("sink") {
      if outputs[member.name]?.isSecret != true {
        errors.report(
          "a sink takes secrets only: write x-writ.outputs.\(member.name): {secret: true}",
          at: member.nameLocation)
      }
      guard
        let fields = ObjectReader(
          member.value, "a sink", fields: ["store", "seal"], isExtensible: false, errors: errors)
      else { continue }
      switch (fields["store"], fields["seal"]) {
      case (let store?, nil):
        guard fields.string("store") != nil,
          let name = template("store", of: fields)
        else { continue }
        uses.note(name.expressions, at: store.location, .request, step: stepId)
        sinks[member.name] = .store(name)
      case (nil, let seal?): sinks[member.name] = readSeal(seal, fields, stepId)
      default: fields.report("a sink needs either 'store' or 'seal'")
      }
    }
    return sinks
  }

  private func readSeal(
    _ node: DocumentNode, _ fields: ObjectReader, _ stepId: String?
  ) -> SecretSink? {
    guard case .expression(let expression)? = fields.template("seal"),
      case .input(let input) = expression.source, expression.pointer == nil
    else {
      errors.report(
        "'seal' must be the input that holds the public key, such as $inputs.public_key",
        at: node.location)
      return nil
    }
    uses.note([expression], at: node.location, .request, step: stepId)
    return .seal(input: input, location: node.location)
  }

  private func readCredential(
    _ node: DocumentNode, _ stepId: String?, _ stepIds: [String]
  ) -> StepCredential? {
    guard
      let object = ObjectReader(
        node, "a credential", fields: ["secretOf", "stored"], isExtensible: false,
        errors: errors)
    else { return nil }
    switch (object["secretOf"], object["stored"]) {
    case (let secret?, nil):
      let parts = (secret.string ?? "").split(
        separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
        object.report("'secretOf' must be <stepId>.<output>", at: secret)
        return nil
      }
      return .secretOf(stepId: String(parts[0]), output: String(parts[1]))
    case (nil, let stored?):
      guard object.requiredString("stored", "a credential") != nil,
        let name = template("stored", of: object)
      else { return nil }
      uses.note(name.expressions, at: stored.location, .request, step: stepId)
      return .stored(name)
    default:
      object.report("a credential has either secretOf or stored")
      return nil
    }
  }
}
