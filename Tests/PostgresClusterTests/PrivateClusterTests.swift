// Clusters of our own: started, used, stopped, and gone.

import Foundation
import Postgres
import Testing

@testable import PostgresCluster

@Suite struct PrivateClusterTests {
  private func makePool(_ cluster: PrivateCluster) throws -> PostgresPool {
    PostgresPool(
      configuration: try PostgresConfiguration(connectionString: cluster.connectionString()))
  }

  private func temporaryDirectory() -> String {
    "/tmp/writ cluster's \(UInt32.random(in: 0 ... .max))"
  }

  @Test func `a throw-away cluster answers on its socket only and leaves nothing`() async throws {
    let cluster = try await PrivateCluster.start()
    let pool = try makePool(cluster)
    let row = try await pool.query(
      """
      select current_user as me, current_setting('listen_addresses') as addresses,
             current_setting('fsync') as fsync, current_setting('server_encoding') as encoding
      """)[0]
    #expect(try row.decode("me", as: String.self) == "postgres")
    #expect(try row.decode("addresses", as: String.self) == "")
    #expect(try row.decode("fsync", as: String.self) == "off")
    #expect(try row.decode("encoding", as: String.self) == "UTF8")
    await pool.close()
    #expect(cluster.isRunning)
    await cluster.stop()
    #expect(!cluster.isRunning)
    #expect(!FileManager.default.fileExists(atPath: cluster.directory))
    await cluster.stop()
  }

  @Test func `a durable cluster keeps its data, in any directory`() async throws {
    let directory = temporaryDirectory()
    let first = try await PrivateCluster.start(directory: directory, settings: ["work_mem": "5MB"])
    let pool = try makePool(first)
    try await pool.execute("create table kept (x int)")
    let row = try await pool.query(
      "select current_setting('fsync') as fsync, current_setting('work_mem') as memory")[0]
    #expect(try row.decode("fsync", as: String.self) == "on")
    #expect(try row.decode("memory", as: String.self) == "5MB")
    await pool.close()
    await first.stop()

    let second = try await PrivateCluster.start(directory: directory)
    let again = try makePool(second)
    #expect(try await again.query("select from kept").isEmpty)
    #expect(FileManager.default.fileExists(atPath: second.logPath))
    await again.close()
    second.terminate()
    #expect(!second.isRunning)
    #expect(FileManager.default.fileExists(atPath: directory))
    try FileManager.default.removeItem(atPath: directory)
  }

  @Test func `a second start on a directory in use gives one clear sentence`() async throws {
    let directory = temporaryDirectory()
    let first = try await PrivateCluster.start(directory: directory, durable: false)
    let error = await #expect(throws: PostgresClusterError.self) {
      try await PrivateCluster.start(directory: directory)
    }
    #expect(
      error?.description
        == "the cluster in \(directory) is in use by another process: stop that one, or choose another directory"
    )
    #expect(error?.code == .inUse)
    #expect(first.isRunning)
    await first.stop()
    try FileManager.default.removeItem(atPath: directory)
  }

  @Test func `a path too long for a socket gets a short one`() async throws {
    let parent = temporaryDirectory()
    let directory = parent + String(repeating: "/long", count: 20)
    let cluster = try await PrivateCluster.start(directory: directory, durable: false)
    #expect(cluster.socketDirectory.hasPrefix("/tmp/writ-"))
    let pool = try makePool(cluster)
    #expect(try await pool.query("select 1").count == 1)
    await pool.close()
    await cluster.stop()
    #expect(!FileManager.default.fileExists(atPath: cluster.socketDirectory))
    try FileManager.default.removeItem(atPath: parent)
  }

  @Test func `a wrong setting is reported with the server's complaint`() async throws {
    let error = await #expect(throws: PostgresClusterError.self) {
      try await PrivateCluster.start(settings: ["work_mem": "much"])
    }
    #expect(error?.description.hasPrefix("the server did not start: ") == true)
    #expect(error?.description.contains("work_mem") == true)
  }

  @Test(.enabled(if: geteuid() == 0))
  func `a directory that the server's account cannot reach is refused`() async throws {
    let directory = "/root/.writ-cluster-test-\(UInt32.random(in: 0 ... .max))"
    let error = await #expect(throws: PostgresClusterError.self) {
      try await PrivateCluster.start(directory: directory)
    }
    #expect(error?.code == .directory)
    #expect(error?.description.contains("choose a directory under /var/lib") == true)
    try FileManager.default.removeItem(atPath: directory)
  }

  @Test(.enabled(if: geteuid() == 0))
  func `root's cluster runs as somebody else`() async throws {
    let cluster = try await PrivateCluster.start()
    let attributes = try FileManager.default.attributesOfItem(atPath: cluster.directory + "/data")
    #expect(attributes[.ownerAccountID] as? Int != 0)
    await cluster.stop()
  }

  @Test func `missing programs are named with what to do`() throws {
    let error = #expect(throws: PostgresClusterError.self) {
      try PostgresPrograms.find(environment: ["PG_BINDIR": "/nonexistent"])
    }
    #expect(
      error?.description
        == "PG_BINDIR is /nonexistent, but initdb and postgres are not there: set it to the directory that holds them"
    )
    #expect(try PostgresPrograms.find(environment: [:]).psql != nil)
  }

  @Test func `a child is interrupted when the thread that started it ends`() async throws {
    // The rule that clusters rely on, shown with a parent that we can kill.
    let account = try ServerAccount.choose()
    let sleep = account.command(["/bin/sleep", "100"]).joined(separator: " ")
    let parent = try await ServerProcess.start(
      ["/bin/sh", "-c", "\(sleep); true"], log: "/dev/null")
    let number = parent.identifier
    func sleeper() -> String? {
      let path = "/proc/\(number)/task/\(number)/children"
      guard
        let child = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: " ")
          .first,
        (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) == "sleep\n"
      else { return nil }
      return String(child)
    }
    let deadline = ContinuousClock.now + .seconds(30)
    while sleeper() == nil, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(5))
    }
    let child = try #require(sleeper())
    parent.signal(SIGKILL)
    _ = await parent.end()
    func isThere() -> Bool {
      (try? String(contentsOfFile: "/proc/\(child)/comm", encoding: .utf8)) == "sleep\n"
    }
    while isThere(), ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
    #expect(!isThere())
  }
}
