// Runs pgbench, PostgreSQL's own load generator, and reads its figures.
import Foundation
import PostgresCluster

/// What pgbench measured.
struct PgbenchResult {
  /// Transactions per second over the whole run.
  var rate: Double
  /// Transactions per second in each interval of ten seconds.
  var course: [Double]
}

/// A script for pgbench on one database.
struct Pgbench {
  let cluster: PrivateCluster
  let script: String

  func run(clients: Int, seconds: Int) async throws -> PgbenchResult {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("writ-bench-\(ProcessInfo.processInfo.processIdentifier).sql")
    try Data(script.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["pgbench", "-h", cluster.socketDirectory, "-p", "5432", "-U", "postgres", "-n"]
      + ["-M", "prepared", "-c", "\(clients)", "-j", "\(min(clients, 2))", "-T", "\(seconds)"]
      + ["-P", "10", "-f", file.path, BenchDatabase.name]
    let text = try await Self.output(of: process)
    guard process.terminationStatus == 0, let rate = Self.number(after: "tps = ", in: text) else {
      throw BenchError("pgbench failed:\n\(text)")
    }
    let course = text.split(separator: "\n").filter { $0.hasPrefix("progress: ") }
      .compactMap { line in Self.number(after: " s, ", in: String(line)) }
    return PgbenchResult(rate: rate, course: course)
  }

  /// Runs a process on a thread of its own: reading blocks, and a child inherits the signals that its
  /// parent's thread blocks, which on Dispatch's threads are all, SIGALRM of `pgbench -T` among them.
  private static func output(of process: Process) async throws -> String {
    let unshared = UncheckedProcess(process: process)
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
        let output = Pipe()
        unshared.process.standardOutput = output
        unshared.process.standardError = output
        continuation.resume(
          with: Result {
            try unshared.process.run()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            unshared.process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
          })
      }
    }
  }

  private static func number(after mark: String, in text: String) -> Double? {
    guard let range = text.range(of: mark) else { return nil }
    return Double(text[range.upperBound...].prefix { $0.isNumber || $0 == "." })
  }
}

/// Sendable since only the thread that runs the process touches it until it has ended.
private struct UncheckedProcess: @unchecked Sendable {
  let process: Process
}
