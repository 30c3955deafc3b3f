// The 300 orders of the demo: what is ordered, in SQL, and what has to come of it.

import AuthOSEmulator
import Foundation
import Postgres

/// One order: a plain SQL call.
struct DemoOrder: Sendable {
  /// What the order is for, and what its effect must look like in the emulator's ledger.
  enum Purpose: Sendable, Hashable {
    case create(email: String)
    case change(userID: String, plan: String)
    case revoke(userID: String)
    case rotate(jobType: String)
  }

  var purpose: Purpose
  /// Sorts the orders; those about one user keep their order.
  fileprivate var place = 0.0

  init(purpose: Purpose) { self.purpose = purpose }

  /// The job type.
  var type: String {
    switch purpose {
    case .create: "create_user"
    case .change: "change_plan"
    case .revoke: "revoke_access"
    case .rotate: "rotate_api_key"
    }
  }

  /// The statement with its parameters.
  func call(planIDs: [String: String]) -> (Statement, [PostgresParameter]) {
    switch purpose {
    case .create(let email): ("select writ.create_user(email => $1::text)", [.text(email)])
    case .change(let userID, let plan):
      (
        "select writ.change_plan(user_id => $1::uuid, plan_id => $2::uuid)",
        [.uuid(userID), .uuid(planIDs[plan] ?? "")]
      )
    case .revoke(let userID):
      ("select writ.revoke_access(user_id => $1::uuid)", [.uuid(userID)])
    case .rotate(let jobType):
      ("select writ.rotate_api_key(job_type => $1::text)", [.text(jobType)])
    }
  }
}

/// All orders of a demo, and the users that they are about.
struct DemoOrders: Sendable {
  static let count = 300

  /// In the order in which they are placed.
  let orders: [DemoOrder]

  /// The users that exist before anything is ordered.
  static let users: [SeedUser] = (0..<120).map { index in
    SeedUser(email: email("member", index), plan: index.isMultiple(of: 2) ? "free" : "pro")
  }

  /// The orders, mixed by a seed.
  ///
  /// - Parameter userIDs: The ids of ``users``, by email.
  init(userIDs: [String: String], seed: UInt64 = 1) {
    var random = SeededGenerator(seed: seed)
    let ids = Self.users.map { userIDs[$0.email] ?? "" }
    var orders: [DemoOrder] = []
    func add(_ purposes: [DemoOrder.Purpose]) {
      let places = purposes.map { _ in Double.random(in: 0..<1, using: &random) }.sorted()
      for (purpose, place) in zip(purposes, places) {
        var order = DemoOrder(purpose: purpose)
        order.place = place
        orders.append(order)
      }
    }
    for index in 0..<144 { add([.create(email: Self.email("person", index))]) }
    // Users 0 to 59: one change; 60 to 69: two changes.
    for index in 0..<60 { add([.change(userID: ids[index], plan: "team")]) }
    for index in 60..<70 {
      add([
        .change(userID: ids[index], plan: "team"),
        .change(userID: ids[index], plan: index.isMultiple(of: 2) ? "pro" : "free"),
      ])
    }
    // Users 70 to 79: a change, then the end; 80 to 119: the end alone.
    for index in 70..<80 {
      add([.change(userID: ids[index], plan: "team"), .revoke(userID: ids[index])])
    }
    for index in 80..<120 { add([.revoke(userID: ids[index])]) }
    let rotations = ["create_user", "change_plan", "revoke_access"].flatMap { [$0, $0] }
    for type in rotations { add([.rotate(jobType: type)]) }
    let missing = Self.count - orders.count
    for index in 0..<missing { add([.create(email: Self.email("guest", index))]) }
    self.orders = orders.sorted { $0.place < $1.place }
  }

  private static func email(_ kind: String, _ index: Int) -> String {
    "\(kind)-\(String(index + 1_000).dropFirst())@example.com"
  }
}
