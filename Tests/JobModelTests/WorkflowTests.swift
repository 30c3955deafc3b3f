// The job types against a fake AuthOS: plainly, with the worker dying at every point, and with every
// request going wrong in every way.

import Arazzo
import JSON
import Testing

@testable import JobModel

let firstScenarios: [Scenario] = [
  Scenario(
    name: "create_user makes a new user", type: "create_user",
    payload: JSONObject([("email", "grace@example.com")]), world: FakeAuthOS()
  ) { simulation in
    #expect(simulation.authOS.ledger == ["create user grace@example.com", "link user-1"])
  },
  Scenario(
    name: "create_user finds a linked user", type: "create_user",
    payload: JSONObject([("email", "ada@example.com")]), world: someWorld()
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "change_plan moves a subscription", type: "change_plan",
    payload: JSONObject([("user_id", .string(someUser)), ("plan_id", "plan-team")]),
    world: serverWorld(subscription: oldSubscription)
  ) { simulation in
    var new = oldSubscription
    new.planID = "plan-team"
    #expect(simulation.authOS.subscriptions[someUser] == new)
    #expect(
      simulation.authOS.ledger == [
        "delete subscription user-a", "create subscription user-a plan-team",
      ])
  },
  Scenario(
    name: "change_plan moves a subscription to new terms", type: "change_plan",
    payload: JSONObject([
      ("user_id", .string(someUser)), ("plan_id", "plan-team"), ("status", "active"),
      ("current_period_end", "2031-01-01T00:00:00Z"),
    ]), world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(
      simulation.authOS.subscriptions[someUser]
        == FakeAuthOS.Subscription(
          planID: "plan-team", status: "active", periodEnd: "2031-01-01T00:00:00Z"))
    #expect(simulation.authOS.ledger.count == 2)
  },
  Scenario(
    name: "change_plan gives a first subscription", type: "change_plan",
    payload: JSONObject([("user_id", .string(someUser)), ("plan_id", "plan-team")]),
    world: someWorld()
  ) { simulation in
    #expect(simulation.authOS.ledger == ["create subscription user-a plan-team"])
  },
  Scenario(
    name: "change_plan changes the terms alone", type: "change_plan",
    payload: JSONObject([
      ("user_id", .string(someUser)), ("plan_id", "plan-free"), ("status", "active"),
    ]), world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.ledger == ["update subscription user-a"])
    #expect(simulation.authOS.subscriptions[someUser]?.periodEnd == oldSubscription.periodEnd)
  },
  Scenario(
    name: "change_plan leaves a right plan alone", type: "change_plan",
    payload: JSONObject([("user_id", .string(someUser)), ("plan_id", "plan-free")]),
    world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "change_plan brings the old plan back", type: "change_plan",
    payload: JSONObject([("user_id", .string(someUser)), ("plan_id", "plan-foreign")]),
    world: someWorld(subscription: oldSubscription),
    ending: .discarded(["restored", "restored_after_all"])
  ) { simulation in
    #expect(simulation.authOS.subscriptions[someUser] == oldSubscription)
    #expect(
      simulation.authOS.ledger == [
        "delete subscription user-a", "create subscription user-a plan-free",
      ])
  },
  Scenario(
    name: "revoke_access removes both", type: "revoke_access",
    payload: JSONObject([("user_id", .string(someUser))]),
    world: someWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.ledger == ["delete subscription user-a", "unlink user-a"])
  },
  Scenario(
    name: "revoke_access removes both on a database server", type: "revoke_access",
    payload: JSONObject([("user_id", .string(someUser))]),
    world: serverWorld(subscription: oldSubscription)
  ) { simulation in
    #expect(simulation.authOS.linked.isEmpty)
    #expect(simulation.authOS.subscriptions.isEmpty)
  },
  Scenario(
    name: "revoke_access finds nothing to do", type: "revoke_access",
    payload: JSONObject([("user_id", .string(someUser))]), world: someWorld(linked: false)
  ) { simulation in
    #expect(simulation.authOS.ledger.isEmpty)
  },
  Scenario(
    name: "rotate_api_key replaces a key", type: "rotate_api_key",
    payload: JSONObject([("job_type", "create_user")]), world: someWorld(),
    secrets: ["test/create_user.key": firstKey]
  ) { simulation in
    #expect(simulation.authOS.keys.count == 1)
    #expect(simulation.authOS.keys.first?.id != "key-old")
    #expect(
      simulation.secrets == ["test/create_user.key": simulation.authOS.keys.first?.secret ?? ""])
  },
  Scenario(
    name: "rotate_api_key puts a first key in place", type: "rotate_api_key",
    payload: JSONObject([("job_type", "create_user")]), world: FakeAuthOS()
  ) { simulation in
    #expect(simulation.authOS.keys.count == 1)
    #expect(
      simulation.secrets == ["test/create_user.key": simulation.authOS.keys.first?.secret ?? ""])
  },
]

private let scenarios = firstScenarios + catalogueScenarios

@Suite struct `The job types` {
  @Test(arguments: scenarios)
  private func `do what is ordered`(scenario: Scenario) throws {
    var simulation = try scenario.simulation()
    let outcome = try simulation.run()
    expectOver(outcome, scenario)
    scenario.check(simulation)
    #expect(simulation.row.attempt == scenario.attempts)
  }

  @Test(arguments: scenarios)
  private func `do it just as well when the worker dies at any point`(scenario: Scenario) throws {
    var point = 0
    while true {
      var simulation = try scenario.simulation()
      simulation.crashAfter = point
      let outcome = try simulation.run()
      expectOver(outcome, scenario, "the worker died at point \(point)")
      scenario.check(simulation)
      expectSound(simulation, "the worker died at point \(point)")
      if simulation.crashAfter != nil { break }
      point += 1
    }
    #expect(point > 2)
  }

  @Test(arguments: scenarios)
  private func `do it just as well when workers die twice`(scenario: Scenario) throws {
    for first in stride(from: 0, to: 13, by: 3) {
      for second in 0..<10 {
        var simulation = try scenario.simulation()
        simulation.crashAfter = first
        if let outcome = try? simulation.attempt(), outcome.isEnd { continue }
        simulation.row.failures = 1
        simulation.crashAfter = second
        expectOver(try simulation.run(), scenario, "died at \(first) and \(second)")
        scenario.check(simulation)
      }
    }
  }

  @Test(arguments: scenarios)
  private func `do it just as well when any one request goes wrong`(scenario: Scenario) throws {
    var plain = try scenario.simulation()
    _ = try plain.run()
    for index in 0..<plain.requests.count {
      for fault in Fault.allCases {
        var simulation = try scenario.simulation()
        simulation.faults = Array(repeating: .none, count: index) + [fault]
        let outcome = try simulation.run()
        expectOver(outcome, scenario, "\(fault) at request \(index)")
        scenario.check(simulation)
        expectSound(simulation, "\(fault) at request \(index)")
      }
    }
  }

  @Test(arguments: scenarios)
  private func `do it just as well through faults and deaths of every kind`(
    scenario: Scenario
  ) throws {
    for seed in UInt64(1)...60 {
      var random = SeededRandom(seed: seed)
      var simulation = try scenario.simulation(seed: seed)
      simulation.faults = (0..<20).map { _ in
        Bool.random(using: &random) ? .none : Fault.allCases.randomElement(using: &random) ?? .none
      }
      simulation.crashAfter = Int.random(in: 0..<40, using: &random)
      simulation.storeFailures = Int.random(in: 0..<2, using: &random)
      let outcome = try simulation.run()
      expectOver(outcome, scenario, "seed \(seed)")
      scenario.check(simulation)
      expectSound(simulation, "seed \(seed)")
    }
  }

  /// Whether the job ended as the order has to.
  private func expectOver(
    _ outcome: JobOutcome, _ scenario: Scenario, _ comment: Comment? = nil
  ) {
    switch (outcome, scenario.ending) {
    case (.completed, .completed): break
    case (.discarded(let error), .discarded(let codes)), (.review(let error), .review(let codes)):
      #expect(codes.contains(error.code), comment)
    default: Issue.record("\(outcome) in \(scenario.name), \(comment?.rawValue ?? "")")
    }
  }

  /// Every change has a record, and no record holds a secret.
  private func expectSound(_ simulation: Simulation, _ comment: Comment) {
    #expect(simulation.row.journal.allSatisfy { $0.result != nil }, comment)
    let text = simulation.records.map { $0.json(job: 7, attempt: 1).serialized() }.joined()
    #expect(!text.contains(String(repeating: "c", count: 64)), comment)
    #expect(!text.contains(String(repeating: "a", count: 64)), comment)
  }
}

extension JobOutcome {
  /// Whether no worker gets the job again by itself.
  fileprivate var isEnd: Bool {
    switch self {
    case .completed, .discarded, .cancelled, .review: true
    case .retry, .userAction, .handedBack: false
    }
  }
}
