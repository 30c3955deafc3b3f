// What the job types do when somebody else changes the same rows, and what they refuse.

import Arazzo
import JSON
import Secrets
import Synchronization
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
    #expect(simulation.authOS.keys.map(\.name) == ["writ create_user job 7 of 0123abcd"])
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

  private static let oldKey = FakeAuthOS.Key(
    id: "key-old", name: "create_user",
    secret: "sk_aaaaaaaaaaaa_" + String(repeating: "a", count: 64), permissions: ["write:users"])

  private static func otherKeys(_ count: Int) -> [FakeAuthOS.Key] {
    (0..<count).map { number in
      let digits = "\(number)"
      return FakeAuthOS.Key(
        id: "other-\(number)", name: "other",
        secret: "sk_e" + String(repeating: "0", count: 11 - digits.count) + digits + "_"
          + String(repeating: "e", count: 64), permissions: ["read:users"])
    }
  }

  @Test(arguments: [99, 100, 101, 149, 150, 151, 730])
  func `finds the old key among any number of newer ones`(count: Int) throws {
    var simulation = try rotate(
      secrets: ["test/create_user.key": Self.oldKey.secret],
      keys: [Self.oldKey] + Self.otherKeys(count))
    #expect(try simulation.run() == .completed)
    #expect(!simulation.authOS.keys.contains { $0.id == "key-old" })
    #expect(simulation.authOS.keys.count == count + 1)
  }

  @Test func `finds the old key although newer ones are deleted between two pages`() throws {
    var simulation = try rotate(
      secrets: ["test/create_user.key": Self.oldKey.secret],
      keys: [Self.oldKey] + Self.otherKeys(420))
    simulation.beforeSending = { request, authOS in
      if request.step == "find_old/list_keys" {
        authOS.keys.removeLast(min(50, authOS.keys.count - 1))
      }
    }
    #expect(try simulation.run() == .completed)
    #expect(!simulation.authOS.keys.contains { $0.id == "key-old" })
  }

  @Test func `finds the key whose secret was lost among any number of newer ones`() throws {
    var simulation = try rotate()
    simulation.storeFailures = 1
    let newer = Self.otherKeys(310)
    simulation.beforeSending = { request, authOS in
      if request.step == "look_for_orphan/list_keys", authOS.keys.count == 1 {
        authOS.keys += newer
      }
    }
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.keys.count == 311)
    #expect(
      simulation.authOS.ledger == ["create key key-1", "delete key key-1", "create key key-2"])
  }

  @Test func `leaves the keys of another installation alone`() throws {
    var foreign = Self.oldKey
    foreign.name = "writ create_user job 7 of ffffffff"
    var simulation = try rotate(keys: [foreign])
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.keys.map(\.id) == ["key-old", "key-1"])
  }

  @Test func `keeps the old key until every worker has loaded the new one`() throws {
    var simulation = try rotate(
      secrets: ["test/create_user.key": Self.oldKey.secret], keys: [Self.oldKey])
    simulation.loadingRounds = 15
    simulation.maxAttempts = 3
    simulation.beforeSending = { request, authOS in
      if request.step == "await_loaded" {
        #expect(authOS.keys.contains { $0.id == "key-old" })
      }
    }
    #expect(try simulation.run() == .completed)
    #expect(simulation.requests.count { $0 == "await_loaded" } == 16)
    #expect(simulation.row.failures == 0, "waiting costs no attempt")
    #expect(simulation.authOS.keys.map(\.id) == ["key-1"])
  }

  @Test func `asks a person when a worker never loads the new key, and goes on when it has`() throws
  {
    var simulation = try rotate(
      secrets: ["test/create_user.key": Self.oldKey.secret], keys: [Self.oldKey])
    simulation.loadingRounds = 53
    let outcome = try simulation.run()
    #expect(code(outcome) == "review: not_loaded")
    guard case .review(let error) = outcome else { return }
    #expect(
      error.text
        == "Not every worker has loaded the new key, so the old one is still alive. Put the new key into\n"
        + "the secret stores of these workers, or stop them, and replay the job. Without it: worker 9."
    )
    #expect(simulation.authOS.keys.map(\.id) == ["key-old", "key-1"])
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.keys.map(\.id) == ["key-1"])
  }

  @Test func `gives up a new key that is not in this worker's store`() throws {
    var simulation = try rotate()
    // Another worker's store took the key: this one never sees it.
    simulation.storeFailures = 0
    let isFirst = Mutex(true)
    simulation.beforeLocal = { request, secrets in
      guard request.operationID == "checkPendingKey", isFirst.withLock({ $0 }) else { return }
      isFirst.withLock { $0 = false }
      secrets["test/create_user.pending.key"] = nil
    }
    #expect(try simulation.run() == .completed)
    #expect(
      simulation.authOS.ledger == ["create key key-1", "delete key key-1", "create key key-2"])
    #expect(
      simulation.secrets == ["test/create_user.key": simulation.authOS.keys.first?.secret ?? ""])
  }

  @Test func `is left by a worker without the key, at every late step, to one that has it`() throws
  {
    var lateDeaths = 0
    for death in 0..<200 {
      var simulation = try rotate(
        secrets: ["test/create_user.key": Self.oldKey.secret], keys: [Self.oldKey])
      simulation.crashAfter = death
      // The worker dies; two attempts are made where the keys are not, the fourth where they are.
      simulation.elsewhere = [2, 3]
      _ = try? simulation.attempt()
      guard simulation.row.outcome == nil, simulation.crashAfter == nil else { break }
      let hasChecked = simulation.row.journal.contains {
        $0.step == "check_pending" && $0.result == .succeeded
      }
      guard hasChecked else { continue }
      lateDeaths += 1
      let before = simulation.records.count
      #expect(try simulation.run() == .completed, "died at \(death)")
      #expect(simulation.authOS.keys.map(\.id) == ["key-1"], "died at \(death)")
      #expect(
        simulation.secrets == ["test/create_user.key": simulation.authOS.keys.first?.secret ?? ""],
        "died at \(death)")
      for case .retry(let delay, let burnsAttempt, _, let error) in simulation.records[before...] {
        #expect((.seconds(1)...(.seconds(5))).contains(delay), "\(error.code) at \(death)")
        #expect(!burnsAttempt)
      }
    }
    #expect(lateDeaths > 20)
  }

  @Test func `deletes no key that another store may have put into use`() throws {
    var simulation = try rotate(
      secrets: ["test/create_user.key": Self.oldKey.secret], keys: [Self.oldKey])
    simulation.beforeLocal = { request, secrets in
      if request.operationID == "promoteKey" { secrets["test/create_user.pending.key"] = nil }
    }
    #expect(code(try simulation.run()) == "review: nowhere")
    #expect(simulation.authOS.keys.map(\.id) == ["key-old", "key-1"])
  }
}

@Suite struct `A key for another program` {
  private static let publicKey = SealingPrivateKey().publicKey.description

  private func order(_ keys: [FakeAuthOS.Key]) throws -> Simulation {
    var world = FakeAuthOS()
    world.keys = keys
    return try Simulation(
      "create_api_key",
      JSONObject([
        ("name", "reports"), ("permissions", .array(["read:users"])),
        ("public_key", .string(Self.publicKey)),
      ]), authOS: world)
  }

  private static func key(_ id: String, _ name: String) -> FakeAuthOS.Key {
    FakeAuthOS.Key(
      id: id, name: name, secret: "sk_eeeeeeeeeeee_" + String(repeating: "e", count: 64),
      permissions: ["read:users"])
  }

  @Test func `whose answer was lost is found among any number of newer ones`() throws {
    let newer = (1...310).map { Self.key("newer-\($0)", "newer \($0)") }
    var simulation = try order([Self.key("lost", "reports (writ job 7 of 0123abcd)")] + newer)
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.ledger == ["delete key lost", "create key key-1"])
    #expect(simulation.authOS.keys.count == 311)
  }

  @Test func `leaves the keys of another installation alone`() throws {
    let foreign = [
      Self.key("foreign", "reports (writ job 7 of ffffffff)"),
      Self.key("older", "reports (writ job 7)"),
    ]
    var simulation = try order(foreign)
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.keys.map(\.id) == ["foreign", "older", "key-1"])
  }
}
