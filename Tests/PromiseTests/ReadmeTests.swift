// The README section "Write your own job type", followed word for word in a sandbox of its own.

import Foundation
import PostgresCluster
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `The README` {
    @Test(.timeLimit(.minutes(3)))
    func `leads an author from an empty directory to the result of his own job type`() async throws
    {
      let section = try Self.section("Write your own job type")
      let shell = Self.blocks("sh", in: section)
      let sql = try #require(Self.blocks("sql", in: section).first).split(separator: "\n")
      try #require(shell.count == 2 && sql.count == 2)
      let name = try #require(section.firstMatch(of: /`(my-jobs\/[a-z_]+\.arazzo\.yaml)`/))
      let place = "/tmp/writ-promise-readme-\(UUID().uuidString.prefix(8))"
      defer { try? FileManager.default.removeItem(atPath: place) }
      try FileManager.default.createDirectory(
        atPath: "\(place)/.build/debug", withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o755])
      try FileManager.default.createSymbolicLink(
        atPath: "\(place)/.build/debug/writ", withDestinationPath: try WritProcess.executable)
      let sandbox = try await WritProcess.start(["up", "--data-dir", "\(place)/data"])
      try await sandbox.awaitLine("that it is ready", within: .seconds(60)) {
        $0.hasPrefix("ready")
      }
      // Where the data are is the one thing that differs from a reader's machine.
      let export = "export WRIT_CONFIG=/var/lib/writ/writ.yaml"
      try #require(shell[0].contains(export))
      try await Self.run(
        shell[0].replacing(export, with: "export WRIT_CONFIG=\(place)/data/writ.yaml"), place)
      try Self.yaml(in: section).write(
        toFile: "\(place)/\(name.1)", atomically: true, encoding: .utf8)
      try await Self.run(shell[1], place)
      try await awaiting("the key of the new type", within: .seconds(60), every: .seconds(1)) {
        try await Self.run(".build/debug/writ jobs list", place)
          .contains { $0.contains("rotate_api_key") && $0.contains("completed") }
      }
      let output = try await Self.ask(sql, sandbox)
      #expect(output.contains { $0.hasPrefix("completed|1|{\"user_id\"") }, "\(output.suffix(3))")
      sandbox.signal(SIGINT)
      #expect(try await sandbox.awaitEnd(within: .seconds(40)) == .exited(0))
    }

    /// The order, and the question as often as it takes, in one session of psql.
    private static func ask(_ sql: [Substring], _ sandbox: WritProcess) async throws -> [String] {
      let line = try await sandbox.awaitLine("how to connect") { $0.hasPrefix("  psql ") }
      let connection = String(line.dropFirst("  psql \"".count).dropLast())
      let psql = try #require(try await ThrowawayCluster.shared.cluster.psqlPath)
      let questions = Array(repeating: "\(sql[1])\nselect pg_sleep(0.5);", count: 60)
      let process = try await WritProcess.start(
        program: "/bin/sh",
        [
          "-c", #"printf '%s\n' "$1" | "$2" --no-psqlrc -At -v ON_ERROR_STOP=1 "$3""#, "sh",
          ([String(sql[0])] + questions).joined(separator: "\n"), psql, connection,
        ])
      _ = try await process.awaitLine("the end of the job", within: .seconds(60)) {
        $0.hasPrefix("completed") || $0.hasPrefix("discarded") || $0.contains("ERROR")
      }
      let output = process.output + process.errors
      await process.destroy()
      return output
    }

    /// Runs commands as a reader's shell would, stopping at the first that fails.
    @discardableResult
    private static func run(_ script: String, _ place: String) async throws -> [String] {
      let process = try await WritProcess.start(
        program: "/bin/bash", ["-ec", script],
        environment: ["WRIT_CONFIG": "\(place)/data/writ.yaml"], directory: place)
      let end = try await process.awaitEnd(within: .seconds(30))
      try #require(end == .exited(0), "\(script)\n\(process.errors.joined(separator: "\n"))")
      return process.output
    }

    private static func section(_ title: String) throws -> String {
      let path = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "../../README.md")
      let text = try String(contentsOf: path, encoding: .utf8)
      let parts = text.split(separator: "\n## ").filter { $0.hasPrefix("\(title)\n") }
      return String(try #require(parts.first))
    }

    private static func blocks(_ language: String, in section: String) -> [String] {
      section.split(separator: "```\(language)\n").dropFirst().compactMap {
        $0.split(separator: "\n```").first.map(String.init)
      }
    }

    private static func yaml(in section: String) throws -> String {
      try #require(blocks("yaml", in: section).first)
    }
  }
}
