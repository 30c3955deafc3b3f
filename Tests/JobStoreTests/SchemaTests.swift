// The schema as a whole: what is committed is what the migrations make, and cost does not grow.

import Foundation
import JobModel
import Postgres
import PostgresCluster
import Testing

@testable import JobStore

@Suite struct SchemaTests {
  @Test func `sql/schema.sql is what the migrations make`() async throws {
    try await TestDatabase.with { database in
      let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "../../sql/dump-schema.sh").standardized.path
      guard FileManager.default.isExecutableFile(atPath: script),
        try run("/usr/bin/env", ["pg_dump", "--version"]).contains(" 15.")
      else { return }
      let connection = database.cluster.connectionString(database: database.name)
      // What the tests published is no part of the schema.
      try await database.pool.withConnection { connection in
        try connection.executeScript(
          """
          do $$ declare f regprocedure; begin
            for f in
              select p.oid from pg_proc as p, writ_data.job_type as t
               where p.pronamespace in ('writ'::regnamespace, 'writ_data'::regnamespace)
                 and p.proname in (
                     t.name, 'fields_' || t.name, 'object_' || t.name,
                     'enqueue_' || t.name, 'json_' || t.name)
            loop execute 'drop function ' || f; end loop;
          end $$
          """)
      }
      let dump = try run(script, [connection])
      let committed = try #require(EmbeddedFiles.contents["sql/schema.sql"])
      #expect(
        dump == committed, "update it: sql/dump-schema.sh <fresh database> > sql/schema.sql")
    }
  }

  @Test func `the program knows the names of all events`() async throws {
    try await TestDatabase.with { database in
      let names = try await database.sql(
        "select unnest(enum_range(null::writ_data.audit_event_kind))::text as name"
      ).map { try $0.decode("name", as: String.self) }
      #expect(AuditEvent.names.sorted() == names.sorted())
    }
  }

  @Test func `work costs no more while somebody holds a snapshot`() async throws {
    try await TestDatabase.with { database in
      try await database.sql(
        "select count(writ.create_user(i || '@b.cd')) from generate_series(1, 4000) as i")
      let (mayEnd, end) = AsyncStream.makeStream(of: Void.self)
      let (isHeld, held) = AsyncStream.makeStream(of: Void.self)
      async let reader: Void = database.pool.withTransaction(.readOnlySnapshot) { connection in
        _ = try connection.query("select count(*) from writ.environment")
        held.yield()
        for await _ in mayEnd { break }
      }
      for await _ in isHeld { break }
      let worker = try await database.worker()
      var bounds = [Int](repeating: 0, count: 10)
      func cost() async throws -> Int {
        // A connection reports its counters when it is idle for a while; this makes it do so now.
        try await database.pool.withConnection { connection in
          _ = try connection.query("select pg_stat_force_next_flush()")
        }
        return try await database.number(
          "select sum(idx_tup_read)::bigint from pg_stat_user_indexes where schemaname = 'writ_data'"
        )
      }
      func work(rounds: Int) async throws -> Int {
        let before = try await cost()
        for _ in 0..<rounds {
          let claimed = try await database.store.claimJobs(
            worker: worker, queue: "default", environment: "default", limit: 20, lowerBounds: bounds
          )
          #expect(claimed.jobs.count == 20)
          for place in claimed.finding.claimed {
            bounds[place.priority] = max(bounds[place.priority], place.claimOrder)
          }
          let entries = claimed.jobs.map {
            JobEntry(job: $0.id, attempt: $0.attempt, record: .done)
          }
          _ = try await database.store.recordEntries(worker: worker, entries)
        }
        return try await cost() - before
      }
      _ = try await work(rounds: 5)
      let early = try await work(rounds: 20)
      _ = try await work(rounds: 120)
      let late = try await work(rounds: 20)
      end.yield()
      try await reader
      #expect(early > 0)
      #expect(late <= early * 5 / 4, "\(late) index entries instead of \(early) for the same work")
    }
  }

  private func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let bytes = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self)
  }
}
