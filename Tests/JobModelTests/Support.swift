// Shared by the tests: the real catalogue of `jobs/`, and a random source with a seed.

import Arazzo
import Foundation
import JSON
import JobModel
import Synchronization

/// The files of the repository, found from this file's own path.
enum Repository {
  static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The catalogue as it is shipped.
  static let catalogue: Result<Catalogue, any Error> = Result {
    let paths = try FileManager.default.subpathsOfDirectory(
      atPath: root.appending(path: "jobs").path)
    let files = try paths.filter { $0.hasSuffix(".yaml") }.sorted().map {
      DocumentText(path: $0, text: try text("jobs/" + $0))
    }
    return try Catalogue.load(files: files)
  }

  static func jobType(_ name: String) throws -> JobTypeDefinition {
    guard let definition = try catalogue.get().jobType(name) else { throw Missing(name: name) }
    return definition
  }

  struct Missing: Error { var name: String }
}

/// SplitMix64: small, and the same on every machine.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// The greatest number of every range.
struct HighRandom: RandomNumberGenerator {
  mutating func next() -> UInt64 { .max }
}

/// A job type of a document that a test writes, over the shipped descriptions.
func jobType(_ name: String, arazzo text: String) throws -> JobTypeDefinition {
  if let known = loaded.withLock({ $0[text] }) { return known }
  var files = [DocumentText(path: "test.arazzo.yaml", text: text)]
  for path in ["openapi/authos.yaml", "openapi/writ.yaml"] {
    files.append(DocumentText(path: path, text: try Repository.text("jobs/" + path)))
  }
  guard let definition = try Catalogue.load(files: files).jobType(name) else {
    throw Repository.Missing(name: name)
  }
  loaded.withLock { $0[text] = definition }
  return definition
}

/// What has been loaded already: reading the descriptions takes longer than most tests.
private let loaded = Mutex<[String: JobTypeDefinition]>([:])
