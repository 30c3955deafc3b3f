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
    /// What has to be done besides, as a sentence without a full stop.
    var note: String?

    var json: JSONValue {
      .members([
        ("result", .string(words)), ("name", .string(name)), ("detail", .string(detail)),
        ("note", note.map { .string($0) }),
      ])
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
    let hasChanges = catalogue.jobTypes.contains { type in
      published.contains { $0.name == type.name && $0.definitionHash != type.hash }
    }
    // Only for notes: a role that may not read them, or one that this program does not understand, keeps nobody
    // from publishing.
    let before = hasChanges ? (try? await store.publishedDefinitions(except: [])) ?? [] : []
    for type in catalogue.jobTypes {
      let old = published.first { $0.name == type.name }
      let words: String
      if dryRun {
        words = old?.isUpToDate(with: type) == true ? "unchanged" : "would publish"
      } else {
        words = try await store.publish(type) ? "published" : "unchanged"
      }
      results.append(
        Result(
          words: words, name: type.name,
          detail: "job type, definition \(type.hash.prefix(12))",
          note: before.first { $0.name == type.name }.flatMap {
            Self.note(on: type.name, needing: type.leastPrivilege, after: $0.leastPrivilege)
          }))
    }
    return results
  }

  /// That a key in use may do too little for a new version; `nil` where it may do enough.
  static func note(on type: String, needing now: [String], after before: [String]) -> String? {
    let more = now.filter { !before.contains($0) }
    guard !more.isEmpty else { return nil }
    return
      "\(type) now needs \(more.joined(separator: ", ")) as well: rotate its key in each environment "
      + "with `writ keys rotate \(type)`"
  }
}
