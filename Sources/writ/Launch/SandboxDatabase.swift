// The database of a sandbox: created, migrated, with login roles that may do what their name says.

import Arazzo
import JobStore
import Postgres
import PostgresCluster

/// Sets up the database of a private cluster.
///
/// It is there for trying out; nothing here is done to a database that somebody named.
struct SandboxDatabase: Sendable {
  static let name = "writ"

  /// The login roles of a sandbox.
  enum Login: String, Sendable, CaseIterable {
    /// Publishes, replays, cancels, reads.
    case admin
    /// Runs jobs.
    case worker
    /// Orders jobs and asks for the status of its own.
    case app
    /// Calls the functions of the job types that it was granted, and may do nothing else.
    case storefront

    /// What makes it so.
    fileprivate var grants: String {
      switch self {
      case .admin: "grant writ_admin, writ_auditor to admin"
      case .worker: "grant writ_worker to worker"
      case .app: "grant writ_enqueuer to app"
      case .storefront: "grant usage on schema writ to storefront"
      }
    }
  }

  let cluster: PrivateCluster

  /// The connection string of a role; sandboxes have no passwords.
  func connectionString(_ login: Login) -> String {
    cluster.connectionString(user: login.rawValue, database: Self.name)
  }

  /// Makes what is missing and publishes what has changed.
  func prepare(
    _ catalogue: Catalogue, environment: Configuration.Environment, ordering: Login
  ) async throws {
    try await withPool(cluster.connectionString()) { pool in
      let known = try await pool.query(
        "select from pg_catalog.pg_database where datname = $1", [.text(Self.name)])
      if known.isEmpty { try await pool.execute("create database writ") }
    }
    try await withPool(cluster.connectionString(database: Self.name)) { pool in
      try await Migrator(pool: pool).migrate()
      try await pool.withConnection { connection in
        for login in [.admin, .worker, ordering] {
          try connection.executeScript(Self.script(login))
        }
      }
    }
    try await withPool(connectionString(.admin)) { pool in
      let store = JobStore(pool: pool)
      _ = try await Publication(store: store).run(catalogue, environments: [environment])
      for type in catalogue.jobTypes {
        for login in [.admin, ordering] {
          try await store.grant(jobType: type.name, to: login.rawValue)
        }
      }
    }
  }

  private static func script(_ login: Login) -> String {
    """
    do $$
    begin
      if not exists (select from pg_catalog.pg_roles where rolname = '\(login.rawValue)') then
        create role \(login.rawValue) login;
      end if;
    end
    $$;
    \(login.grants);
    """
  }

  private func withPool<Value: Sendable>(
    _ connectionString: String, _ body: (PostgresPool) async throws -> Value
  ) async throws -> Value {
    try await PostgresPool.with(
      try PostgresConfiguration(connectionString: connectionString), body)
  }
}
