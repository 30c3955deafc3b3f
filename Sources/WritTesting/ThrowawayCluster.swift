// One PostgreSQL cluster for all tests of a process, and databases of it.

internal import Glibc
public import Postgres
public import PostgresCluster
internal import Synchronization

/// A cluster in memory that is started by the first test that asks and stopped when the process
/// exits.
///
///     let cluster = try await ThrowawayCluster.shared
///     let connectionString = try await cluster.makeDatabase()
public final class ThrowawayCluster: Sendable {
  /// The cluster of this process.
  public static var shared: ThrowawayCluster {
    get async throws { try await starting.value }
  }

  /// The cluster itself.
  public let cluster: PrivateCluster
  private let administration: PostgresPool
  private let databases = Atomic<Int>(0)
  private let templates = Mutex<[String: Task<String, any Error>]>([:])

  // Unstructured, because no single test owns it.
  private static let starting = Task<ThrowawayCluster, any Error> {
    let cluster = try await PrivateCluster.start()
    terminateAtExit(cluster)
    return try ThrowawayCluster(cluster)
  }

  private init(_ cluster: PrivateCluster) throws {
    self.cluster = cluster
    administration = PostgresPool(
      configuration: try PostgresConfiguration(
        connectionString: cluster.connectionString(), applicationName: "writ tests"),
      maximumConnections: 2, waitTimeout: .seconds(60))
  }

  /// Creates a database that nobody else uses, and returns its connection string.
  ///
  /// - Parameter template: the name of the database to copy; nobody may be connected to it.
  public func makeDatabase(template: String = "template1") async throws -> String {
    let name = "test_\(databases.add(1, ordering: .relaxed).newValue)"
    try await create(name, template: template)
    return cluster.connectionString(database: name)
  }

  /// The name of a template that is made once for this process; `prepare` gets its connection
  /// string and leaves no connection open.
  public func template(
    named name: String, prepare: @escaping @Sendable (String) async throws -> Void
  ) async throws -> String {
    let task = templates.withLock { templates in
      if let known = templates[name] { return known }
      let task = Task<String, any Error> {
        try await self.create(name, template: "template1")
        try await prepare(self.cluster.connectionString(database: name))
        return name
      }
      templates[name] = task
      return task
    }
    return try await task.value
  }

  /// A configuration for a new database of its own.
  public func makeConfiguration() async throws -> PostgresConfiguration {
    try PostgresConfiguration(connectionString: try await makeDatabase())
  }

  private func create(_ name: String, template: String) async throws {
    try await administration.execute(
      Statement(sql: "create database \"\(name)\" template \"\(template)\""), deadline: .seconds(60)
    )
  }
}

private let clusterToTerminate = Mutex<PrivateCluster?>(nil)

private func terminateAtExit(_ cluster: PrivateCluster) {
  clusterToTerminate.withLock { $0 = cluster }
  atexit { clusterToTerminate.withLock { $0 }?.terminate() }
}
