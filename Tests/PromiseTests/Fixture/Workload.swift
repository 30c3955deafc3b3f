// Two thousand mixed orders, drawn from a seed, and what they have to lead to.

import AuthOSEmulator
import Postgres

/// Orders of all four types, in an order that a seed decides.
struct Workload: Sendable {
  /// One order before it has an id; `user` is an address, since AuthOS decides the ids.
  enum Order: Sendable, Hashable {
    case create(email: String)
    case change(email: String, plan: String)
    case revoke(email: String)
    case rotate(type: String)
  }

  /// The people that AuthOS knows at the start.
  private(set) var users: [SeedUser] = []
  private(set) var orders: [Order] = []

  /// A workload of about this many orders.
  init(seed: UInt64, count: Int) {
    var random = SeededGenerator(seed: seed)
    // Each line is about one subject, whose orders keep their order.
    var lines: [[Order]] = []
    func people(_ share: Int, _ name: String, plan: String?, _ line: (String) -> [Order]) {
      for number in 0..<(count * share / 1_000) {
        let email = "\(name)\(number)@acme.test"
        users.append(
          SeedUser.person(email, plan: plan, periodEnd: 1_800_000_000 + number * 86_400))
        lines.append(line(email))
      }
    }
    people(125, "mover", plan: "free") {
      [.change(email: $0, plan: "pro"), .change(email: $0, plan: "team")]
    }
    people(50, "leaver", plan: "free") { [.change(email: $0, plan: "pro"), .revoke(email: $0)] }
    people(50, "starter", plan: nil) { [.change(email: $0, plan: "pro")] }
    people(190, "gone", plan: "team") { [.revoke(email: $0)] }
    let fresh = count * 385 / 1_000
    lines += (0..<fresh).map { [.create(email: "fresh\($0)@acme.test")] }
    lines += (0..<(count * 20 / 1_000)).map { [.create(email: "fresh\($0)@acme.test")] }
    lines += (0..<(count * 5 / 1_000)).map { [.rotate(type: WritFixture.keyedTypes[$0 % 3])] }
    orders = Self.interleaved(lines, &random)
  }

  private static func interleaved(
    _ lines: [[Order]], _ random: inout SeededGenerator
  ) -> [Order] {
    var places = lines.indices.flatMap { line in lines[line].map { _ in line } }
    places.shuffle(using: &random)
    var rest = lines.map { $0[...] }
    return places.compactMap { rest[$0].popFirst() }
  }

  /// Orders everything through plain SQL in one transaction, and says what is now expected.
  func enqueue(_ fixture: WritFixture) async throws -> [OrderedJob] {
    let users = fixture.authOS.seeded.userIDs
    let plans = fixture.authOS.seeded.planIDs
    let rows: [(call: String, first: String, second: String?)] = orders.map { order in
      switch order {
      case .create(let email): ("create_user", email, nil)
      case .change(let email, let plan): ("change_plan", users[email] ?? "", plans[plan] ?? "")
      case .revoke(let email): ("revoke_access", users[email] ?? "", nil)
      case .rotate(let type): ("rotate_api_key", type, nil)
      }
    }
    let ids = try await fixture.database.withPool(.enqueuer) { pool in
      try await pool.query(
        """
        select case call
                 when 'create_user' then writ.create_user(email => first)
                 when 'change_plan' then writ.change_plan(user_id => first::uuid, plan_id => second::uuid)
                 when 'revoke_access' then writ.revoke_access(user_id => first::uuid)
                 when 'rotate_api_key' then writ.rotate_api_key(job_type => first)
               end as id
          from unnest($1::text[], $2::text[], $3::text[]) as o (call, first, second)
        """,
        [.texts(rows.map(\.call)), .texts(rows.map(\.first)), .texts(rows.map(\.second))],
        deadline: .seconds(60)
      ).map { try $0["id"].decode(as: Int.self) }
    }
    return zip(ids, orders).map { id, order in
      switch order {
      case .create(let email): OrderedJob(id: id, kind: .createUser(email: email))
      case .change(let email, let plan):
        OrderedJob(id: id, kind: .changePlan(userID: users[email] ?? "", plan: plan))
      case .revoke(let email): OrderedJob(id: id, kind: .revokeAccess(userID: users[email] ?? ""))
      case .rotate(let type): OrderedJob(id: id, kind: .rotateKey(type: type))
      }
    }
  }
}

extension SeedUser {
  /// A linked person with a plan that ends at a moment, in seconds since 1970.
  static func person(_ email: String, plan: String?, periodEnd: Int = 1_800_000_000) -> SeedUser {
    var user = SeedUser(email: email, isLinked: true)
    user.plan = plan
    user.currentPeriodEnd = plan == nil ? nil : UTCTime(seconds: periodEnd)
    return user
  }
}
