// Transactions as scopes.

import Postgres
import Testing
import WritTesting

private struct Refusal: Error {}

@Suite struct TransactionTests {
  private func makeTable() async throws -> PostgresPool {
    let pool = try await makePool(maximumConnections: 2)
    try await pool.execute("create table t (x int unique deferrable initially deferred)")
    return pool
  }

  private func count(_ pool: PostgresPool) async throws -> Int {
    try await pool.query("select from t").count
  }

  @Test func `a transaction commits when its closure returns`() async throws {
    let pool = try await makeTable()
    let touched = try await pool.withTransaction { try $0.execute("insert into t values (1)") }
    #expect(touched == 1)
    #expect(try await count(pool) == 1)
    await pool.close()
  }

  @Test func `a transaction rolls back when its closure throws, and the connection lives on`()
    async throws
  {
    let pool = try await makeTable()
    await #expect(throws: Refusal.self) {
      try await pool.withTransaction { connection in
        try connection.execute("insert into t values (1)")
        throw Refusal()
      }
    }
    #expect(try await count(pool) == 0)
    await pool.close()
  }

  @Test func `a synchronous transaction inside of a scope behaves the same`() async throws {
    let pool = try await makeTable()
    try await pool.withConnection { connection in
      try connection.transaction { try connection.execute("insert into t values (1)") }
      #expect(throws: Refusal.self) {
        try connection.transaction(.serializable) {
          try connection.execute("insert into t values (2)")
          throw Refusal()
        }
      }
    }
    #expect(try await count(pool) == 1)
    await pool.close()
  }

  @Test func `a commit that the server refuses rolls back and says why`() async throws {
    let pool = try await makeTable()
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withTransaction { try $0.execute("insert into t values (1), (1)") }
    }
    #expect(error?.sqlState == "23505")
    #expect(try await count(pool) == 0)
    await pool.close()
  }

  @Test func `a swallowed error is not mistaken for a commit`() async throws {
    let pool = try await makeTable()
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withTransaction { connection in
        try connection.execute("insert into t values (1)")
        _ = try? connection.execute("select 1/0")
      }
    }
    #expect(error?.code == .rolledBack)
    #expect(try await count(pool) == 0)
    await pool.close()
  }

  @Test func `a transaction inside of a transaction is refused`() async throws {
    let pool = try await makeTable()
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withTransaction { connection in try connection.transaction {} }
    }
    #expect(error?.description == "a transaction was begun inside of a transaction")
    await pool.close()
  }

  @Test func `a scope that leaves a transaction open loses its connection`() async throws {
    let pool = try await makePool(maximumConnections: 1)
    let first = try await pool.withConnection { connection in
      try connection.executeScript("begin")
      return try connection.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    }
    let second = try await pool.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    #expect(first != second)
    await pool.close()
  }

  @Test func `a read-only error closes the connection and is transient`() async throws {
    let pool = try await makeTable()
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withTransaction(.readOnlySnapshot) {
        try $0.execute("insert into t values (1)")
      }
    }
    #expect(error?.sqlState == "25006")
    #expect(error?.isTransient == true)
    await pool.close()
  }

  @Test func `a lost answer to COMMIT is told apart`() async throws {
    let pool = try await makeTable()
    // The deferred trigger runs inside of COMMIT, and ends its own backend there.
    try await pool.withConnection { connection in
      try connection.executeScript(
        """
        create function die() returns trigger language plpgsql as
          $$ begin perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5); return null; end $$;
        create constraint trigger die after insert on t deferrable initially deferred
          for each row execute function die();
        """)
    }
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withTransaction { try $0.execute("insert into t values (1)") }
    }
    #expect(error?.code == .commitUnknown)
    #expect(error?.isTransient == true)
    await pool.close()
  }
}
