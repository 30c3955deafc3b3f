// Brings the schema of a database to the version of this program.

public import Postgres

/// Applies the migrations that a database lacks, each in a transaction of its own.
///
///     let migrator = Migrator(pool: pool)
///     for step in try await migrator.plan() { print(step.version, step.name) }   // --dry-run
///     let applied = try await migrator.migrate()
///
/// Two at once are safe: an advisory lock lets one work, and the other finds nothing left to do. The role of the
/// pool must be a superuser, or have CREATEROLE and the right to create schemas in the database.
public struct Migrator: Sendable {
  /// A migration that was applied just now.
  public struct Applied: Sendable, Hashable {
    /// The migration.
    public let migration: Migration
    /// How long it took, by this machine's clock.
    public let duration: Duration
  }

  private let pool: PostgresPool
  private let migrations: [Migration]

  /// A migrator for the database of a pool, with the migrations of this program.
  public init(pool: PostgresPool) { self.init(pool: pool, migrations: Migration.all) }

  init(pool: PostgresPool, migrations: [Migration]) {
    self.pool = pool
    self.migrations = migrations
  }

  /// The migrations that the database lacks, in order; changes nothing.
  ///
  /// - Throws: ``JobStoreError`` with `newerDatabase` or `changedMigration`; `PostgresError`.
  public func plan() async throws -> [Migration] {
    try await pool.withConnection { connection in
      try pending(connection)
    }
  }

  /// Applies what the database lacks, and says what that was.
  ///
  /// - Throws: ``JobStoreError`` with `newerDatabase` or `changedMigration`; `PostgresError`. Migrations that
  ///   were applied before the one that failed stay.
  @discardableResult
  public func migrate() async throws -> [Applied] {
    try await pool.withConnection(deadline: .seconds(600)) { connection in
      var applied: [Applied] = []
      while let next = try migrateOnce(connection) { applied.append(next) }
      return applied
    }
  }

  /// One transaction: the lock, a fresh look, the next migration.
  private func migrateOnce(_ connection: isolated PostgresConnection) throws -> Applied? {
    let start = ContinuousClock.now
    return try connection.transaction {
      try connection.execute(
        "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('writ migrate', 0))")
      guard let migration = try pending(connection).first else { return nil }
      // The list itself is made by the first migration.
      if migration.version > 1 { try note(migration, connection) }
      try connection.executeScript(migration.sql, deadline: .seconds(300))
      if migration.version == 1 { try note(migration, connection) }
      let duration = ContinuousClock.now - start
      try connection.execute(
        "update writ_data.schema_migration set duration_ms = $2::int where version = $1::int",
        [.int(migration.version), .int(Int(duration / .milliseconds(1)))])
      return Applied(migration: migration, duration: duration)
    }
  }

  private func note(
    _ migration: Migration, _ connection: isolated PostgresConnection
  ) throws {
    try connection.execute(
      "insert into writ_data.schema_migration (version, name, sha256) values ($1::int, $2, $3)",
      [.int(migration.version), .text(migration.name), .text(migration.sha256)])
  }

  private func pending(_ connection: isolated PostgresConnection) throws -> [Migration] {
    let exists: Bool = try connection.query(
      "select pg_catalog.to_regclass('writ_data.schema_migration') is not null")[0].decode(0)
    guard exists else { return migrations }
    var known: [Int: String] = [:]
    for row in try connection.query(Statement(sql: Statement.migrations.sql)) {
      known[try row.decode("version")] = try row.decode("sha256")
    }
    let newest = known.keys.max() ?? 0
    guard newest <= migrations.count else {
      throw JobStoreError(
        .newerDatabase,
        "the database is at version \(newest) and this program knows \(migrations.count):"
          + " use a newer program")
    }
    for migration in migrations {
      guard let sha256 = known[migration.version] else { continue }
      guard sha256 == migration.sha256 else {
        throw JobStoreError(
          .changedMigration,
          "migration \(migration.version) (\(migration.name)) was applied with another text than this"
            + " program has: use the program that made this database, or a released one")
      }
    }
    return migrations.filter { known[$0.version] == nil }
  }
}
