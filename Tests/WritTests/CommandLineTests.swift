// What the command line accepts, and the sentence and the code that each error gets.

import ArgumentParser
import Foundation
import JSON
import Secrets
import Testing

@testable import writ

/// Swift Testing has an `ExitStatus` too.
private typealias Status = writ.ExitStatus

@Suite struct CommandLineTests {
  /// What a person would read, and the exit code.
  private func report(_ arguments: [String]) -> ErrorReport? {
    do {
      var command = try Writ.parseAsRoot(arguments)
      // Asking for help is a command of the parser's own.
      if !(command is any AsyncParsableCommand) { try command.run() }
      return nil
    } catch {
      return ErrorReport(error)
    }
  }

  @Test func `a payload that is not there is named`() throws {
    let error = #expect(throws: CommandError.self) {
      try EnqueueCommand.inputs([], payload: "@no/such.json")
    }
    #expect(
      error?.description == "--payload: no/such.json is empty or cannot be read; is it there?")
  }

  @Test(arguments: [
    (["types", "chek"], "Unexpected argument 'chek'"),
    (["jobs", "list", "--state", "waitin"], "there is no state waitin; did you mean waiting?"),
    (["jobs", "list", "--limit", "0"], "--limit must be from 1 to 100000"),
    (["jobs", "show"], "Missing expected argument '<id>'"),
    (["jobs", "show", "x"], "The value 'x' is invalid for '<id>'"),
    (
      ["emulator", "--date-mode", "sqlit"],
      "--date-mode must be one of sqlite, sql-server, ideal; did you mean sqlite?"
    ),
    (["emulator", "--fault-rate", "2"], "--fault-rate must be from 0 to 1"),
    (["up", "--workers", "65"], "--workers must be from 0 to 64"),
    (
      ["audit", "log", "--since", "yesterday"],
      "--since takes a time such as 2026-05-01T00:00:00Z or a duration such as 24h"
    ),
    (
      ["audit", "log", "--event", "discardd"],
      "there is no event discardd; did you mean discarded?"
    ),
    (
      ["enqueue", "create_user", "--run-at", "soon"],
      "--run-at takes a time such as 2026-12-24T02:00:00Z"
    ),
    (
      ["schedules", "add", "ping", "--cron", "0 0 30 2 *"],
      "--cron: the cron expression never fires: none of its months has a day 30"
    ),
    (
      ["schedules", "add", "ping", "--cron", "@daily", "--missed", "x"],
      "--missed must be once or skip"
    ),
    (
      ["enqueue", "create_user", "--expires-at", "soon"],
      "--expires-at takes a time such as 2026-12-24T02:00:00Z"
    ),
    (["keys", "rotate", "create_user", "--timeout", "1m"], "--timeout needs --wait"),
    (
      ["keys", "rotate", "create_user", "--wait", "--timeout", "soon"],
      "--timeout takes a duration such as 10m"
    ),
    (["limits", "set", "create_user"], "give --concurrency, --rate or both"),
    (["limits", "set", "--concurrency", "few"], "--concurrency takes a number, or none"),
    (
      ["limits", "set", "--rate", "10"],
      "--rate takes a number and a time such as 10/1s or 1000/1h, or none"
    ),
    (
      ["enqueue", "create_user", "--input", "a=b", "--payload", "-"],
      "give either --input or --payload, not both"
    ),
  ])
  func `a wrong command line is refused with a sentence and code 64`(
    arguments: [String], sentence: String
  ) {
    let report = report(arguments)
    #expect(report?.status == Status.usage.rawValue)
    #expect(report?.lines.first == sentence)
  }

  @Test func `an event that is like none is refused with the list of all`() {
    let line = report(["audit", "log", "--event", "hunting-lodge"])?.lines.first
    #expect(line?.hasPrefix("there is no event hunting-lodge; events are batch_created, ") == true)
    #expect(line?.contains("type_published, ") == true)
  }

  /// A file that was named is the input of the command, and no fault of the installation.
  @Test func `a file of a key that cannot be taken ends with 65`() async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "writ-\(UUID())").path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let path = "\(directory)/own.key"
    try Output.$current.withValue(CapturedOutput().output()) {
      #expect(report(["keys", "generate", "--output", path]) == nil)
      let again = try #require(report(["keys", "generate", "--output", path]))
      #expect(again.status == Status.badData.rawValue)
      #expect(
        again.lines == ["\(path) exists already, and is not overwritten: name another file"])
      let nowhere = report(["keys", "generate", "--output", "\(directory)/none/own.key"])
      #expect(nowhere?.status == Status.badData.rawValue)
    }
    chmod(path, 0o644)
    let error = await #expect(throws: PrivateFileError.self) {
      try await UnsealCommand.parse(["--private-key", path]).run()
    }
    let told = try #require(error.map { ErrorReport($0) })
    #expect(told.status == Status.badData.rawValue)
    #expect(told.lines == ["\(path) can be read or changed by others: chmod 600 '\(path)'"])
    let store = SecretStoreError(.unsafePermissions, "the store is open to others")
    #expect(ErrorReport(store).status == Status.configuration.rawValue)
  }

  @Test func `help is an answer, not an error`() {
    let report = report(["jobs", "replay", "--help"])
    #expect(report?.status == 0)
    #expect(report?.isAnswer == true)
    #expect(report?.lines.first?.contains("EXAMPLES") == true)
  }

  @Test func `every command has examples in its help`() {
    func leaves(_ type: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
      let below = type.configuration.subcommands
      return below.isEmpty ? [type] : below.flatMap(leaves)
    }
    for command in leaves(Writ.self) {
      #expect(
        command.configuration.discussion.contains("EXAMPLES"), "\(command._commandName) has none")
    }
  }

  @Test func `inputs become an object, and JSON values keep their kind`() throws {
    let inputs = try EnqueueCommand.inputs(
      ["email=a=b@example.com", "limit=5", "deep={\"a\":true}", "name=\"quoted\"", "empty="],
      payload: nil)
    #expect(
      inputs.serialized()
        == #"{"email":"a=b@example.com","limit":5,"deep":{"a":true},"name":"\"quoted\"","empty":""}"#
    )
  }

  @Test(arguments: [
    (
      ["email"], nil, "--input takes NAME=VALUE, for example email=ada@example.com",
      Status.usage
    ),
    (["a=1", "a=2"], nil, "--input a is given twice", .usage),
    ([], "[1]", "--payload must be a JSON object", .badData),
    ([], "{sk_secret", "--payload must be a JSON object", .badData),
  ])
  fileprivate func `wrong inputs are refused without their values`(
    inputs: [String], payload: String?, sentence: String, status: Status
  ) {
    #expect(throws: CommandError(status, sentence)) {
      try EnqueueCommand.inputs(inputs, payload: payload)
    }
  }

  @Test func `an error of the configuration has one line a fault and code 78`() {
    var layers = ConfigurationLayers()
    layers.add(file: "worker: {slots: 0}\nlgo: 1\n", path: "writ.yaml")
    do {
      _ = try Configuration(layers)
      Issue.record("it was accepted")
    } catch {
      let captured = CapturedOutput()
      #expect(ErrorReport(error).write(to: captured.output()) == 78)
      #expect(
        captured.notes == """
          writ: writ.yaml:2: lgo: unknown key; did you mean log?
          writ: writ.yaml:1: worker.slots: must be a whole number from 1 to 10000

          """)
    }
  }

  @Test func `a fault that only a flag has is one of usage`() {
    var layers = ConfigurationLayers()
    layers.add(flag: "--set worker.slot", key: "worker.slot", value: "1")
    do {
      _ = try Configuration(layers)
      Issue.record("it was accepted")
    } catch {
      #expect(ErrorReport(error).status == 64)
      #expect(
        ErrorReport(error).lines == [
          "--set worker.slot: unknown key worker.slot; did you mean worker.slots?"
        ])
    }
  }

  @Test func `the exit codes are those of the documentation`() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../docs/commands.md")
    let text = try String(contentsOf: path, encoding: .utf8)
    let codes = text.split(separator: "\n").compactMap {
      $0.wholeMatch(of: /\| (\d+) \| .+ \|/).flatMap { Int32($0.1) }
    }
    #expect(Set(codes).isSuperset(of: Status.allCases.map(\.rawValue)))
    #expect(codes.count == Status.allCases.count)
  }
}
