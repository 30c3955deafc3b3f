// Every way for a request to go wrong, on every route that changes something: the job still ends as
// ordered, and the ledger shows its effect once.

import AuthOSEmulator
import JSON
import Testing

@testable import JobRunner

@Suite struct FaultTests {
  static let faults: [Fault] = [
    .status500, .error500AfterEffect, .timeout408BeforeEffect, .timeout408AfterEffect, .dropBefore,
    .dropAfter, .tooManyRequests(retryAfter: 0), .htmlBadGateway502, .htmlBadGateway502AfterEffect,
    .unavailable503(retryAfter: nil), .emptyNotFound404, .bookkeeping500,
  ]

  /// Runs one job a fault, the fault on the next request of a route.
  private func runThroughFaults(
    on route: AuthOSEmulator.Operation, _ faults: [Fault], users: [SeedUser] = [],
    payload: @escaping @Sendable (Workshop, Int) -> (String, JSONValue)
  ) async throws -> Workshop? {
    // Written once by the body, which has returned when it is read.
    nonisolated(unsafe) var result: Workshop?
    try await Workshop.open(users: users) { workshop in
      result = workshop
      try await workshop.withWorker { _, _ in
        for (number, fault) in faults.enumerated() {
          workshop.authOS.faults = FaultPlan(rules: [FaultRule(FaultRoute(route), script: [fault])])
          let (type, payload) = payload(workshop, number)
          let job = try await workshop.order(type, payload)
          try await workshop.expect(job, toBe: "completed")
        }
      }
    }
    return result
  }

  private static func people(plan: String?) -> [SeedUser] {
    (0..<20).map { SeedUser(email: "user\($0)@example.com", plan: plan) }
  }

  private static func userID(_ workshop: Workshop, _ number: Int) -> JSONValue {
    JSONValue(workshop.authOS.seeded.userIDs["user\(number)@example.com"])
  }

  @Test func `a user is created once whatever goes wrong`() async throws {
    let faults =
      Self.faults + [
        .stopHalfWay(.connectionDropped), .stopHalfWay(.databaseError), .stopHalfWay(.timeout),
      ]
    let workshop = try await runThroughFaults(on: .createServiceUser, faults) { _, number in
      ("create_user", ["email": .string("new\(number)@example.com")])
    }
    #expect(workshop?.effects(.userInserted) == faults.count)
    #expect(workshop?.effects(.linkInserted) == faults.count)
  }

  @Test(arguments: [
    AuthOSEmulator.Operation.deleteServiceSubscription, .createServiceSubscription,
  ])
  func `a plan is changed once whatever goes wrong`(route: AuthOSEmulator.Operation) async throws {
    let workshop = try await runThroughFaults(
      on: route, Self.faults, users: Self.people(plan: "free")
    ) { workshop, number in
      let plan = JSONValue(workshop.authOS.seeded.planIDs["pro"])
      return ("change_plan", ["user_id": Self.userID(workshop, number), "plan_id": plan])
    }
    #expect(workshop?.effects(.subscriptionDeleted) == Self.faults.count)
    #expect(workshop?.effects(.subscriptionInserted) == Self.faults.count)
    let changed = workshop?.authOS.snapshot.users.filter { $0.subscription?.planName == "pro" }
    #expect(changed?.count == Self.faults.count)
  }

  @Test(arguments: [AuthOSEmulator.Operation.deleteServiceSubscription, .deleteServiceUser])
  func `access is revoked whatever goes wrong`(route: AuthOSEmulator.Operation) async throws {
    let faults = Self.faults + [.stopHalfWay(.connectionDropped), .silentSubscriptionDeleteFailure]
    let workshop = try await runThroughFaults(
      on: route, faults, users: Self.people(plan: "pro")
    ) { workshop, number in ("revoke_access", ["user_id": Self.userID(workshop, number)]) }
    #expect(workshop?.effects(.linkRemoved) == faults.count)
    #expect(workshop?.effects(.subscriptionDeleted) == faults.count)
    let gone = workshop?.authOS.snapshot.users.filter { !$0.isLinked && $0.subscription == nil }
    #expect(gone?.count == faults.count)
  }

  @Test(arguments: [AuthOSEmulator.Operation.createApiKey, .deleteApiKey])
  func `a key is rotated without an orphan whatever goes wrong`(
    route: AuthOSEmulator.Operation
  ) async throws {
    // Bookkeeping is a matter of API keys; these routes take a session.
    let faults = Self.faults.filter { $0 != .bookkeeping500 }
    let workshop = try await runThroughFaults(on: route, faults) { _, _ in
      ("rotate_api_key", ["job_type": "create_user"])
    }
    let keys = workshop?.authOS.snapshot.keys ?? []
    #expect(keys.count == workshop?.authOS.seeded.apiKeys.count)
    let held = try workshop?.secrets.text("default/create_user.key")?.prefix(15)
    #expect(keys.contains { $0.prefix == held ?? "" })
  }
}
