// Statements, pipelines and COPY on a real server.

import Postgres
import Testing
import WritTesting

@Suite struct QueryTests {
  @Test func `a statement returns its rows`() async throws {
    let pool = try await makePool()
    let rows = try await pool.query("select $1 + 1 as next, 'a' as letter", [41])
    #expect(try rows[0].decode("next", as: Int.self) == 42)
    #expect(try rows[0]["letter"].decode(as: String.self) == "a")
    #expect(try rows[0].decode(1, as: String.self) == "a")
    #expect(rows[0].columnNames == ["next", "letter"])
    await pool.close()
  }

  @Test func `execute tells how many rows were touched`() async throws {
    let pool = try await makePool()
    try await pool.execute("create table t (x int)")
    let inserted = try await pool.execute("insert into t select generate_series(1, 7)")
    #expect(inserted == 7)
    #expect(try await pool.execute("delete from t where x > $1", [4]) == 3)
    await pool.close()
  }

  @Test func `a named statement is prepared once for a connection and works with typed nulls`()
    async throws
  {
    let pool = try await makePool()
    let statement = Statement(name: "sum", sql: "select coalesce($1, 0) + $2 as sum")
    let (sums, count) = try await pool.withConnection { connection in
      let sums = try [(1, 2), (nil, 5), (3, 4)].map { first, second in
        try connection.query(statement, [.int(first), .int(second)])[0].decode("sum", as: Int.self)
      }
      let names = try connection.query("select name from pg_prepared_statements")
      return (sums, names.count)
    }
    #expect(sums == [3, 5, 7])
    #expect(count == 1)
    await pool.close()
  }

  @Test func `a named statement given other parameter types is prepared again`() async throws {
    let pool = try await makePool()
    let statement = Statement(name: "same", sql: "select ($1)::text as value")
    let values = try await pool.withConnection { connection in
      try [.int(1), .double(1.5), .text("x"), .null].map { (parameter: PostgresParameter) in
        try connection.query(statement, [parameter])[0].decode(0, as: String?.self)
      }
    }
    #expect(values == ["1", "1.5", "x", nil])
    await pool.close()
  }

  @Test func `one name cannot stand for two statements`() async throws {
    let pool = try await makePool()
    let error = await #expect(throws: PostgresError.self) {
      try await pool.withConnection { connection in
        _ = try connection.query(Statement(name: "one", sql: "select 1"))
        _ = try connection.query(Statement(name: "one", sql: "select 2"))
      }
    }
    #expect(error?.description == "the name one stands for two different statements")
    await pool.close()
  }

  @Test func `nothing is prepared behind a transaction pooler`() async throws {
    let configuration = try PostgresConfiguration(
      connectionString: try await ThrowawayCluster.shared.makeDatabase(), preparesStatements: false)
    let pool = PostgresPool(configuration: configuration)
    let count = try await pool.withConnection { connection in
      _ = try connection.query(Statement(name: "one", sql: "select 1"))
      return try connection.query("select from pg_prepared_statements").count
    }
    #expect(count == 0)
    await pool.close()
  }

  @Test func `a changed table costs one transient error`() async throws {
    let pool = try await makePool(maximumConnections: 1)
    let statement = Statement(name: "all", sql: "select * from t")
    try await pool.execute("create table t (x int)")
    _ = try await pool.query(statement)
    try await pool.execute("alter table t add y int")
    let error = await #expect(throws: PostgresError.self) { try await pool.query(statement) }
    #expect(error?.isTransient == true)
    #expect(try await pool.query(statement).isEmpty)
    await pool.close()
  }

  @Test func `a script runs many statements`() async throws {
    let pool = try await makePool()
    try await pool.withConnection { connection in
      try connection.executeScript(
        "create table t (x int); insert into t values (1), (2); select 1")
      let rows = try connection.query("select from t")
      #expect(rows.count == 2)
    }
    await pool.close()
  }

  @Test func `SQL and text with a zero byte are refused before they are sent`() async throws {
    let pool = try await makePool()
    let text = await #expect(throws: PostgresError.self) {
      try await pool.query("select $1::text", ["a\0b"])
    }
    #expect(
      text?.description == "parameter $1 contains a zero byte, which PostgreSQL text cannot hold")
    let sql = await #expect(throws: PostgresError.self) {
      try await pool.query(Statement(sql: "select '\0'"))
    }
    #expect(sql?.code == .misuse)
    await pool.close()
  }

  @Test func `a connection cannot be used outside of its scope`() async throws {
    let pool = try await makePool()
    let connection = try await pool.withConnection { connection in connection }
    let error = await #expect(throws: PostgresError.self) { try await connection.query("select 1") }
    #expect(
      error?.description == "a connection was used outside of the scope that handed it out")
    await pool.close()
  }
}

@Suite struct PipelineTests {
  @Test func `a pipeline answers in order`() async throws {
    let pool = try await makePool()
    let statement = Statement(name: "double", sql: "select $1 * 2 as value")
    let values = try await pool.withConnection { connection in
      try connection.pipeline((1...500).map { (statement, [.int($0)]) }).map {
        try $0.get()[0].decode("value", as: Int.self)
      }
    }
    #expect(values == (1...500).map { $0 * 2 })
    await pool.close()
  }

  @Test func `an error in the middle undoes the pipeline and leaves a usable connection`()
    async throws
  {
    let pool = try await makePool(maximumConnections: 1)
    try await pool.execute("create table t (x int primary key)")
    let insert = Statement(name: "insert", sql: "insert into t values ($1)")
    let (results, before) = try await pool.withConnection { connection in
      (
        try connection.pipeline([(insert, [1]), (insert, [1]), (insert, [2])]),
        try connection.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
      )
    }
    #expect(throws: Never.self) { try results[0].get() }
    #expect(throws: PostgresError.self) { try results[1].get() }
    if case .failure(let error) = results[1] { #expect(error.sqlState == "23505") }
    if case .failure(let error) = results[2] { #expect(error.code == .pipelineAborted) }
    #expect(try await pool.query("select from t").isEmpty)
    let after = try await pool.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    #expect(before == after)
    await pool.close()
  }

  @Test func `a pipeline larger than all socket buffers does not block itself`() async throws {
    let pool = try await makePool()
    let text = String(repeating: "x", count: 100_000)
    let lengths = try await pool.withConnection { connection in
      try connection.pipeline((0..<200).map { _ in ("select $1::text as text", [.text(text)]) })
        .map { try $0.get()[0].decode("text", as: String.self).utf8.count }
    }
    #expect(lengths == Array(repeating: 100_000, count: 200))
    await pool.close()
  }
}

@Suite struct CopyTests {
  @Test func `ten thousand rows are copied in, whatever is in them`() async throws {
    let pool = try await makePool()
    try await pool.execute("create table t (id int, text text, data bytea, tags text[])")
    let count = try await pool.withConnection { connection in
      try connection.copyIn(
        "copy t from stdin",
        rows: (0..<10_000).lazy.map { number in
          [
            .int(number), number % 3 == 0 ? nil : .text("tab\there\\N\nline\r\(number)"),
            .bytes([0, 255, UInt8(number % 256)]), .texts(["a\"b", nil, "c,\\d}"]),
          ]
        })
    }
    #expect(count == 10_000)
    let row = try await pool.query("select * from t where id = 9998")[0]
    #expect(try row.decode("text", as: String.self) == "tab\there\\N\nline\r9998")
    #expect(try row.decode("data", as: [UInt8].self) == [0, 255, UInt8(9998 % 256)])
    #expect(try row.decode("tags", as: [String?].self) == ["a\"b", nil, "c,\\d}"])
    #expect(try await pool.query("select from t where text is null").count == 3334)
    await pool.close()
  }

  @Test func `bytes are copied as they are`() async throws {
    let pool = try await makePool()
    try await pool.execute("create table t (a int, b int)")
    let count = try await pool.withConnection { connection in
      try connection.copyIn(
        "copy t from stdin (format csv)", bytes: ["1,2\n3", ",4\n"].map { Array($0.utf8) })
    }
    #expect(count == 2)
    await pool.close()
  }

  @Test func `a row that does not fit fails the copy, and the connection goes on`() async throws {
    let pool = try await makePool(maximumConnections: 1)
    try await pool.execute("create table t (x int check (x <> 500))")
    try await pool.withConnection { connection in
      let error = #expect(throws: PostgresError.self) {
        try connection.copyIn("copy t from stdin", rows: (0..<100_000).lazy.map { [.int($0)] })
      }
      #expect(error?.sqlState == "23514")
      let rows = try connection.query("select from t")
      #expect(rows.isEmpty)
    }
    await pool.close()
  }

  @Test func `COPY outside of copyIn is refused and closes the connection`() async throws {
    let pool = try await makePool()
    try await pool.execute("create table t (x int)")
    let error = await #expect(throws: PostgresError.self) {
      try await pool.query("copy t from stdin")
    }
    #expect(error?.code == .misuse)
    #expect(try await pool.query("select 1").count == 1)
    await pool.close()
  }
}

/// A pool on a new, empty database.
func makePool(maximumConnections: Int = 4) async throws -> PostgresPool {
  PostgresPool(
    configuration: try await ThrowawayCluster.shared.makeConfiguration(),
    maximumConnections: maximumConnections)
}
