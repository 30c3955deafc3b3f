// Claim → complete of jobs that call nothing, with journal and audit, a hundred at a time; beside the same
// on bare tables, which claim with an index scan from the left and write two audit rows a job.
import Arazzo
import JSON
import JobModel
import JobStore
import Postgres
import Synchronization

/// Measures what a worker's writes cost.
struct ClaimScenario {
  let database: BenchDatabase
  let options: Options
  private static let batch = 100

  init(_ database: BenchDatabase, _ options: Options) {
    self.database = database
    self.options = options
  }

  func run(workers: Int) async throws -> Measurement {
    try await database.clear()
    try await database.fillBare(2 * options.backlog)
    let floor = try await floorRun(workers: workers, seconds: options.seconds)
    try await database.clear()
    try await database.fill(options.backlog)
    let course = try await drain(workers: workers, seconds: options.seconds)
    return Measurement(
      name: "claim and complete, \(workers) workers", rate: Self.mean(course),
      floor: floor.rate * Double(Self.batch))
  }

  func runUnderSnapshot(workers: Int) async throws -> Measurement {
    let seconds = options.snapshotSeconds
    try await database.clear()
    try await database.fillBare(min(2_500_000, seconds * 25_000))
    let floor = try await underSnapshot {
      try await floorRun(workers: workers, seconds: seconds)
    }
    try await database.clear()
    try await database.fill(min(2_000_000, seconds * 9_000))
    let course = try await underSnapshot { try await drain(workers: workers, seconds: seconds) }
    return Measurement(
      name: "the same, snapshot held \(seconds) s", rate: Self.mean(course),
      floor: floor.rate * Double(Self.batch), course: course,
      floorCourse: floor.course.map { $0 * Double(Self.batch) })
  }

  private static func mean(_ rates: [Double]) -> Double {
    rates.isEmpty ? 0 : rates.reduce(0, +) / Double(rates.count)
  }

  /// Holds a snapshot open on a connection of its own while the work runs.
  private func underSnapshot<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    try await database.pool.withTransaction(.repeatableRead) { connection in
      _ = try connection.query("select count(*) from bare.job_audit")
      return try await work()
    }
  }

  private func floorRun(workers: Int, seconds: Int) async throws -> PgbenchResult {
    let script = """
      with claimed as (
        update bare.job
           set state = 1, attempt = attempt + 1, locked_by = :client_id,
               locked_until = now() + interval '30 s'
         where id = any (array(
                 select id from bare.job where state = 0 and run_at <= now()
                  order by priority, run_at, id limit \(Self.batch) for update skip locked))
        returning id, type, payload, attempt
      )
      select array_agg(id) as ids, count(*) as n, sum(length(payload::text)) as bytes from claimed \\gset
      begin;
      update bare.job as job set state = 2, finished_at = now(), locked_until = null
        from unnest(:ids::bigint[]) as done (id)
       where job.id = done.id and job.state = 1 and job.locked_by = :client_id;
      insert into bare.job_audit (job_id, event, actor, detail)
      select done.id, e.event, :client_id, 'worker-1'
        from unnest(:ids::bigint[]) as done (id), (values (1), (2)) as e (event);
      end;
      """
    return try await Pgbench(cluster: database.cluster, script: script)
      .run(clients: workers, seconds: seconds)
  }

  /// Claims and completes with several workers; the rates in consecutive intervals of ten seconds at most.
  private func drain(workers: Int, seconds: Int) async throws -> [Double] {
    let clock = ContinuousClock()
    let start = clock.now
    let interval = min(10, seconds)
    let counts = IntervalCounts(intervals: (seconds + interval - 1) / interval)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<workers {
        group.addTask {
          let worker = try await database.store.registerWorker(
            name: "bench", host: "bench", processID: 1, version: "bench", lease: .seconds(600))
          var cursor = ClaimCursor()
          while true {
            let now = clock.now - start
            guard now < .seconds(seconds) else { break }
            let done = try await claimAndComplete(worker, &cursor, now: now)
            counts.add(done, to: Int(now.components.seconds) / interval)
            if done == 0, cursor.isIdle { throw BenchError("the backlog ran out: raise --backlog") }
          }
          try await database.store.deregisterWorker(worker)
        }
      }
      try await group.waitForAll()
    }
    return counts.values.map { Double($0) / Double(interval) }
  }

  private func claimAndComplete(
    _ worker: Int, _ cursor: inout ClaimCursor, now: Duration
  ) async throws -> Int {
    let (scan, bounds) = cursor.next(now: now)
    let claimed = try await database.store.claimJobs(
      worker: worker, queue: "default", environment: "default", limit: Self.batch,
      lowerBounds: bounds)
    cursor.note(claimed.finding, of: scan, now: now)
    let entries = claimed.jobs.flatMap { job in
      let outcome = StepOutcome(
        sequence: 1, step: "nothing", effect: .none, result: .succeeded, status: 200,
        duration: .microseconds(10), action: StepAction(.next))
      return [
        JobEntry(job: job.id, attempt: job.attempt, record: .outcome(outcome)),
        JobEntry(
          job: job.id, attempt: job.attempt,
          record: .complete(result: JSONObject(), recorded: RecordedFields())),
      ]
    }
    let answers = try await database.store.recordEntries(worker: worker, entries)
    guard answers.allSatisfy(\.isAccepted) else { throw BenchError("a write was refused") }
    return claimed.jobs.count
  }
}

/// Counts a number of jobs for each interval of a run.
private final class IntervalCounts: Sendable {
  private let counts: Mutex<[Int]>

  init(intervals: Int) { counts = Mutex([Int](repeating: 0, count: intervals)) }

  func add(_ count: Int, to interval: Int) {
    counts.withLock { if $0.indices.contains(interval) { $0[interval] += count } }
  }

  var values: [Int] { counts.withLock { $0 } }
}
