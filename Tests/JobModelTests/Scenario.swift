// An order, the world in which it is carried out, and how both look afterwards.

import JSON
import Testing

@testable import JobModel

let someUser = "user-a"
let oldSubscription = FakeAuthOS.Subscription(
  planID: "plan-free", status: "trialing", periodEnd: "2030-01-01T00:00:00Z")
let firstKey =
  "sk_aaaaaaaaaaaa_" + String(repeating: "a", count: 64)

/// What a job is ordered to do, and how the world looks afterwards.
struct Scenario: Sendable, CustomTestStringConvertible {
  var name: String
  var type: String
  var payload: JSONObject
  var world: FakeAuthOS
  var secrets: [String: String] = [:]
  /// How the job ends.
  var ending = Ending.completed
  /// How many attempts it takes when nothing goes wrong; each doubt is settled in an attempt of its own.
  var attempts = 1
  /// Checks the world once the job is over; the ledger counts every change.
  var check: @Sendable (Simulation) -> Void
  var testDescription: String { name }

  /// The right end of an order.
  enum Ending: Sendable {
    case completed
    /// Refused, with one of these codes.
    case discarded(Set<String>)
    /// A person has to decide, with one of these codes.
    case review(Set<String>)
  }

  func simulation(seed: UInt64 = 1) throws -> Simulation {
    var simulation = try Simulation(type, payload, authOS: world, seed: seed)
    simulation.secrets = secrets
    return simulation
  }
}

func someWorld(
  linked: Bool = true, subscription: FakeAuthOS.Subscription? = nil
) -> FakeAuthOS {
  var world = FakeAuthOS()
  world.emails["ada@example.com"] = someUser
  if linked { world.linked = [someUser] }
  world.subscriptions[someUser] = subscription
  world.keys = [
    FakeAuthOS.Key(id: "key-old", name: "first", secret: firstKey, permissions: ["write:users"])
  ]
  return world
}

func serverWorld(
  linked: Bool = true, subscription: FakeAuthOS.Subscription? = nil
) -> FakeAuthOS {
  var result = someWorld(linked: linked, subscription: subscription)
  result.database = .server
  return result
}
