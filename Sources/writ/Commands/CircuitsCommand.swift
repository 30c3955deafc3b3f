// writ circuits: show the targets that have stopped answering, and close a circuit by hand.

import ArgumentParser
import JSON
import JobModel
import JobStore
import Postgres

struct CircuitsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "circuits", abstract: "Show and close the circuits of targets that do not answer.",
    subcommands: [CircuitsListCommand.self, CircuitsCloseCommand.self])
}

struct CircuitsListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the targets that have stopped answering.",
    discussion: """
      While the circuit of a target is open, each job type that calls it starts one job in the time under \
      ONE PER, and the others are parked; none of them uses up an attempt. It closes with the first answer. Needs \
      the role writ_admin or writ_auditor.

      EXAMPLES
        writ circuits list
        writ circuits list --json
      """)

  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let circuits = try await options.load().withStore { try await $0.circuits() }
    if format.json {
      Output.current.json(.array(circuits.map(\.json)))
      return
    }
    guard !circuits.isEmpty else {
      Output.current.line("no circuit is open")
      return
    }
    var table = Table(
      "ENVIRONMENT", "TARGET", "OPEN SINCE", "FAILURE", "ONE PER", "#JOB TYPES", "#PARKED")
    for circuit in circuits {
      table.add(
        circuit.name.environment, circuit.name.target, circuit.openedAt.toSeconds,
        circuit.errorCode, DurationText.written(circuit.pause), "\(circuit.jobTypes.count)",
        "\(circuit.parkedJobs)")
    }
    for line in table.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
  }
}

struct CircuitsCloseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close", abstract: "Start the jobs of a target as before.",
    discussion: """
      It opens again if the target still answers nobody. Needs the role writ_admin.

      EXAMPLES
        writ circuits close authos
        writ circuits close billing --environment production
      """)

  @Argument(help: "The target, such as authos.")
  var target: String
  @Option(help: "The environment; the default one if left out.")
  var environment: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let wasOpen = try await options.load().withStore { store in
      try await store.closeCircuit(target: target, environment: environment)
    }
    if format.json {
      Output.current.json(["changed": .bool(wasOpen)])
    } else {
      Output.current.line(wasOpen ? "closed" : "the circuit was not open")
    }
  }
}

extension OpenCircuit {
  /// The circuit for programs.
  var json: JSONValue {
    [
      "environment": .string(name.environment), "target": .string(name.target),
      "opened_at": .string(openedAt.description), "pause": .string(DurationText.written(pause)),
      "error_code": .string(errorCode), "failed_jobs": JSONValue(failedJobs),
      "opened_by_worker": JSONValue(openedByWorker),
      "types": .array(jobTypes.map { .string($0) }), "parked": JSONValue(parkedJobs),
    ]
  }
}
