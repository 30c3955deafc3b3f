// The comparison at the end of the demo has to notice what it is there to notice.

import AuthOSEmulator
import JSON
import Testing

@testable import writ

@Suite struct EffectCheckTests {
  /// An emulator that carries out requests with a key that may do everything.
  private struct Server {
    let authOS: EmulatedAuthOS
    let key: String
    let now = UTCTime.now()

    init(users: [SeedUser] = []) {
      let permissions = [
        "write:users", "read:users", "delete:users", "write:subscriptions", "delete:subscriptions",
      ]
      authOS = EmulatedAuthOS(
        seed: EmulatorSeed(
          users: users, apiKeys: [SeedAPIKey(name: "all", permissions: permissions)]), at: .now())
      key = authOS.seeded.apiKeys["all"] ?? ""
    }

    @discardableResult
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil) -> Int? {
      var request = EmulatedRequest(method: method, path: path)
      request.headers = [("x-api-key", key), ("content-type", "application/json")]
      request.body = body?.serializedBytes() ?? []
      return authOS.respond(to: request, at: now).response?.status
    }

    func check(_ orders: [DemoOrder]) -> EffectCheck {
      EffectCheck(
        orders: orders, ledger: authOS.ledger(), snapshot: authOS.snapshot, keysInUse: [:])
    }
  }

  private func order(_ purpose: DemoOrder.Purpose) -> DemoOrder { DemoOrder(purpose: purpose) }

  @Test func `a user who was created once is right`() {
    let server = Server()
    server.send("POST", "/api/service/users", ["email": "ada@example.com"])
    let check = server.check([order(.create(email: "ada@example.com"))])
    #expect(check.isRight)
    #expect(check.lines == [EffectCheck.Line(what: "create_user", ordered: 1, exactlyOnce: 1)])
  }

  @Test func `an order without an effect is wrong`() {
    let check = Server().check([order(.create(email: "ada@example.com"))])
    #expect(!check.isRight)
    #expect(check.lines.map(\.exactlyOnce) == [0])
  }

  @Test func `an effect that nobody ordered is wrong`() {
    let server = Server()
    server.send("POST", "/api/service/users", ["email": "eve@example.com"])
    let check = server.check([])
    #expect(!check.isRight)
    #expect(check.unexpected.map(\.effect) == [.userInserted, .linkInserted])
  }

  @Test func `a plan that was changed twice for one order is wrong`() {
    let server = Server(users: [SeedUser(email: "ada@example.com", plan: "free")])
    let user = server.authOS.seeded.userIDs["ada@example.com"] ?? ""
    let plan = server.authOS.seeded.planIDs["pro"] ?? ""
    func change() {
      server.send("DELETE", "/api/service/subscriptions/\(user)")
      server.send(
        "POST", "/api/service/subscriptions",
        ["user_id": .string(user), "plan_id": .string(plan)])
    }
    let orders = [order(.change(userID: user, plan: "pro"))]
    change()
    #expect(server.check(orders).isRight)
    change()
    #expect(!server.check(orders).isRight)
  }

  @Test func `access that was revoked with its subscription is right`() {
    let server = Server(users: [SeedUser(email: "ada@example.com", plan: "free")])
    let user = server.authOS.seeded.userIDs["ada@example.com"] ?? ""
    let orders = [order(.revoke(userID: user))]
    server.send("DELETE", "/api/service/subscriptions/\(user)")
    #expect(!server.check(orders).isRight)
    server.send("DELETE", "/api/service/users/\(user)")
    #expect(server.check(orders).isRight)
  }

  @Test func `there are 300 orders, and those about one user keep their order`() {
    let ids = Dictionary(
      uniqueKeysWithValues: DemoOrders.users.map { ($0.email, "id of \($0.email)") })
    for seed in 1...20 as ClosedRange<UInt64> {
      let orders = DemoOrders(userIDs: ids, seed: seed).orders
      #expect(orders.count == DemoOrders.count)
      var revoked: Set<String> = []
      for order in orders {
        switch order.purpose {
        case .revoke(let user): revoked.insert(user)
        case .change(let user, _): #expect(!revoked.contains(user))
        default: break
        }
      }
    }
  }
}
