// What the README and the page on limits tell to do, followed word for word in a sandbox of its own.

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

    @Test(.timeLimit(.minutes(2)))
    func `and the page on limits hold in a sandbox, and psql can be kept short`() async throws {
      let place = "/tmp/writ-promise-limits-\(UUID().uuidString.prefix(8))"
      defer { try? FileManager.default.removeItem(atPath: place) }
      let sandbox = try await WritProcess.start(
        ["up", "--data-dir", "\(place)/data", "--workers", "0"])
      try await sandbox.awaitLine("that it is ready", within: .seconds(60)) {
        $0.hasPrefix("ready")
      }
      let section = try Self.section("What can be limited", of: "docs/limits.md")
      let commands = section.split(separator: "\n").filter { $0.hasPrefix("    writ ") }
      let sql = try #require(Self.blocks("sql", in: section).first)
      try #require(commands.count == 4 && sql.split(separator: "\n").count == 4)
      let writ = try WritProcess.executable
      let shown = try await Self.run(
        commands.map { $0.replacing("    writ ", with: "'\(writ)' ") }.joined(separator: "\n"),
        place)
      #expect(shown.contains { $0.hasPrefix("sandbox ") && $0.contains("10 in 1s") })
      #expect(shown.contains { $0.hasPrefix("sandbox ") && $0.contains("all together") })
      // The page says to put one role in place of the other.
      try #require(section.contains("`user='admin'` instead of `app`"))
      let connection = try await Self.connection(sandbox)
      let admin = connection.replacing("user='app'", with: "user='admin'")
      #expect(admin != connection)
      let limits = try await Self.psql(sql, admin)
      #expect(limits.ended == .exited(0), "\(limits.errors)")
      #expect(limits.output.count { $0.hasPrefix("sandbox||50|") } == 1, "\(limits.output)")

      let readme = try Self.section("One complete example")
      let call = try #require(
        Self.blocks("sql", in: readme).first?.firstMatch(of: /select writ\.create_user\(.*'ada'\);/)
      )
      let quiet = try #require(readme.firstMatch(of: /`(\\set .+?)`/))
      let loud = try await Self.psql(String(call.0), connection)
      #expect(loud.errors.contains { $0.hasPrefix("CONTEXT:") })
      let short = try await Self.psql("\(quiet.1)\n\(call.0)", connection)
      #expect(
        short.errors.map { $0.prefix(6) } == ["ERROR:", "HINT: "], "\(short.errors)")
      sandbox.signal(SIGINT)
      #expect(try await sandbox.awaitEnd(within: .seconds(40)) == .exited(0))
    }

    private static func connection(_ sandbox: WritProcess) async throws -> String {
      let line = try await sandbox.awaitLine("how to connect") { $0.hasPrefix("  psql ") }
      return String(line.dropFirst("  psql \"".count).dropLast())
    }

    /// Runs statements, each on a line, as typed at the prompt.
    private static func psql(_ lines: String, _ connection: String) async throws -> WritProcess {
      let psql = try #require(try await ThrowawayCluster.shared.cluster.psqlPath)
      let process = try await WritProcess.start(
        program: "/bin/sh",
        [
          "-c", #"printf '%s\n' "$1" | "$2" --no-psqlrc -At -v ON_ERROR_STOP=1 "$3""#, "sh", lines,
          psql, connection,
        ])
      try await process.awaitEnd(within: .seconds(30))
      return process
    }

    /// The order, and the question as often as it takes, in one session of psql.
    private static func ask(_ sql: [Substring], _ sandbox: WritProcess) async throws -> [String] {
      let connection = try await connection(sandbox)
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

    private static func section(
      _ title: String, of page: String = "README.md"
    ) throws -> String {
      let path = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .appending(path: "../../\(page)")
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
