// writ migrate: bring the database to the schema of this binary.

import ArgumentParser
import JSON
import JobStore

struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Bring the database to the schema that this version needs.",
    discussion: """
      Safe when two run at once, when it is killed, and when there is nothing to do. Workers and orders wait \
      while it changes tables, as a rule for less than a second. Refuses a database that a newer version has \
      migrated. Needs a superuser, or a role that may create roles and schemas. See docs/upgrading.md.

      EXAMPLES
        writ migrate --dry-run
        writ migrate --show-sql > upgrade.sql    what would run, for review
        writ migrate
      """)

  @Flag(help: "Say what would be applied, and apply nothing.")
  var dryRun = false
  @Flag(help: "Print the SQL of what would be applied, and apply nothing.")
  var showSQL = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    try await options.load().withPool { pool in
      let migrator = Migrator(pool: pool)
      if showSQL || dryRun {
        report(pending: try await migrator.plan())
      } else {
        report(
          applied: try await migrator.migrate { holders in
            Output.current.note("waiting until the tables are free\(holders)")
          })
      }
    }
  }

  private func report(pending: [Migration]) {
    if format.json {
      Output.current.json(.array(pending.map { Self.json($0, sql: showSQL) }))
    } else if showSQL {
      Output.current.line(MigrationScript.text(of: pending))
    } else {
      table(pending.map { ["would apply", Self.name($0)] })
    }
  }

  private func report(applied: [Migrator.Applied]) {
    if format.json {
      Output.current.json(
        .array(
          applied.map { step in
            var object = Self.json(step.migration, sql: false).objectValue ?? JSONObject()
            object["duration_ms"] = JSONValue(Int(step.duration / .milliseconds(1)))
            return .object(object)
          }))
    } else {
      table(
        applied.map {
          ["applied", Self.name($0.migration), DurationText.shown($0.duration)]
        })
    }
  }

  private func table(_ rows: [[String]]) {
    guard let width = rows.first?.count else {
      Output.current.note("nothing to do: the database is at version \(Migration.all.count)")
      return
    }
    var table = width == 2 ? Table("", "") : Table("", "", "")
    for row in rows { table.add(row) }
    for line in table.lines() { Output.current.line(line) }
  }

  private static func name(_ migration: Migration) -> String {
    guard let version = migration.version else { return migration.name }
    let number = String(version)
    return String(repeating: "0", count: max(0, 4 - number.count)) + "\(number)_\(migration.name)"
  }

  private static func json(_ migration: Migration, sql: Bool) -> JSONValue {
    var object = JSONObject()
    object["version"] = migration.version.map { JSONValue($0) }
    object["name"] = .string(migration.name)
    object["sha256"] = .string(migration.sha256)
    if sql { object["sql"] = .string(migration.sql) }
    return .object(object)
  }
}
