// A pool for as long as something needs it.

import Postgres

extension PostgresPool {
  /// Lends a pool, and closes it whatever happens.
  static func with<Value: Sendable>(
    _ configuration: PostgresConfiguration, maximumConnections: Int = 2,
    waitTimeout: Duration = .seconds(10), _ body: (PostgresPool) async throws -> Value
  ) async throws -> Value {
    let pool = PostgresPool(
      configuration: configuration, maximumConnections: maximumConnections,
      waitTimeout: waitTimeout)
    do {
      let value = try await body(pool)
      await pool.close()
      return value
    } catch {
      await pool.close()
      throw error
    }
  }
}
