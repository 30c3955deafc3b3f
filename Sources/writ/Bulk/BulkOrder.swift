// writ enqueue --file: a file of rows becomes one batch of jobs, or a list of what is wrong with it.

import Foundation
import JSON
import JobStore
import Postgres
import Synchronization

/// One order in bulk.
struct BulkOrder: Sendable {
  let type: String
  /// The path, or `-`.
  let path: String
  let format: RowFormat
  let options: BulkOptions
  let batch: Int?
  let callback: BatchCallback?
  /// Nothing is ordered.
  let checksOnly: Bool

  /// So many faults are shown.
  private static let mostFaults = 100

  /// Orders all jobs, or says what is wrong with the file.
  ///
  /// - Throws: ``CommandError`` with a line for each fault; `PostgresError`.
  func run(_ store: JobStore) async throws -> BatchReceipt? {
    guard let published = try await store.jobTypes().first(where: { $0.name == type }) else {
      throw CommandError(.badData, "there is no job type \(type.printable)")
    }
    let source = try RowSource(path, format, RowColumns(inputs: published.inputs))
    if checksOnly {
      try await check(source, store)
      return nil
    }
    let progress = BulkProgress(source)
    do {
      let receipt = try await store.enqueueMany(
        type: type, options: options, batch: batch, callback: callback,
        report: { progress.show($0) }, nextRows: { try source.next()?.texts })
      progress.finish(receipt)
      return receipt
    } catch {
      progress.close()
      throw try await explained(error, source, store)
    }
  }

  /// Goes on reading where the order stopped, only to find what else is wrong.
  private func check(
    _ source: RowSource, _ store: JobStore, startingWith chunk: RowChunk? = nil,
    known: [String] = []
  ) async throws {
    var faults = known
    var chunk = chunk
    do {
      if chunk == nil { chunk = try source.next() }
      while let rows = chunk, faults.count < Self.mostFaults {
        faults += try await store.checkMany(type: type, options: options, rows: rows.texts).map {
          place(rows.lines[$0.row - 1], $0.message)
        }
        chunk = try source.next()
      }
    } catch let fault as RowFileFault {
      faults.append(place(fault.line, fault.description))
    }
    if !faults.isEmpty { throw BulkFaults(lines: Array(faults.prefix(Self.mostFaults))) }
  }

  private func explained(
    _ error: any Error, _ source: RowSource, _ store: JobStore
  ) async throws -> any Error {
    do {
      switch error {
      case let fault as RowFileFault:
        // All rows before this place were accepted.
        return BulkFaults(lines: [place(fault.line, fault.description)])
      case let error as PostgresError where error.sqlState?.hasPrefix("WR") == true:
        // What is said of no row is wrong with the call.
        guard let chunk = source.current, let sentence = placed(error, in: chunk) else {
          return error
        }
        // Of a key that was used before, only the order itself knows.
        let known = error.sqlState == "WR006" ? [sentence] : []
        try await check(source, store, startingWith: chunk, known: known)
        return error
      default: return error
      }
    } catch let faults as BulkFaults {
      return faults
    }
  }

  /// `row 17: ` of the database's sentence, as the line of the file.
  private func placed(_ error: PostgresError, in chunk: RowChunk) -> String? {
    let message = error.serverMessage ?? error.description
    guard let match = message.firstMatch(of: #/^[a-z0-9_]+: row (?<row>\d+): (?<rule>.*)$/#),
      let row = Int(match.row), chunk.lines.indices.contains(row - 1)
    else { return nil }
    return place(chunk.lines[row - 1], String(match.rule))
  }

  private func place(_ line: Int, _ message: String) -> String {
    let prefix = "\(type): "
    let rule = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
    return "\(path == "-" ? "standard input" : path.printable):\(line): \(rule)"
  }
}

/// All that is wrong with a file; nothing of it was ordered.
struct BulkFaults: Error, Sendable, Hashable {
  var lines: [String]

  /// The last line of the report.
  var conclusion: String {
    lines.count >= 100
      ? "these are the first \(lines.count) wrong rows; nothing was ordered" : "nothing was ordered"
  }
}

/// The file of an order, read on whatever thread asks.
final class RowSource: Sendable {
  private struct State {
    var file: RowFile
    var current: RowChunk?
  }
  private let state: Mutex<State>
  /// In bytes; nil for what is no regular file.
  let size: Int?

  init(_ path: String, _ format: RowFormat, _ columns: RowColumns) throws {
    let handle: FileHandle
    if path == "-" {
      handle = .standardInput
    } else {
      guard let opened = FileHandle(forReadingAtPath: path) else {
        throw CommandError(.badData, "--file: \(path.printable) cannot be read")
      }
      handle = opened
    }
    var information = stat()
    let isRegular =
      fstat(handle.fileDescriptor, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    size = isRegular ? Int(information.st_size) : nil
    state = Mutex(
      State(
        file: RowFile(format: format, columns: columns) {
          do {
            return Array(try handle.read(upToCount: 262_144) ?? Data())
          } catch {
            throw CommandError(.badData, "--file: the input cannot be read")
          }
        }))
  }

  /// The next chunk; nil at the end.
  func next() throws -> RowChunk? {
    try state.withLock { state in
      state.current = try state.file.nextChunk()
      return state.current
    }
  }

  /// The chunk that was handed out last.
  var current: RowChunk? { state.withLock(\.current) }
}

/// Shows how far an order has come; the number of rows is estimated from the size of the file.
private final class BulkProgress: Sendable {
  private let source: RowSource
  private let start = ContinuousClock.now
  private struct State {
    var display = ProgressDisplay(output: .current)
    var window = ProgressWindow()
  }
  private let state = Mutex(State())

  init(_ source: RowSource) { self.source = source }

  func show(_ receipt: BatchReceipt) {
    let done = receipt.jobs + receipt.known
    let read = source.current?.bytesRead ?? 0
    let total = source.size.map { read > 0 ? max(done, done * $0 / read) : done } ?? done
    state.withLock { state in
      state.display.show(state.window.measured(sample(receipt, total: total)))
    }
  }

  func finish(_ receipt: BatchReceipt) {
    state.withLock { state in
      state.display.finish(sample(receipt, total: receipt.jobs + receipt.known))
    }
  }

  func close() { state.withLock { $0.display.close() } }

  private func sample(_ receipt: BatchReceipt, total: Int) -> ProgressSample {
    ProgressSample(
      done: receipt.jobs + receipt.known, total: total,
      note: receipt.known > 0 ? "\(receipt.known) known already" : "",
      elapsed: ContinuousClock.now - start)
  }
}
