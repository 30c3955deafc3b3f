// From any error to what a person reads and the exit code that a program reads.

import Arazzo
import ArgumentParser
import Foundation
import JobRunner
import JobStore
import Postgres
import PostgresCluster
import Secrets

/// The sentences of an error and how it ends the process.
struct ErrorReport: Sendable, Hashable {
  var status: Int32
  var lines: [String]
  /// Whether the lines after the first only explain it.
  private var isUsage: Bool {
    status == ExitStatus.usage.rawValue && lines.contains { $0.hasPrefix("Usage:") }
  }
  /// Whether this is no failure but an answer: help, a version, a completion script.
  var isAnswer = false

  init(_ error: any Error) {
    switch error {
    case let error as CommandError: self.init(error.status, error.description)
    case let error as BulkFaults: self.init(.badData, error.lines + [error.conclusion])
    case let error as ConfigurationError: self.init(error)
    case let error as WorkerConfigurationError:
      self.init(.configuration, error.faults.map { "worker: \($0)" })
    case let error as CatalogueError: self.init(.badData, error.errors.map(\.description.printable))
    case let error as PostgresError: self.init(error)
    case let error as JobStoreError: self.init(.failure, error.description)
    case let error as PostgresClusterError: self.init(.unavailable, error.description)
    case let error as SecretStoreError: self.init(.configuration, error.description)
    case let error as PrivateFileError:
      self.init(error.code == .unsuitable ? .badData : .failure, error.description)
    case let error as SealingError: self.init(.badData, error.description)
    case is CancellationError: self.init(.interrupted, "stopped before the end")
    case let exit as ExitCode: self.init(status: exit.rawValue, lines: [])
    default: self.init(parsing: error)
    }
  }

  /// Writes the lines and returns the exit code.
  func write(to output: Output) -> Int32 {
    if isAnswer {
      for line in lines { output.line(line) }
    } else {
      let prefix = Style.red.applied(to: "writ:", if: output.errorUsesColour)
      for (index, line) in lines.enumerated() {
        output.note(index == 0 || !isUsage ? "\(prefix) \(line)" : line)
      }
    }
    return status
  }

  private init(_ status: ExitStatus, _ line: String) { self.init(status, [line]) }

  private init(_ status: ExitStatus, _ lines: [String]) {
    self.init(status: status.rawValue, lines: lines)
  }

  private init(status: Int32, lines: [String], isAnswer: Bool = false) {
    self.status = status
    self.lines = lines
    self.isAnswer = isAnswer
  }

  private init(_ error: ConfigurationError) {
    let areFlags = error.faults.allSatisfy { if case .flag = $0.origin { true } else { false } }
    self.init(areFlags ? .usage : .configuration, error.faults.map(\.description))
  }

  private init(_ error: PostgresError) {
    switch (error.code, error.sqlState) {
    case (_, "42501"?):
      self.init(
        .notPermitted,
        "\(error.description): the database role of this connection may not do this; name another one with "
          + "--database, and see `--help` for the role that the command needs")
    case (_, "WR007"?), (_, "28000"?), (_, "28P01"?):
      self.init(.notPermitted, error.description)
    case (_, let state?) where state.hasPrefix("WR"): self.init(.badData, error.description)
    case (_, "3F000"?), (_, "42P01"?), (_, "42883"?):
      self.init(
        .failure,
        "\(error.description): the database lacks an object that this version needs; run `writ migrate`, "
          + "and `writ types publish` where a job type is meant")
    case (.configuration, _): self.init(.configuration, "database: \(error.description)")
    case (.connection, _), (.poolExhausted, _), (.deadlineExceeded, _):
      self.init(
        .unavailable,
        "the database cannot be reached: \(error.description); check `database` in the configuration, "
          + "WRIT_DATABASE or --database, and that the server runs")
    default: self.init(.failure, error.description)
    }
  }

  /// What the argument parser throws, help included; its texts name flags, not values of secrets.
  private init(parsing error: any Error) {
    let code = Writ.exitCode(for: error)
    let text = Writ.fullMessage(for: error)
    guard code == .validationFailure else {
      self.init(
        status: code.rawValue, lines: code == .success ? [text] : ["\(error)"],
        isAnswer: code == .success)
      return
    }
    let message = text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
    var lines = message.split(separator: "\n").map(String.init)
    if let first = lines.first { lines[0] = Self.sentence(first) }
    self.init(status: code.rawValue, lines: lines)
  }

  private static func sentence(_ text: String) -> String {
    text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
