// From a request to its answer: the order of checks that every route shares, then its handler.

import JSON

extension EmulatedState {
  /// Answers a request, applying the fault that was drawn for it.
  mutating func respond(
    to request: EmulatedRequest, at now: UTCTime, fault: Fault?
  ) -> EmulatedAnswer {
    counts.total += 1
    let route = Route.matching(request.path)
    let operation = route?.operation(method: request.method)
    if let fault, operation != nil { counts.faults[fault.kind, default: 0] += 1 }
    let answer: EmulatedAnswer
    if operation != nil, let early = fault?.answerBeforeEffect(at: now) {
      answer = early
    } else {
      let handled = handle(request, route, at: now, fault)
      answer = operation == nil ? handled : fault?.answerAfterEffect(handled, at: now) ?? handled
    }
    let line = RequestCounts.Line(
      operation: operation?.rawValue ?? "unknown", status: answer.response?.status ?? 0)
    counts.answers[line, default: 0] += 1
    if let operation {
      requests.append(
        RequestRecord(
          number: counts.total, operation: operation, status: line.status, fault: fault?.kind))
    }
    return answer
  }

  private mutating func handle(
    _ request: EmulatedRequest, _ route: Route?, at now: UTCTime, _ fault: Fault?
  ) -> EmulatedAnswer {
    do throws(Refusal) {
      if let response = consent(request, at: now) { return .response(response) }
      guard let route else { throw .empty(status: 404, allow: nil) }
      if let length = request.header("content-length").flatMap({ Int($0) }),
        length > settings.bodyLimit
      {
        throw .tooLarge
      }
      return .secured(try admit(request, route, at: now, fault))
    } catch {
      return error.answer(at: now)
    }
  }

  /// Lets a request past what guards its path; only then is an unknown method refused.
  private mutating func admit(
    _ request: EmulatedRequest, _ route: Route, at now: UTCTime, _ fault: Fault?
  ) throws(Refusal) -> EmulatedResponse {
    let operation = route.operation(method: request.method)
    // The operation of a refused method is never looked at; the path's first stands in for it.
    let call = Call(
      request: request, route: route, operation: operation ?? route.operations[0].operation,
      now: now, fault: fault, number: counts.total)
    let refusedMethod = Refusal.empty(status: 405, allow: route.allow)
    switch route.guardian {
    case .apiKey:
      let call = try authenticateKey(call)
      guard operation != nil else { throw refusedMethod }
      return try serve(call)
    case .bearer:
      let call = try authenticateBearer(call)
      guard operation != nil else { throw refusedMethod }
      return try serve(call)
    case .loginLimiter:
      if settings.limitsLogins { try loginLimiter.admit(request.peer, at: now) }
    case .mfaLimiter:
      if settings.limitsLogins { try mfaLimiter.admit(request.peer, at: now) }
    case .none: break
    }
    guard operation != nil else { throw refusedMethod }
    return try serve(call)
  }

  private mutating func serve(_ call: ServiceCall) throws(Refusal) -> EmulatedResponse {
    switch call.call.operation {
    case .listServiceUsers: try listServiceUsers(call)
    case .createServiceUser: try createServiceUser(call)
    case .getServiceUser: try getServiceUser(call)
    case .updateServiceUser: try updateServiceUser(call)
    case .deleteServiceUser: try deleteServiceUser(call)
    case .listServiceSubscriptions: try listServiceSubscriptions(call)
    case .createServiceSubscription: try createServiceSubscription(call)
    case .getServiceSubscription: try getServiceSubscription(call)
    case .updateServiceSubscription: try updateServiceSubscription(call)
    case .deleteServiceSubscription: try deleteServiceSubscription(call)
    case .getServiceAnalytics: try getServiceAnalytics(call)
    case .requestProviderToken: try requestProviderToken(call)
    case .getServiceInfo: try getServiceInfo(call)
    case .updateServiceInfo: try updateServiceInfo(call)
    default: throw .empty(status: 404, allow: nil)
    }
  }

  private mutating func serve(_ call: ManagementCall) throws(Refusal) -> EmulatedResponse {
    switch call.call.operation {
    case .createApiKey: try createApiKey(call)
    case .listApiKeys: try listApiKeys(call)
    case .getApiKey: try getApiKey(call)
    case .deleteApiKey: try deleteApiKey(call)
    case .rotateServiceSecret: try rotateServiceSecret(call)
    case .listServicePlans: try listServicePlans(call)
    default: throw .empty(status: 404, allow: nil)
    }
  }

  private mutating func serve(_ call: Call) throws(Refusal) -> EmulatedResponse {
    let version = JSONValue.string(settings.version)
    switch call.operation {
    case .login: return try login(call)
    case .refreshToken: return try refreshToken(call)
    case .verifyMfa: return try verifyMfa(call)
    case .health: return .json(["status": "healthy", "version": version])
    case .healthLive: return EmulatedResponse(status: 200)
    case .healthReady:
      return .json(["status": "ready", "version": version, "database": "connected"])
    case .jwks:
      guard let keys = try? signer.keySet() else { throw .databaseError }
      return .json(keys)
    default: throw .empty(status: 404, allow: nil)
    }
  }
}
