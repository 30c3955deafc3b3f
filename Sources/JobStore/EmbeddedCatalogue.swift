// The catalogue that this binary carries.

public import Arazzo

/// The documents of `jobs/` as they were when this program was built.
public enum EmbeddedCatalogue {
  /// The text of each document, by its path relative to `jobs/`.
  public static let files: [String: String] = Dictionary(
    uniqueKeysWithValues: EmbeddedFiles.contents.compactMap { path, text in
      path.hasPrefix("jobs/") ? (String(path.dropFirst("jobs/".count)), text) : nil
    })

  /// The same, as `Catalogue.load` takes them, by path.
  public static var documents: [DocumentText] {
    files.sorted { $0.key < $1.key }.map { DocumentText(path: $0.key, text: $0.value) }
  }
}
