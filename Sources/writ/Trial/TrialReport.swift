// What `writ types test` shows of trials.

import Arazzo
import AuthOSEmulator
import JSON
import JobStore

struct TrialReport: Sendable {
  let operations: TrialOperations
  let expected: Set<TrialOutcome>

  /// Everything about one trial.
  func lines(_ result: TrialResult, usesColour: Bool) -> [String] {
    var lines = [Style.bold.applied(to: "trial with \(result.title)", if: usesColour)]
    lines += result.story.lines(usesColour: usesColour).map { $0.isEmpty ? "" : "  \($0)" }
    let atEmulator = result.requests.filter { !$0.operation.isOfStandIn }
    if !atEmulator.isEmpty || result.standIns.isEmpty {
      lines += section("requests at the emulator", requests(atEmulator))
      lines += section("effects at the emulator", effects(result))
    }
    for (name, effects) in result.standIns.sorted(by: { $0.key < $1.key }) {
      let here = result.requests.filter { $0.operation.isOf(standIn: name) }
      lines += section("requests at the stand-in for \(name)", requests(here))
      lines += section("effects at the stand-in for \(name)", self.effects(effects))
    }
    return lines + ["", "  " + verdict(result, usesColour: usesColour)]
  }

  private func section(_ title: String, _ table: Table) -> [String] {
    let lines = table.lines()
    return ["", "  \(title)"] + (lines.isEmpty ? ["    none"] : lines.map { "    \($0)" })
  }

  /// One line a trial.
  func table(_ results: [TrialResult]) -> Table {
    var table = Table("REQUEST", "FAULT", "OUTCOME", "#REQUESTS", "EFFECTS", "VERDICT")
      .styling("VERDICT") { $0 == "as expected" ? .green : .red }
    for result in results {
      let fault = result.faults.first
      table.add(
        fault.map { $0.ordinal > 1 ? "\($0.place) \($0.ordinal)" : $0.place } ?? "",
        fault?.kind ?? "no fault", result.outcome.rawValue, "\(result.requests.count)",
        summary(result), reason(result))
    }
    return table
  }

  /// The sentence at the end of a trial.
  private func verdict(_ result: TrialResult, usesColour: Bool) -> String {
    let isExpected = result.isExpected(expected)
    var text =
      isExpected
      ? "as expected: \(result.outcome.rawValue)" : "not as expected: \(reason(result))"
    if result.hits < result.faults.count {
      text += "; \(result.faults.count - result.hits) of the faults met no request"
    }
    return (isExpected ? Style.green : Style.red).applied(to: text, if: usesColour)
  }

  private func reason(_ result: TrialResult) -> String {
    guard !result.isExpected(expected) else { return "as expected" }
    var parts = result.doubled
    if !expected.contains(result.outcome) {
      // A job that completed still tells of the last error that it met on the way.
      let error =
        result.outcome == .completed
        ? "" : result.story.detail.summary.errorInWords.shortened(to: 70)
      parts.insert(
        "\(result.outcome.rawValue)\(error.isEmpty ? "" : " (\(error))")", at: 0)
    }
    return parts.joined(separator: ", ")
  }

  private func requests(_ requests: [TrialRequest]) -> Table {
    var table = Table("", "", "", "")
    for request in requests {
      table.add(
        "\(request.number)", operations.name(of: request.operation),
        request.status == 0 ? "no answer" : "\(request.status)", request.fault ?? "")
    }
    return table
  }

  private func effects(_ result: TrialResult) -> Table {
    var table = Table("", "", "", "", "")
    for effect in result.effects {
      table.add(
        effect.effect.rawValue, "request \(effect.requestNumber)",
        effect.email ?? effect.userID ?? "",
        effect.planName ?? effect.name ?? "", effect.changedNothing ? "as it was" : "")
    }
    return table
  }

  private func effects(_ effects: [StandInEffect]) -> Table {
    var table = Table("", "", "", "")
    for effect in effects {
      table.add(
        effect.operation, "request \(effect.requestNumber)", effect.effect.rawValue,
        effect.isRepeated ? "the same again" : "")
    }
    return table
  }

  /// `userInserted, linkInserted 2, createInvoice`.
  private func summary(_ result: TrialResult) -> String {
    let names =
      result.effects.map(\.effect.rawValue)
      + result.standIns.sorted { $0.key < $1.key }.flatMap(\.value).filter { !$0.isRepeated }
      .map(\.operation)
    var order: [String] = []
    for name in names where !order.contains(name) { order.append(name) }
    return order.map { name in
      let count = names.count { $0 == name }
      return count > 1 ? "\(name) \(count)" : name
    }.joined(separator: ", ")
  }

  /// A trial as JSON.
  func json(_ result: TrialResult) -> JSONValue {
    [
      "faults": .array(
        result.faults.map { fault in
          [
            "place": .string(fault.place), "request": JSONValue(fault.ordinal),
            "kind": .string(fault.kind),
          ]
        }),
      "outcome": .string(result.outcome.rawValue),
      "expected": .bool(result.isExpected(expected)),
      "doubled": .array(result.doubled.map { .string($0) }),
      "requests": .array(
        result.requests.map { request in
          .members([
            ("target", .string(request.operation.target)),
            ("number", JSONValue(request.number)),
            ("operation", .string(operations.name(of: request.operation))),
            ("status", request.status == 0 ? nil : JSONValue(request.status)),
            ("fault", request.fault.map { .string($0) }),
          ])
        }),
      "effects": .array(result.effects.map(\.json)),
      "stand_in_effects": .array(
        result.standIns.sorted { $0.key < $1.key }.flatMap { name, effects in
          effects.map { effect in
            [
              "target": .string(name), "operation": .string(effect.operation),
              "effect": .string(effect.effect.rawValue),
              "request_number": JSONValue(effect.requestNumber),
              "repeated": .bool(effect.isRepeated),
            ]
          }
        }),
      "story": result.story.json,
    ]
  }
}
