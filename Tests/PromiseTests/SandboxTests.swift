// `writ demo` and `writ up` as a newcomer runs them, and that nothing of them stays behind.

import Foundation
import PostgresCluster
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `A sandbox` {
    @Test(.timeLimit(.minutes(3)))
    func `of writ demo completes every job, says so, and leaves nothing behind`() async throws {
      let demo = try await Demo.start()
      #expect(try await demo.awaitEnd(within: .seconds(150)) == .exited(0))
      #expect(demo.process.output.contains { $0.contains("create_user") })
      print("demo: \(demo.processes) processes and their traces are gone")
    }

    @Test(.timeLimit(.minutes(2)))
    func `of writ demo that is interrupted half-way leaves nothing behind`() async throws {
      let demo = try await Demo.start()
      try await demo.process.awaitLine("the kill half-way", within: .seconds(90)) {
        $0.contains("killed worker-1")
      }
      demo.process.signal(SIGINT)
      let end = try await demo.awaitEnd(within: .seconds(30))
      let words = (demo.process.output.suffix(5) + demo.process.errors).joined(separator: "\n")
      #expect(end == .exited(130), "\(end): \(words)")
    }

    @Test(.timeLimit(.minutes(2)))
    func `of writ up takes orders from psql, and keeps its jobs over a restart`() async throws {
      let directory = "/tmp/writ-promise-up-\(UUID().uuidString.prefix(8))"
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let first = try await order("select writ.create_user(email => 'alan@example.com')", directory)
      #expect(first == ["completed"])
      let second = try await order(
        "select writ.create_user(email => 'alonzo@example.com')", directory)
      #expect(second == ["completed", "completed"])
    }

    /// Starts `writ up`, orders through psql as it says, waits for the job, stops; gives the states of all jobs.
    private func order(_ sql: String, _ directory: String) async throws -> [String] {
      let sandbox = try await WritProcess.start(["up", "--data-dir", directory])
      try await sandbox.awaitLine("that it is ready", within: .seconds(60)) {
        $0.hasPrefix("ready")
      }
      let line = try await sandbox.awaitLine("how to connect") { $0.hasPrefix("  psql ") }
      let connection = line.dropFirst("  psql \"".count).dropLast()
      let psql = try #require(try await ThrowawayCluster.shared.cluster.psqlPath)
      let ordered = try await WritProcess.start(
        program: psql, ["--no-psqlrc", "-At", "-c", sql, String(connection)])
      try #require(try await ordered.awaitEnd() == .exited(0), "\(ordered.errors)")
      let job = try #require(ordered.output.first)
      let states = try await awaiting("job \(job) to complete", within: .seconds(30)) {
        let lines = try await jobs(directory)
        return lines.contains { $0.first == job && $0.contains("completed") } ? lines : nil
      }
      let family = ProcessIdentity.descendants(of: sandbox.identifier)
      sandbox.signal(SIGINT)
      #expect(try await sandbox.awaitEnd(within: .seconds(40)) == .exited(0))
      try await awaiting("its processes to go", within: .seconds(5)) {
        family.allSatisfy { !$0.exists }
      }
      return states.map { $0.contains("completed") ? "completed" : "unfinished" }
    }

    /// The table of `writ jobs list` in words.
    private func jobs(_ directory: String) async throws -> [[String]] {
      let list = try await WritProcess.start(
        ["jobs", "list"], environment: ["WRIT_CONFIG": "\(directory)/writ.yaml"])
      try await list.awaitEnd()
      return list.output.dropFirst().map { $0.split(separator: " ").map(String.init) }
    }
  }
}

/// A running `writ demo` with a directory of its own for whatever it leaves there.
private struct Demo {
  let process: WritProcess
  private let directory: String
  private let family: Task<Set<ProcessIdentity>, Never>
  private let isOver = Flag()
  private let seen = Counter()

  var processes: Int { seen.value }

  static func start() async throws -> Demo {
    let directory = "/tmp/writ-promise-demo-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let process = try await WritProcess.start(["demo"], environment: ["TMPDIR": directory])
    return Demo(process: process, directory: directory)
  }

  private init(process: WritProcess, directory: String) {
    self.process = process
    self.directory = directory
    let isOver = isOver
    family = Task {
      var family: Set<ProcessIdentity> = []
      while !isOver.isRaised {
        family.formUnion(ProcessIdentity.descendants(of: process.identifier))
        try? await Task.sleep(for: .milliseconds(100))
      }
      return family
    }
  }

  /// Waits for the end, then looks for anything that stayed.
  func awaitEnd(within limit: Duration) async throws -> WritProcess.End {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let end: WritProcess.End
    do {
      end = try await process.awaitEnd(within: limit)
    } catch {
      isOver.raise()
      await process.destroy()
      throw error
    }
    isOver.raise()
    let family = await family.value
    seen.set(family.count)
    #expect(family.count >= 5, "a cluster and two workers")
    #expect(family.filter(\.exists) == [])
    let traces = ["/tmp", "/dev/shm", "/var/tmp"].flatMap { place in
      ((try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []).filter {
        $0.hasPrefix("writ-") && $0.contains("-\(process.identifier)-")
      }
    }
    #expect(traces == [])
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
    let sockets = try String(contentsOfFile: "/proc/net/unix", encoding: .utf8)
    #expect(!sockets.contains("-\(process.identifier)-") && !sockets.contains(directory))
    return end
  }
}
