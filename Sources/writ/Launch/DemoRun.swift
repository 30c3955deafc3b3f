// The course of the demo once the sandbox stands.

import AuthOSEmulator
import Foundation
import JobStore
import Postgres
import PostgresCluster

/// Orders, watches, kills, reports.
struct DemoRun: Sendable {
  let sandbox: Sandbox
  let orders: DemoOrders
  let limit: Duration

  init(sandbox: Sandbox, seed: UInt64, limit: Duration) {
    self.sandbox = sandbox
    self.limit = limit
    orders = DemoOrders(userIDs: sandbox.authOS.seeded.userIDs, seed: seed)
  }

  /// Whether every job completed and every effect is there once.
  func run() async throws -> Bool {
    let workers = try ["worker-1", "worker-2"].map { try sandbox.startWorker($0) }
    do {
      let result = try await watched(workers)
      for worker in workers { await worker.stop(within: .seconds(10)) }
      return result
    } catch {
      // Stops that are not waited for in vain: each is killed if it takes too long.
      for worker in workers { worker.signal(SIGTERM) }
      for worker in workers { await worker.stop(within: .seconds(5)) }
      throw error
    }
  }

  private func watched(_ workers: [ChildProcess]) async throws -> Bool {
    Output.current.note(
      "two workers: processes \(workers.map { "\($0.identifier)" }.joined(separator: " and "))")
    Output.current.note(
      "ordering \(orders.orders.count.counting("job")) in SQL as the role storefront, which may call four "
        + "functions and nothing else"
    )
    Output.current.note()
    return try await withPools { customer, admin in
      let store = JobStore(pool: admin)
      async let ordering: Void = order(customer)
      async let watching = watch(store, workers)
      try await ordering
      let held = try await watching
      return try await DemoReport(
        sandbox: sandbox, orders: orders.orders, store: store, held: held
      ).write()
    }
  }

  // MARK: Ordering

  /// Small transactions of three orders, while the workers run.
  private func order(_ pool: PostgresPool) async throws {
    let planIDs = sandbox.authOS.seeded.planIDs
    var rest = orders.orders[...]
    while !rest.isEmpty {
      let batch = rest.prefix(3)
      rest = rest.dropFirst(3)
      try await pool.withTransaction { connection in
        for order in batch {
          let (statement, parameters) = order.call(planIDs: planIDs)
          _ = try connection.query(statement, parameters)
        }
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  // MARK: Watching

  /// Shows how far it is until the end; gives the jobs that the killed worker held.
  private func watch(
    _ store: JobStore, _ workers: [ChildProcess]
  ) async throws -> [Int] {
    let clock = ContinuousClock()
    let start = clock.now
    var display = ProgressDisplay(output: .current)
    defer { display.close() }
    var window = ProgressWindow()
    var held: [Int]?
    let total = orders.orders.count
    while true {
      let progress = DemoProgress(try await store.counts())
      let elapsed = clock.now - start
      if held == nil, progress.isMoment(toKillIn: total) {
        display.show(window.measured(progress.sample(total: total, elapsed: elapsed)))
        let jobs = try await kill(workers[0], store)
        held = jobs
        display.interrupt(sentence(workers[0], jobs))
      }
      if progress.ended >= total {
        // At the end, the rate of the whole.
        display.finish(progress.sample(total: total, elapsed: elapsed))
        return held ?? []
      }
      let sample = window.measured(progress.sample(total: total, elapsed: elapsed))
      display.show(sample)
      guard clock.now - start < limit else {
        display.finish(sample)
        throw CommandError(
          .failure,
          "\((total - progress.ended).counting("job")) had not ended after \(limit.components.seconds) s"
        )
      }
      for worker in workers.dropFirst() where !worker.isRunning {
        throw CommandError(
          .failure, "worker-2 ended by itself, which it never should: \(lastWords)")
      }
      try await Task.sleep(for: .milliseconds(held == nil ? 50 : 200))
    }
  }

  /// Kills the first worker; gives the jobs that it held.
  private func kill(_ worker: ChildProcess, _ store: JobStore) async throws -> [Int] {
    worker.signal(SIGKILL)
    _ = await worker.end()
    let running = try await store.jobs(JobFilter(state: "running"), limit: 1_000)
    let known = try await store.workers()
    let dead = known.first { $0.processID == Int(worker.identifier) }
    var held: [Int] = []
    for job in running {
      if let dead, try await store.job(job.id)?.workerID == dead.id { held.append(job.id) }
    }
    return held
  }

  private func sentence(_ worker: ChildProcess, _ held: [Int]) -> String {
    let killed = "  killed worker-1 (process \(worker.identifier)) with SIGKILL; it held "
    let text =
      switch held.count {
      case 0: killed + "no job just then"
      case 1: killed + "1 job, which comes back when its lease ends"
      default: killed + "\(held.count) jobs, which come back when its lease ends"
      }
    return Style.yellow.applied(to: text, if: Output.current.errorUsesColour)
  }

  private var lastWords: String {
    let log = try? String(contentsOfFile: sandbox.log(ofWorker: "worker-2"), encoding: .utf8)
    return log?.split(separator: "\n").last.map { String($0).printable } ?? "it said nothing"
  }

  private func withPools<Value: Sendable>(
    _ body: (_ customer: PostgresPool, _ admin: PostgresPool) async throws -> Value
  ) async throws -> Value {
    let pools = try [
      sandbox.database.connectionString(.storefront), sandbox.database.connectionString(.admin),
    ].map {
      PostgresPool(
        configuration: try PostgresConfiguration(connectionString: $0), maximumConnections: 1)
    }
    do {
      let value = try await body(pools[0], pools[1])
      for pool in pools { await pool.close() }
      return value
    } catch {
      for pool in pools { await pool.close() }
      throw error
    }
  }
}

/// How far the demo has come.
struct DemoProgress: Sendable, Hashable {
  var ended = 0
  var running = 0
  var retrying = 0
  var waiting = 0

  init(_ counts: [JobCount]) {
    for count in counts {
      switch (count.state, count.waitingReason) {
      case ("completed", _), ("discarded", _), ("cancelled", _), (_, "review"?): ended += count.jobs
      case ("running", _): running += count.jobs
      case ("retryable", _): retrying += count.jobs
      case ("waiting", _): waiting += count.jobs
      default: break
      }
    }
  }

  /// Half-way, preferably while much is running.
  func isMoment(toKillIn total: Int) -> Bool {
    ended * 10 >= total * 6 || (ended * 10 >= total * 4 && running >= 8)
  }

  func sample(total: Int, elapsed: Duration) -> ProgressSample {
    let parts = [(running, "running"), (retrying, "retrying"), (waiting, "waiting their turn")]
    return ProgressSample(
      done: ended, total: total,
      note: parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", "),
      elapsed: elapsed)
  }
}
