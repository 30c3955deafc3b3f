// SIGTERM in the middle of work: jobs finish or are handed back, and none pays for it with an attempt.

import AuthOSEmulator
import Foundation
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Stopping {
    @Test(.timeLimit(.minutes(1)))
    func `a worker that is told to stop finishes its requests and ends with 0`() async throws {
      var options = FixtureOptions()
      options.faults = FaultPlan(rules: [
        FaultRule(FaultRoute(.createServiceUser), .slowAfterEffect(.milliseconds(1_500)))
      ])
      options.worker = ["slots": "4"]
      try await WritFixture.with(options) { fixture in
        let worker = try await fixture.startWorker()
        for number in 0..<8 {
          try await fixture.order("writ.create_user(email => 'ada\(number)@acme.test')")
        }
        try await awaiting("four requests", within: .seconds(20)) {
          fixture.authOS.ledger().filter { $0.effect == .linkInserted }.count == 4
        }
        worker.signal(SIGTERM)
        #expect(try await worker.awaitEnd(within: .seconds(10)) == .exited(0))
        let history = try await History.read(fixture.pool)
        #expect(history.jobs.filter { $0.state == "completed" }.count == 4)
        #expect(history.jobs.filter { $0.state == "available" && $0.attempt == 0 }.count == 4)
        #expect(fixture.authOS.ledger().filter { $0.effect == .userInserted }.count == 4)
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func `jobs of several steps are handed back between two requests without burning an attempt`()
      async throws
    {
      var options = FixtureOptions()
      options.users = (0..<6).map { .person("mover\($0)@acme.test", plan: "free") }
      options.faults = FaultPlan(rules: [
        FaultRule(FaultRoute(.deleteServiceSubscription), .slowAfterEffect(.seconds(1)))
      ])
      options.worker = ["steps-continue-for": "0s"]
      try await WritFixture.with(options) { fixture in
        let before = fixture.authOS.snapshot
        let worker = try await fixture.startWorker("first")
        var orders: [OrderedJob] = []
        for (_, user) in fixture.authOS.seeded.userIDs.sorted(by: { $0.key < $1.key }) {
          let plan = fixture.authOS.seeded.planIDs["pro"] ?? ""
          let id = try await fixture.order(
            "writ.change_plan(user_id => '\(user)', plan_id => '\(plan)')")
          orders.append(OrderedJob(id: id, kind: .changePlan(userID: user, plan: "pro")))
        }
        try await awaiting("every old subscription to go", within: .seconds(20)) {
          fixture.authOS.ledger().filter { $0.effect == .subscriptionDeleted }.count == orders.count
        }
        worker.signal(SIGTERM)
        #expect(try await worker.awaitEnd(within: .seconds(10)) == .exited(0))
        let middle = try await History.read(fixture.pool)
        #expect(middle.jobs.allSatisfy { $0.state == "available" && $0.failures == 0 })
        #expect(middle.events.filter { $0.event == "handed_back" }.count == orders.count)
        _ = try await fixture.startWorker("second")
        try await fixture.awaitEveryJob(within: .seconds(20))
        let history = try await History.read(fixture.pool)
        #expect(history.jobs.allSatisfy { $0.failures == 0 && $0.attempt == 2 })
        let violations = HistoryChecker(
          orders: orders, history: history, ledger: fixture.authOS.ledger(), before: before,
          after: fixture.authOS.snapshot
        ).violations()
        #expect(violations == [])
      }
    }

    @Test(.timeLimit(.minutes(1)))
    func
      `a request that takes too long to wait for is cut off, and the next worker finds out what became of it`()
      async throws
    {
      var options = FixtureOptions()
      options.faults = FaultPlan(rules: [
        FaultRule(FaultRoute(.createServiceUser), script: [.slowAfterEffect(.seconds(20))])
      ])
      options.worker = ["steps-continue-for": "0s", "graceful-stop-limit": "1s"]
      try await WritFixture.with(options) { fixture in
        let worker = try await fixture.startWorker("first")
        let job = try await fixture.order("writ.create_user(email => 'ada@acme.test')")
        try await awaiting("the effect", within: .seconds(20)) { !fixture.authOS.ledger().isEmpty }
        worker.signal(SIGTERM)
        #expect(try await worker.awaitEnd(within: .seconds(10)) == .exited(0))
        let middle = try await History.read(fixture.pool)
        #expect(middle.jobs.map(\.state) == ["available"])
        #expect(middle.jobs.map(\.failures) == [0])
        _ = try await fixture.startWorker("second")
        try await fixture.awaitEveryJob(within: .seconds(20))
        #expect(try await fixture.events(of: job).last?.event == "completed")
        #expect(fixture.authOS.ledger().map(\.effect) == [.userInserted, .linkInserted])
      }
    }
  }
}
