// The name of the installation: jobs of two installations have the same numbers, and their messages must
// not be taken for each other.

import JobModel

/// Asks the database once.
actor InstallationName {
  private let store: any WorkerStore
  private var known: String?

  init(store: any WorkerStore) { self.store = store }

  /// The name.
  ///
  /// - Throws: ``TransportFailure/notSent(_:)`` while the database cannot be asked.
  func name() async throws(TransportFailure) -> String {
    if let known { return known }
    guard let name = try? await store.installation() else { throw .notSent(.heldBack) }
    known = name
    return name
  }
}
