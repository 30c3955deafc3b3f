// Twenty per cent of every kind of trouble.

import AuthOSEmulator

extension FaultPlan {
  /// A plan under which this share of all requests but logins meets a fault, of every kind that the emulator has.
  static func everything(seed: UInt64, share: Double) -> FaultPlan {
    let all = route { !$0.hasPrefix("login") && $0 != "refreshToken" && $0 != "verifyMfa" }
    let general: [Fault] = [
      .status500, .error500AfterEffect, .timeout408BeforeEffect, .timeout408AfterEffect,
      .dropBefore,
      .dropAfter, .slow(.milliseconds(150)), .slowAfterEffect(.milliseconds(150)),
      .tooManyRequests(retryAfter: 1), .tooManyRequests(retryAfter: nil),
      .tooManyRequestsUntil(secondsAhead: 1), .htmlBadGateway502, .htmlBadGateway502AfterEffect,
      .unavailable503(retryAfter: 1), .unavailable503(retryAfter: nil), .emptyNotFound404,
      .bookkeeping500,
    ]
    let halfWay = Fault.Interruption.allCases.map { Fault.stopHalfWay($0) }
    // Rules are asked one after the other, so each takes its part of what the earlier ones left.
    var left = 1.0
    func rules(_ route: FaultRoute, _ faults: [Fault], share: Double) -> [FaultRule] {
      faults.map { fault in
        let part = share / Double(faults.count)
        defer { left -= part }
        return FaultRule(route, fault, probability: part / left)
      }
    }
    return FaultPlan(
      seed: seed,
      rules: rules(FaultRoute(.createServiceUser, .deleteServiceUser), halfWay, share: share / 8)
        + rules(
          FaultRoute(.deleteServiceUser), [.silentSubscriptionDeleteFailure], share: share / 16)
        + rules(all, general, share: share))
  }

  private static func route(_ isWanted: (String) -> Bool) -> FaultRoute {
    var route = FaultRoute(.getServiceInfo)
    route.operations = Set(Operation.allCases.filter { isWanted($0.rawValue) })
    return route
  }
}
