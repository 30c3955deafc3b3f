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

  /// What came of an order.
  enum Outcome: Sendable {
    case ordered(BatchReceipt)
    /// Nothing is wrong with so many rows, and nothing was ordered.
    case checked(rows: Int)
  }

  /// Orders all jobs, or says what is wrong with the file.
  ///
  /// - Throws: ``BulkFaults``; `PostgresError` where the call as a whole is refused.
  func run(_ store: JobStore) async throws -> Outcome {
    guard let published = try await store.jobTypes().first(where: { $0.name == type }) else {
      throw CommandError(.badData, "there is no job type \(type.printable)")
    }
    let source = try RowSource(path, format, RowColumns(inputs: published.inputs))
    if checksOnly { return .checked(rows: try await check(source, store)) }
    let progress = BulkProgress(source)
    do {
      let receipt = try await store.enqueueMany(
        type: type, options: options, batch: batch, callback: callback,
        report: { progress.show($0) }, nextRows: { try source.nextRows() })
      progress.finish(receipt)
      return .ordered(receipt)
    } catch {
      progress.close()
      throw try await explained(error, source, store)
    }
  }

  /// Goes on reading where the order stopped, only to find what else is wrong; returns how many rows
  /// there are.
  @discardableResult
  private func check(
    _ source: RowSource, _ store: JobStore, startingWith chunk: RowChunk? = nil,
    known: [BulkFault] = []
  ) async throws -> Int {
    var faults = known
    var rows = 0
    var next = try chunk ?? source.next()
    while let chunk = next, faults.count < Self.mostFaults {
      rows += chunk.texts.count
      faults += try await self.faults(of: chunk, store)
      next = try source.next()
    }
    var hidden = faults.dropFirst(Self.mostFaults).first(where: \.hidesLines)
    while hidden == nil, let chunk = next {
      hidden = chunk.faults.first(where: \.hidesLines).map { BulkFault($0) }
      next = try source.next()
    }
    if rows == 0, faults.isEmpty {
      throw BulkFaults(file: path, faults: [.noRow], isComplete: true)
    }
    guard faults.isEmpty else {
      throw BulkFaults(
        file: path, faults: faults.prefix(Self.mostFaults) + [hidden].compactMap(\.self),
        isComplete: faults.count < Self.mostFaults)
    }
    return rows
  }

  private func faults(of chunk: RowChunk, _ store: JobStore) async throws -> [BulkFault] {
    let wrong =
      chunk.texts.isEmpty
      ? [] : try await store.checkMany(type: type, options: options, rows: chunk.texts)
    let faults =
      chunk.faults.map { BulkFault($0) }
      + wrong.map {
        BulkFault($0, type: type, line: chunk.lines[$0.row - 1], text: chunk.texts[$0.row - 1])
      }
    return faults.sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) }
  }

  private func explained(
    _ error: any Error, _ source: RowSource, _ store: JobStore
  ) async throws -> any Error {
    do {
      switch error {
      case is UnreadableRows:
        // All rows before this chunk were accepted.
        try await check(source, store, startingWith: source.current)
        return error
      case is NoRows: return BulkFaults(file: path, faults: [.noRow], isComplete: true)
      case let error as PostgresError where error.sqlState?.hasPrefix("WR") == true:
        // What is said of no row is wrong with the call.
        guard let chunk = source.current, let fault = placed(error, in: chunk) else {
          return error
        }
        // Of a key that was used before, only the order itself knows.
        let known = error.sqlState == "WR006" ? [fault] : []
        try await check(source, store, startingWith: chunk, known: known)
        return error
      default: return error
      }
    } catch let faults as BulkFaults {
      return faults
    }
  }

  /// `row 17: ` of the database's sentence, as the line of the file.
  private func placed(_ error: PostgresError, in chunk: RowChunk) -> BulkFault? {
    let message = error.serverMessage ?? error.description
    guard let match = message.firstMatch(of: #/^[a-z0-9_]+: row (?<row>\d+): (?<rule>.*)$/#),
      let row = Int(match.row), chunk.lines.indices.contains(row - 1)
    else { return nil }
    return BulkFault(
      line: chunk.lines[row - 1], sqlState: error.sqlState, field: error.column,
      reason: String(match.rule), hint: error.hint)
  }
}

/// Something in the current chunk is no row.
private struct UnreadableRows: Error {}

/// The file has no row at all.
private struct NoRows: Error {}

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

  /// The rows of the next chunk, to be ordered; nil at the end.
  ///
  /// - Throws: ``UnreadableRows`` where not all of it is rows; ``NoRows`` where the file has none.
  func nextRows() throws -> [String]? {
    let isFirst = current == nil
    guard let chunk = try next() else {
      if isFirst { throw NoRows() }
      return nil
    }
    guard chunk.faults.isEmpty else { throw UnreadableRows() }
    return chunk.texts
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
