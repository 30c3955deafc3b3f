// Migrating: once, in order, also when two do it, and never backwards.

import Postgres
import Testing

@testable import JobStore

@Suite struct MigratorTests {
  @Test func `two migrators at once apply each migration once`() async throws {
    try await TestDatabase.withEmpty { database in
      let applied = try await withThrowingTaskGroup(of: [Int?].self) { group in
        for _ in 0..<2 {
          group.addTask {
            try await Migrator(pool: database.pool).migrate().map(\.migration.version)
          }
        }
        return try await group.reduce(into: [Int?]()) { $0 += $1 }
      }
      #expect(applied.compactMap { $0 }.sorted() == Array(1...Migration.all.count))
      #expect(applied.filter { $0 == nil }.count == 1, "the functions are applied once, too")
      #expect(try await Migrator(pool: database.pool).plan().isEmpty)
      #expect(
        try await database.number("select count(*) from writ_data.schema_migration")
          == Migration.all.count)
    }
  }

  @Test func `a plan changes nothing and names what is missing`() async throws {
    try await TestDatabase.withEmpty { database in
      let plan = try await Migrator(pool: database.pool).plan()
      #expect(plan.map(\.version) == Array(1...Migration.all.count) + [nil])
      #expect(plan[1].name == "tables")
      #expect(
        try await database.number("select count(*) from pg_namespace where nspname like 'writ%'")
          == 0)
    }
  }

  @Test func `a database that is newer than the program is refused`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        "insert into writ_data.schema_migration (version, name, sha256) values (99, 'x', $1)",
        [.text(String(repeating: "0", count: 64))])
      let error = await #expect(throws: JobStoreError.self) {
        try await Migrator(pool: database.pool).migrate()
      }
      #expect(error?.code == .newerDatabase)
      #expect(
        error?.description
          == "the database is at version 99 and this program knows \(Migration.all.count):"
          + " use a newer program")
    }
  }

  @Test func `a migration that was applied with another text is refused`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        "update writ_data.schema_migration set sha256 = $1 where version = 2",
        [.text(String(repeating: "0", count: 64))])
      let error = await #expect(throws: JobStoreError.self) {
        try await Migrator(pool: database.pool).plan()
      }
      #expect(error?.code == .changedMigration)
      #expect(
        error?.description
          == "migration 2 (tables) was applied with another text than this program has: use the"
          + " program that made this database, or a released one")
    }
  }

  @Test func `functions of another text are replaced as a whole`() async throws {
    try await TestDatabase.withEmpty { database in
      _ = try await Migrator(pool: database.pool).migrate()
      let changed = Migration(functions: [
        (
          "sql/functions/a.sql",
          "create or replace function writ_data.may_order(type text, role_name text)"
            + " returns boolean language plpgsql as 'begin return false; end';"
        )
      ])
      let migrator = Migrator(pool: database.pool, migrations: Migration.all, functions: changed)
      #expect(try await migrator.migrate().map(\.migration) == [changed])
      #expect(try await migrator.plan().isEmpty)
      #expect(try await Migrator(pool: database.pool).plan() == [.functions])
    }
  }

  @Test func `a migration that fails leaves nothing of those that came with it`() async throws {
    try await TestDatabase.withEmpty { database in
      let broken = try #require(
        Migration(path: "sql/migrations/0002_broken.sql", sql: "create table writ_data.a (); boom"))
      let migrator = Migrator(
        pool: database.pool, migrations: [Migration.all[0], broken], functions: .functions)
      await #expect(throws: PostgresError.self) { try await migrator.migrate() }
      #expect(
        try await database.number("select count(*) from pg_namespace where nspname like 'writ%'")
          == 0)
    }
  }

  @Test func `no program meets new tables with old functions`() async throws {
    try await TestDatabase.withEmpty { database in
      try await Self.migrateToVersion7(database)
      let plan = try await Migrator(pool: database.pool).plan()
      let groups = Migrator.transactions(of: plan)
      #expect(groups.map { $0.map(\.version) } == [[8], Array(9...Migration.all.count) + [nil]])
      let broken = Migration(functions: [("sql/functions/a.sql", "boom")])
      let migrator = Migrator(pool: database.pool, migrations: Migration.all, functions: broken)
      await #expect(throws: PostgresError.self) { try await migrator.migrate() }
      // The keys of orders are as the old functions need them.
      try await database.sql(
        """
        insert into writ_data.idempotency_key
          (environment, type, key, job_id, created_at, payload_digest)
        values ('default', 'a', 'b', 1, clock_timestamp(), '')
        """)
    }
  }

  @Test func `who keeps a table in use is named, and holds up nobody but the migration`()
    async throws
  {
    try await TestDatabase.withEmpty { database in
      try await Self.migrateToVersion7(database)
      let (mayEnd, end) = AsyncStream.makeStream(of: Void.self)
      let (isHeld, held) = AsyncStream.makeStream(of: Void.self)
      async let reader: Void = database.pool.withTransaction { connection in
        _ = try connection.query("select count(*) from writ_data.job")
        held.yield()
        for await _ in mayEnd { break }
        // It waits for nothing that the migration has: no try outlives a second.
        _ = try connection.query("select count(*) from writ_data.environment")
      }
      for await _ in isHeld { break }
      let migrator = Migrator(pool: database.pool)
      let error = await #expect(throws: JobStoreError.self) {
        try await migrator.migrate(patience: .zero)
      }
      #expect(error?.code == .tablesInUse)
      let sentence = error?.description ?? ""
      #expect(
        sentence.hasPrefix("other transactions keep the tables in use: process "), "\(sentence)")
      #expect(try await migrator.plan().first?.version == 9)
      async let migrated = migrator.migrate { _ in end.yield() }
      #expect(try await migrated.last?.migration == .functions)
      try await reader
    }
  }

  @Test func `the script of a plan does what migrating does`() async throws {
    for isNew in [true, false] {
      try await TestDatabase.withEmpty { database in
        if !isNew { try await Self.migrateToVersion7(database) }
        let script = MigrationScript.text(of: try await Migrator(pool: database.pool).plan())
        let first = "\\set ON_ERROR_STOP on\n"
        #expect(script.hasPrefix(first))
        try await database.pool.withConnection { connection in
          try connection.executeScript(String(script.dropFirst(first.count)))
        }
        #expect(try await Migrator(pool: database.pool).plan().isEmpty)
        #expect(MigrationScript.text(of: []) == "")
      }
    }
  }

  /// What the first version made.
  private static func migrateToVersion7(_ database: TestDatabase) async throws {
    let old = MigrationScript.text(of: Array(Migration.all.prefix(7))).split(
      separator: "\n", maxSplits: 1)[1]
    try await database.pool.withConnection { connection in
      try connection.executeScript(String(old))
    }
  }

  @Test func `no function of ours can be called by everybody and each definer pins its path`()
    async throws
  {
    try await TestDatabase.with { database in
      let open = try await database.sql(
        """
        select p.oid::regprocedure::text
          from pg_proc as p
          join pg_namespace as n on n.oid = p.pronamespace
         where n.nspname like 'writ%'
           and (
             has_function_privilege('stranger', p.oid, 'execute')
             or (p.prosecdef and not p.proconfig::text like '%search_path=pg_catalog, pg_temp%')
             or pg_get_userbyid(p.proowner) <> 'writ_owner'
           )
        """
      ).map { try $0.decode(0, as: String.self) }
      #expect(open == [])
    }
  }
}
