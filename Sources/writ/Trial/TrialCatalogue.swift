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
    let name = url.lastPathComponent
    guard name.contains(".arazzo.") else {
      throw CommandError(
        .badData, "\(file.printable): a job type is a file whose name ends in .arazzo.yaml")
    }
    let own = try Self.closure(of: name, in: url.deletingLastPathComponent().path, as: file)
    let paths = Set(own.map(\.path))
    let others = shipped.filter { !paths.contains($0.path) }
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

  /// The file and what it refers to, as far as that is on the disk; the reader tells what is missing.
  private static func closure(
    of name: String, in directory: String, as file: String
  ) throws -> [DocumentText] {
    var found: [DocumentText] = []
    var open = [name]
    var seen: Set<String> = []
    while let path = open.popLast() {
      guard seen.insert(path).inserted else { continue }
      guard let data = FileManager.default.contents(atPath: "\(directory)/\(path)") else {
        if path == name {
          throw CommandError(.badData, "\(file.printable) cannot be read; is it there?")
        }
        continue
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw CommandError(.badData, "\(directory)/\(path) cannot be read as UTF-8")
      }
      found.append(DocumentText(path: path, text: text))
      let folder = path.split(separator: "/").dropLast().joined(separator: "/")
      for match in text.matches(of: /["']?\burl["']?\s*:\s*["']?([^"',}\s]+)/) {
        let url = String(match.1)
        guard !url.contains("://"), !url.contains(".."), !url.hasPrefix("/") else { continue }
        let plain = url.hasPrefix("./") ? String(url.dropFirst(2)) : url
        open.append(folder.isEmpty ? plain : "\(folder)/\(plain)")
      }
    }
    return found
  }
}
