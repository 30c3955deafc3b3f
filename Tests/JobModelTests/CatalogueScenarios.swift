// Orders of the job types that are one operation, of those that read, and of the composites.

import JSON
import Secrets
import Testing

@testable import JobModel

private let newKey = "sk_bbbbbbbbbbbb_" + String(repeating: "b", count: 64)

/// Whose secrets are sealed.
private let sealingKey = SealingPrivateKey()

extension Simulation {
  /// A sealed member of the result.
  fileprivate func opened(_ name: String) -> Secret? {
    guard let text = result?[name]?.stringValue, let sealed = try? SealedText(text) else {
      return nil
    }
    return try? sealed.open(with: sealingKey)
  }
}

private func about(_ user: String = someUser, _ others: [(String, JSONValue)] = []) -> JSONObject {
  JSONObject([("user_id", .string(user))] + others)
}

private func worldWithUsers(_ count: Int) -> FakeAuthOS {
  var world = FakeAuthOS()
  for number in 1_001...1_000 + count {
    world.emails["user\(number)@example.com"] = "user-\(number)"
    world.linked.insert("user-\(number)")
  }
  return world
}

private func worldWithKey(_ permission: String) -> FakeAuthOS {
  var world = FakeAuthOS()
  world.keys = [
    FakeAuthOS.Key(id: "key-own", name: "own", secret: newKey, permissions: [permission])
  ]
  return world
}

private let reading: [Scenario] = [
  Scenario(
    name: "get_user gives a linked user", type: "get_user", payload: about(), world: someWorld()
  ) { simulation in
    #expect(simulation.rows.map(\.fields["email"]) == ["ada@example.com"])
    #expect(simulation.result?["user_id"] == .string(someUser))
    #expect(simulation.result?["email"] == nil)
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "get_user says that a user is not linked", type: "get_user", payload: about(),
    world: someWorld(linked: false), ending: .discarded(["user_not_linked"])
  ) { simulation in
    #expect(simulation.rows.isEmpty)
  },
  Scenario(
    name: "update_user gives a linked user and changes nothing", type: "update_user",
    payload: about(), world: someWorld()
  ) { simulation in
    #expect(simulation.rows.map(\.fields["email"]) == ["ada@example.com"])
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "get_subscription gives the true period end", type: "get_subscription",
    payload: about(), world: serverWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.result?["current_period_end"] == .string(oldSubscription.periodEnd))
    #expect(simulation.result?["status"] == "trialing")
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "get_subscription says that there is none", type: "get_subscription",
    payload: about(), world: someWorld(), ending: .discarded(["no_subscription"])
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "list_users gives everybody once", type: "list_users", payload: JSONObject(),
    world: worldWithUsers(250)
  ) { simulation in
    #expect(simulation.rows.map(\.key) == (1_001...1_250).map { "user-\($0)" })
    #expect(simulation.result?["total"] == 250)
  },
  Scenario(
    name: "list_users gives nobody", type: "list_users", payload: JSONObject(),
    world: FakeAuthOS()
  ) { simulation in
    #expect(simulation.rows.isEmpty)
    #expect(simulation.result?["rows"] == 0)
  },
  Scenario(
    name: "list_subscriptions gives those of one status", type: "list_subscriptions",
    payload: JSONObject([("status", "trialing")]), world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.rows.map(\.fields["user_id"]) == [.string(someUser)])
    #expect(simulation.rows.allSatisfy { $0.fields["current_period_end"] == nil })
  },
  Scenario(
    name: "list_subscriptions says that a database server cannot", type: "list_subscriptions",
    payload: JSONObject(), world: serverWorld(subscription: oldSubscription),
    ending: .discarded(["cannot_be_listed"]), attempts: 7
  ) { simulation in
    #expect(simulation.rows.isEmpty)
  },
  Scenario(
    name: "list_api_keys gives keys without secrets", type: "list_api_keys",
    payload: JSONObject(), world: someWorld()
  ) { simulation in
    #expect(simulation.rows.map(\.fields["prefix"]) == ["sk_aaaaaaaaaaaa"])
  },
  Scenario(
    name: "list_plans gives plans", type: "list_plans", payload: JSONObject(), world: someWorld()
  ) { simulation in
    #expect(simulation.rows.map(\.key) == ["plan-free", "plan-team"])
    #expect(simulation.rows.first?.fields["subscription_count"] == 0)
    #expect(simulation.rows.first?.fields["description"] == .null)
  },
  Scenario(
    name: "capture_analytics counts", type: "capture_analytics", payload: JSONObject(),
    world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(
      simulation.result.map(JSONValue.object) == [
        "total_users": 1, "total_subscriptions": 1, "active_subscriptions": 0,
        "total_logins_30d": 5, "unique_users_30d": 3,
      ])
  },
  Scenario(
    name: "get_service_info reads", type: "get_service_info", payload: JSONObject(),
    world: worldWithKey("read:service"), secrets: ["test/get_service_info.key": newKey]
  ) { simulation in
    #expect(simulation.result?["name"] == "Portal")
  },
]

private let changing: [Scenario] = [
  Scenario(
    name: "create_subscription makes one", type: "create_subscription",
    payload: about(someUser, [("plan_id", "plan-team")]), world: serverWorld()
  ) { simulation in
    #expect(simulation.authOS.ledger == ["create subscription user-a plan-team"])
    #expect(simulation.authOS.subscriptions[someUser]?.status == "active")
    #expect(simulation.result?["plan_id"] == "plan-team")
  },
  Scenario(
    name: "create_subscription finds the one that was ordered", type: "create_subscription",
    payload: about(someUser, [("plan_id", "plan-free"), ("status", "trialing")]),
    world: serverWorld(subscription: oldSubscription), attempts: 2
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
    #expect(simulation.result?["current_period_end"] == .string(oldSubscription.periodEnd))
  },
  Scenario(
    name: "create_subscription leaves another plan alone", type: "create_subscription",
    payload: about(someUser, [("plan_id", "plan-team")]),
    world: someWorld(subscription: oldSubscription), ending: .discarded(["has_another_plan"]),
    attempts: 2
  ) { simulation in
    #expect(simulation.authOS.subscriptions[someUser] == oldSubscription)
  },
  Scenario(
    name: "create_subscription leaves another status alone", type: "create_subscription",
    payload: about(someUser, [("plan_id", "plan-free")]),
    world: someWorld(subscription: oldSubscription), ending: .discarded(["has_another_status"]),
    attempts: 2
  ) { simulation in
    #expect(simulation.authOS.subscriptions[someUser] == oldSubscription)
  },
  Scenario(
    name: "create_subscription refuses an unknown plan", type: "create_subscription",
    payload: about(someUser, [("plan_id", "plan-unknown")]), world: someWorld(),
    ending: .discarded(["plan_refused"])
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "create_subscription refuses a user who is not linked", type: "create_subscription",
    payload: about(someUser, [("plan_id", "plan-team")]), world: someWorld(linked: false),
    ending: .discarded(["user_not_linked"])
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "update_subscription changes the status alone", type: "update_subscription",
    payload: about(someUser, [("status", "active")]),
    world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.ledger == ["update subscription user-a"])
    #expect(simulation.authOS.subscriptions[someUser]?.periodEnd == oldSubscription.periodEnd)
    #expect(simulation.result?["status"] == "active")
  },
  Scenario(
    name: "update_subscription refuses where there is none", type: "update_subscription",
    payload: about(someUser, [("status", "active")]), world: someWorld(),
    ending: .discarded(["no_subscription"])
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "cancel_subscription removes one", type: "cancel_subscription", payload: about(),
    world: serverWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.ledger == ["delete subscription user-a"])
    #expect(simulation.authOS.linked == [someUser])
  },
  Scenario(
    name: "cancel_subscription finds none", type: "cancel_subscription", payload: about(),
    world: someWorld()
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "update_service_info renames the service", type: "update_service_info",
    payload: JSONObject([("name", "Front door")]), world: FakeAuthOS()
  ) { simulation in
    #expect(simulation.authOS.ledger == ["rename service"])
    #expect(simulation.authOS.serviceName == "Front door")
  },
  Scenario(
    name: "create_api_key leaves one live key, sealed", type: "create_api_key",
    payload: JSONObject([
      ("name", "reports"), ("permissions", .array(["read:users"])),
      ("expires_in_days", JSONValue(30)),
      ("public_key", .string(sealingKey.publicKey.description)),
    ]), world: someWorld()
  ) { simulation in
    let made = simulation.authOS.keys.filter { $0.id != "key-old" }
    #expect(made.map(\.name) == ["reports (writ job 7 of 0123abcd)"])
    #expect(made.map(\.permissions) == [["read:users"]])
    #expect(simulation.opened("key") == made.first.map { Secret($0.secret) })
    #expect(simulation.secrets.isEmpty)
    #expect(simulation.authOS.keys.contains { $0.id == "key-old" })
  },
  Scenario(
    name: "revoke_api_key kills a key", type: "revoke_api_key",
    payload: JSONObject([("api_key_id", "key-old")]), world: someWorld()
  ) { simulation in
    #expect(simulation.authOS.keys.isEmpty)
    #expect(simulation.authOS.ledger == ["delete key key-old"])
    #expect(simulation.result?["name"] == "first")
  },
  Scenario(
    name: "revoke_api_key finds none", type: "revoke_api_key",
    payload: JSONObject([("api_key_id", "key-none")]), world: someWorld()
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "rotate_client_secret seals the one that is alive", type: "rotate_client_secret",
    payload: JSONObject([("public_key", .string(sealingKey.publicKey.description))]),
    world: FakeAuthOS()
  ) { simulation in
    #expect(simulation.authOS.clientSecret != "first")
    #expect(simulation.opened("client_secret") == Secret(simulation.authOS.clientSecret))
    #expect(simulation.result?["client_id"] == "client")
    #expect(simulation.secrets.isEmpty)
  },
]

private let composites: [Scenario] = [
  Scenario(
    name: "onboard_user makes a user with a subscription", type: "onboard_user",
    payload: JSONObject([("email", "grace@example.com"), ("plan_id", "plan-team")]),
    world: FakeAuthOS()
  ) { simulation in
    #expect(
      simulation.authOS.ledger == [
        "create user grace@example.com", "link user-1", "create subscription user-1 plan-team",
      ])
    #expect(simulation.result?["user_id"] == "user-1")
    #expect(simulation.result?["status"] == "active")
  },
  Scenario(
    name: "onboard_user finds both", type: "onboard_user",
    payload: JSONObject([
      ("email", "ada@example.com"), ("plan_id", "plan-free"), ("status", "trialing"),
    ]), world: serverWorld(subscription: oldSubscription), attempts: 2
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "onboard_user has a person look when the plan is refused", type: "onboard_user",
    payload: JSONObject([("email", "grace@example.com"), ("plan_id", "plan-unknown")]),
    world: FakeAuthOS(), ending: .review(["no_subscription"])
  ) { simulation in
    #expect(simulation.authOS.ledger == ["create user grace@example.com", "link user-1"])
  },
  Scenario(
    name: "offboard_user keeps what there was and removes both", type: "offboard_user",
    payload: about(), world: serverWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.linked.isEmpty)
    #expect(simulation.authOS.ledger == ["delete subscription user-a", "unlink user-a"])
    #expect(simulation.rows.map(\.fields["email"]) == ["ada@example.com"])
    #expect(simulation.result?["plan_id"] == "plan-free")
    #expect(simulation.result?["current_period_end"] == .string(oldSubscription.periodEnd))
  },
  Scenario(
    name: "offboard_user finds nothing to do", type: "offboard_user", payload: about(),
    world: someWorld(linked: false)
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
    #expect(simulation.rows.isEmpty)
  },
]

/// Of every job type but those of `firstScenarios`.
let catalogueScenarios = reading + changing + composites
