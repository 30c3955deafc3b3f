// A job type as people and programs read it.

import Arazzo
import Foundation
import JSON

enum JobTypeReport {
  /// The type as JSON.
  static func json(_ type: JobTypeDefinition) -> JSONValue {
    let policy = type.workflow.policy
    let file = type.files.first { $0.path.contains(".arazzo.") }
    let diagram = StepDiagram(type)
    let sections = diagram.sections.all
    let members: [(String, JSONValue?)] = [
      ("name", .string(type.name)),
      ("summary", type.workflow.summary.map { .string($0) }),
      ("inputs", .array(type.workflow.inputs.parameters.map(json))),
      ("least_privilege", .array(type.leastPrivilege.map { .string($0) })),
      ("targets", .array(type.targets.map { TargetReport(use: $0, jobType: type.name).json })),
      ("max_attempts", JSONValue(policy.retry.maxAttempts)),
      ("concurrency", policy.concurrency.map { JSONValue($0) }),
      (
        "rate",
        policy.rate.map {
          ["limit": JSONValue($0.limit), "per": .string(DurationText.written($0.period))]
        }
      ),
      ("replay", .string(policy.replay.rawValue)),
    ]
    let main = sections.prefix(1).flatMap { steps(of: $0, diagram) }
    let others = sections.dropFirst().map { section in
      JSONValue.members(
        [("name", .string(section.name)), ("file", .string(section.document.file))]
          + steps(of: section, diagram))
    }
    return .members(
      members + main
        + [
          ("workflows", others.isEmpty ? nil : .array(others)),
          ("file", file.map { .string($0.path) }),
        ])
  }

  /// What a workflow depends on, its steps and its edges.
  private static func steps(
    of section: ReachedWorkflow, _ diagram: StepDiagram
  ) -> [(String, JSONValue?)] {
    let workflow = section.workflow
    let first = workflow.dependsOn.map {
      JSONValue.string(diagram.sections.name($0, from: section))
    }
    return [
      ("depends_on", first.isEmpty ? nil : .array(first)),
      ("steps", .array(workflow.steps.map { json($0, section, diagram) })),
      ("edges", .array(StepGraph(workflow).edges.map { diagram.json($0, section) })),
    ]
  }

  /// The type as lines of text.
  static func lines(_ type: JobTypeDefinition) -> [String] {
    let policy = type.workflow.policy
    var lines = ["\(type.name): \(type.workflow.summary ?? "")", ""]
    if let description = type.workflow.description {
      lines += description.split(separator: "\n").map { "  \($0)" } + [""]
    }
    lines += ["Order it", "  \(call(type))", "", "Inputs"]
    var inputs = Table("", "", "", "")
    for input in type.workflow.inputs.parameters {
      inputs.add(
        "  \(input.name)", kind(input), input.isRequired ? "required" : "optional",
        input.description?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "")
    }
    lines +=
      inputs.lines() + [
        "", "Its key needs",
        "  "
          + (type.leastPrivilege.isEmpty
            ? "nothing" : type.leastPrivilege.joined(separator: ", ")),
        "",
      ]
    if !type.targets.isEmpty {
      lines += ["It calls"]
      lines += type.targets.flatMap { TargetReport(use: $0, jobType: type.name).lines } + [""]
    }
    let diagram = StepDiagram(type)
    for (index, section) in diagram.sections.all.enumerated() {
      lines += index == 0 ? ["Steps"] : ["", "The workflow \(section.name)"]
      lines += diagram.lines(section).map { $0.isEmpty ? "" : "  \($0)" }
    }
    lines += [
      "", "Failures",
      "  at most \(policy.retry.maxAttempts.counting("attempt")), "
        + "backoff from \(DurationText.written(policy.retry.base)) to \(DurationText.written(policy.retry.cap))",
      "  replay of a finished job: \(replay(policy.replay))",
    ]
    if let concurrency = policy.concurrency {
      lines.append(
        "  at most \(concurrency.counting("job")) of this type \(concurrency == 1 ? "runs" : "run") at once"
      )
    }
    if let rate = policy.rate {
      lines.append(
        "  at most \(rate.limit.counting("job")) of this type \(rate.limit == 1 ? "starts" : "start") in \(DurationText.written(rate.period))"
      )
    }
    if !policy.schedules.isEmpty {
      var schedules = Table("", "", "", "")
      for schedule in policy.schedules {
        schedules.add(
          "  \(schedule.name ?? type.name)", schedule.cron.text, schedule.timeZone,
          schedule.environments.joined(separator: ", "))
      }
      lines += ["", "Schedules"] + schedules.lines()
    }
    return lines.map(\.printable)
  }

  /// The SQL that orders a job of the type, with its required inputs.
  static func call(_ type: JobTypeDefinition) -> String {
    let inputs = type.workflow.inputs.parameters.filter(\.isRequired).map { "\($0.name) => …" }
    return "select writ.\(type.name)(\(inputs.joined(separator: ", ")));"
  }

  /// The kind in the words of SQL.
  static func kind(_ input: InputProperty) -> String {
    switch input.kind {
    case .string: "text"
    case .uuid: "uuid"
    case .dateTime: "timestamptz"
    case .email: "e-mail address"
    case .uri: "URI"
    case .publicKey: "public key"
    case .integer: "bigint"
    case .number: "numeric"
    case .boolean: "boolean"
    case .stringArray: "text[]"
    case .uuidArray: "uuid[]"
    case .integerArray: "bigint[]"
    case .json: "jsonb"
    }
  }

  private static func json(_ input: InputProperty) -> JSONValue {
    .members([
      ("name", .string(input.name)), ("kind", .string(kind(input))),
      ("required", .bool(input.isRequired)),
      ("description", input.description.map { .string($0) }),
    ])
  }

  private static func json(
    _ step: Step, _ section: ReachedWorkflow, _ diagram: StepDiagram
  ) -> JSONValue {
    var called: JSONValue?
    if case .workflow(let reference) = step.target {
      called = .string(diagram.sections.name(reference, from: section))
    }
    return .members([
      ("name", .string(step.stepId)), ("request", .string(diagram.request(step, section))),
      ("workflow", called), ("effect", .string(effect(step))),
      ("in_doubt", .string(inDoubt(step))),
    ])
  }

  /// What a step asks, and of whom.
  static func request(_ step: Step) -> String {
    switch step.target {
    case .operation(let operation, _, isLocal: false): "\(operation.method.name) \(operation.path)"
    case .operation(let operation, _, isLocal: true): "in the worker: \(operation.name)"
    case .workflow(let reference): "the workflow \(reference.workflowId)"
    }
  }

  /// What a step does to the outside world.
  static func effect(_ step: Step) -> String {
    guard case .operation(let operation, _, _) = step.target else { return "see there" }
    let effect = step.policy.effect ?? operation.effect
    return effect == .none ? "reads" : "\(effect.rawValue)s"
  }

  private static func inDoubt(_ step: Step) -> String {
    switch step.policy.inDoubt {
    case .resend?: "in doubt: sends it again"
    case .review?: "in doubt: waits for a person"
    case .goto(let step)?: "in doubt: \(step) finds out"
    case nil: ""
    }
  }

  private static func replay(_ safety: ReplaySafety) -> String {
    switch safety {
    case .safe: "allowed"
    case .review: "with --force, after a look"
    case .never: "never"
    }
  }
}
