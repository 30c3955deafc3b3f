// Brings the schema of a database to the version of this program.

public import Postgres

/// Applies the migrations that a database lacks, and the functions that go with them, at once.
///
///     let migrator = Migrator(pool: pool)
///     for step in try await migrator.plan() { print(step.version, step.name) }   // --dry-run
///     let applied = try await migrator.migrate()
///
/// Everything is one transaction, so that no order and no worker ever meets new tables with old functions. Only a
/// migration called `vocabulary` is committed before what follows: PostgreSQL lets a new word of an enumeration be
/// used after that. It must suit the functions that are there.
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
  private let functions: Migration

  /// A migrator for the database of a pool, with the migrations and functions of this program.
  public init(pool: PostgresPool) {
    self.init(pool: pool, migrations: Migration.all, functions: .functions)
  }

  init(pool: PostgresPool, migrations: [Migration], functions: Migration) {
    self.pool = pool
    self.migrations = migrations
    self.functions = functions
  }

  /// The migrations that the database lacks, in order, and the functions if it has others; changes nothing.
  ///
  /// - Throws: ``JobStoreError`` with `newerDatabase` or `changedMigration`; `PostgresError`.
  public func plan() async throws -> [Migration] {
    try await pool.withConnection { connection in
      try pending(connection)
    }
  }

  /// What a plan comes to: the steps of each transaction.
  public static func transactions(of plan: [Migration]) -> [[Migration]] {
    plan.reduce(into: [[]]) { groups, step in
      groups[groups.count - 1].append(step)
      if step.commitsAlone { groups.append([]) }
    }
    .filter { !$0.isEmpty }
  }

  /// Applies what the database lacks, and says what that was.
  ///
  /// - Parameters:
  ///   - patience: how long to try for the locks; each try holds up others for less than a second.
  ///   - waiting: told once that a try has failed, and who is in the way.
  /// - Throws: ``JobStoreError`` with `newerDatabase`, `changedMigration` or `tablesInUse`; `PostgresError`. A
  ///   transaction that failed leaves nothing; those before it stay.
  @discardableResult
  public func migrate(
    patience: Duration = .seconds(60), waiting: @Sendable (String) -> Void = { _ in }
  ) async throws -> [Applied] {
    try await pool.withConnection(deadline: patience + .seconds(1_800)) { connection in
      var applied: [Applied] = []
      var tries = TableLocks.Tries(patience: patience)
      while true {
        do {
          let group = try migrateOnce(connection)
          if group.isEmpty { return applied }
          applied += group
        } catch is TableLocks.Busy {
          let holders = try TableLocks.holders(connection)
          if tries.isFirst { waiting(holders) }
          guard tries.mayGoOn() else {
            throw JobStoreError(
              .tablesInUse,
              "other transactions keep the tables in use\(holders); nothing was changed: end them, or wait"
                + " for their end, and migrate again")
          }
          try await Task.sleep(for: TableLocks.pause)
        }
      }
    }
  }

  /// One transaction: the lock, a fresh look, the migrations that belong together.
  private func migrateOnce(_ connection: isolated PostgresConnection) throws -> [Applied] {
    try connection.transaction {
      try connection.execute(
        "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('writ migrate', 0))",
        deadline: .seconds(1_800))
      guard let group = Self.transactions(of: try pending(connection)).first else { return [] }
      if group.contains(where: { !$0.commitsAlone }) { try TableLocks.take(connection) }
      return try group.map { migration in
        let start = ContinuousClock.now
        if let version = migration.version {
          try apply(migration, version, connection, since: start)
        } else {
          try connection.executeScript(migration.sql, deadline: Self.stepLimit)
          try connection.execute(Statement.noteFunctions, [.text(migration.sha256)])
        }
        return Applied(migration: migration, duration: ContinuousClock.now - start)
      }
    }
  }

  private static let stepLimit = Duration.seconds(900)

  private func apply(
    _ migration: Migration, _ version: Int, _ connection: isolated PostgresConnection,
    since start: ContinuousClock.Instant
  ) throws {
    // The list itself is made by the first migration.
    if version > 1 { try note(migration, version, connection) }
    try connection.executeScript(migration.sql, deadline: Self.stepLimit)
    if version == 1 { try note(migration, version, connection) }
    let duration = ContinuousClock.now - start
    try connection.execute(
      "update writ_data.schema_migration set duration_ms = $2::int where version = $1::int",
      [.int(version), .int(Int(duration / .milliseconds(1)))])
  }

  private func note(
    _ migration: Migration, _ version: Int, _ connection: isolated PostgresConnection
  ) throws {
    try connection.execute(
      "insert into writ_data.schema_migration (version, name, sha256) values ($1::int, $2, $3)",
      [.int(version), .text(migration.name), .text(migration.sha256)])
  }

  private func pending(_ connection: isolated PostgresConnection) throws -> [Migration] {
    let exists: Bool = try connection.query(
      "select pg_catalog.to_regclass('writ_data.schema_migration') is not null")[0].decode(0)
    guard exists else { return migrations + [functions] }
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
      guard let version = migration.version, let sha256 = known[version] else { continue }
      guard sha256 == migration.sha256 else {
        throw JobStoreError(
          .changedMigration,
          "migration \(version) (\(migration.name)) was applied with another text than this"
            + " program has: use the program that made this database, or a released one")
      }
    }
    let missing = migrations.filter { $0.version.map { known[$0] == nil } ?? false }
    return try missing + (hasFunctions(connection) ? [] : [functions])
  }

  /// Whether the database's functions are those of this program.
  private func hasFunctions(_ connection: isolated PostgresConnection) throws -> Bool {
    let isKept: Bool = try connection.query(
      "select pg_catalog.to_regclass('writ_data.function_text') is not null")[0].decode(0)
    guard isKept else { return false }
    let row = try connection.query(Statement(sql: Statement.functions.sql)).first
    return try row.map { try $0.decode("sha256") == functions.sha256 } ?? false
  }
}
