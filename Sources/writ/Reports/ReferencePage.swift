// The reference pages of a catalogue, in Markdown. Nothing in them is written by hand: they say what the
// definitions say, and a test compares those in docs/reference with the shipped catalogue.

import Arazzo
import Foundation
import JSON
import JobModel

/// A page.
struct ReferencePage: Sendable, Hashable {
  /// The name of its file.
  var name: String
  /// Its text.
  var text: String

  /// The index, and a page for each type.
  static func all(of catalogue: Catalogue) -> [ReferencePage] {
    [index(of: catalogue)] + catalogue.jobTypes.map(page)
  }

  private static let generated =
    "<!-- Written by `writ types reference`; do not edit. -->"

  private static func index(of catalogue: Catalogue) -> ReferencePage {
    var lines = [
      generated, "", "# Job types", "",
      "| job type | what it does | its key needs |", "| --- | --- | --- |",
    ]
    for type in catalogue.jobTypes {
      lines.append(
        "| [`\(type.name)`](\(type.name).md) | \(cell(type.workflow.summary ?? "")) | "
          + "\(cell(need(type, separator: ", "))) |")
    }
    return ReferencePage(name: "README.md", text: lines.joined(separator: "\n") + "\n")
  }

  private static func page(_ type: JobTypeDefinition) -> ReferencePage {
    var lines = [
      generated, "", "# \(type.name)", "", (type.workflow.summary ?? "").printable + ".", "",
    ]
    if let description = type.workflow.description {
      lines += description.trimmingCharacters(in: .whitespacesAndNewlines)
        .components(separatedBy: "\n").map(\.printable)
      lines.append("")
    }
    lines += ["```sql", JobTypeReport.call(type), "```", ""]
    lines += inputs(type) + rights(type) + steps(type) + result(type) + failures(type)
    return ReferencePage(
      name: "\(type.name).md", text: lines.joined(separator: "\n") + "\n")
  }

  // MARK: Parts

  private static func inputs(_ type: JobTypeDefinition) -> [String] {
    var lines = ["## Inputs", ""]
    let own = type.workflow.inputs.parameters
    if own.isEmpty {
      lines += ["None, beside the [options of every job](../sql-api.md#ordering-a-job).", ""]
    } else {
      lines += ["| input | type | rules | meaning |", "| --- | --- | --- | --- |"]
      for input in own {
        lines.append(
          "| `\(input.name)` | \(JobTypeReport.kind(input)) | \(cell(rules(of: input))) | "
            + "\(cell(input.description ?? "")) |")
      }
      lines.append("")
    }
    let supplied = type.workflow.inputs.properties.filter(\.policy.isSupplied)
    if !supplied.isEmpty {
      let names = supplied.map { input in
        let source = input.policy.jobField == nil ? "the environment" : "the job itself"
        return "`\(input.name)` (\(source))"
      }
      lines += ["The worker adds: \(names.joined(separator: ", ")).", ""]
    }
    if let subject = type.workflow.policy.subject {
      let names = subject.expressions.compactMap { expression in
        if case .input(let name) = expression.source { "`\(name)`" } else { nil }
      }
      let jobs =
        names.isEmpty
        ? "all jobs of the same subject, `\(literal(subject))`"
        : "jobs about the same \(names.joined(separator: " and "))"
      lines += ["Subject: \(jobs) in one environment run one at a time, in their order.", ""]
    }
    return lines
  }

  private static func literal(_ subject: ValueTemplate) -> String {
    if case .literal(let value) = subject { value.stringValue ?? "" } else { "" }
  }

  /// What is refused when a job is ordered, in a few words each.
  private static func rules(of input: InputProperty) -> String {
    if let refusal = input.policy.refusal { return "refused: \(refusal)" }
    let limits = input.constraints
    var rules = [input.isRequired ? "required" : "optional"]
    if let value = input.defaultValue { rules.append("default `\(text(of: value))`") }
    switch (limits.minLength, limits.maxLength) {
    case (let low?, let high?): rules.append("\(low) to \(high) characters")
    case (let low?, nil): rules.append("at least \(low.counting("character"))")
    case (nil, let high?): rules.append("at most \(high.counting("character"))")
    case (nil, nil): break
    }
    if let type = limits.jsonType { rules.append(type == .object ? "an object" : "a list") }
    if let pattern = limits.pattern { rules.append("matches `\(pattern.text)`") }
    if let allowed = limits.allowedValues {
      rules.append("one of " + allowed.map { "`\($0)`" }.joined(separator: ", "))
    }
    if let low = limits.minimum { rules.append("at least \(low.text)") }
    if let high = limits.maximum { rules.append("at most \(high.text)") }
    if let low = limits.minItems { rules.append("at least \(low.counting("element"))") }
    if let high = limits.maxItems { rules.append("at most \(high.counting("element"))") }
    switch input.policy.normalization {
    case .lowercase?: rules.append("brought into lower case")
    case .email?: rules.append("domain brought into lower case")
    case nil: break
    }
    switch input.policy.record {
    case .clear: rules.append("stands in the audit trail")
    case .digest: rules.append("its digest stands in the audit trail")
    case .never: rules.append("not in the audit trail")
    }
    return rules.joined(separator: "; ")
  }

  private static func need(_ type: JobTypeDefinition, separator: String) -> String {
    type.leastPrivilege.isEmpty
      ? "no key" : type.leastPrivilege.map { "`\($0)`" }.joined(separator: separator)
  }

  private static func rights(_ type: JobTypeDefinition) -> [String] {
    var lines = ["## Least privilege", ""]
    if !type.leastPrivilege.isEmpty {
      lines += ["Its API key needs \(need(type, separator: ", ")), and nothing more.", ""]
    } else {
      lines += ["No API key."]
    }
    let sessions = WorkflowTour(type).steps.contains { visit in
      guard let operation = visit.step.operation, let name = operation.security.first?.first,
        case .operation(_, let source, _) = visit.step.target,
        case .openAPI(let document)? = visit.document.sources[source]
      else { return false }
      return document.securitySchemes[name]?.session != nil
    }
    if sessions {
      lines += [
        "The worker opens a session with `<environment>/management.email` and "
          + "`management.password` of its secret store."
      ]
    }
    if lines.last != "" { lines.append("") }
    return lines
  }

  private static func steps(_ type: JobTypeDefinition) -> [String] {
    let tour = WorkflowTour(type)
    var lines = ["## Steps", ""]
    for part in tour.parts {
      if let name = part.name { lines += ["### The workflow `\(name)`", ""] }
      if !part.first.isEmpty {
        let names = part.first.map { "`\($0)`" }.joined(separator: ", ")
        lines += [
          "First \(part.first.count == 1 ? "the workflow" : "the workflows") \(names).", "",
        ]
      }
      lines += table(part.steps) + [""]
    }
    let ends = tour.steps.flatMap { visit in Self.ends(of: visit.step).map { (visit, $0) } }
    if !ends.isEmpty {
      lines += [
        "Ends that are no success of the last step:", "", "| code | at | the job is | why |",
        "| --- | --- | --- | --- |",
      ]
      for (visit, end) in ends {
        let place = visit.part.map { " of `\($0)`" } ?? ""
        lines.append(
          "| `\(end.name)` | `\(visit.path)`\(place) | \(end.state) | \(cell(end.reason ?? "")) |")
      }
      lines.append("")
    }
    return lines
  }

  private static func table(_ visits: [WorkflowTour.Visit]) -> [String] {
    var lines = [
      "| step | request | effect | in doubt | for what |", "| --- | --- | --- | --- | --- |",
    ]
    for visit in visits {
      lines.append(
        "| `\(visit.path)` | \(cell(JobTypeReport.request(visit.step))) | "
          + "\(JobTypeReport.effect(visit.step)) | \(cell(doubt(visit.step))) | "
          + "\(cell(visit.step.description ?? visit.step.operation?.summary ?? "")) |")
      lines += visit.leadsTo.map { way in
        "| | \(cell(way.how)): the workflow `\(way.name)` | see there | | |"
      }
    }
    return lines
  }

  private struct End {
    var name: String
    var state: String
    var reason: String?
  }

  private static func ends(of step: Step) -> [End] {
    let success = step.onSuccess.compactMap { action -> End? in
      guard case .end(let policy) = action.kind, policy.outcome != .completed else { return nil }
      return End(name: action.name, state: words(policy.outcome), reason: policy.reason)
    }
    let failure = step.onFailure.compactMap { action -> End? in
      switch action.kind {
      case .end(let policy):
        End(name: action.name, state: words(policy.outcome), reason: policy.reason)
      case .askUser(let policy):
        End(name: action.name, state: "waiting for its user", reason: policy.reason)
      case .goto, .retry: nil
      }
    }
    return success + failure
  }

  private static func words(_ outcome: EndOutcome) -> String {
    switch outcome {
    case .completed: "completed"
    case .discard: "discarded"
    case .review: "waiting for a person"
    }
  }

  private static func doubt(_ step: Step) -> String {
    switch step.policy.inDoubt {
    case .resend?: "is sent again"
    case .review?: "waits for a person"
    case .goto(let step)?: "`\(step)` finds out"
    case nil: ""
    }
  }

  private static func result(_ type: JobTypeDefinition) -> [String] {
    var lines = ["## Result", ""]
    let shown = type.workflow.outputs.filter { output in
      guard case .step(let stepID, let name) = output.expression.source,
        let step = type.workflow.step(id: stepID)
      else { return false }
      if case .seal? = step.policy.sinks[name] { return true }
      return step.outputPolicy(name).record == .clear
    }.map { "`\($0.name)`" }
    var members = shown
    if type.keepsRows { members.append("`rows` (how many rows)") }
    lines.append(
      members.isEmpty
        ? "Nothing but the state of the job."
        : "`writ.status` shows, once the job is completed: \(members.joined(separator: ", ")).")
    for visit in WorkflowTour(type).steps {
      guard let rows = visit.step.policy.rows else { continue }
      lines += [
        "",
        "Rows, read with `select * from writ.job_rows(<job>)`: "
          + rows.fields.map { "`\($0.name)`" }.joined(separator: ", ")
          + ". Kept for 30 days; personal data, like payloads.",
      ]
    }
    for visit in WorkflowTour(type).steps {
      for (output, sink) in visit.step.policy.sinks.sorted(by: { $0.key < $1.key }) {
        lines += ["", "The secret `\(output)` \(place(of: sink))."]
      }
    }
    return lines + [""]
  }

  private static func place(of sink: SecretSink) -> String {
    switch sink {
    case .store(let template): "goes into the secret store, as `\(text(of: template))`"
    case .seal(let input, _):
      "is sealed to the public key of the input `\(input)` ([sealed-results.md](../sealed-results.md))"
    }
  }

  private static func failures(_ type: JobTypeDefinition) -> [String] {
    let policy = type.workflow.policy
    var lines = [
      "## Retries and replay", "",
      "At most \(policy.retry.maxAttempts.counting("attempt")); backoff from "
        + "\(DurationText.written(policy.retry.base)) to \(DurationText.written(policy.retry.cap)); "
        + "each request is given \(DurationText.written(policy.requestTimeout)). "
        + "[failures.md](../failures.md) tells what each failure of the target means.",
    ]
    if let concurrency = policy.concurrency {
      lines += [
        "",
        "At most \(concurrency.counting("job")) of this type \(concurrency == 1 ? "runs" : "run") at "
          + "once over all workers.",
      ]
    }
    if let deadline = policy.deadline {
      lines += [
        "",
        "A job that has changed nothing is given up \(DurationText.written(deadline)) after it was "
          + "due.",
      ]
    }
    lines += ["", "Replay: \(replay(policy.replay))"]
    return lines
  }

  private static func replay(_ safety: ReplaySafety) -> String {
    switch safety {
    case .safe: "safe. A finished job may run again."
    case .review:
      "after a look. A completed job runs again only with `--force`; one that was discarded, or waits for "
        + "review, only if no newer job about the same subject has completed since."
    case .never: "never. Order a new job instead."
    }
  }

  // MARK: Text

  /// A text within a table: one line, no bar.
  private static func cell(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ").printable
      .replacingOccurrences(of: "|", with: "\\|")
  }

  private static func text(of value: JSONValue) -> String {
    value.stringValue ?? value.serialized()
  }

  /// A template as a reader understands it: `<environment>/api_key.<job_id>`.
  private static func text(of template: ValueTemplate) -> String {
    switch template {
    case .literal(let value): return text(of: value)
    case .expression(let expression): return placeholder(expression)
    case .text(let parts):
      return parts.map { part in
        switch part {
        case .literal(let text): text
        case .expression(let expression): placeholder(expression)
        }
      }.joined()
    case .array, .object: return ""
    }
  }

  private static func placeholder(_ expression: RuntimeExpression) -> String {
    if case .input(let name) = expression.source { "<\(name)>" } else { "<\(expression)>" }
  }
}

/// The steps of a job type.
///
/// Those of a sub-workflow stand under the name of the step that calls it, as in the journal; a workflow that is
/// reached in another way is a part of its own.
struct WorkflowTour {
  struct Visit {
    var path: String
    var step: Step
    var document: ArazzoDocument
    /// The part that the step stands in; `nil` for that of the job type.
    var part: String?
    /// The workflows to which actions of the step lead, and how.
    var leadsTo: [(how: String, name: String)]
  }

  struct Part {
    /// The workflow; `nil` for that of the job type.
    var name: String?
    /// What the workflows of this part depend on.
    var first: [String]
    var steps: [Visit]
  }

  private(set) var parts: [Part] = []
  private let sections: WorkflowSections

  /// All steps.
  var steps: [Visit] { parts.flatMap(\.steps) }

  /// Walks through a type.
  init(_ type: JobTypeDefinition) {
    sections = WorkflowSections(type)
    for (index, section) in sections.all.enumerated() where index == 0 || isPart(section) {
      var part = Part(name: index == 0 ? nil : section.name, first: [], steps: [])
      walk(section, prefix: "", depth: 0, &part)
      parts.append(part)
    }
  }

  /// Whether a workflow is reached by `dependsOn` or an action.
  private func isPart(_ section: ReachedWorkflow) -> Bool {
    sections.all.contains { other in
      (other.workflow.dependsOn + StepGraph(other.workflow).edges.compactMap(\.workflow))
        .contains { sections.section($0, from: other) == section }
    }
  }

  private func walk(
    _ section: ReachedWorkflow, prefix: String, depth: Int, _ part: inout Part
  ) {
    let known = part.first
    part.first += section.workflow.dependsOn.map { sections.name($0, from: section) }
      .filter { !known.contains($0) }
    let graph = StepGraph(section.workflow)
    for step in section.workflow.steps {
      let leadsTo = graph.edges(from: step.stepId).compactMap { edge in
        edge.workflow.map {
          (how: StepDiagram.label(edge), name: sections.name($0, from: section))
        }
      }
      part.steps.append(
        Visit(
          path: prefix + step.stepId, step: step, document: section.document, part: part.name,
          leadsTo: leadsTo))
      guard depth < 16, case .workflow(let reference) = step.target,
        let called = sections.section(reference, from: section)
      else { continue }
      walk(called, prefix: "\(prefix)\(step.stepId)/", depth: depth + 1, &part)
    }
  }
}

extension StepGraph.Edge {
  /// The workflow that the edge leads to, at once or on a detour.
  fileprivate var workflow: WorkflowReference? {
    switch to {
    case .workflow(let reference), .again(_, _, .workflow(let reference)?): reference
    default: nil
    }
  }
}
