// What `writ types test` shows of trials.

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
    lines += ["", "  requests at the emulator"] + requests(result).lines().map { "    \($0)" }
    lines += ["", "  effects at the emulator"]
    lines +=
      result.effects.isEmpty ? ["    none"] : effects(result).lines().map { "    \($0)" }
    return lines + ["", "  " + verdict(result, usesColour: usesColour)]
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
        summary(result.effects), reason(result))
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

  private func requests(_ result: TrialResult) -> Table {
    var table = Table("", "", "", "")
    for request in result.requests {
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

  /// `userInserted, linkInserted 2`.
  private func summary(_ effects: [LedgerRecord]) -> String {
    var order: [Effect] = []
    for effect in effects.map(\.effect) where !order.contains(effect) { order.append(effect) }
    return order.map { kind in
      let count = effects.count { $0.effect == kind }
      return count > 1 ? "\(kind.rawValue) \(count)" : kind.rawValue
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
            ("number", JSONValue(request.number)),
            ("operation", .string(operations.name(of: request.operation))),
            ("status", request.status == 0 ? nil : JSONValue(request.status)),
            ("fault", request.fault.map { .string($0) }),
          ])
        }),
      "effects": .array(result.effects.map(\.json)), "story": result.story.json,
    ]
  }
}
