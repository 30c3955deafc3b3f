// A request whose answer was lost may be carried out late. What must not meet it then is not over before.

import JSON
import Secrets
import Testing

@testable import JobModel

@Suite struct `A request that a proxy passes on 29 seconds late` {
  /// An order, and the step whose request comes late.
  struct Order: Sendable, CustomTestStringConvertible {
    var type: String
    var payload: [(String, JSONValue)]
    var step: String
    var subscription: FakeAuthOS.Subscription? = oldSubscription
    var testDescription: String { "\(type), \(step)" }
  }

  private static let user: (String, JSONValue) = ("user_id", .string(someUser))

  static let orders: [Order] = [
    Order(type: "change_plan", payload: [user, ("plan_id", "plan-team")], step: "remove_old"),
    Order(
      type: "change_plan", payload: [user, ("plan_id", "plan-free"), ("status", "active")],
      step: "set_terms"),
    Order(
      type: "update_subscription", payload: [user, ("status", "past_due")], step: "update"),
    Order(type: "cancel_subscription", payload: [user], step: "remove"),
    Order(type: "update_service_info", payload: [("name", "Gate")], step: "rename"),
    Order(type: "revoke_access", payload: [user], step: "relink"),
    Order(type: "rotate_api_key", payload: [("job_type", "create_user")], step: "create_key"),
    Order(
      type: "create_api_key",
      payload: [
        ("name", "reports"), ("permissions", ["read:users"]),
        ("public_key", .string(SealingPrivateKey().publicKey.description)),
      ], step: "create"),
  ]

  private static func simulation(_ order: Order) throws -> Simulation {
    var simulation = try Simulation(
      order.type, JSONObject(order.payload), authOS: someWorld(subscription: order.subscription))
    simulation.secrets = ["test/create_user.key": firstKey]
    simulation.lateStep = order.step
    if order.type == "revoke_access" {
      // The row comes back between the two deletions, and the server silently keeps it.
      simulation.authOS.keepsSubscriptionOnDelete = true
      simulation.beforeSending = { request, authOS in
        if request.step == "remove_user" { authOS.subscriptions[someUser] = oldSubscription }
      }
    }
    return simulation
  }

  @Test(arguments: orders) func `has acted when its job ends`(order: Order) throws {
    var simulation = try Self.simulation(order)
    #expect(try simulation.run() == .completed)
    #expect(simulation.lateStep == nil, "the request was sent")
    #expect(simulation.late.isEmpty, "a later job could meet it")
    let waits = simulation.records.compactMap { record in
      if case .retry(let delay, let burnsAttempt, _, let error) = record,
        error.code == "MAY_STILL_ACT"
      {
        (delay, burnsAttempt, error.text)
      } else {
        nil
      }
    }
    #expect(waits.count == 1)
    #expect(waits.first?.0 == .seconds(35))
    #expect(waits.first?.1 == false, "waiting costs no attempt")
    #expect(
      waits.first?.2
        == "the answer to a request was lost, and the job waits until it can no longer act; asked again by wait"
    )
  }

  @Test(arguments: [
    (Duration.milliseconds(1_001), 2), (.seconds(50), 50), (.seconds(2 * 86_400), 86_400),
  ])
  func `is outlasted for as long as the worker was told`(pause: Duration, seconds: Int) throws {
    var simulation = try Self.simulation(Self.orders[0])
    simulation.lostRequestPause = pause
    _ = try simulation.run()
    let waits = simulation.records.compactMap { record -> Duration? in
      guard case .retry(let delay, _, _, let error) = record, error.code == "MAY_STILL_ACT" else {
        return nil
      }
      return delay
    }
    #expect(waits == [.seconds(seconds)])
  }

  @Test func `does not take the new subscription of a change of plan away`() throws {
    var simulation = try Self.simulation(Self.orders[0])
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.subscriptions[someUser]?.planID == "plan-team")
    #expect(
      simulation.authOS.ledger == [
        "delete subscription user-a", "create subscription user-a plan-team",
      ])
  }

  @Test func `does not link a user again whose access was revoked`() throws {
    let order = try #require(Self.orders.first { $0.step == "relink" })
    var simulation = try Self.simulation(order)
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.linked.isEmpty)
    #expect(simulation.authOS.subscriptions.isEmpty)
  }
}
