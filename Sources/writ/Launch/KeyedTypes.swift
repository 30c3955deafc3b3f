// The job types that have keys: those of the configured catalogue, and what is published besides. After a leak, a
// type that somebody published from another directory must not be passed over.

import Arazzo
import JobStore
import Postgres

/// Job types by name, of the catalogue and of the database.
struct KeyedTypes: Sendable {
  /// All of them; a type of the catalogue goes before a published one of its name.
  let definitions: [JobTypeDefinition]
  /// Why the database was not asked, as a sentence; `nil` when it was.
  let blindSpot: String?

  /// Those whose jobs need a key.
  var keyed: [JobTypeDefinition] { definitions.filter { !$0.leastPrivilege.isEmpty } }

  /// The type of a name.
  func jobType(_ name: String) -> JobTypeDefinition? { definitions.first { $0.name == name } }

  /// Reads the catalogue and asks the database.
  ///
  /// - Parameter asksDatabase: Whether to ask; not where it is known to be away.
  /// - Throws: what is wrong with the catalogue; what the database does not tell is a blind spot.
  static func take(
    _ configuration: Configuration, asksDatabase: Bool = true
  ) async throws -> KeyedTypes {
    let known = try CatalogueSource.read(directory: configuration.catalogue).load().jobTypes
    guard asksDatabase else { return KeyedTypes(definitions: known, blindSpot: nil) }
    do {
      let names = known.map(\.name)
      let published = try await configuration.withStore {
        try await $0.publishedDefinitions(except: names)
      }
      return KeyedTypes(
        definitions: (known + published).sorted { $0.name < $1.name }, blindSpot: nil)
    } catch let error as PostgresError where error.sqlState == "42501" {
      return KeyedTypes(
        definitions: known,
        blindSpot:
          "the database does not let this role see which types are published besides those of the"
          + " catalogue; use a member of writ_admin")
    } catch {
      return KeyedTypes(
        definitions: known,
        blindSpot:
          "the database could not be asked which types are published besides those of the catalogue"
      )
    }
  }
}
