// Routes that the real server does not have: reading the ledger, and changing what goes wrong.

import JSON

/// `/_emulator/…`, for callers that know the control token; for all others these paths are unknown.
struct ControlRoutes: Sendable {
  let authOS: EmulatedAuthOS
  let token: String

  func respond(to request: EmulatedRequest, at now: UTCTime) -> EmulatedResponse {
    guard let presented = request.header("x-emulator-control"), digest(presented) == digest(token)
    else { return EmulatedResponse(status: 404) }
    do throws(Refusal) {
      return try serve(request, at: now)
    } catch {
      return error.answer(at: now).response ?? EmulatedResponse(status: 500)
    }
  }

  private func serve(_ request: EmulatedRequest, at now: UTCTime) throws(Refusal)
    -> EmulatedResponse
  {
    switch "\(request.method) \(request.path)" {
    case "GET /_emulator/ledger": return try ledger(request)
    case "GET /_emulator/requests": return .json(authOS.counts.json)
    case "GET /_emulator/state": return .json(state)
    case "GET /_emulator/faults": return .json(authOS.faults.json)
    case "PUT /_emulator/faults":
      do {
        authOS.faults = try FaultPlan(json: try JSONValue(parsing: request.body))
      } catch {
        throw .badRequest("\(error)")
      }
      return .json(authOS.faults.json)
    case "PUT /_emulator/settings": return try change(try body(request))
    case "POST /_emulator/seed": return try plant(try body(request), at: now)
    default: throw .empty(status: 404, allow: nil)
    }
  }

  private func body(_ request: EmulatedRequest) throws(Refusal) -> JSONValue {
    do {
      return try JSONValue(parsing: request.body)
    } catch {
      throw .badRequest("\(error)")
    }
  }

  private func ledger(_ request: EmulatedRequest) throws(Refusal) -> EmulatedResponse {
    let query = try Query(of: request, reading: ["after", "limit"])
    let records = authOS.ledger(
      after: query["after"].flatMap { Int($0) } ?? 0,
      limit: query["limit"].flatMap { Int($0) } ?? 10_000)
    return .json(["records": .array(records.map(\.json))])
  }

  private var state: JSONValue {
    let seeded = authOS.seeded
    let plans = seeded.planIDs.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) }
    var object = JSONObject([
      ("organization_id", .string(seeded.organizationID)),
      ("organization_status", .string(authOS.organizationStatus)),
      ("service_id", .string(seeded.serviceID)),
      ("date_mode", .string(authOS.dateMode.rawValue)),
      ("plan_ids", .object(JSONObject(plans))),
      ("other_service_plan_id", .string(seeded.otherServicePlanID)),
    ])
    for (name, value) in authOS.snapshot.json.objectValue ?? JSONObject() { object[name] = value }
    return .object(object)
  }

  private func change(_ body: JSONValue) throws(Refusal) -> EmulatedResponse {
    if let text = body["date_mode"]?.stringValue {
      guard let mode = DateMode(rawValue: text) else { throw .badRequest("unknown date_mode") }
      authOS.dateMode = mode
    }
    if let status = body["organization_status"]?.stringValue { authOS.organizationStatus = status }
    return .json([
      "date_mode": .string(authOS.dateMode.rawValue),
      "organization_status": .string(authOS.organizationStatus),
    ])
  }

  private func plant(_ body: JSONValue, at now: UTCTime) throws(Refusal) -> EmulatedResponse {
    var users: [SeedUser] = []
    for user in body["users"]?.arrayValue ?? [] {
      guard let email = user["email"]?.stringValue else {
        throw .badRequest("every user needs an email")
      }
      var seed = SeedUser(email: email, isLinked: user["is_linked"]?.boolValue ?? true)
      seed.plan = user["plan"]?.stringValue
      seed.status = user["status"]?.stringValue ?? "active"
      if let end = user["current_period_end"]?.stringValue {
        guard let time = try? UTCTime(rfc3339: end) else {
          throw .badRequest("current_period_end is no RFC 3339 date-time")
        }
        seed.currentPeriodEnd = time
      }
      users.append(seed)
    }
    let identifiers = users.map { ($0.email, JSONValue(authOS.plant($0, at: now))) }
    return .json(["user_ids": .object(JSONObject(identifiers))], status: 201)
  }
}
