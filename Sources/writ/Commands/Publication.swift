// Publishing a whole catalogue: environments first, then what has changed.

import Arazzo
import JSON
import JobStore

/// Puts environments and job types into the database.
struct Publication {
  let store: JobStore

  /// What happened to one of them.
  struct Result: Sendable, Hashable {
    var words: String
    var name: String
    var detail: String

    var json: JSONValue {
      ["result": .string(words), "name": .string(name), "detail": .string(detail)]
    }
  }

  /// Publishes what is new or has changed; with `dryRun`, says so and publishes nothing.
  func run(
    _ catalogue: Catalogue, environments: [Configuration.Environment], dryRun: Bool = false
  ) async throws -> [Result] {
    var results: [Result] = []
    let known = try await store.environments()
    for environment in environments {
      let old = known.first { $0.name == environment.name }
      let isDefault = environment.isDefault
      if let old, old.isDefault || !isDefault { continue }
      if !dryRun { try await store.createEnvironment(environment.name, isDefault: isDefault) }
      results.append(
        Result(
          words: dryRun ? "would make" : "made", name: environment.name,
          detail: isDefault ? "the default environment" : "environment"))
    }
    let published = try await store.jobTypes()
    for type in catalogue.jobTypes {
      let old = published.first { $0.name == type.name }
      let isKnown = old?.definitionHash == type.hash
      let words: String
      if dryRun {
        words = isKnown ? "unchanged" : "would publish"
      } else {
        words = try await store.publish(type) ? "published" : "unchanged"
      }
      results.append(
        Result(
          words: words, name: type.name,
          detail: "job type, definition \(type.hash.prefix(12))"))
    }
    return results
  }
}
