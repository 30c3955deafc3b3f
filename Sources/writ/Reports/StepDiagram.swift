// The steps of a workflow as people read them in a terminal: each step with the ways that lead out of it.
//
//     [1] find  GET /users/{id}  reads
//      ├─ success: there_already ──▶ end: completed
//      ├─ success ──▶ [2] create
//      └─ failure: hurried ──▶ [1] find, after 1.5 s, at most 3 times

import Arazzo
import JSON

enum StepDiagram {
  /// The diagram as lines of text.
  static func lines(_ workflow: Workflow) -> [String] {
    let graph = StepGraph(workflow)
    let width = workflow.steps.map(\.stepId.count).max() ?? 0
    let requestWidth = workflow.steps.map { JobTypeReport.request($0).count }.max() ?? 0
    var lines: [String] = []
    for (index, step) in workflow.steps.enumerated() {
      if index > 0 { lines.append("") }
      lines.append(
        "[\(index + 1)] \(step.stepId.padded(to: width))  "
          + "\(JobTypeReport.request(step).padded(to: requestWidth))  \(JobTypeReport.effect(step))"
      )
      let edges = graph.edges(from: step.stepId)
      for (number, edge) in edges.enumerated() {
        let branch = number == edges.count - 1 ? "└─" : "├─"
        lines.append(" \(branch) \(label(edge)) ──▶ \(destination(edge, workflow))")
      }
    }
    return lines
  }

  /// An edge as JSON.
  static func json(_ edge: StepGraph.Edge) -> JSONValue {
    var members: [(String, JSONValue?)] = [
      ("from", .string(edge.from)), ("cause", .string(edge.cause.rawValue)),
      ("action", edge.action.map { .string($0) }),
    ]
    if !edge.conditions.isEmpty {
      members.append(("conditions", .array(edge.conditions.map { .string($0) })))
    }
    switch edge.to {
    case .step(let step): members.append(("to", .string(step)))
    case .end(let outcome, let reason):
      members += [("end", .string(outcome.rawValue)), ("reason", reason.map { .string($0) })]
    case .workflow(let reference): members.append(("workflow", .string(name(reference))))
    case .again(let wait, let limit, let detour):
      members += [
        ("to", .string(edge.from)), ("after", .string(DurationText.written(wait))),
        ("limit", JSONValue(limit)), ("first", detour.map { .string(name($0)) }),
      ]
    case .resend: members.append(("to", .string(edge.from)))
    }
    return .members(members)
  }

  static func label(_ edge: StepGraph.Edge) -> String {
    edge.cause.rawValue + (edge.action.map { ": \($0)" } ?? "")
  }

  private static func destination(_ edge: StepGraph.Edge, _ workflow: Workflow) -> String {
    switch edge.to {
    case .step(let step): return numbered(step, workflow)
    case .end(let outcome, let reason):
      let sentence = reason.map {
        " – " + $0.split(whereSeparator: \.isNewline).joined(separator: " ")
      }
      return "end: \(words(outcome))\(sentence ?? "")"
    case .workflow(let reference): return "workflow \(name(reference))"
    case .again(let wait, let limit, let detour):
      let first = detour.map { ", first \(name($0, workflow))" } ?? ""
      let delay = wait == .zero ? "" : ", after \(DurationText.written(wait))"
      return "\(numbered(edge.from, workflow))\(first)\(delay), at most "
        + (limit == 1 ? "once" : "\(limit) times")
    case .resend: return "\(numbered(edge.from, workflow)), sent again"
    }
  }

  /// How a job ends, in the words of its states.
  static func words(_ outcome: EndOutcome) -> String {
    switch outcome {
    case .completed: "completed"
    case .discard: "discarded"
    case .review: "waiting for a person"
    }
  }

  private static func numbered(_ step: String, _ workflow: Workflow) -> String {
    "[\((workflow.index(ofStep: step) ?? 0) + 1)] \(step)"
  }

  static func name(_ reference: WorkflowReference) -> String {
    (reference.source.map { "\($0)." } ?? "") + reference.workflowId
  }

  private static func name(_ detour: StepGraph.Detour, _ workflow: Workflow) -> String {
    switch detour {
    case .step(let step): numbered(step, workflow)
    case .workflow(let reference): "workflow \(name(reference))"
    }
  }

  static func name(_ detour: StepGraph.Detour) -> String {
    switch detour {
    case .step(let step): step
    case .workflow(let reference): name(reference)
    }
  }
}
