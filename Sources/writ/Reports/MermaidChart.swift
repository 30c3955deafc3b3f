// The steps of a workflow as a Mermaid flowchart, which code hosts and editors draw.

import Arazzo

struct MermaidChart {
  private let diagram: StepDiagram
  private var sections: WorkflowSections { diagram.sections }

  /// The chart of a type as lines of text; each other workflow that it leads to is a box of its own.
  ///
  /// Solid arrows are successes, and what runs first; dotted ones failures, thick ones doubts.
  static func lines(_ type: JobTypeDefinition) -> [String] {
    let chart = MermaidChart(diagram: StepDiagram(type))
    return ["flowchart TD"] + chart.sections.all.indices.flatMap { chart.box($0) }.map(\.printable)
  }

  /// The nodes and arrows of a section.
  private func box(_ index: Int) -> [String] {
    let section = sections.all[index]
    let nodes = self.nodes(index)
    let inner =
      index == 0
      ? nodes
      : ["  subgraph g\(index)[\(Self.quoted("the workflow \(section.name)"))]"]
        + nodes.map { "  \($0)" } + ["  end"]
    let edges = StepGraph(section.workflow).edges
    return inner + calls(section, index) + edges.flatMap { arrows($0, section, index) }
  }

  private func nodes(_ index: Int) -> [String] {
    let section = sections.all[index]
    let first = id(ofStep: 0, index)
    var lines =
      index == 0
      ? ["  start([start]) --> \(first)"]
      : ["  w\(index)[[\(Self.quoted(section.name))]] --> \(first)"]
    for (position, step) in section.workflow.steps.enumerated() {
      let text = "\(step.stepId)\n\(diagram.request(step, section))"
      lines.append("  \(id(ofStep: position, index))[\(Self.quoted(text))]")
    }
    let edges = StepGraph(section.workflow).edges
    for outcome in EndOutcome.allCases where edges.contains(where: { $0.ends(as: outcome) }) {
      lines.append("  \(id(outcome, index))([\(Self.quoted(StepDiagram.words(outcome)))])")
    }
    return lines
  }

  /// What a workflow depends on, and what its steps call.
  private func calls(_ section: ReachedWorkflow, _ index: Int) -> [String] {
    let first = section.workflow.dependsOn.map { reference in
      "  \(entry(index)) -->|\"first\"| \(entry(reference, section))"
    }
    let called = section.workflow.steps.enumerated().compactMap { position, step -> String? in
      guard case .workflow(let reference) = step.target else { return nil }
      return "  \(id(ofStep: position, index)) -->|\"runs\"| \(entry(reference, section))"
    }
    return first + called
  }

  private func arrows(
    _ edge: StepGraph.Edge, _ section: ReachedWorkflow, _ index: Int
  ) -> [String] {
    let from = id(edge.from, section, index)
    let label = StepDiagram.label(edge)
    func arrow(_ to: String, _ label: String) -> [String] {
      [Self.arrow(from, to, edge.cause, label)]
    }
    switch edge.to {
    case .step(let step): return arrow(id(step, section, index), label)
    case .end(let outcome, _): return arrow(id(outcome, index), label)
    case .workflow(let reference): return arrow(entry(reference, section), label)
    case .again(_, let limit, nil): return arrow(from, "\(label), at most \(limit) x")
    case .again(_, let limit, .step(let step)?):
      return arrow(id(step, section, index), "\(label), then again, at most \(limit) x")
    case .again(_, let limit, .workflow(let reference)?):
      return arrow(entry(reference, section), "\(label), then again, at most \(limit) x")
    case .resend: return arrow(from, label)
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

  /// The node at which a section begins.
  private func entry(_ index: Int) -> String { index == 0 ? "start" : "w\(index)" }

  private func entry(_ reference: WorkflowReference, _ section: ReachedWorkflow) -> String {
    entry(sections.index(reference, from: section) ?? 0)
  }

  private func id(ofStep position: Int, _ index: Int) -> String {
    (index == 0 ? "" : "w\(index)") + "s\(position + 1)"
  }

  private func id(_ step: String, _ section: ReachedWorkflow, _ index: Int) -> String {
    id(ofStep: section.workflow.index(ofStep: step) ?? 0, index)
  }

  private func id(_ outcome: EndOutcome, _ index: Int) -> String {
    (index == 0 ? "" : "w\(index)") + "\(outcome.rawValue)_"
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
