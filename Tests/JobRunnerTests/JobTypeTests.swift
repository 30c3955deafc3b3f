import AuthOSEmulator
import JSON
import JobStore
import Postgres
import Testing

@testable import JobRunner

@Suite struct JobTypeTests {
  @Test func `create_user makes a person known once`() async throws {
    try await Workshop.open { workshop in
      try await workshop.withWorker { worker, _ in
        let first = try await workshop.order("create_user", ["email": "ada@example.com"])
        let second = try await workshop.order("create_user", ["email": "ada@example.com"])
        try await workshop.expect(first, toBe: "completed")
        try await workshop.expect(second, toBe: "completed")
        let hasCounted = try await eventually { worker.statistics.completed == 2 }
        #expect(hasCounted)
      }
      #expect(workshop.effects(.userInserted) == 1)
      #expect(workshop.effects(.linkInserted) == 1)
    }
  }

  @Test func `change_plan replaces the subscription once`() async throws {
    let users = [SeedUser(email: "ada@example.com", plan: "free")]
    try await Workshop.open(users: users) { workshop in
      try await workshop.withWorker { _, _ in
        let job = try await workshop.order(
          "change_plan",
          [
            "user_id": JSONValue(workshop.authOS.seeded.userIDs["ada@example.com"]),
            "plan_id": JSONValue(workshop.authOS.seeded.planIDs["pro"]),
          ])
        try await workshop.expect(job, toBe: "completed")
      }
      let user = workshop.authOS.snapshot.users.first
      #expect(user?.subscription?.planName == "pro")
      #expect(workshop.effects(.subscriptionDeleted) == 1)
    }
  }

  @Test func `revoke_access leaves neither link nor subscription`() async throws {
    let users = [SeedUser(email: "ada@example.com", plan: "pro")]
    try await Workshop.open(users: users) { workshop in
      try await workshop.withWorker { _, _ in
        let job = try await workshop.order(
          "revoke_access",
          ["user_id": JSONValue(workshop.authOS.seeded.userIDs["ada@example.com"])])
        try await workshop.expect(job, toBe: "completed")
      }
      let user = workshop.authOS.snapshot.users.first
      #expect(user?.isLinked == false)
      #expect(user?.subscription == nil)
      #expect(workshop.effects(.linkRemoved) == 1)
    }
  }

  @Test func `rotate_api_key puts a new key into use and the old one to death`() async throws {
    try await Workshop.open { workshop in
      let old = try workshop.secrets.text("default/create_user.key")
      try await workshop.withWorker { worker, _ in
        let job = try await workshop.order("rotate_api_key", ["job_type": "create_user"])
        try await workshop.expect(job, toBe: "completed")
        #expect(worker.statistics.logins == 1)
        let next = try await workshop.order("create_user", ["email": "ada@example.com"])
        try await workshop.expect(next, toBe: "completed")
      }
      let new = try workshop.secrets.text("default/create_user.key")
      let pending = try workshop.secrets.text("default/create_user.pending.key")
      let previous = try workshop.secrets.text("default/create_user.previous.key")
      #expect(new != old)
      #expect(new != nil)
      #expect(pending == nil)
      #expect(previous == nil)
      #expect(workshop.effects(.apiKeyCreated) == 1)
      #expect(workshop.effects(.apiKeyDeleted) == 1)
    }
  }

  @Test func `requests on their way with the old key when it goes are sent again with the new one`()
    async throws
  {
    // Held back before AuthOS looks at the key, for longer than a rotation takes.
    let faults = FaultPlan(rules: [
      FaultRule(
        FaultRoute(.createServiceUser), script: Array(repeating: .slow(.seconds(25)), count: 5))
    ])
    try await Workshop.open(faults: faults) { workshop in
      try await workshop.withWorker({ $0.requestTimeout = .seconds(40) }) { worker, _ in
        var jobs: [Int] = []
        for number in 1...5 {
          jobs.append(
            try await workshop.order(
              "create_user", ["email": .string("user\(number)@example.com")]))
        }
        let areSent = try await eventually { worker.statistics.requests == 5 }
        #expect(areSent)
        let rotation = try await workshop.order("rotate_api_key", ["job_type": "create_user"])
        try await workshop.expect(rotation, toBe: "completed")
        for job in jobs { try await workshop.expect(job, toBe: "completed") }
        #expect(worker.statistics.putOff == 0)
        #expect(worker.statistics.retried == 0)
      }
      let refused = workshop.authOS.counts.answers[
        RequestCounts.Line(operation: "createServiceUser", status: 401)]
      #expect(refused == 5)
      #expect(workshop.effects(.userInserted) == 5)
    }
  }

  @Test func `jobs whose key lacks a permission wait for a wider one, and only one asks meanwhile`()
    async throws
  {
    try await Workshop.open { workshop in
      let wide = try #require(try workshop.secrets.text("default/create_user.key"))
      let narrow = try #require(try workshop.secrets.text("default/get_user.key"))
      try workshop.secrets.set("default/create_user.key", narrow)
      // One slot, so that no second request is on its way when the first answer comes.
      try await workshop.withWorker({ $0.slots = 1 }) { worker, _ in
        var jobs: [Int] = []
        for number in 1...20 {
          jobs.append(
            try await workshop.order(
              "create_user", ["email": .string("user\(number)@example.com")]))
        }
        #expect(try await eventually { worker.statistics.retried == 20 })
        let error = try #require(try await workshop.admin.job(jobs[0])?.summary.lastError)
        #expect(error["code"] == "FORBIDDEN")
        #expect(
          error["text"]
            == "default/create_user.key lacks the permission write:users of createUser; rotate it, or give it the permission"
        )
        let refused = RequestCounts.Line(operation: "createServiceUser", status: 403)
        #expect(workshop.authOS.counts.answers[refused] == 1)
        try workshop.secrets.set("default/create_user.key", wide)
        _ = try await workshop.admin.pool.query(
          "update writ_data.job set run_at = clock_timestamp()")
        for job in jobs { try await workshop.expect(job, toBe: "completed") }
      }
      #expect(workshop.effects(.userInserted) == 20)
    }
  }

  @Test func `a hundred jobs run in a few slots, each once`() async throws {
    try await Workshop.open { workshop in
      let jobs = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 1...100 {
          group.addTask {
            try await workshop.order("create_user", ["email": .string("user\(number)@example.com")])
          }
        }
        return try await group.reduce(into: []) { $0.append($1) }
      }
      try await workshop.withWorker({ $0.slots = 8 }) { worker, _ in
        let isDone = try await eventually { worker.statistics.completed == jobs.count }
        #expect(isDone)
        #expect(worker.statistics.flushes < 300)
      }
      #expect(workshop.effects(.userInserted) == 100)
    }
  }

  @Test func `a payload that cannot be read sends its job to a person and holds up no other`()
    async throws
  {
    try await Workshop.open { workshop in
      let bad = try await workshop.order("create_user", ["email": "bad@example.com"])
      let good = try await workshop.order("create_user", ["email": "good@example.com"])
      let deep = String(repeating: "[", count: 300) + String(repeating: "]", count: 300)
      _ = try await workshop.admin.pool.query(
        "update writ_data.job set payload = $2 where id = $1",
        [.int(bad), .json("{\"email\": \(deep)}")])
      try await workshop.withWorker { _, _ in
        try await workshop.expect(good, toBe: "completed")
        let isInReview = try await eventually {
          try await workshop.admin.pool.query(
            "select last_error ->> 'code' as code from writ.job where id = $1 and waiting_reason = 'review'",
            [.int(bad)]
          ).first?.decode("code") == "payload_unreadable"
        }
        #expect(isInReview)
      }
      #expect(workshop.authOS.snapshot.users.map(\.email) == ["good@example.com"])
    }
  }
}
