// The documents around one file: what it refers to, with the shipped ones where it does not bring its own.

import Arazzo
import Foundation
import JobStore

/// A catalogue around one job type.
struct TrialCatalogue: Sendable {
  let catalogue: Catalogue
  let type: JobTypeDefinition

  /// Reads a file and what it builds on; a bare name is a shipped job type.
  ///
  /// The shipped job types are there too, if they can be read beside it: some act on the keys of others.
  /// - Throws: `CatalogueError` with the faults of the file; ``CommandError`` where it is no job type.
  init(file: String) throws {
    let shipped = EmbeddedCatalogue.documents
    if !file.contains("/"), !file.contains("."), !FileManager.default.fileExists(atPath: file) {
      catalogue = try Catalogue.load(files: shipped)
      guard let found = catalogue.jobType(file) else {
        throw CommandError(
          .badData,
          "there is no file and no shipped job type \(file.printable)"
            + Suggestion.question(file, among: catalogue.jobTypes.map(\.name)))
      }
      type = found
      return
    }
    let url = URL(fileURLWithPath: file).standardizedFileURL
    guard url.lastPathComponent.contains(".arazzo.") else {
      throw CommandError(
        .badData, "\(file.printable): a job type is a file whose name ends in .arazzo.yaml")
    }
    var closure = TrialClosure()
    try closure.follow(from: url.path, as: file)
    let (own, name) = closure.documents(of: url.path)
    let paths = Set(own.map(\.path))
    // The shipped ones are looked for beside the file.
    let folder = name.split(separator: "/").dropLast().map { "\($0)/" }.joined()
    let others = shipped.map { DocumentText(path: folder + $0.path, text: $0.text) }
      .filter { !paths.contains($0.path) }
    let openAPI = others.filter { !$0.path.contains(".arazzo.") }
    if let whole = try? Catalogue.load(files: own + others),
      let found = whole.jobTypes.first(where: { $0.document.file == name })
    {
      catalogue = whole
      type = found
      return
    }
    catalogue = try Catalogue.load(files: own + openAPI)
    guard let found = catalogue.jobTypes.first(where: { $0.document.file == name }) else {
      throw CommandError(
        .badData,
        "\(file.printable) lends its workflows to other documents and is no job type itself; write "
          + "x-writ.jobType")
    }
    type = found
  }
}
