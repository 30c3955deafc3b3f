// Definitions by hash: loaded and checked once, since a hash never changes its meaning.

import Arazzo

/// The definitions that this worker has seen.
actor DefinitionCache {
  private let store: any WorkerStore
  private var known: [String: JobTypeDefinition] = [:]
  private var loading: [String: Task<JobTypeDefinition?, any Error>] = [:]
  private static let limit = 256

  init(store: any WorkerStore) { self.store = store }

  /// The definition of a hash; `nil` when the database has none.
  ///
  /// - Throws: What the store throws, `CatalogueError` for documents that this version of the
  ///   program does not understand; neither is remembered.
  func definition(hash: String) async throws -> JobTypeDefinition? {
    if let definition = known[hash] { return definition }
    let store = store
    // Unstructured, because many jobs wait for the same load; each load ends by itself.
    let load = loading[hash] ?? Task { try await store.definition(hash: hash) }
    loading[hash] = load
    defer { loading[hash] = nil }
    guard let definition = try await load.value else { return nil }
    if known.count >= Self.limit, let victim = known.keys.first { known[victim] = nil }
    known[hash] = definition
    return definition
  }
}
