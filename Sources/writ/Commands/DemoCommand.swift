// writ demo: 300 jobs, a server that misbehaves, a worker that is killed, and the proof.

import ArgumentParser
import AuthOSEmulator
import Foundation

struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Watch 300 jobs meet a misbehaving server, and every effect happen exactly once.",
    discussion: """
      Starts a throw-away PostgreSQL cluster on a unix socket, an AuthOS emulator that misbehaves, and two \
      worker processes; orders the jobs in plain SQL as a role that may do nothing else; kills one worker \
      half-way; and compares the emulator's ledger with the orders. Everything is gone afterwards. The exit \
      code is 0 only if every job completed and every effect is there once.

      EXAMPLES
        writ demo
        writ demo --seed 7 --fault-rate 0.3
      """)

  @Option(help: "The seed of orders and faults.")
  var seed: UInt64 = 1
  @Option(help: "The share of requests that go wrong, 0 to 0.9.")
  var faultRate = 0.2
  @Option(help: "Give up after so many seconds.")
  var timeLimit = 120

  func validate() throws {
    guard (0...0.9).contains(faultRate) else {
      throw ValidationError("--fault-rate must be from 0 to 0.9")
    }
    guard (1...86_400).contains(timeLimit) else {
      throw ValidationError("--time-limit must be from 1 to 86400")
    }
  }

  func run() async throws {
    let directory = try DataDirectory.makeThrowaway()
    defer { DataDirectory.remove(directory) }
    let plan = Sandbox.Plan(
      directory: directory, catalogue: try CatalogueSource.read(directory: nil).load(),
      seed: seed, users: DemoOrders.users,
      faults: .misbehaving(seed: seed, share: faultRate, slowness: .milliseconds(400)),
      workerSettings: ["worker.slots=16"], ordering: .storefront)
    let limit = Duration.seconds(timeLimit)
    let seed = seed
    let outcome = try await Interruption.run {
      try await Sandbox.with(plan, progress: { Output.current.note("\($0) …") }) {
        try await DemoRun(sandbox: $0, seed: seed, limit: limit).run()
      }
    }
    switch outcome {
    case .finished(true): return
    case .finished(false): throw ExitCode(ExitStatus.failure.rawValue)
    case .interrupted(let status):
      Output.current.note("stopped; everything that was started is gone")
      throw ExitCode(status.rawValue)
    }
  }
}
