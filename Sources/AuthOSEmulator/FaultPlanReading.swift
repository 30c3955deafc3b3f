// Fault plans as JSON, the form in which the control route takes and shows them.

public import JSON

/// Why a text is no fault plan: the place in it and the rule it breaks.
public struct FaultPlanError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The reason, fit to be shown.
  public var description: String
}

extension FaultPlan {
  /// Reads `{"seed": 7, "rules": [{"route": "createServiceUser", "fault": "dropAfter",
  /// "probability": 0.2, "limit": 3}, {"route": "POST /api/service/users", "script": ["status500",
  /// null, {"kind": "slow", "milliseconds": 200}]}]}`.
  ///
  /// - Throws: ``FaultPlanError``.
  public init(json: JSONValue) throws {
    guard json.objectValue != nil else { throw FaultPlanError(description: "expected an object") }
    let rules = try (json["rules"]?.arrayValue ?? []).enumerated().map { index, rule in
      try FaultRule(json: rule, at: "rules[\(index)]")
    }
    self.init(seed: UInt64(max(json["seed"]?.intValue ?? 0, 0)), rules: rules)
  }

  /// The plan in the form that ``init(json:)`` reads.
  public var json: JSONValue {
    ["seed": JSONValue(Int(truncatingIfNeeded: seed)), "rules": .array(rules.map(\.json))]
  }
}

extension FaultRule {
  fileprivate init(json: JSONValue, at place: String) throws {
    guard let text = json["route"]?.stringValue, let route = FaultRoute(text: text) else {
      throw FaultPlanError(description: "\(place).route names no operation")
    }
    if let script = json["script"]?.arrayValue {
      let faults = try script.enumerated().map { index, fault in
        fault.isNull ? nil : try Fault(json: fault, at: "\(place).script[\(index)]")
      }
      self.init(route, script: faults)
      return
    }
    guard let fault = json["fault"] else {
      throw FaultPlanError(description: "\(place) has neither fault nor script")
    }
    let probability = json["probability"]?.doubleValue ?? 1
    guard (0...1).contains(probability) else {
      throw FaultPlanError(description: "\(place).probability is not between 0 and 1")
    }
    self.init(
      route, try Fault(json: fault, at: "\(place).fault"), probability: probability,
      limit: json["limit"]?.intValue)
  }

  fileprivate var json: JSONValue {
    var object = JSONObject([("route", .string(route.text))])
    switch choice {
    case .chance(let fault, let probability, let limit):
      object["fault"] = fault.json
      object["probability"] = .number(JSONNumber(probability))
      if let limit { object["limit"] = JSONValue(limit) }
    case .script(let faults): object["script"] = .array(faults.map { $0?.json ?? .null })
    }
    return .object(object)
  }
}

extension Fault {
  /// The names of all kinds.
  public static let kinds =
    plain.map(\.kind) + [
      "slow", "slowAfterEffect", "tooManyRequests", "tooManyRequestsUntil", "unavailable503",
      "stopHalfWay",
    ]

  /// The fault of a kind, with the parameters that a plan in JSON has where it names none; `nil` for a name
  /// that is no kind.
  public init?(kind: String) {
    guard let fault = try? Fault(json: .string(kind), at: "") else { return nil }
    self = fault
  }

  fileprivate init(json: JSONValue, at place: String) throws {
    let kind = json.stringValue ?? json["kind"]?.stringValue ?? ""
    let milliseconds = Duration.milliseconds(json["milliseconds"]?.intValue ?? 1000)
    let seconds = json["retry_after"]?.intValue
    switch kind {
    case "slow": self = .slow(milliseconds)
    case "slowAfterEffect": self = .slowAfterEffect(milliseconds)
    case "tooManyRequests": self = .tooManyRequests(retryAfter: seconds)
    case "tooManyRequestsUntil": self = .tooManyRequestsUntil(secondsAhead: seconds ?? 1)
    case "unavailable503": self = .unavailable503(retryAfter: seconds)
    case "stopHalfWay":
      guard let text = json["ending"]?.stringValue ?? "databaseError" as String?,
        let interruption = Interruption(rawValue: text)
      else { throw FaultPlanError(description: "\(place).ending is unknown") }
      self = .stopHalfWay(interruption)
    default:
      guard let plain = Self.plain.first(where: { $0.kind == kind }) else {
        throw FaultPlanError(description: "\(place) is no kind of fault")
      }
      self = plain
    }
  }

  /// The kinds without parameters.
  private static let plain: [Fault] = [
    .status500, .error500AfterEffect, .timeout408BeforeEffect, .timeout408AfterEffect, .dropBefore,
    .dropAfter, .htmlBadGateway502, .htmlBadGateway502AfterEffect, .emptyNotFound404,
    .bookkeeping500, .silentSubscriptionDeleteFailure, .passwordHashingBusy,
  ]

  fileprivate var json: JSONValue {
    func with(_ name: String, _ value: JSONValue?) -> JSONValue {
      guard let value else { return .string(kind) }
      return .object(JSONObject([("kind", .string(kind)), (name, value)]))
    }
    return switch self {
    case .slow(let duration), .slowAfterEffect(let duration):
      with("milliseconds", JSONValue(Int(duration / .milliseconds(1))))
    case .tooManyRequests(let seconds), .unavailable503(let seconds):
      with("retry_after", seconds.map { JSONValue($0) })
    case .tooManyRequestsUntil(let seconds): with("retry_after", JSONValue(seconds))
    case .stopHalfWay(let interruption): with("ending", .string(interruption.rawValue))
    default: .string(kind)
    }
  }
}
