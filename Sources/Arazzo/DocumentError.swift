// Where something stands in a document, and what is wrong there.

/// A place in a document of the catalogue.
public struct SourceLocation: Sendable, Hashable {
  /// The file, as the catalogue named it.
  public let file: String
  /// The line, counted from 1.
  public let line: Int
  /// The column, counted from 1.
  public let column: Int
  /// The JSON path of the value, for example `$.workflows[0].steps[1].stepId`.
  public let path: String

  /// A place.
  public init(file: String, line: Int, column: Int = 1, path: String = "$") {
    self.file = file
    self.line = line
    self.column = column
    self.path = path
  }
}

/// One fault of a document: where it is, which rule is broken, and what to do.
public struct DocumentError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The value at fault.
  public let location: SourceLocation
  /// The rule and the remedy, as one or two sentences without a full stop at the end.
  public let reason: String

  /// A fault.
  public init(location: SourceLocation, reason: String) {
    self.location = location
    self.reason = reason
  }

  /// `file:line: JSON path: reason`.
  public var description: String {
    "\(location.file):\(location.line): \(location.path): \(reason)"
  }
}

/// Collects every fault of a run, so that an author sees them all at once.
final class ErrorCollector {
  private(set) var errors: [DocumentError] = []
  /// The faults against what Writ asks of job types beyond the standards.
  var own: ErrorCollector {
    if let collector { return collector }
    let made = ErrorCollector()
    collector = made
    return made
  }
  private var collector: ErrorCollector?

  func report(_ reason: String, at location: SourceLocation) {
    report(DocumentError(location: location, reason: reason))
  }

  func report(_ error: DocumentError) {
    // A path that is shared by two workflows is checked twice and reported once.
    if !errors.contains(error) { errors.append(error) }
  }

  /// All errors, in the order of a reader: by file, then line and column.
  var sorted: [DocumentError] {
    errors.enumerated().sorted { left, right in
      let (a, b) = (left.element.location, right.element.location)
      return (a.file, a.line, a.column, left.offset) < (b.file, b.line, b.column, right.offset)
    }.map(\.element)
  }
}
