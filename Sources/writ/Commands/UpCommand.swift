// writ up: everything for trying out, until ctrl-C.

import ArgumentParser
import AuthOSEmulator
import Foundation

struct UpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Run a private database, an AuthOS emulator and workers to try out.",
    discussion: """
      Starts a PostgreSQL cluster of its own on a unix socket without a port, also as root, and keeps its \
      data in the directory; migrates, publishes the catalogue, makes keys with the least privilege of each \
      job type, and starts worker processes. The emulator forgets its users and subscriptions when it stops; \
      keys and jobs stay. Ctrl-C stops everything.

      EXAMPLES
        writ up
        writ up --data-dir ./sandbox --workers 2 --fault-rate 0.2
      """)

  @Option(
    help: ArgumentHelp(
      "Where everything is kept. Default: \(DataDirectory.standard()).", valueName: "directory"),
    completion: .directory)
  var dataDir: String?
  @Option(help: "How many worker processes.")
  var workers = 1
  @Option(help: "The port of the emulator; 0 takes any that is free.")
  var port = 0
  @Option(help: "The share of the emulator's requests that go wrong, 0 to 1.")
  var faultRate = 0.0
  @Option(
    help: "The directory of the catalogue; the built-in one if left out.", completion: .directory)
  var catalogue: String?
  @Option(
    name: .customLong("target"),
    help: ArgumentHelp(
      "Where another API than AuthOS answers, by the name of its source description; may be repeated.",
      valueName: "name=url"))
  var targets: [String] = []

  func validate() throws {
    guard (0...64).contains(workers) else {
      throw ValidationError("--workers must be from 0 to 64")
    }
    guard (0...65_535).contains(port) else {
      throw ValidationError("--port must be from 0 to 65535")
    }
    guard (0...1).contains(faultRate) else {
      throw ValidationError("--fault-rate must be from 0 to 1")
    }
  }

  func run() async throws {
    let directory = try DataDirectory.make(dataDir ?? DataDirectory.standard())
    let plan = Sandbox.Plan(
      directory: directory, clusterDirectory: "\(directory)/postgres",
      catalogue: try CatalogueSource.read(directory: catalogue).load(), port: port,
      users: Sandbox.exampleUsers,
      faults: faultRate > 0 ? .misbehaving(seed: 1, share: faultRate) : FaultPlan(),
      ordering: .app, targets: try Self.targets(targets))
    let workers = workers
    let outcome = try await Interruption.run {
      try await Sandbox.with(plan, progress: { Output.current.note("\($0) …") }) {
        try await Self.serve($0, workers: workers)
      }
    }
    if case .interrupted = outcome {
      Output.current.note("stopped; the data stays in \(directory)")
    }
  }

  /// Checks the targets as the configuration would.
  static func targets(_ words: [String]) throws -> [String: String] {
    var layers = ConfigurationLayers()
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw CommandError(
          .usage, "--target takes NAME=URL, for example webhook_receiver=http://127.0.0.1:9000/hook"
        )
      }
      layers.add(
        flag: "--target \(parts[0].printable)",
        key: "environments.\(Sandbox.environment).targets.\(parts[0]).url", value: parts[1])
    }
    return try Configuration(layers).environments.first?.targets ?? [:]
  }

  /// Runs the workers until the task is cancelled; one that ends by itself is started again.
  private static func serve(_ sandbox: Sandbox, workers: Int) async throws {
    let names = (0..<workers).map { "worker-\($0 + 1)" }
    let children = try names.map { (name: $0, child: try sandbox.startWorker($0)) }
    announce(sandbox, names)
    await withDiscardingTaskGroup { group in
      for (name, child) in children {
        group.addTask { await keepRunning(sandbox, name, child) }
      }
      if children.isEmpty {
        group.addTask { try? await Task.sleep(for: .seconds(1 << 30)) }
      }
    }
    try Task.checkCancellation()
  }

  private static func keepRunning(_ sandbox: Sandbox, _ name: String, _ first: ChildProcess) async {
    var child = first
    while true {
      let current = child
      await withTaskCancellationHandler {
        _ = await current.end()
      } onCancel: {
        current.signal(SIGTERM)
      }
      if Task.isCancelled {
        await current.stop(within: .seconds(30))
        return
      }
      Output.current.note("\(name) ended; see \(sandbox.log(ofWorker: name)); starting it again")
      do {
        try await Task.sleep(for: .seconds(1))
        child = try sandbox.startWorker(name)
      } catch {
        return
      }
    }
  }

  private static func announce(_ sandbox: Sandbox, _ workers: [String]) {
    let output = Output.current
    let app = sandbox.database.connectionString(.app)
    let config = sandbox.configurationFile
    let seeded = sandbox.authOS.seeded
    output.line()
    output.line("Order jobs as the role app:")
    output.line("  psql \"\(app)\"")
    output.line("  select writ.create_user(email => 'alan@example.com');")
    if let user = seeded.userIDs["ada@example.com"], let plan = seeded.planIDs["pro"] {
      output.line("  select writ.change_plan(user_id => '\(user)', plan_id => '\(plan)');")
    }
    output.line("Watch and manage them:")
    output.line("  export WRIT_CONFIG=\(config)")
    let writ = Program.name
    output.line("  \(writ) jobs list; \(writ) jobs show 1; \(writ) audit log; \(writ) doctor")
    output.line()
    var table = Table("", "")
    table.add("data", sandbox.plan.directory)
    table.add("emulator", "\(sandbox.url)  organization acme, service portal")
    for user in seeded.userIDs.sorted(by: { $0.key < $1.key }) {
      table.add("user", "\(user.value)  \(user.key)")
    }
    for plan in seeded.planIDs.sorted(by: { $0.key < $1.key }) {
      table.add("plan", "\(plan.value)  \(plan.key)")
    }
    for target in sandbox.plan.targets.sorted(by: { $0.key < $1.key }) {
      table.add("target", "\(target.value)  \(target.key)")
    }
    for name in sandbox.missingTargets {
      table.add("no target", "\(name); its jobs wait until `--target \(name)=URL` is given")
    }
    for worker in workers { table.add("worker", "log in \(sandbox.log(ofWorker: worker))") }
    for line in table.lines() { output.line(line) }
    output.line()
    output.note("ready; ctrl-C stops everything")
  }
}
