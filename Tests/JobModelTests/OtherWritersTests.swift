// What the job types do when somebody else changes the same rows, and what they refuse.

import Arazzo
import JSON
import Testing

@testable import JobModel

private let old = FakeAuthOS.Subscription(
  planID: "plan-free", status: "active", periodEnd: "2030-01-01T00:00:00Z")

private func world(subscription: FakeAuthOS.Subscription? = old) -> FakeAuthOS {
  var world = FakeAuthOS()
  world.emails["ada@example.com"] = "user-a"
  world.linked = ["user-a"]
  world.subscriptions["user-a"] = subscription
  return world
}

private func change(_ plan: String, _ world: FakeAuthOS) throws -> Simulation {
  try Simulation(
    "change_plan", JSONObject([("user_id", "user-a"), ("plan_id", .string(plan))]),
    authOS: world)
}

private func revoke(_ world: FakeAuthOS) throws -> Simulation {
  try Simulation("revoke_access", JSONObject([("user_id", "user-a")]), authOS: world)
}

private func code(_ outcome: JobOutcome) -> String {
  switch outcome {
  case .completed: "completed"
  case .discarded(let error): "discarded: \(error.code)"
  case .review(let error): "review: \(error.code)"
  default: "\(outcome)"
  }
}

@Suite struct `A change of plan` {
  @Test func `is refused for a user who is not linked`() throws {
    var simulation = try change("plan-team", FakeAuthOS())
    #expect(code(try simulation.run()) == "discarded: user_not_linked")
    #expect(simulation.requests == ["read_current"])
  }

  @Test(arguments: ["plan-foreign", "plan-unknown"])
  func `to a plan that is refused leaves a user without subscription as he was`(
    plan: String
  ) throws {
    var simulation = try change(plan, world(subscription: nil))
    #expect(code(try simulation.run()) == "discarded: plan_refused")
    #expect(simulation.authOS.ledger.isEmpty)
  }

  @Test func `waits for a person when another writer got in between`() throws {
    var simulation = try change("plan-team", world())
    simulation.beforeSending = { request, authOS in
      guard request.step == "create_new" else { return }
      authOS.subscriptions["user-a"] = FakeAuthOS.Subscription(
        planID: "plan-free", status: "active", periodEnd: "2040-01-01T00:00:00Z")
    }
    #expect(code(try simulation.run()) == "review: other_writer")
    #expect(simulation.authOS.subscriptions["user-a"]?.periodEnd == "2040-01-01T00:00:00Z")
  }

  @Test func `goes on when somebody else has removed the old subscription`() throws {
    var simulation = try change("plan-team", world())
    simulation.beforeSending = { request, authOS in
      if request.step == "remove_old" { authOS.subscriptions["user-a"] = nil }
    }
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.ledger == ["create subscription user-a plan-team"])
  }

  @Test func `has everything that the new subscription needs on record before the old one goes`()
    throws
  {
    var simulation = try change("plan-team", world())
    _ = try simulation.run()
    let kinds = simulation.records.map { record in
      switch record {
      case .outcome(let outcome): "outcome \(outcome.step)"
      case .intent(_, let step, _): "intent \(step)"
      default: record.kind
      }
    }
    #expect(
      kinds == [
        "outcome read_current", "outcome settle_terms", "intent remove_old",
        "outcome remove_old", "intent create_new", "outcome create_new", "complete",
      ])
  }
}

@Suite struct `A revocation` {
  @Test(arguments: [FakeAuthOS.Database.sqlite, .server])
  fileprivate func `removes an orphan that the server left behind`(
    database: FakeAuthOS.Database
  ) throws {
    var world = world()
    world.database = database
    var simulation = try revoke(world)
    // The row comes back between the two deletions, and the server silently keeps it.
    simulation.authOS.keepsSubscriptionOnDelete = true
    simulation.beforeSending = { request, authOS in
      if request.step == "remove_user" { authOS.subscriptions["user-a"] = old }
    }
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.subscriptions.isEmpty)
    #expect(simulation.authOS.linked.isEmpty)
    #expect(simulation.requests.contains("relink"))
  }

  @Test func `waits for a person where the orphan's address is unknown`() throws {
    var world = world()
    world.linked = []
    var simulation = try revoke(world)
    #expect(code(try simulation.run()) == "review: orphan_of_stranger")
    #expect(simulation.authOS.ledger.isEmpty)
  }

  @Test func `waits for a person when the user is linked again meanwhile`() throws {
    var simulation = try revoke(world())
    simulation.beforeSending = { request, authOS in
      if request.step == "prove_user_gone" { authOS.linked = ["user-a"] }
    }
    #expect(code(try simulation.run()) == "review: linked_again")
  }

  @Test func `keeps the e-mail address out of what is recorded in the clear`() throws {
    var simulation = try revoke(world())
    _ = try simulation.run()
    let outcomes = simulation.records.compactMap { record in
      if case .outcome(let outcome) = record { outcome } else { nil }
    }
    #expect(outcomes.first?.recorded.digested["email"] == "ada@example.com")
    #expect(outcomes.allSatisfy { $0.recorded.clear["email"] == nil })
  }
}

@Suite struct `A rotation` {
  private func rotate(
    secrets: [String: String] = [:], keys: [FakeAuthOS.Key] = []
  ) throws -> Simulation {
    var world = FakeAuthOS()
    world.keys = keys
    var simulation = try Simulation(
      "rotate_api_key", JSONObject([("job_type", "create_user")]), authOS: world)
    simulation.secrets = secrets
    return simulation
  }

  @Test func `refuses to replace a key that the service does not have`() throws {
    let stranger = "sk_bbbbbbbbbbbb_" + String(repeating: "b", count: 64)
    var simulation = try rotate(secrets: ["test/create_user.key": stranger])
    #expect(code(try simulation.run()) == "discarded: not_of_this_service")
    #expect(simulation.authOS.ledger.isEmpty)
  }

  @Test func `deletes the key whose secret was lost before it makes another one`() throws {
    var simulation = try rotate()
    simulation.storeFailures = 1
    #expect(try simulation.run() == .completed)
    #expect(
      simulation.authOS.ledger == ["create key key-1", "delete key key-1", "create key key-2"])
    #expect(simulation.authOS.keys.map(\.name) == ["writ create_user job 7"])
    #expect(simulation.authOS.keys.map(\.permissions) == [["write:users"]])
  }

  @Test func `waits for a person when the new key is dead`() throws {
    var simulation = try rotate()
    simulation.beforeSending = { request, authOS in
      if request.step == "prove_new" { authOS.keys = [] }
    }
    #expect(code(try simulation.run()) == "review: not_accepted")
    #expect(simulation.requests.count { $0 == "prove_new" } == 6)
    #expect(simulation.secrets["test/create_user.key"] == nil)
  }
}
