// A file of orders: a hundred thousand lines become one batch; one wrong line, and nothing does.

import AuthOSEmulator
import Foundation
import JSON
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct OrderingInBulk {
    /// A file of this text, for as long as the body runs.
    private func withFile<Value: Sendable>(
      _ name: String, _ text: String, _ body: (String) async throws -> Value
    ) async throws -> Value {
      let directory = FileManager.default.temporaryDirectory.appending(
        path: "writ-bulk-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: directory) }
      let path = directory.appending(path: name).path
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      return try await body(path)
    }

    private func writ(
      _ fixture: WritFixture, _ arguments: [String], ends expected: Int32 = 0
    ) async throws -> WritProcess {
      let process = try await WritProcess.start(
        arguments,
        environment: ["WRIT_DATABASE": fixture.database.connectionString(.enqueuer)])
      let end = try await process.awaitEnd(within: .seconds(60))
      #expect(end == .exited(expected), "\(process.errors)")
      return process
    }

    @Test(.timeLimit(.minutes(2)))
    func `a hundred thousand lines become one batch in seconds`() async throws {
      try await WritFixture.with { fixture in
        var text = ""
        for number in 1...100_000 { text += "{\"email\": \"user\(number)@acme.test\"}\n" }
        try await withFile("people.ndjson", text) { path in
          let process = try await writ(
            fixture, ["enqueue", "create_user", "--file", path, "--json"])
          let receipt = try JSONValue(parsing: Array((process.output.last ?? "").utf8))
          #expect(receipt["jobs"] == 100_000)
          #expect(receipt["known"] == 0)
          let row = try await fixture.pool.query(
            """
            select count(*) as jobs, count(distinct payload ->> 'email') as people,
                   (array_agg(payload ->> 'email' order by id))[1] as first
              from writ.job where batch_id = $1
            """, [.int(try #require(receipt["batch_id"]?.intValue))])[0]
          #expect(try row.decode("jobs") == 100_000)
          #expect(try row.decode("people") == 100_000)
          #expect(try row.decode("first") == "user1@acme.test")
          #expect(process.errors.contains { $0.contains("100000 of 100000 done") })
        }
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `each wrong line is told, without its values, and nothing is ordered`() async throws {
      try await WritFixture.with { fixture in
        var lines = (1...20_000).map { "{\"email\": \"user\($0)@acme.test\"}" }
        lines[6] = #"{"email": "hunter2"}"#
        lines[15_000] = #"{"email": "a@acme.test", "hunter2": 1}"#
        lines[19_998] = "{\"email\": \"a@acme.test\", \"priority\": 11}"
        lines[19_999] = "hunter2"
        try await withFile("people.ndjson", lines.joined(separator: "\n")) { path in
          let process = try await writ(
            fixture, ["enqueue", "create_user", "--file", path], ends: 65)
          #expect(
            process.errors.filter { $0.hasPrefix("writ: ") } == [
              "writ: \(path):7: email must be an e-mail address",
              "writ: \(path):15001: unknown field hunter2",
              "writ: \(path):19999: priority must be from 0 to 9",
              "writ: \(path):20000: this is no JSON: a value is expected (at character 1)",
              "writ: nothing was ordered",
            ])
          #expect(process.output.isEmpty)
        }
        try await withFile("people.csv", "email,emial\na@acme.test,x\n") { path in
          let process = try await writ(
            fixture, ["enqueue", "create_user", "--file", path], ends: 65)
          #expect(
            process.errors.first?.hasPrefix("writ: \(path):1: there is no field emial") == true)
        }
        let left = try await fixture.pool.query(
          "select (select count(*) from writ.job) + (select count(*) from writ_data.batch) as rows")
        #expect(try left[0].decode("rows") == 0)
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `faults are a document for programs, whether the file is checked or ordered`()
      async throws
    {
      try await WritFixture.with { fixture in
        let text = "email,priority\na@acme.test,1\nhunter2,1\nb@acme.test\nc@acme.test,\"1\n"
        try await withFile("people.csv", text) { path in
          for check in [["--check"], []] {
            let process = try await writ(
              fixture, ["enqueue", "create_user", "--file", path, "--json"] + check, ends: 65)
            #expect(process.output.count == 1)
            #expect(!process.errors.contains { $0.hasPrefix("writ: ") })
            let document = try JSONValue(parsing: Array((process.output.first ?? "").utf8))
            #expect(document["complete"] == true)
            let faults = try #require(document["faults"]?.arrayValue)
            #expect(faults.map { $0["file"] } == Array(repeating: .string(path), count: 3))
            #expect(faults.map { $0["line"] } == [3, 4, 5])
            #expect(faults.map { $0["column"] } == [nil, nil, 13])
            #expect(faults.map { $0["sqlstate"] } == ["WR001", nil, nil])
            #expect(faults.map { $0["field"] } == ["email", nil, nil])
            #expect(
              faults.map { $0["reason"] } == [
                "email must be an e-mail address", "the record has 1 cell, and the first line 2",
                "the quote that opens here is not closed before the end of the file",
              ])
          }
        }
        try await withFile("people.csv", "email\na@acme.test\nb@acme.test\n") { path in
          let process = try await writ(
            fixture, ["enqueue", "create_user", "--file", path, "--check", "--json"])
          #expect(process.output == [#"{"faults":[],"complete":true,"rows":2}"#])
        }
        #expect(try await nothingIsOrdered(fixture))
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `an open quote is told even behind a hundred wrong rows`() async throws {
      try await WritFixture.with { fixture in
        let text =
          "email\n" + String(repeating: "hunter2\n", count: 12_000) + "\"hunter2\n"
        try await withFile("people.csv", text) { path in
          let process = try await writ(
            fixture, ["enqueue", "create_user", "--file", path, "--check"], ends: 65)
          #expect(process.errors.count == 102)
          #expect(
            process.errors.suffix(2) == [
              "writ: \(path):12002: the quote that opens here is not closed before the end of the "
                + "file (at character 1)",
              "writ: these are the first wrong rows; nothing was ordered",
            ])
        }
      }
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["", "\n \n", "email\n"])
    func `a file without a row is refused, and makes no batch`(text: String) async throws {
      try await WritFixture.with { fixture in
        let name = text.hasPrefix("email") ? "people.csv" : "people.ndjson"
        try await withFile(name, text) { path in
          let order = ["enqueue", "create_user", "--file", path]
          let said = "\(path): there is no row in it, and a batch needs at least one"
          for arguments in [order, order + ["--check"]] {
            let process = try await writ(fixture, arguments, ends: 65)
            #expect(process.errors == ["writ: \(said)", "writ: nothing was ordered"])
            #expect(process.output.isEmpty)
          }
        }
        #expect(try await nothingIsOrdered(fixture))
      }
    }

    private func nothingIsOrdered(_ fixture: WritFixture) async throws -> Bool {
      try await fixture.pool.query(
        "select (select count(*) from writ.job) + (select count(*) from writ_data.batch) as rows"
      )[0].decode("rows") == 0
    }

    @Test(.timeLimit(.minutes(1)))
    func `a batch from a CSV file is carried out, and then its callback, once`() async throws {
      try await WritFixture.with { fixture in
        _ = try await fixture.startWorker()
        let people = (1...20).map { "user\($0)@acme.test,,order \($0)" }
        let text = "email,priority,idempotency_key\n" + people.joined(separator: "\n")
        try await withFile("people.csv", text) { path in
          let order = [
            "enqueue", "create_user", "--file", path, "--callback", "create_user",
            "--callback-payload", #"{"email": "batch-done@acme.test"}"#,
          ]
          let batch = try #require(try await writ(fixture, order).output.last)
          let watched = try await writ(fixture, ["batches", "show", batch, "--watch", "--json"])
          let summary = try JSONValue(parsing: Array((watched.output.last ?? "").utf8))
          #expect(summary["state"] == "finished")
          #expect(summary["completed"] == 20)
          try await fixture.awaitEveryJob(within: .seconds(20))
          // Ordered again, the keys give the same jobs: the batch is empty, its callback changes nothing.
          let again = try await writ(fixture, order + ["--json"])
          let receipt = try JSONValue(parsing: Array((again.output.last ?? "").utf8))
          #expect(receipt["jobs"] == 0)
          #expect(receipt["known"] == 20)
          try await fixture.awaitEveryJob(within: .seconds(20))
          #expect(fixture.authOS.snapshot.users.count == 21)
          let finished = try await fixture.pool.query(
            "select count(*) as events from writ.audit_event where event = 'batch_finished'")
          #expect(try finished[0].decode("events") == 2)
        }
      }
    }
  }
}
