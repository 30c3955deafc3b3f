// The steps of a workflow as a Mermaid flowchart, which code hosts and editors draw.

import Arazzo

enum MermaidChart {
  /// The chart as lines of text.
  ///
  /// Solid arrows are successes, dotted ones failures, thick ones doubts.
  static func lines(_ workflow: Workflow) -> [String] {
    let edges = StepGraph(workflow).edges
    var lines = ["flowchart TD", "  start([start]) --> s1"]
    for (index, step) in workflow.steps.enumerated() {
      let text = "\(step.stepId)\n\(JobTypeReport.request(step))"
      lines.append("  s\(index + 1)[\(quoted(text))]")
    }
    for outcome in EndOutcome.allCases where edges.contains(where: { $0.ends(as: outcome) }) {
      lines.append("  \(id(outcome))([\(quoted(StepDiagram.words(outcome)))])")
    }
    for (name, id) in workflows(in: edges) { lines.append("  \(id)[[\(quoted(name))]]") }
    for edge in edges { lines += arrows(edge, workflow, edges) }
    return lines
  }

  private static func arrows(
    _ edge: StepGraph.Edge, _ workflow: Workflow, _ edges: [StepGraph.Edge]
  ) -> [String] {
    let from = id(edge.from, workflow)
    let label = StepDiagram.label(edge)
    func workflowID(_ reference: WorkflowReference) -> String {
      workflows(in: edges).first { $0.name == StepDiagram.name(reference) }?.id ?? "w1"
    }
    switch edge.to {
    case .step(let step): return [arrow(from, id(step, workflow), edge.cause, label)]
    case .end(let outcome, _): return [arrow(from, id(outcome), edge.cause, label)]
    case .workflow(let reference): return [arrow(from, workflowID(reference), edge.cause, label)]
    case .again(_, let limit, nil):
      return [arrow(from, from, edge.cause, "\(label), at most \(limit) x")]
    case .again(_, let limit, .step(let step)?):
      return [
        arrow(from, id(step, workflow), edge.cause, "\(label), then again, at most \(limit) x")
      ]
    case .again(_, let limit, .workflow(let reference)?):
      return [
        arrow(from, workflowID(reference), edge.cause, "\(label), then again, at most \(limit) x")
      ]
    case .resend: return [arrow(from, from, edge.cause, label)]
    }
  }

  private static func arrow(
    _ from: String, _ to: String, _ cause: StepGraph.Cause, _ label: String
  ) -> String {
    switch cause {
    case .success where label == StepGraph.Cause.success.rawValue: "  \(from) --> \(to)"
    case .success: "  \(from) -->|\(quoted(label))| \(to)"
    case .failure: "  \(from) -.->|\(quoted(label))| \(to)"
    case .inDoubt: "  \(from) ==>|\(quoted(label))| \(to)"
    }
  }

  private static func id(_ step: String, _ workflow: Workflow) -> String {
    "s\((workflow.index(ofStep: step) ?? 0) + 1)"
  }

  private static func id(_ outcome: EndOutcome) -> String { "\(outcome.rawValue)_" }

  /// The workflows that edges lead to, each once.
  private static func workflows(in edges: [StepGraph.Edge]) -> [(name: String, id: String)] {
    var names: [String] = []
    for edge in edges {
      let name: String? =
        switch edge.to {
        case .workflow(let reference), .again(_, _, .workflow(let reference)?):
          StepDiagram.name(reference)
        default: nil
        }
      if let name, !names.contains(name) { names.append(name) }
    }
    return names.enumerated().map { ($0.element, "w\($0.offset + 1)") }
  }

  /// A label in Mermaid's quotes.
  private static func quoted(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "\"": result += "#quot;"
      case "#": result += "#35;"
      case "<": result += "#lt;"
      case ">": result += "#gt;"
      case "\n": result += "<br/>"
      default: result.append(character)
      }
    }
    return "\"\(result)\""
  }
}

extension StepGraph.Edge {
  fileprivate func ends(as outcome: EndOutcome) -> Bool {
    if case .end(outcome, _) = to { true } else { false }
  }
}
