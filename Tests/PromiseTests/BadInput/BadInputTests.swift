// Every wrong input gets a sentence that says what to fix, and never repeats a value.

import Foundation
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `Bad input` {
    @Test(.timeLimit(.minutes(1)))
    func `a wrong SQL call gets its SQLSTATE, its field and the rule`() async throws {
      try await WritFixture.with { fixture in
        for call in BadCall.all {
          do {
            _ = try await fixture.database.withPool(call.role) {
              try await $0.query(Statement(sql: call.sql))
            }
            Issue.record("\(call.sql) was accepted")
          } catch let error as PostgresError {
            #expect(error.serverMessage == call.message, "\(call.sql)")
            #expect(error.sqlState == call.state, "\(call.sql)")
            if call.state.hasPrefix("WR") { #expect(error.column == call.column, "\(call.sql)") }
            #expect(!"\(error)\(error.hint ?? "")".lowercased().contains("hunter2"), "\(call.sql)")
          }
        }
        #expect(try await History.read(fixture.pool).jobs.isEmpty)
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a wrong command line or configuration gets a sentence and an exit code`() async throws {
      for command in BadCommand.all {
        try await TemporaryDirectory.with { directory in
          if let text = command.configuration {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/writ.yaml"))
          }
          let process = try await WritProcess.start(command.arguments, directory: directory)
          let end = try await process.awaitEnd()
          let said = process.errors.filter { line in
            !["Usage:", "Help:", "  See "].contains { line.hasPrefix($0) }
          }
          #expect(
            said.map { $0.replacing("\(directory)/", with: "").replacing("./", with: "") }
              == command.message,
            "\(command.arguments)")
          #expect(end == .exited(command.code), "\(command.arguments)")
          #expect(process.output.isEmpty, "\(command.arguments)")
          #expect(!process.errors.contains { $0.contains("hunter2") })
        }
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `a wrong catalogue gets file, line, place and rule`() async throws {
      #expect(try await check(BadCatalogue.right).errors == [])
      for bad in BadCatalogue.all {
        #expect(BadCatalogue.right.components(separatedBy: bad.old).count == 2, "\(bad.old)")
        let process = try await check(BadCatalogue.right.replacing(bad.old, with: bad.new))
        #expect(process.errors.first == bad.message, "\(bad.new)")
        #expect(process.ended == .exited(65), "\(bad.new)")
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `all faults of a catalogue are told in one run`() async throws {
      let several = [1, 2, 9].map { BadCatalogue.all[$0] }
      let text = several.reduce(BadCatalogue.right) { $0.replacing($1.old, with: $1.new) }
      let process = try await check(text)
      #expect(process.errors.count >= 2)
      #expect(process.ended == .exited(65))
    }

    @Test(.timeLimit(.minutes(1)))
    func `output that cannot be written is told and ends with 1`() async throws {
      let process = try await WritProcess.start(
        program: "/bin/sh", ["-c", "\"$0\" types list > /dev/full", try WritProcess.executable])
      #expect(try await process.awaitEnd() == .exited(1))
      #expect(
        process.errors == ["writ: standard output could not be written to; is its disk full?"])
    }

    private func check(_ text: String) async throws -> WritProcess {
      try await TemporaryDirectory.with { directory in
        let files = ["hello.arazzo.yaml": text, "api.yaml": BadCatalogue.api]
        for (name, text) in files {
          try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
        let process = try await WritProcess.start(["types", "check", directory])
        try await process.awaitEnd()
        return process
      }
    }
  }
}
