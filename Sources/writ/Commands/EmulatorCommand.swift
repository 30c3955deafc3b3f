// writ emulator: an AuthOS of one's own, for trying out and for testing job types.

import Arazzo
import ArgumentParser
import AuthOSEmulator
import Foundation
import JSON
import Logging
import Secrets

struct EmulatorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "emulator", abstract: "Run an AuthOS emulator that can misbehave.",
    discussion: """
      Holds everything in memory. Knows the organization acme with the service portal, the plans free, \
      pro and team, and a few users. Its state, its ledger of effects and its faults are reached below \
      /_emulator with the header X-Emulator-Control, whose token is written to a file or generated and \
      printed.

      EXAMPLES
        writ emulator --port 3000 --keys secrets --environment local
        writ emulator --fault-rate 0.2 --seed 7 --date-mode sql-server
      """)

  @Option(help: "The address to listen on.")
  var host = "127.0.0.1"
  @Option(help: "The port; 0 takes any that is free.")
  var port = 3000
  @Option(help: "The seed of identifiers and of faults.")
  var seed: UInt64 = 1
  @Option(help: "The share of requests that go wrong, 0 to 1.")
  var faultRate = 0.0
  @Option(
    help:
      "How dates are shown and kept: \(DateMode.allCases.map(\.rawValue).joined(separator: ", ")).",
    completion: .list(DateMode.allCases.map(\.rawValue)))
  var dateMode = DateMode.sqlite.rawValue
  @Option(
    help: ArgumentHelp(
      "A secret store whose keys are accepted, each with the least privilege of its job type; what is missing there is made.",
      valueName: "directory"), completion: .directory)
  var keys: String?
  @Option(help: "The environment whose keys those are.")
  var environment = Sandbox.environment
  @Option(
    help: ArgumentHelp("A file that holds the control token.", valueName: "file"),
    completion: .file())
  var controlTokenFile: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard DateMode(rawValue: dateMode) != nil else {
      let known = DateMode.allCases.map(\.rawValue)
      throw ValidationError(
        "--date-mode must be one of \(known.joined(separator: ", "))\(Suggestion.question(dateMode, among: known))"
      )
    }
    guard (0...1).contains(faultRate) else {
      throw ValidationError("--fault-rate must be from 0 to 1")
    }
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be from 0 to 65535")
    }
  }

  func run() async throws {
    let configuration = try options.load()
    let catalogue = try CatalogueSource.read(directory: configuration.catalogue).load()
    var emulatorSeed = EmulatorSeed(number: seed, users: Sandbox.exampleUsers)
    if let keys {
      let secrets = try SandboxSecrets(directory: keys, environment: environment)
      try secrets.prepare(catalogue)
      emulatorSeed.apiKeys = try secrets.apiKeys(catalogue)
      emulatorSeed.accounts = [try secrets.account()]
    }
    let authOS = EmulatedAuthOS(
      seed: emulatorSeed,
      settings: EmulatorSettings(dateMode: DateMode(rawValue: dateMode) ?? .sqlite),
      faults: faultRate > 0 ? .misbehaving(seed: seed, share: faultRate) : FaultPlan(), at: .now())
    let token = try controlToken()
    let isJSON = format.json
    let isGenerated = controlTokenFile == nil
    let host = host
    // Dropped connections and the end of the server are its purpose here, no errors to be told.
    var silent = configuration.logger()
    silent.logLevel = .critical
    let server = EmulatorServer(
      authOS, host: host, port: port, controlToken: token, logger: silent
    ) { port in
      authOS.baseURL = "http://\(host):\(port)"
      Self.announce(authOS, host, port, isGenerated ? token : nil, isJSON: isJSON)
    }
    if case .interrupted = try await Interruption.run({ try await server.run() }) {
      Output.current.note("stopped")
    }
  }

  private func controlToken() throws -> String {
    guard let controlTokenFile else { return SandboxSecrets.randomText(bytes: 16) }
    guard let text = try? String(contentsOfFile: controlTokenFile, encoding: .utf8) else {
      throw CommandError(.badData, "--control-token-file: \(controlTokenFile) cannot be read")
    }
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard !token.isEmpty else {
      throw CommandError(.badData, "--control-token-file: \(controlTokenFile) is empty")
    }
    return token
  }

  private static func announce(
    _ authOS: EmulatedAuthOS, _ host: String, _ port: Int, _ token: String?, isJSON: Bool
  ) {
    let seeded = authOS.seeded
    let users = seeded.userIDs.sorted { $0.key < $1.key }
    let plans = seeded.planIDs.sorted { $0.key < $1.key }
    if isJSON {
      Output.current.json(
        .members([
          ("url", .string("http://\(host):\(port)")),
          ("control_token", token.map { .string($0) }),
          ("organization", "acme"), ("service", "portal"),
          ("plan_ids", .object(JSONObject(plans.map { ($0.key, .string($0.value)) }))),
          ("user_ids", .object(JSONObject(users.map { ($0.key, .string($0.value)) }))),
        ]))
      return
    }
    Output.current.line("http://\(host):\(port)  organization acme, service portal")
    if let token { Output.current.line("control token  \(token)") }
    var table = Table("", "", "")
    for plan in plans { table.add("plan", plan.key, plan.value) }
    for user in users { table.add("user", user.key, user.value) }
    for line in table.lines() { Output.current.line(line) }
  }
}
