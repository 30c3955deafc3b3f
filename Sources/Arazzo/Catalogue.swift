// The catalogue: all job types that a set of documents describes.

/// A document's name and text.
public struct DocumentText: Sendable, Hashable {
  /// The path, relative to the catalogue's directory.
  public let path: String
  /// The text.
  public let text: String

  /// A document.
  public init(path: String, text: String) {
    self.path = path
    self.text = text
  }
}

/// A job type: a workflow, and everything that it reaches.
public struct JobTypeDefinition: Sendable, Hashable {
  /// The name, also of its SQL function.
  public let name: String
  /// The workflow that a job runs.
  public let workflow: Workflow
  /// The document of that workflow.
  public let document: ArazzoDocument
  /// The permissions that a key needs for every operation that a job can reach, sorted.
  public let leastPrivilege: [String]
  /// Whether a step that a job can reach keeps rows (`x-writ.rows`).
  public let keepsRows: Bool
  /// The document and all that it builds on, sorted by path: what to hash and to publish.
  ///
  /// `Catalogue.load` of exactly these files gives this definition again.
  public let files: [DocumentText]
}

/// The job types of a directory.
public struct Catalogue: Sendable, Hashable {
  /// The job types, sorted by name.
  public let jobTypes: [JobTypeDefinition]
  /// What is wrong in workflows and APIs that no job type reaches, and that say nothing to Writ.
  ///
  /// They are read by their standards, may use what Writ does not support, and never run.
  public let notes: [DocumentError]

  /// The job type of a name.
  public func jobType(_ name: String) -> JobTypeDefinition? { jobTypes.first { $0.name == name } }
}

/// The faults of a catalogue.
public struct CatalogueError: Error, Sendable, Hashable, CustomStringConvertible {
  /// All faults, by file and line.
  public let errors: [DocumentError]

  /// One fault a line.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}
