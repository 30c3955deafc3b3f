// Schedules: which moments they mean, that each fires once, and what people and publishing do to them.

import Arazzo
import JSON
import Postgres
import Testing

@testable import JobStore

@Suite(.timeLimit(.minutes(5))) struct ScheduleTests {
  // MARK: Moments

  static let moments: [(cron: String, zone: String, after: String, firings: [String])] = [
    ("30 2 * * *", "UTC", "2026-03-28T02:30:00Z", ["2026-03-29T02:30:00Z"]),
    ("0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", ["2026-01-01T18:15:00Z"]),
    // Skipped: once, right after it.
    (
      "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
      ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]
    ),
    (
      "*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z",
      ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
    ),
    (
      "30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z",
      ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]
    ),
    (
      "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z",
      ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]
    ),
    // A whole day that a country left out.
    ("0 12 30 12 *", "Pacific/Apia", "2011-12-01T00:00:00Z", ["2011-12-30T10:00:00Z"]),
    // Twice on the clock: once, the first time.
    (
      "30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
      ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    ),
    (
      "*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z",
      ["2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:30:00Z"]
    ),
    (
      "30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z",
      ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]
    ),
    (
      "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z",
      ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]
    ),
    // While clocks show an hour for the second time.
    ("45 2 * * *", "Europe/Berlin", "2026-10-25T01:15:00Z", ["2026-10-26T01:45:00Z"]),
  ]

  @Test func `the next firing is right on both sides of a change of clocks`() async throws {
    try await TestDatabase.with { database in
      for zone in ["UTC", "Europe/Berlin", "America/New_York"] {
        try await database.pool.withConnection { connection in
          // The session's own time zone must not matter.
          try connection.execute(Statement(sql: "set timezone = '\(zone)'"))
          for (cron, timeZone, after, expected) in Self.moments {
            var found: [String] = []
            var last = after
            for _ in expected {
              let row = try connection.query(
                """
                select to_char(writ_data.next_firing(r, $2::timestamptz) at time zone 'UTC',
                               'YYYY-MM-DD"T"HH24:MI:SS"Z"')
                  from writ_data.read_schedule('ping', 'test', $1) as r
                """, [.json(try Self.spec(cron, zone: timeZone)), .text(last)])[0]
              last = try row.decode(0)
              found.append(last)
            }
            #expect(found == expected, "\(cron) in \(timeZone)")
          }
          try connection.execute("reset timezone")
        }
      }
    }
  }

  @Test func `the database and the program mean the same wall times`() async throws {
    try await TestDatabase.with { database in
      try await database.pool.withConnection { connection in
        var seed = 7
        func draw(_ range: ClosedRange<Int>) -> Int {
          seed = (seed &* 1_103_515_245 &+ 12_345) & 0x7fff_ffff
          return range.lowerBound + (seed >> 8) % (range.upperBound - range.lowerBound + 1)
        }
        for _ in 0..<300 {
          let fields = [0...59, 0...23, 1...28, 1...12, 0...6].enumerated().map { index, range in
            switch draw(0...5) {
            case 0, 1: "*"
            case 2: "*/\(draw(1...(range.upperBound / 2)))"
            case 3: index == 2 ? "L,\(draw(range))" : "\(draw(range)),\(draw(range))"
            default: "\(draw(range))"
            }
          }
          let cron = try CronExpression(parsing: fields.joined(separator: " "))
          let after = LocalMinute(
            draw(2023...2029), draw(1...12), draw(1...28), draw(0...23), draw(0...59))
          let text =
            "\(after.year)-\(after.month)-\(after.day) \(after.hour):\(after.minute)"
          let row = try connection.query(
            """
            select array[extract(year from t), extract(month from t), extract(day from t),
                         extract(hour from t), extract(minute from t)]::bigint[]
              from writ_data.read_schedule('ping', 'test', $1) as r,
                   writ_data.next_wall_time(r.minutes, r.hours, r.days, r.is_last_day, r.months,
                     r.weekdays, r.matches_either_day, $2::timestamp) as t
            """, [.json(try Self.spec(cron.text)), .text(text)])[0]
          let parts: [Int] = try row.decode(0)
          let found = LocalMinute(parts[0], parts[1], parts[2], parts[3], parts[4])
          #expect(found == cron.next(after: after), "\(cron.text) after \(text)")
        }
      }
    }
  }

  // MARK: Firing

  @Test func `many workers fire each due schedule once`() async throws {
    try await TestDatabase.with { database in
      for number in 1...12 {
        try await database.store.addSchedule(
          type: "ping", name: "nightly-\(number)", try Self.policy("0 3 * * *"))
      }
      try await database.makeDue()
      let firings = try await withThrowingTaskGroup(of: [Firing].self) { group in
        for _ in 1...8 {
          group.addTask {
            var firings: [Firing] = []
            // Rows that another one holds are skipped, so an empty answer does not mean the end.
            for _ in 1...20 {
              if let firing = try await database.store.fireSchedule() { firings.append(firing) }
            }
            return firings
          }
        }
        return try await group.reduce(into: []) { $0 += $1 }
      }
      #expect(firings.count == 12)
      #expect(Set(firings.map(\.schedule)).count == 12)
      #expect(firings.allSatisfy { $0.outcome == "fired" })
      #expect(try await database.number("select count(*) from writ.job") == 12)
      #expect(
        try await database.number(
          "select count(*) from writ.audit_event where event = 'schedule_fired'"
            + " and job_id is not null") == 12)
      #expect(try await database.store.schedules().allSatisfy { $0.lastJobState == "available" })
    }
  }

  @Test func `a firing that is rolled back is neither lost nor doubled`() async throws {
    try await TestDatabase.with { database in
      try await database.store.addSchedule(
        type: "ping", name: "nightly", try Self.policy("0 3 * * *"))
      try await database.makeDue()
      struct Crash: Error {}
      await #expect(throws: Crash.self) {
        try await database.pool.withTransaction { connection in
          #expect(try connection.query("select * from writ_worker.fire_schedule()").count == 1)
          throw Crash()
        }
      }
      #expect(try await database.number("select count(*) from writ.job") == 0)
      #expect(try await database.store.fireSchedule()?.outcome == "fired")
      #expect(try await database.store.fireSchedule() == nil)
      #expect(try await database.number("select count(*) from writ.job") == 1)
    }
  }

  @Test func `a schedule that another worker is firing is left to that one`() async throws {
    try await TestDatabase.with { database in
      try await database.store.addSchedule(
        type: "ping", name: "nightly", try Self.policy("0 3 * * *"))
      try await database.makeDue()
      try await database.pool.withTransaction { connection in
        _ = try connection.query("select * from writ_worker.fire_schedule()")
        #expect(try await database.store.fireSchedule() == nil)
      }
      #expect(try await database.store.fireSchedule() == nil)
      #expect(try await database.number("select count(*) from writ.job") == 1)
    }
  }

  @Test func `missed times fire once, or not at all, as the schedule says`() async throws {
    try await TestDatabase.with { database in
      for missed in MissedFiring.allCases {
        var policy = try Self.policy("*/5 * * * *")
        policy.missed = missed
        try await database.store.addSchedule(type: "ping", name: missed.rawValue, policy)
      }
      try await database.makeDue(ago: "3 hours")
      var outcomes: [String: String] = [:]
      while let firing = try await database.store.fireSchedule() {
        outcomes[firing.schedule] = firing.outcome
      }
      #expect(outcomes == ["once": "fired", "skip": "skipped"])
      #expect(try await database.number("select count(*) from writ.job") == 1)
      #expect(
        try await database.number(
          "select count(*) from writ.schedule where next_fire_at > clock_timestamp()"
            + " and next_fire_at <= clock_timestamp() + interval '5 minutes'") == 2)
      // Less than a minute late is on time.
      try await database.makeDue(ago: "20 seconds")
      #expect(try await database.store.fireSchedule()?.outcome == "fired")
      #expect(try await database.store.fireSchedule()?.outcome == "fired")
    }
  }

  @Test
  func `what the type refuses is on record, not tried in a loop, and over with the next success`()
    async throws
  {
    try await TestDatabase.with { database in
      var policy = try Self.policy("0 3 * * *")
      policy.inputs = JSONObject([("email", "ada@example.com")])
      try await database.store.addSchedule(type: "create_user", name: "nightly", policy)
      let team: JSONValue = ["name": "team_id", "kind": "uuid", "required": true]
      try await database.publish(JobTypes.createUser(hash: "ee", extra: [team]))
      try await database.makeDue()
      let firing = try await database.store.fireSchedule()
      #expect(firing?.outcome == "refused")
      #expect(firing?.jobID == nil)
      #expect(try await database.store.fireSchedule() == nil)
      let schedule = try await database.store.schedules()[0]
      #expect(schedule.lastError?["code"] == "WR001")
      #expect(schedule.lastError?["text"] == "create_user: team_id is required")
      #expect(
        try await database.sql(
          "select concat_ws(' ', error_code, recorded ->> 'reason') from writ.audit_event"
            + " where event = 'schedule_refused'"
        ).map { try $0.decode(0, as: String.self) } == [
          "WR001 create_user: team_id is required"
        ])
      let obstacles = try await database.store.scheduleObstacles()
      #expect(obstacles.map(\.reason) == ["create_user: team_id is required"])
      try await database.publish(JobTypes.createUser(hash: "ef"))
      try await database.makeDue()
      #expect(try await database.store.fireSchedule()?.outcome == "fired")
      #expect(try await database.store.schedules()[0].lastError == nil)
      #expect(try await database.store.scheduleObstacles().isEmpty)
      #expect(try await database.number("select count(*) from writ.job") == 1)
    }
  }

  @Test func `a time zone that is gone stops the schedule, with the reason`() async throws {
    try await TestDatabase.with { database in
      try await database.store.addSchedule(
        type: "ping", name: "nightly", try Self.policy("0 3 * * *"))
      try await database.makeDue()
      try await database.sql("update writ_data.schedule set time_zone = 'Mars/Olympus'")
      #expect(try await database.store.fireSchedule()?.outcome == "refused")
      #expect(try await database.store.fireSchedule() == nil)
      let schedule = try await database.store.schedules()[0]
      #expect(schedule.nextFireAt == nil)
      #expect(schedule.lastError?["text"] == "the database refused the order")
      #expect(
        try await database.store.scheduleObstacles().map(\.reason) == [
          "the time zone is not known to this database"
        ])
    }
  }

  @Test func `the trail says which schedule ordered a job, and which worker fired it`() async throws
  {
    try await TestDatabase.with { database in
      try await database.store.addSchedule(
        type: "ping", name: "nightly", try Self.policy("0 3 * * *"))
      try await database.makeDue()
      let id: Int? = try await database.asRole("the_worker") { pool in
        let firing = try await JobStore(pool: pool).fireSchedule()
        await #expect(throws: PostgresError.self) { try await JobStore(pool: pool).schedules() }
        return firing?.jobID
      }
      let events = try await database.sql(
        "select concat_ws(' ', event, role_name, actor, recorded ->> 'schedule')"
          + " from writ.audit_event where job_id = $1 order by id", [.int(id)]
      ).map { try $0.decode(0, as: String.self) }
      #expect(
        events == [
          "enqueued the_worker schedule nightly", "schedule_fired the_worker nightly",
        ])
    }
  }

  // MARK: People and publishing

  @Test func `publishing puts the schedules of a type in place and takes old ones away`()
    async throws
  {
    try await TestDatabase.with { database in
      func schedule(_ name: String, _ cron: String, _ environments: [String] = []) throws
        -> JSONValue
      {
        var policy = try Self.policy(cron)
        policy.name = name
        policy.environments = environments
        return policy.specification
      }
      func publish(_ hash: String, _ schedules: [JSONValue]) async throws {
        var type = JobTypes.createUser(hash: hash).objectValue ?? JSONObject()
        type["name"] = "census"
        type["inputs"] = []
        type["subject"] = .null
        type["schedules"] = .array(schedules)
        try await database.publish(.object(type))
      }
      try await database.store.createEnvironment("staging")
      try await publish("11", [try schedule("a", "0 1 * * *"), try schedule("b", "0 2 * * *")])
      try await database.store.pauseSchedule("census.a")
      try await publish(
        "12",
        [try schedule("a", "0 4 * * *"), try schedule("c", "0 3 * * *", ["default", "staging"])])
      let rows = try await database.store.schedules().map {
        [$0.name, $0.environment ?? "-", $0.cron, $0.isPaused ? "paused" : "fires"]
          .joined(separator: " ")
      }
      #expect(
        rows == [
          "census.a - 0 4 * * * paused", "census.c default 0 3 * * * fires",
          "census.c staging 0 3 * * * fires",
        ])
      let events = try await database.sql(
        "select concat_ws(' ', event, recorded ->> 'schedule') from writ.audit_event"
          + " where event::text like 'schedule%' order by id"
      ).map { try $0.decode(0, as: String.self) }
      #expect(
        events == [
          "schedule_added census.a", "schedule_added census.b", "schedule_paused census.a",
          "schedule_changed census.a", "schedule_added census.c", "schedule_added census.c",
          "schedule_removed census.b",
        ])
      let error = try await database.refusal("select writ.remove_schedule('census.a')")
      #expect(error.serverMessage == "census.a: the schedule belongs to its job type")
      #expect(try await database.store.resumeSchedule("census.a") == 1)
      #expect(try await database.store.schedules()[0].nextFireAt != nil)
      #expect(try await database.store.pauseSchedule("census.c", environment: "staging") == 1)
      try await publish("13", [])
      #expect(try await database.store.schedules().isEmpty)
    }
  }

  @Test func `a schedule that could never order its job is refused`() async throws {
    try await TestDatabase.with { database in
      func refusal(
        _ type: String = "ping", name: String = "nightly", _ change: (inout SchedulePolicy) -> Void
      ) async throws -> String? {
        var policy = try Self.policy("0 3 * * *")
        change(&policy)
        do {
          try await database.store.addSchedule(type: type, name: name, policy)
        } catch let error as PostgresError {
          return error.serverMessage
        }
        return nil
      }
      #expect(try await refusal("pong") { _ in } == "there is no job type pong")
      #expect(
        try await refusal { $0.timeZone = "CET7" }
          == "nightly: the time zone is not known to this database")
      #expect(
        try await refusal { $0.environments = ["moon"] } == "ping: environment is not known")
      #expect(
        try await refusal { $0.inputs = JSONObject([("x", 1)]) } == "ping: unknown field x")
      #expect(
        try await refusal("create_user") {
          $0.inputs = JSONObject([("email", "sk_live_0123456789abcdef")])
        } == "nightly: email looks like a secret")
      #expect(try await refusal(name: "Bad Name") { _ in } == "the name of a schedule is not one")
      #expect(
        try await refusal(name: "sk_live_0123456789abcdef") { _ in }
          == "the name of the schedule looks like a secret")
      #expect(
        try await refusal { $0.queue = "sk_live_0123456789abcdef" }
          == "ping: queue must be the name of a queue")
      #expect(try await database.number("select count(*) from writ.job") == 0)
      #expect(try await refusal { _ in } == nil)
      #expect(
        try await refusal { _ in }
          == "nightly: there is a schedule of this name in this environment")
      #expect(try await database.store.removeSchedule("nightly") == 1)
      let error = try await database.refusal("select writ.pause_schedule('nightly')")
      #expect(error.serverMessage == "there is no such schedule")
    }
  }

  // MARK: Making

  static func policy(_ cron: String) throws -> SchedulePolicy {
    SchedulePolicy(cron: try CronExpression(parsing: cron))
  }

  static func spec(_ cron: String, zone: String = "UTC") throws -> String {
    var policy = try policy(cron)
    policy.timeZone = zone
    return policy.specification.serialized()
  }
}

extension TestDatabase {
  /// Moves the next time of every schedule into the past, as the passing of time would.
  func makeDue(ago: String = "1 second") async throws {
    try await sql(
      "update writ_data.schedule set next_fire_at = clock_timestamp() - $1::interval"
        + " where not is_paused", [.text(ago)])
  }

  func publish(_ type: JSONValue) async throws {
    try await sql("select writ.publish_job_type($1)", [.json(type.serialized())])
  }
}
