// What the demo ends with: outcomes, effects, one job's history, and what to try next.

import Arazzo
import AuthOSEmulator
import Foundation
import JobStore

/// Writes the report of a demo that has come to its end.
struct DemoReport: Sendable {
  let sandbox: Sandbox
  let orders: [DemoOrder]
  let store: JobStore
  /// The jobs that the killed worker held.
  let held: [Int]

  /// Writes everything; whether all is as ordered.
  func write() async throws -> Bool {
    let output = Output.current
    let jobs = try await store.jobs(limit: orders.count + 1)
    output.line()
    output.line(Style.bold.applied(to: "Outcomes", if: output.usesColour))
    for line in outcomes(jobs).lines(usesColour: output.usesColour) { output.line("  " + line) }
    output.line()
    output.line(
      Style.bold.applied(
        to: "Effects in the emulator's ledger, against the orders", if: output.usesColour))
    let check = try effects()
    for line in table(check).lines(usesColour: output.usesColour) { output.line("  " + line) }
    for record in check.unexpected.prefix(10) {
      output.line("  not ordered: \(record.effect.rawValue) by \(record.operation.rawValue)")
    }
    try await history(jobs)
    next()
    return jobs.count == orders.count && jobs.allSatisfy { $0.state == "completed" }
      && check.isRight
  }

  // MARK: Parts

  private func outcomes(_ jobs: [JobSummary]) -> Table {
    var table = Table(
      "TYPE", "#ORDERED", "#COMPLETED", "#DISCARDED", "#IN REVIEW", "#TRIED AGAIN", "#ATTEMPTS")
    for type in ["create_user", "change_plan", "revoke_access", "rotate_api_key"] {
      let own = jobs.filter { $0.type == type }
      func count(_ isCounted: (JobSummary) -> Bool) -> String { "\(own.filter(isCounted).count)" }
      table.add(
        type, "\(orders.filter { $0.type == type }.count)", count { $0.state == "completed" },
        count { $0.state == "discarded" }, count { $0.waitingReason == "review" },
        count { $0.attempt > 1 }, "\(own.map(\.attempt).reduce(0, +))")
    }
    return table
  }

  private func effects() throws -> EffectCheck {
    var keys: [String: String] = [:]
    for type in sandbox.plan.catalogue.jobTypes {
      keys[type.name] = try sandbox.secrets.prefix(ofKeyFor: type.name)
    }
    return EffectCheck(
      orders: orders, ledger: sandbox.authOS.ledger(), snapshot: sandbox.authOS.snapshot,
      keysInUse: keys)
  }

  private func table(_ check: EffectCheck) -> Table {
    var table = Table("TYPE", "#ORDERED", "#EXACTLY ONCE", "", "")
      .styling("") { $0 == "right" ? .green : $0 == "WRONG" ? .red : nil }
    for line in check.lines {
      table.add(
        line.what, "\(line.ordered)", "\(line.exactlyOnce)", line.isRight ? "right" : "WRONG",
        line.note.isEmpty ? " " : line.note)
    }
    table.add(
      "anything else", "0", "\(check.unexpected.count)",
      check.unexpected.isEmpty ? "right" : "WRONG", " ")
    let faults = sandbox.authOS.counts.faults.values.reduce(0, +)
    let requests = sandbox.authOS.counts.total
    Output.current.line(
      "  \(requests) requests, \(faults) of them answered wrong, late or not at all")
    return table
  }

  /// One job that was tried again, on as few lines as will do.
  private func history(_ jobs: [JobSummary]) async throws {
    let output = Output.current
    let retried = jobs.filter { (2...4).contains($0.attempt) && $0.state == "completed" }
    let preferred =
      retried.first { held.contains($0.id) && $0.type != "create_user" }
      ?? retried.first { held.contains($0.id) } ?? retried.first { $0.type == "change_plan" }
      ?? retried.first
    guard let job = preferred else { return }
    output.line()
    output.line(
      Style.bold.applied(to: "The history of one that was tried again", if: output.usesColour))
    let story = try await JobStory.read(job.id, from: store)
    for line in story.lines(usesColour: output.usesColour) {
      output.line(line.isEmpty ? "" : "  " + line)
    }
  }

  private func next() {
    let output = Output.current
    let writ = Program.name
    output.line()
    output.line(Style.bold.applied(to: "Try next", if: output.usesColour))
    let file = "\(DataDirectory.standard())/writ.yaml"
    var table = Table("", "")
    table.add("  \(writ) up", "the same set-up, to stay; it prints how to connect with psql")
    table.add("  \(writ) jobs list --config \(file)", "what was ordered there, while it is up")
    table.add("  \(writ) types show change_plan", "what such a job may do, step by step")
    for line in table.lines() { output.line(line) }
  }
}
