// The locks under which tables change: all at once or none, and never anybody else's deadlock.

import Postgres

/// How a migration keeps everybody else out.
///
/// It takes every table at its start. Whoever comes then waits; taken one by one while the work goes on, the locks
/// would close circles with workers and producers, and PostgreSQL would end one of their transactions. It
/// looks for circles when somebody has waited for `deadlock_timeout` (manual, "Lock Management"); a try gives up
/// before that, so that nobody has waited so long while it still waits itself.
enum TableLocks {
  /// The tables could not be had in time.
  struct Busy: Error {}

  /// Between two tries everybody else goes on.
  static let pause = Duration.milliseconds(500)

  /// How long to go on trying.
  struct Tries {
    private let end: ContinuousClock.Instant
    private(set) var isFirst = true

    init(patience: Duration) { end = ContinuousClock.now + patience }

    mutating func mayGoOn() -> Bool {
      isFirst = false
      return ContinuousClock.now < end
    }
  }

  /// Takes all tables and views that there are, for this transaction.
  ///
  /// - Throws: ``Busy``; the transaction is over then.
  static func take(_ connection: isolated PostgresConnection) throws {
    do {
      try connection.executeScript(script)
    } catch  where ["57014", "55P03", "40P01"].contains(error.sqlState) {
      throw Busy()
    }
  }

  /// Who holds what a migration needs: `: process 71 (psql, role app) since 5 min`; empty if nobody is seen.
  static func holders(_ connection: isolated PostgresConnection) throws -> String {
    guard let row = try connection.query(oldestHolder).first else { return "" }
    let process: Int = try row.decode("pid")
    let program: String = try row.decode("program")
    let role: String = try row.decode("role")
    let seconds: Int = try row.decode("seconds")
    return ": process \(process) (\(program), role \(role)) since \(seconds) s"
  }

  /// What takes them.
  ///
  /// Looking for circles soon also sends an autovacuum away, but only a superuser may choose when.
  /// Views come first, as for those who read through them; then what an order reads first.
  static let script = """
    do $$
    declare
      _patience int;
    begin
      select least(1000, setting::int) * 7 / 10 into _patience
        from pg_catalog.pg_settings
       where name = 'deadlock_timeout';
      perform pg_catalog.set_config('statement_timeout', greatest(1, _patience) || 'ms', true);
      begin
        perform pg_catalog.set_config('deadlock_timeout', greatest(1, _patience / 10) || 'ms', true);
      exception
        when insufficient_privilege then null;
      end;
    end
    $$;
    do $$
    declare
      _tables text;
    begin
      select string_agg(
               c.oid::pg_catalog.regclass::text, ', '
               order by c.relkind <> 'v', c.relname not in ('environment', 'job_type'), c.relname
             )
        into _tables
        from pg_catalog.pg_class as c
        join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
       where n.nspname in ('writ', 'writ_data') and c.relkind in ('v', 'r', 'p')
         and not c.relispartition;
      if _tables is not null then
        execute 'lock table ' || _tables || ' in access exclusive mode';
      end if;
    end
    $$;
    set local statement_timeout = 0;
    """

  private static let oldestHolder: Statement = """
    select a.pid::bigint as pid, coalesce(nullif(a.application_name, ''), a.backend_type)::text as program,
           coalesce(a.usename::text, '-') as role,
           coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::bigint as seconds
      from pg_catalog.pg_stat_activity as a
     where a.pid <> pg_catalog.pg_backend_pid()
       and exists (
             select
               from pg_catalog.pg_locks as l
               join pg_catalog.pg_class as c on c.oid = l.relation
               join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
              where l.pid = a.pid and l.granted and n.nspname in ('writ', 'writ_data')
                and l.database = (
                      select d.oid from pg_catalog.pg_database as d
                       where d.datname = pg_catalog.current_database()
                    )
           )
     order by a.xact_start nulls last
     limit 1
    """
}
