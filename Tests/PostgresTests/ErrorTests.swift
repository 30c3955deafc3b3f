// What errors say, and above all what they do not.

import Postgres
import PostgresCluster
import Testing
import WritTesting

@Suite struct ErrorTests {
  private static let canary = "canary-4711"

  /// Statements that make the server quote the value `$1`, with the whole description each gives.
  @Test(arguments: [
    (
      "select $1::text::int",
      "a value has the wrong text form for its type (SQLSTATE 22P02)"
    ),
    ("select $1::text::json", "a value has the wrong text form for its type (SQLSTATE 22P02)"),
    (
      "select $1::text::timestamptz", "the server refused a value (SQLSTATE 22007)"
    ),
    (
      "insert into t (name) values ($1), ($1)",
      "a row with this key exists already (SQLSTATE 23505) at table public.t, constraint t_name_key"
    ),
    (
      "insert into t (name, age) values ($1, -1)",
      "a check refused the row (SQLSTATE 23514) at table public.t, constraint t_age_check"
    ),
    (
      "insert into t (name, age) values ($1, null)",
      "a required value is missing (SQLSTATE 23502) at table public.t, column age"
    ),
    ("select complain($1)", "a function of the database raised an error (SQLSTATE P0001)"),
  ])
  func `a value never reaches a description`(sql: String, description: String) async throws {
    let pool = try await makePool()
    try await pool.withConnection { connection in
      try connection.executeScript(
        """
        create table t (name text unique, age int not null default 0 check (age >= 0));
        create function complain(text) returns void language plpgsql as
          $$ begin raise exception 'no % here', $1 using hint = $1; end $$;
        """)
    }
    let error = try #require(
      await #expect(throws: PostgresError.self) {
        try await pool.query(Statement(sql: sql), [.text(Self.canary)])
      })
    #expect(error.description == description)
    for text in [
      "\(error)", String(reflecting: error), "\([error])",
      "\(Mirror(reflecting: error).children.map(\.value))",
    ] {
      #expect(!text.contains(Self.canary))
    }
    var dumped = ""
    dump(error, to: &dumped)
    #expect(!dumped.contains(Self.canary))
    await pool.close()
  }

  @Test func `values of parameters and rows are not printed`() async throws {
    let pool = try await makePool()
    let parameter = PostgresParameter.text(Self.canary)
    let row = try await pool.query("select $1::text as name", [parameter])[0]
    for text in ["\(parameter)", String(reflecting: parameter), "\(row)", "\([row])"] {
      #expect(!text.contains(Self.canary))
    }
    var dumped = ""
    dump([row as Any, parameter, row["name"]], to: &dumped)
    #expect(!dumped.contains(Self.canary))
    #expect("\(row)" == "a row of name text")
    await pool.close()
  }

  @Test func `our own errors are shown with their hint`() async throws {
    let pool = try await makePool()
    let error = try #require(
      await #expect(throws: PostgresError.self) {
        try await pool.withConnection { connection in
          try connection.executeScript(
            """
            do $$ begin
              raise exception 'create_user: email must be an e-mail address'
                using errcode = 'WR001', hint = 'write name@domain';
            end $$
            """)
        }
      })
    #expect(
      error.description
        == "create_user: email must be an e-mail address (SQLSTATE WR001); hint: write name@domain")
    #expect(error.sqlState == "WR001")
    #expect(error.hint == "write name@domain")
    #expect(error.serverMessage == "create_user: email must be an e-mail address")
    #expect(!error.isTransient)
    await pool.close()
  }

  @Test func `a missing table is named`() async throws {
    let pool = try await makePool()
    let error = await #expect(throws: PostgresError.self) {
      try await pool.query("select from nothing")
    }
    #expect(error?.description == "relation \"nothing\" does not exist (SQLSTATE 42P01)")
    #expect(error?.code == .server)
    await pool.close()
  }

  @Test func `a connection string that libpq cannot read is not repeated`() throws {
    let error = #expect(throws: PostgresError.self) {
      try PostgresConfiguration(connectionString: "password=secret word")
    }
    #expect(
      error?.description
        == "the connection string is neither key=value pairs nor a postgresql:// URI that libpq can read"
    )
    let configuration = try PostgresConfiguration(
      connectionString: "postgresql://me:secret@db1:5432,db2:5433/app")
    #expect("\(configuration)" == "host=db1,db2 port=5432,5433 dbname=app")
    var dumped = ""
    dump(configuration, to: &dumped)
    #expect(!dumped.contains("secret"))
  }

  @Test func `a database that does not exist fails at once and says so`() async throws {
    let cluster = try await ThrowawayCluster.shared.cluster
    let pool = PostgresPool(
      configuration: try PostgresConfiguration(
        connectionString: cluster.connectionString(database: "nowhere")))
    let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
    #expect(error?.sqlState == "3D000")
    #expect(
      error?.description
        == "cannot connect to PostgreSQL: database \"nowhere\" does not exist (SQLSTATE 3D000)")
    await pool.close()
  }
}
