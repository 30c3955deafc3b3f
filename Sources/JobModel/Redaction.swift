// What of a job may be written down: only what the definition lists.

public import Arazzo
public import JSON

/// The choice of fields for the audit trail and the job's result, by listing.
public enum Redaction {
  /// The inputs that the audit event of an enqueue may show.
  public static func inputs(_ values: JSONObject, of schema: InputSchema) -> RecordedFields {
    var fields = RecordedFields()
    for property in schema.properties {
      fields.add(property.name, values[property.name], property.policy.record)
    }
    return fields
  }

  /// The outputs of a step that its audit event may show; secrets never, not even sealed: the trail
  /// outlives every key.
  public static func outputs(_ values: JSONObject, of step: Step) -> RecordedFields {
    var fields = RecordedFields()
    for output in step.outputs {
      let policy = step.outputPolicy(output.name)
      fields.add(output.name, values[output.name], policy.isSecret ? .never : policy.record)
    }
    return fields
  }

  /// What the audit event of a job's end may show of its result: what is sealed stays in the job.
  public static func shown(_ result: RecordedFields, of workflow: Workflow) -> RecordedFields {
    var fields = result
    for output in workflow.outputs {
      guard case .step(let stepID, let name) = output.expression.source,
        workflow.step(id: stepID)?.isSealed(name) == true
      else { continue }
      fields.clear[output.name] = nil
    }
    return fields
  }

  /// The outputs of a job's workflow that its result may hold: an output that is the output of a
  /// step may be shown as that one may; anything else is not.
  public static func result(_ values: JSONObject, of workflow: Workflow) -> RecordedFields {
    var fields = RecordedFields()
    for output in workflow.outputs {
      guard case .step(let stepID, let name) = output.expression.source,
        output.expression.pointer == nil, let step = workflow.step(id: stepID)
      else { continue }
      fields.add(
        output.name, values[output.name],
        step.holdsSecret(name) ? .never : step.outputPolicy(name).record)
    }
    return fields
  }
}

extension RecordedFields {
  fileprivate mutating func add(_ name: String, _ value: JSONValue?, _ policy: RecordPolicy) {
    guard let value else { return }
    switch policy {
    case .clear: clear[name] = value
    case .digest: digested[name] = value
    case .never: break
    }
  }
}
