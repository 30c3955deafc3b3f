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

  @Test func `a migration that fails leaves those before it`() async throws {
    try await TestDatabase.withEmpty { database in
      let broken = try #require(
        Migration(path: "sql/migrations/0002_broken.sql", sql: "create table writ_data.a (); boom"))
      let migrator = Migrator(
        pool: database.pool, migrations: [Migration.all[0], broken], functions: .functions)
      await #expect(throws: PostgresError.self) { try await migrator.migrate() }
      #expect(try await database.number("select max(version) from writ_data.schema_migration") == 1)
      #expect(
        try await database.number("select count(*) from pg_class where relname = 'a'") == 0)
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
