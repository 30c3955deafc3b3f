// The database as the rest of the program sees it: typed calls, one an SQL statement of sql/statements.

public import Postgres

/// Jobs, workers, definitions and the trail, in one PostgreSQL database.
///
/// All SQL of the program is here, in `sql/`, and nowhere else. Calls throw `PostgresError`; those of our own
/// functions have a SQLSTATE that begins with `WR` (docs/errors.md) and a message without values.
/// What a call may do is what the database role of the pool may do: a worker needs `writ_worker`, the
/// commands of people `writ_admin` or `writ_auditor`.
public struct JobStore: Sendable {
  /// The connections.
  public let pool: PostgresPool

  /// A store over these connections; opens none.
  public init(pool: PostgresPool) { self.pool = pool }

  /// The one row of a statement that always gives one.
  func row(
    _ statement: Statement, _ parameters: [PostgresParameter]
  ) async throws -> PostgresRow {
    guard let row = try await pool.query(statement, parameters).first else {
      throw JobStoreError(.missingRow, "the statement \(statement.name ?? "") returned no row")
    }
    return row
  }
}
