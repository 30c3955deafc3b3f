// Everywhere that a secret could end up.

import Foundation
import Postgres
import PostgresCluster
import Testing
import WritTesting

/// The places of one test.
struct CanarySinks {
  private let fixture: WritFixture
  private let cluster: PrivateCluster
  private var processes: [WritProcess]

  init(_ fixture: WritFixture, _ cluster: PrivateCluster, _ processes: [WritProcess]) {
    self.fixture = fixture
    self.cluster = cluster
    self.processes = processes
  }

  /// The same with one more process.
  func adding(_ process: WritProcess) -> CanarySinks {
    var copy = self
    copy.processes.append(process)
    return copy
  }

  /// Searches the dump of all databases, the data files, the write-ahead log, the server's log, the output of all
  /// processes, and the command lines of the whole machine.
  func scan(for canaries: [Canary]) async throws -> CanaryScanner {
    var scanner = CanaryScanner(canaries)
    try await fixture.pool.withConnection { try $0.executeScript("checkpoint") }
    let dump = try await dump()
    scanner.scan(lines: dump, place: "pg_dumpall")
    try scanner.scan(file: cluster.logPath)
    try scanner.scan(writeAheadLog: "\(cluster.directory)/data/pg_wal")
    try scanner.scan(directory: "\(cluster.directory)/data", except: "pg_wal")
    for process in processes {
      let name = process.command.dropFirst().joined(separator: " ").prefix(40)
      scanner.scan(lines: process.output, place: "output of \(name)")
      scanner.scan(lines: process.errors, place: "errors of \(name)")
      try scanner.scan(environmentOf: process.identifier)
    }
    try scanner.scanCommandLines()
    return scanner
  }

  private func dump() async throws -> [String] {
    let psql = try #require(cluster.psqlPath)
    let program = URL(fileURLWithPath: psql).deletingLastPathComponent()
      .appendingPathComponent("pg_dumpall").path
    let process = try await WritProcess.start(
      program: program, ["--dbname", cluster.connectionString()])
    guard try await process.awaitEnd(within: .seconds(60)) == .exited(0) else {
      throw ProcessFailure("pg_dumpall: \(process.errors)")
    }
    return process.output
  }
}
