// Where the job types come from: a directory, or what was built in.

import Arazzo
import Foundation
import JobStore

/// A set of catalogue documents and where it was found.
struct CatalogueSource: Sendable {
  /// The directory, or `nil` for the built-in catalogue.
  var directory: String?
  /// Paths relative to the directory, sorted.
  var files: [DocumentText]

  /// The place in words.
  var place: String { directory ?? "the built-in catalogue" }

  /// Reads every `.yaml`, `.yml` and `.json` file below a directory; without one, the built-in files.
  ///
  /// - Throws: ``CommandError`` where the directory cannot be read or holds no such file.
  static func read(directory: String?) throws -> CatalogueSource {
    guard let directory else {
      return CatalogueSource(files: EmbeddedCatalogue.documents)
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory),
      isDirectory.boolValue
    else {
      throw CommandError(
        .badData, "\(directory) is not a directory; name the one that holds the catalogue")
    }
    guard let found = try? FileManager.default.subpathsOfDirectory(atPath: directory) else {
      throw CommandError(
        .badData, "\(directory) cannot be read whole; name the directory of the catalogue alone")
    }
    let paths =
      found.filter { path in [".yaml", ".yml", ".json"].contains { path.hasSuffix($0) } }.sorted()
    guard paths.contains(where: { $0.lowercased().contains("arazzo") }) else {
      throw CommandError(
        .badData,
        "\(directory) holds no job type; a job type is a file whose name ends in .arazzo.yaml")
    }
    return CatalogueSource(
      directory: directory,
      files: try paths.map { path in
        let place = "\(directory)/\(path)"
        guard let data = FileManager.default.contents(atPath: place),
          let text = String(data: data, encoding: .utf8)
        else { throw CommandError(.badData, "\(place) cannot be read as UTF-8") }
        return DocumentText(path: path, text: text)
      })
  }

  /// The checked catalogue.
  ///
  /// - Throws: `CatalogueError` with every fault, each with the path as the reader may open it.
  func load() throws -> Catalogue { try Catalogue.load(files: files) }
}
