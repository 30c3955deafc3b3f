// Workers are killed at random moments while AuthOS misbehaves: no job is lost, no effect doubled.

import AuthOSEmulator
import Foundation
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct Chaos {
    static let seed =
      ProcessInfo.processInfo.environment["WRIT_CHAOS_SEED"].flatMap { UInt64($0) } ?? 20_261
    static let jobs =
      ProcessInfo.processInfo.environment["WRIT_CHAOS_JOBS"].flatMap { Int($0) } ?? 2_000

    @Test(.timeLimit(.minutes(5)))
    func
      `jobs survive workers that are killed at random and a server where every fifth request fails`()
      async throws
    {
      let workload = Workload(seed: Self.seed, count: Self.jobs)
      var options = FixtureOptions()
      options.faults = .everything(seed: Self.seed, share: 0.2)
      options.users = workload.users
      options.worker = [
        "slots": "12", "lease": "3s", "renewal-interval": "800ms", "lease-margin": "500ms",
        "sweep-interval": "300ms", "refused-key-pause": "500ms", "database-timeout": "2500ms",
      ]
      options.logLevel = "info"
      options.retry = "{maxAttempts: 500, base: PT0.05S, cap: PT1S}"
      print("chaos: seed \(Self.seed) (WRIT_CHAOS_SEED), \(workload.orders.count) jobs")
      try await WritFixture.with(options) { fixture in
        let before = fixture.authOS.snapshot
        let orders = try await workload.enqueue(fixture)
        let start = ContinuousClock.now
        let killer = Killer(fixture, seed: Self.seed)
        let kills = try await killer.run(workers: 3) {
          try await fixture.awaitEveryJob(within: .seconds(170))
        }
        let duration = ContinuousClock.now - start
        let history = try await History.read(fixture.pool)
        report(history, fixture, kills: kills, duration)
        let violations = HistoryChecker(
          orders: orders, history: history, ledger: fixture.authOS.ledger(), before: before,
          after: fixture.authOS.snapshot
        ).violations()
        #expect(
          violations.isEmpty,
          "seed \(Self.seed): \(violations.count)\n\(violations.prefix(30).joined(separator: "\n"))\n\(stories(violations, orders, history))"
        )
        #expect(history.jobs.count == orders.count)
        for type in WritFixture.keyedTypes {
          let live = fixture.authOS.snapshot.keys.map(\.prefix)
          let stored = fixture.secret("\(type).key").map { String($0.prefix(15)) }
          #expect(stored.map(live.contains) == true, "the store holds the live key of \(type)")
          #expect(fixture.secret("\(type).pending.key") == nil)
          #expect(fixture.secret("\(type).previous.key") == nil)
        }
        #expect(kills >= 3)
      }
    }

    /// What the jobs did that the first violations are about.
    private func stories(_ violations: [String], _ orders: [OrderedJob], _ history: History)
      -> String
    {
      let jobs = orders.filter { order in
        let subject =
          switch order.kind {
          case .changePlan(let user, _), .revokeAccess(let user): user
          case .createUser(let email): email
          case .rotateKey(let type): type
          }
        return violations.prefix(3).contains {
          $0.contains(subject) || $0.contains("job \(order.id) ")
        }
      }
      return history.story(of: jobs.map(\.id))
    }

    private func report(
      _ history: History, _ fixture: WritFixture, kills: Int, _ duration: Duration
    ) {
      let counts = fixture.authOS.counts
      let seconds = duration / .seconds(1)
      let expired = history.events.filter { $0.event == "lease_expired" }.count
      let attempts = history.jobs.map(\.attempt).max() ?? 0
      print(
        "chaos: \(history.jobs.count) jobs in \(Int(seconds)) s (\(Int(Double(history.jobs.count) / seconds)) /s), "
          + "\(kills) kills, \(expired) jobs taken over, at most \(attempts) attempts, \(counts.total) requests, "
          + "\(counts.faults.values.reduce(0, +)) faults of \(counts.faults.count) kinds")
    }
  }
}

/// Keeps some workers running and kills one after the other at moments that a seed decides.
private struct Killer {
  let fixture: WritFixture
  var random: SeededGenerator

  init(_ fixture: WritFixture, seed: UInt64) {
    self.fixture = fixture
    random = SeededGenerator(seed: seed ^ 0x5EED)
  }

  /// Kills and restarts until the work is done; says how many were killed.
  func run(workers count: Int, while work: @Sendable @escaping () async throws -> Void) async throws
    -> Int
  {
    var random = random
    var workers: [WritProcess] = []
    for number in 0..<count { workers.append(try await fixture.startWorker("chaos\(number)")) }
    return try await withThrowingTaskGroup(of: Void.self) { group in
      let isOver = Flag()
      group.addTask {
        defer { isOver.raise() }
        try await work()
      }
      var kills = 0
      while !isOver.isRaised {
        try await Task.sleep(for: .milliseconds(Int.random(in: 200...1_500, using: &random)))
        guard !isOver.isRaised else { break }
        let victim = Int.random(in: workers.indices, using: &random)
        await workers[victim].destroy()
        kills += 1
        workers[victim] = try await fixture.startWorker("chaos\(victim)")
      }
      try await group.waitForAll()
      return kills
    }
  }
}
