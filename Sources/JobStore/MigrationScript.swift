// What a migration would do, as a script for psql.

/// The text that `writ migrate --show-sql` prints: the same transactions, locks and notes as ``Migrator/migrate(patience:waiting:)``.
public enum MigrationScript {
  /// The script of a plan; empty when there is nothing to do.
  ///
  /// It can be applied with psql as it stands. It waits for no locks: when tables are in use, it fails, and its transaction leaves
  /// nothing.
  public static func text(of plan: [Migration]) -> String {
    guard !plan.isEmpty else { return "" }
    return "\\set ON_ERROR_STOP on\n\n"
      + Migrator.transactions(of: plan).map(transaction).joined(separator: "\n")
  }

  private static func transaction(_ group: [Migration]) -> String {
    let locks = group.contains { !$0.commitsAlone } ? TableLocks.script + "\n" : ""
    return """
      begin;
      select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('writ migrate', 0));
      \(locks)
      \(group.map(step).joined(separator: "\n"))
      commit;

      """
  }

  private static func step(_ migration: Migration) -> String {
    guard let version = migration.version else {
      return """
        -- functions
        \(migration.sql)
        insert into writ_data.function_text (sha256)
        values ('\(migration.sha256)')
        on conflict (singleton) do update
           set sha256 = excluded.sha256, applied_at = clock_timestamp(), applied_by = session_user;

        """
    }
    let note = """
      insert into writ_data.schema_migration (version, name, sha256)
      values (\(version), '\(migration.name)', '\(migration.sha256)');
      """
    // The list itself is made by the first migration.
    return version == 1 ? "\(migration.sql)\n\(note)\n" : "\(note)\n\(migration.sql)"
  }
}
