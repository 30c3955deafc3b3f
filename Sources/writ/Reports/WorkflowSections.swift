// The workflows of a job type, each a section of what is shown: the type's own first, then all that it
// leads to, under names that are the same wherever they are mentioned.

import Arazzo

/// The sections of a job type.
struct WorkflowSections: Sendable {
  /// The workflows, that of the type first.
  let all: [ReachedWorkflow]

  /// The sections of a type.
  init(_ type: JobTypeDefinition) { all = type.reachedWorkflows }

  /// The section that a reference within another one means; `nil` only for a reference that is no part of the
  /// type.
  func section(_ reference: WorkflowReference, from section: ReachedWorkflow) -> ReachedWorkflow? {
    index(reference, from: section).map { all[$0] }
  }

  /// The position of the section that a reference within another one means.
  func index(_ reference: WorkflowReference, from section: ReachedWorkflow) -> Int? {
    guard let (document, workflow) = section.document.resolve(reference) else { return nil }
    return all.firstIndex {
      $0.document.file == document.file && $0.workflow.workflowId == workflow.workflowId
    }
  }

  /// The name of the workflow that a reference means.
  func name(_ reference: WorkflowReference, from section: ReachedWorkflow) -> String {
    self.section(reference, from: section)?.name ?? reference.workflowId
  }
}
