// The options that commands share, and what they lead to.

import ArgumentParser
import Foundation
import JSON
import JobStore
import Logging
import Postgres

/// Where the configuration comes from.
struct ConfigurationOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The configuration file. Default: $WRIT_CONFIG, ./writ.yaml, /etc/writ/writ.yaml.",
      valueName: "file"), completion: .file(extensions: ["yaml", "yml"]))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Where the database is, as libpq writes it, without a password.",
      valueName: "connection-string"))
  var database: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp(
      "Sets a key of the configuration, for example worker.slots=4.", valueName: "key=value"))
  var settings: [String] = []

  @Option(help: "The least important messages to log: trace to critical.")
  var logLevel: String?

  @Option(help: "How to log: auto, text or json.")
  var logFormat: String?

  /// Checks file, variables and flags together.
  func load() throws -> Configuration {
    try Configuration.load(flags: try flags())
  }

  private func flags() throws -> ConfigurationFlags {
    var flags = ConfigurationFlags(file: config)
    for setting in settings {
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw CommandError(
          .usage, "--set takes KEY=VALUE, for example --set worker.slots=4")
      }
      flags.values.append(("--set \(parts[0])", String(parts[0]), String(parts[1])))
    }
    let named = [
      ("--database", "database", database), ("--log-level", "log.level", logLevel),
      ("--log-format", "log.format", logFormat),
    ]
    for case (let flag, let key, let value?) in named { flags.values.append((flag, key, value)) }
    return flags
  }
}

/// How results are written.
struct FormatOptions: ParsableArguments {
  @Flag(help: "Write JSON to standard output, for programs.")
  var json = false
}

extension Configuration {
  /// A logger that writes to standard error as configured.
  func logger(label: String = "writ", output: Output = .current) -> Logger {
    let isText = logFormat == .text || (logFormat == .auto && output.errorIsTerminal)
    let level = logLevel
    return Logger(label: label) { label in
      LineLogHandler(
        label: label, level: level,
        format: isText ? .text(usesColour: output.errorUsesColour) : .json,
        write: { output.errorText($0) })
    }
  }

  /// Where the database is.
  func postgres(statementTimeout: Duration = .seconds(30)) throws -> PostgresConfiguration {
    try PostgresConfiguration(
      connectionString: database, statementTimeout: statementTimeout, applicationName: "writ")
  }

  /// Runs work with the database, whose connections are closed afterwards.
  func withStore<Value: Sendable>(
    _ body: (JobStore) async throws -> Value
  ) async throws -> Value {
    try await withPool { try await body(JobStore(pool: $0)) }
  }

  /// Runs work with a pool that is closed afterwards.
  func withPool<Value: Sendable>(
    maximumConnections: Int = 2, waitTimeout: Duration = .seconds(5),
    _ body: (PostgresPool) async throws -> Value
  ) async throws -> Value {
    try await PostgresPool.with(
      try postgres(), maximumConnections: maximumConnections, waitTimeout: waitTimeout, body)
  }
}

/// The priority of the jobs that a command orders.
struct PriorityOption: ParsableArguments {
  @Option(help: "0 goes first, 9 last; 5 if left out.")
  var priority: Int?

  func validate() throws {
    if let priority, !(0...9).contains(priority) {
      throw ValidationError("--priority must be from 0 to 9")
    }
  }
}

/// The inputs of a job.
struct InputOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "One input as text; for an input that is no text, JSON: --input limit=5.",
      valueName: "name=value"))
  var input: [String] = []
  @Option(
    help: ArgumentHelp(
      "All inputs as a JSON object: the object itself, @FILE, or - for standard input.",
      valueName: "json"))
  var payload: String?

  func validate() throws {
    if payload != nil, !input.isEmpty {
      throw ValidationError("give either --input or --payload, not both")
    }
  }

  /// The inputs as a JSON object.
  func inputs() throws -> JSONValue { try EnqueueCommand.inputs(input, payload: payload) }
}
