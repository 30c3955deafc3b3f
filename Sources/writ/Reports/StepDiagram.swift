// The steps of a workflow as people read them in a terminal: each step with the ways that lead out of it.
//
//     [1] find  GET /users/{id}  reads
//      ├─ success: there_already ──▶ end: completed
//      ├─ success ──▶ [2] create
//      └─ failure: hurried ──▶ [1] find, after 1.5 s, at most 3 times

import Arazzo
import JSON

struct StepDiagram {
  let sections: WorkflowSections

  /// The diagrams of a type.
  init(_ type: JobTypeDefinition) { sections = WorkflowSections(type) }

  /// The diagram of a section as lines of text; first what the workflow depends on.
  func lines(_ section: ReachedWorkflow) -> [String] {
    let workflow = section.workflow
    let graph = StepGraph(workflow)
    let width = workflow.steps.map(\.stepId.count).max() ?? 0
    let requests = workflow.steps.map { request($0, section) }
    let requestWidth = requests.map(\.count).max() ?? 0
    var lines = workflow.dependsOn.map { "first the workflow \(sections.name($0, from: section))" }
    if !lines.isEmpty { lines.append("") }
    for (index, step) in workflow.steps.enumerated() {
      if index > 0 { lines.append("") }
      lines.append(
        "[\(index + 1)] \(step.stepId.padded(to: width))  "
          + "\(requests[index].padded(to: requestWidth))  \(JobTypeReport.effect(step))"
      )
      let edges = graph.edges(from: step.stepId)
      for (number, edge) in edges.enumerated() {
        let branch = number == edges.count - 1 ? "└─" : "├─"
        lines.append(" \(branch) \(Self.label(edge)) ──▶ \(destination(edge, section))")
      }
    }
    return lines
  }

  /// What a step of a section asks, and of whom.
  func request(_ step: Step, _ section: ReachedWorkflow) -> String {
    guard case .workflow(let reference) = step.target else { return JobTypeReport.request(step) }
    return "the workflow \(sections.name(reference, from: section))"
  }

  /// An edge of a section as JSON.
  func json(_ edge: StepGraph.Edge, _ section: ReachedWorkflow) -> JSONValue {
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
    case .workflow(let reference):
      members.append(("workflow", .string(sections.name(reference, from: section))))
    case .again(let wait, let limit, let detour):
      members += [
        ("to", .string(edge.from)), ("after", .string(DurationText.written(wait))),
        ("limit", JSONValue(limit)),
      ]
      switch detour {
      case .step(let step)?: members.append(("first", .string(step)))
      case .workflow(let reference)?:
        members.append(("first", .string(sections.name(reference, from: section))))
      case nil: break
      }
    case .resend: members.append(("to", .string(edge.from)))
    }
    return .members(members)
  }

  static func label(_ edge: StepGraph.Edge) -> String {
    edge.cause.rawValue + (edge.action.map { ": \($0)" } ?? "")
  }

  private func destination(_ edge: StepGraph.Edge, _ section: ReachedWorkflow) -> String {
    switch edge.to {
    case .step(let step): return Self.numbered(step, section.workflow)
    case .end(let outcome, let reason):
      let sentence = reason.map {
        " – " + $0.split(whereSeparator: \.isNewline).joined(separator: " ")
      }
      return "end: \(Self.words(outcome))\(sentence ?? "")"
    case .workflow(let reference): return "workflow \(sections.name(reference, from: section))"
    case .again(let wait, let limit, let detour):
      let first = detour.map { ", first \(name($0, section))" } ?? ""
      let delay = wait == .zero ? "" : ", after \(DurationText.written(wait))"
      return "\(Self.numbered(edge.from, section.workflow))\(first)\(delay), at most "
        + (limit == 1 ? "once" : "\(limit) times")
    case .resend: return "\(Self.numbered(edge.from, section.workflow)), sent again"
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

  private func name(_ detour: StepGraph.Detour, _ section: ReachedWorkflow) -> String {
    switch detour {
    case .step(let step): Self.numbered(step, section.workflow)
    case .workflow(let reference): "workflow \(sections.name(reference, from: section))"
    }
  }
}
