// writ-bench: what Writ costs on top of PostgreSQL, measured against bare PostgreSQL in the same run.
//
//     writ-bench [--seconds N] [--snapshot-seconds N] [--backlog N] [--json]
//
// It starts a durable private cluster on this machine's disk, and runs four scenarios, each beside its
// floor: the same shape of work, done by pgbench on bare tables.
import Foundation
import PostgresCluster

@main
struct WritBench {
  static func main() async throws {
    let options = try Options(CommandLine.arguments.dropFirst())
    // On the disk: a cluster in memory would flatter both sides.
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("writ-bench-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let cluster = try await PrivateCluster.start(directory: directory.path, durable: true)
    do {
      let report = try await run(options, on: cluster)
      await cluster.stop()
      print(options.isJSON ? report.json : report.table)
    } catch {
      await cluster.stop()
      throw error
    }
  }

  static func run(_ options: Options, on cluster: PrivateCluster) async throws -> Report {
    let database = try await BenchDatabase.make(on: cluster)
    var report = Report()
    for clients in [1, 4, 16] {
      note("enqueue one by one, \(clients) clients")
      report.add(try await EnqueueScenario(database, options).run(clients: clients))
    }
    note("enqueue 100000 in one transaction")
    report.add(try await EnqueueManyScenario(database).run())
    for workers in [1, 2] {
      note("claim and complete, \(workers) workers")
      report.add(try await ClaimScenario(database, options).run(workers: workers))
    }
    note("claim and complete under a held snapshot, \(options.snapshotSeconds) s for each side")
    report.add(try await ClaimScenario(database, options).runUnderSnapshot(workers: 2))
    await database.close()
    return report
  }

  static func note(_ text: String) {
    FileHandle.standardError.write(Data("writ-bench: \(text)\n".utf8))
  }
}

/// What the command line asks for.
struct Options {
  /// How long each measurement lasts.
  var seconds = 10
  /// How long the snapshot is held.
  var snapshotSeconds = 180
  /// How many jobs wait before claiming begins.
  var backlog = 200_000
  /// Whether the report is JSON.
  var isJSON = false

  init(_ arguments: some Sequence<String>) throws {
    var iterator = arguments.makeIterator()
    while let argument = iterator.next() {
      switch argument {
      case "--seconds": seconds = try Self.number(iterator.next(), of: argument)
      case "--snapshot-seconds": snapshotSeconds = try Self.number(iterator.next(), of: argument)
      case "--backlog": backlog = try Self.number(iterator.next(), of: argument)
      case "--json": isJSON = true
      default: throw BenchError("unknown option \(argument)")
      }
    }
  }

  private static func number(_ text: String?, of option: String) throws -> Int {
    guard let text, let number = Int(text), number > 0 else {
      throw BenchError("\(option) takes a whole number above 0")
    }
    return number
  }
}

/// Why a benchmark could not be run.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
