// Two hundred rotations while the same job types are hard at work, and the worker that rotates is killed
// at every step again and again: nobody fails with 401, no key is orphaned, no secret is lost or seen.

import AuthOSEmulator
import Foundation
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct RotationStorm {
    static let rotations =
      ProcessInfo.processInfo.environment["WRIT_STORM_ROTATIONS"].flatMap { Int($0) } ?? 200
    static let rounds =
      ProcessInfo.processInfo.environment["WRIT_STORM_ROUNDS"].flatMap { Int($0) } ?? 2

    @Test(.timeLimit(.minutes(10)))
    func `keys are rotated two hundred times under load, and no job notices`() async throws {
      var options = FixtureOptions()
      options.otherKeys = 130
      // More than all kills and lost leases together: one rotation may be the victim every time.
      options.retry = "{maxAttempts: 100, base: PT1S, cap: PT5M}"
      options.logLevel = "info"
      options.worker = [
        "slots": "12", "lease": "1200ms", "renewal-interval": "200ms", "lease-margin": "300ms",
        "sweep-interval": "100ms", "database-timeout": "600ms", "poll-interval": "100ms",
      ]
      options.users =
        (0..<400).map {
          SeedUser.person("leaver\($0)@acme.test", plan: "free", periodEnd: 1_900_000_000)
        }
        + (0..<100).map {
          SeedUser.person("mover\($0)@acme.test", plan: "free", periodEnd: 1_900_000_000)
        }
      try await WritFixture.with(options) { fixture in
        let start = ContinuousClock.now
        let fleet = try await Fleet.start(fixture, workers: 3)
        let isOver = Flag()
        let load = Task { try await Load(fixture).run(until: isOver) }
        let hasKilled = Flag()
        let feeder = Task { try await self.feed(fixture, until: hasKilled) }
        let deaths = try await kill(fixture, fleet)
        hasKilled.raise()
        let rotations = try await feeder.value
        try await awaiting("all rotations to end", within: .seconds(150), every: .milliseconds(100))
        {
          try await fixture.unfinished(type: "rotate_api_key") == 0
        }
        let rotated = ContinuousClock.now - start
        isOver.raise()
        let jobs = try await load.value
        try await fixture.awaitEveryJob(within: .seconds(60))
        try await expectPeace(fixture)
        expectOneLiveKeyEach(fixture)
        try await expectNoSecret(fixture, fleet.processes)
        try await report(fixture, rotations: rotations, jobs: jobs, deaths: deaths, rotated)
        #expect(deaths.count == Point.all.count, "\(deaths)")
      }
    }

    /// Keeps rotations of all types in the line until nobody has to be killed any more and there were enough.
    private func feed(_ fixture: WritFixture, until isEnough: Flag) async throws -> Int {
      var ordered = 0
      while !isEnough.isRaised || ordered < Self.rotations {
        while try await fixture.unfinished(type: "rotate_api_key") > 6 {
          try await Task.sleep(for: .milliseconds(20))
        }
        for type in WritFixture.keyedTypes {
          try await fixture.order("writ.rotate_api_key(job_type => $1)", [.text(type)])
          ordered += 1
        }
      }
      return ordered
    }

    /// Kills the worker that carries out a rotation, at each point of a rotation in each round.
    private func kill(_ fixture: WritFixture, _ fleet: Fleet) async throws -> [String: Int] {
      var deaths: [String: Int] = [:]
      for _ in 0..<Self.rounds {
        for point in Point.all {
          let victim = try await point.victim(in: fixture, among: fleet.livePids)
          if try await fleet.replace(victim) { deaths[point.name, default: 0] += 1 }
        }
      }
      fixture.authOS.faults = FaultPlan()
      return deaths
    }

    // MARK: What has to hold

    /// Nobody failed, nobody waits, and nobody was even put off because of a key.
    private func expectPeace(_ fixture: WritFixture) async throws {
      let ends = try await fixture.pool.query(
        """
        select type || ' ' || state || ' ' || coalesce(last_error ->> 'code', '') as line, count(*) as jobs
          from writ.job where state <> 'completed' group by 1
        """)
      let lines = try ends.map { try $0["line"].decode(as: String.self) }
      #expect(lines.isEmpty, "\(lines)")
      let putOff = try await fixture.pool.query(
        """
        select distinct type || ' ' || coalesce(step, '') || ' ' || error_code as line
          from writ.audit_event
         where event = 'retried' and error_code in ('UNAUTHORIZED', 'credential_missing')
        """)
      let refused = try putOff.map { try $0["line"].decode(as: String.self) }
      #expect(refused.isEmpty, "\(refused)")
    }

    private func expectOneLiveKeyEach(_ fixture: WritFixture) {
      let keys = fixture.authOS.snapshot.keys.filter { !$0.name.hasPrefix("other ") }
      let held = WritFixture.keyedTypes.compactMap { fixture.secret("\($0).key")?.prefix(15) }
      #expect(Set(keys.map(\.prefix)) == Set(held.map(String.init)))
      #expect(keys.count == WritFixture.keyedTypes.count, "\(keys.map(\.name))")
      for type in WritFixture.keyedTypes {
        #expect(fixture.secret("\(type).pending.key") == nil)
        #expect(fixture.secret("\(type).previous.key") == nil)
      }
    }

    /// No whole key, token or password in any row of any table, nor in what a worker wrote.
    private func expectNoSecret(
      _ fixture: WritFixture, _ processes: [WritProcess]
    ) async throws {
      let secret = /sk_[0-9a-f]{12}_[0-9a-f]{20}|eyJ[A-Za-z0-9_-]{20}|correct horse battery/
      let tables = try await fixture.pool.query(
        """
        select format('%I.%I', schemaname, tablename) as name from pg_tables
         where schemaname in ('writ', 'writ_data')
        """)
      for table in tables {
        let name: String = try table["name"].decode()
        let found = try await fixture.pool.query(
          Statement(
            sql: """
              select count(*) as rows from \(name) as t
               where t::text ~ 'sk_[0-9a-f]{12}_[0-9a-f]{20}|eyJ[A-Za-z0-9_-]{20}|correct horse battery'
              """))
        let rows: Int = try found[0]["rows"].decode()
        #expect(rows == 0, "\(name) holds a secret")
      }
      for process in processes {
        for line in process.output + process.errors where line.contains(secret) {
          Issue.record("a worker wrote a secret")
        }
      }
    }

    private func report(
      _ fixture: WritFixture, rotations: Int, jobs: Int, deaths: [String: Int], _ duration: Duration
    ) async throws {
      let counts = fixture.authOS.counts
      let refused = counts.answers.filter {
        $0.key.status == 401 && !["getServiceInfo", "login"].contains($0.key.operation)
      }.values.reduce(0, +)
      let row = try await fixture.pool.query(
        """
        select max(attempt)::int8 as attempts,
               (select count(*) from writ.audit_event where event = 'lease_expired') as taken_over
          from writ.job where type = 'rotate_api_key'
        """)[0]
      print(
        "rotation storm: \(rotations) rotations and \(jobs) other jobs in \(Int(duration / .seconds(1))) s, "
          + "\(deaths.values.reduce(0, +)) workers killed at \(deaths.count) points, "
          + "\(try row["taken_over"].decode(as: Int.self)) jobs taken over, at most "
          + "\(try row["attempts"].decode(as: Int.self)) attempts a rotation, \(counts.total) requests, "
          + "\(refused) answered 401 and sent again")
    }
  }
}

// MARK: Points of a rotation

/// A moment in a rotation at which its worker dies.
private struct Point: Sendable {
  /// How the moment is known.
  enum Sign: Sendable {
    /// The operation took effect, and its answer is held back.
    case answerHeld(AuthOSEmulator.Operation)
    /// The operation is held back before it takes effect, and the journal holds the step's intent.
    case requestHeld(AuthOSEmulator.Operation, step: String)
    /// The journal tells of the step.
    case journal(step: String)
  }

  let name: String
  let sign: Sign

  static let all: [Point] = [
    Point(name: "after the list", sign: .answerHeld(.listApiKeys)),
    Point(name: "before the new key", sign: .requestHeld(.createApiKey, step: "create_key")),
    Point(name: "after the new key", sign: .answerHeld(.createApiKey)),
    Point(name: "at the store's write", sign: .journal(step: "create_key")),
    Point(name: "after a proof", sign: .answerHeld(.getServiceInfo)),
    Point(name: "at the promotion", sign: .journal(step: "promote")),
    Point(name: "at the wait for the workers", sign: .journal(step: "await_loaded")),
    Point(name: "before the old key goes", sign: .requestHeld(.deleteApiKey, step: "remove_old")),
    Point(name: "after the old key has gone", sign: .answerHeld(.deleteApiKey)),
    Point(name: "at the discarding", sign: .journal(step: "discard_previous")),
  ]

  /// Waits for the moment, and gives the process that is in it, of those that are alive.
  ///
  /// The database takes one that was killed for alive until its lease ends.
  func victim(in fixture: WritFixture, among pids: String) async throws -> Int {
    switch sign {
    case .answerHeld(let operation):
      let fault = Fault.slowAfterEffect(.seconds(4))
      let before = fixture.authOS.counts.faults[fault.kind] ?? 0
      fixture.authOS.faults = FaultPlan(
        rules: [FaultRule(FaultRoute(operation), script: [fault])])
      try await waiting { fixture.authOS.counts.faults[fault.kind] ?? 0 > before ? true : nil }
      return try await waiting { try await Self.mostSilent(fixture, pids) }
    case .requestHeld(let operation, let step):
      // Every request, since other steps send the same operation: an orphan is deleted as an old key is.
      fixture.authOS.faults = FaultPlan(
        rules: [FaultRule(FaultRoute(operation), .slow(.seconds(4)))])
      defer { fixture.authOS.faults = FaultPlan() }
      return try await waiting { try await Self.worker(fixture, pids, at: step, openFor: 0.3) }
    case .journal(let step):
      return try await waiting { try await Self.worker(fixture, pids, at: step, openFor: nil) }
    }
  }

  @discardableResult
  private func waiting<Value: Sendable>(
    _ question: () async throws -> Value?
  ) async throws -> Value {
    try await awaiting(name, within: .seconds(30), every: .milliseconds(3), question)
  }

  /// The worker whose rotation has come to a step in this attempt, or whose request for it has been on its
  /// way for so many seconds.
  private static func worker(
    _ fixture: WritFixture, _ pids: String, at step: String, openFor seconds: Double?
  ) async throws -> Int? {
    try await fixture.pool.query(
      """
      select w.pid::int8 as pid
        from writ_data.job as j
        join writ_data.worker as w
          on w.id = j.worker_id and w.state = 'live' and w.pid::text = any (string_to_array($3, ','))
        join writ_data.journal as s on s.job_id = j.id and s.attempt = j.attempt
       where j.type = 'rotate_api_key' and j.state = 'running' and s.step = $1
         and ($2::float8 is null
              or s.outcome_at is null
                 and s.intent_at < clock_timestamp() - make_interval(secs => $2::float8))
       order by j.id desc
       limit 1
      """, [.text(step), .double(seconds), .text(pids)]
    ).first?["pid"].decode()
  }

  /// The worker of the rotation of which nothing has been heard for longest: the one that waits.
  private static func mostSilent(_ fixture: WritFixture, _ pids: String) async throws -> Int? {
    try await fixture.pool.query(
      """
      select w.pid::int8 as pid
        from writ_data.job as j
        join writ_data.worker as w
          on w.id = j.worker_id and w.state = 'live' and w.pid::text = any (string_to_array($1, ','))
       where j.type = 'rotate_api_key' and j.state = 'running'
       order by greatest(
                  j.claimed_at,
                  (select max(greatest(s.intent_at, s.outcome_at)) from writ_data.journal as s
                    where s.job_id = j.id))
       limit 1
      """, [.text(pids)]
    ).first?["pid"].decode()
  }
}

// MARK: The fleet and its load

/// Some workers, of which one after the other is killed.
private final class Fleet: Sendable {
  private let fixture: WritFixture
  private let state: Shared<[WritProcess]>
  private let live: Shared<[WritProcess]>

  var processes: [WritProcess] { state.value }
  /// The process numbers of those that have not been killed, separated by commas.
  var livePids: String { live.value.map { String($0.identifier) }.joined(separator: ",") }

  private init(_ fixture: WritFixture, _ workers: [WritProcess]) {
    self.fixture = fixture
    state = Shared(workers)
    live = Shared(workers)
  }

  static func start(_ fixture: WritFixture, workers count: Int) async throws -> Fleet {
    var workers: [WritProcess] = []
    for number in 0..<count { workers.append(try await fixture.startWorker("storm\(number)")) }
    return Fleet(fixture, workers)
  }

  /// Kills the worker with this process number, and starts another one; `false` when it is dead already.
  func replace(_ pid: Int) async throws -> Bool {
    guard let victim = live.value.first(where: { Int($0.identifier) == pid }) else { return false }
    await victim.destroy()
    let next = try await fixture.startWorker("storm")
    live.change { list in
      list.removeAll { $0.identifier == victim.identifier }
      list.append(next)
    }
    state.change { $0.append(next) }
    return true
  }
}

/// Jobs of the types whose keys are rotated, all the time.
private struct Load {
  let fixture: WritFixture

  init(_ fixture: WritFixture) { self.fixture = fixture }

  /// Orders without letting the line grow long; says how many jobs it has ordered.
  func run(until isOver: Flag) async throws -> Int {
    let users = fixture.authOS.seeded.userIDs
    let plans = fixture.authOS.seeded.planIDs
    return try await fixture.database.withPool(.enqueuer) { pool in
      var ordered = 0
      var leavers = 0
      while !isOver.isRaised {
        for _ in 0..<6 {
          _ = try await pool.query(
            "select writ.create_user(email => $1)", [.text("storm\(ordered)@acme.test")])
          ordered += 1
        }
        let mover = users["mover\(ordered % 100)@acme.test"] ?? ""
        let plan = plans[ordered % 4 == 0 ? "pro" : "team"] ?? ""
        _ = try await pool.query(
          "select writ.change_plan(user_id => $1::uuid, plan_id => $2::uuid)",
          [.text(mover), .text(plan)])
        if let leaver = users["leaver\(leavers)@acme.test"] {
          _ = try await pool.query(
            "select writ.revoke_access(user_id => $1::uuid)", [.text(leaver)])
          leavers += 1
          ordered += 1
        }
        ordered += 1
        while try await fixture.unfinished(type: nil) > 20, !isOver.isRaised {
          try await Task.sleep(for: .milliseconds(20))
        }
      }
      return ordered
    }
  }
}

extension WritFixture {
  /// How many jobs of a type are not over; those of all types but rotations for `nil`.
  fileprivate func unfinished(type: String?) async throws -> Int {
    try await pool.query(
      """
      select count(*) as jobs from writ_data.job
       where case when $1::text is null then type <> 'rotate_api_key' else type = $1 end
         and not (state = 'waiting' and waiting_reason = 'review')
      """, [.text(type)])[0]["jobs"].decode()
  }
}
