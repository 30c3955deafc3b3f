// Each job type of the catalogue once, with real SQL, a real worker and the emulator.

import Arazzo
import AuthOSEmulator
import JSON
import JobStore
import Secrets
import Testing

@testable import JobRunner

@Suite struct CatalogueTests {
  private static let ada = SeedUser(email: "ada@example.com", plan: "free", status: "trialing")
  private static let end: JSONValue = "2031-01-01T00:00:00Z"

  /// Orders a job, waits for its end, and gives the job and its rows.
  private func run(
    _ type: String, _ payload: JSONValue = [:], in workshop: Workshop,
    to state: String = "completed",
    sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) async throws -> (job: JobDetail, rows: [JSONValue]) {
    let id = try await workshop.order(type, payload)
    try await workshop.expect(id, toBe: state, sourceLocation: sourceLocation)
    let detail = try #require(try await workshop.admin.job(id))
    return (detail, try await workshop.admin.jobRows(id).map(\.data))
  }

  private func id(_ email: String, _ workshop: Workshop) -> JSONValue {
    JSONValue(workshop.authOS.seeded.userIDs[email])
  }

  private func plan(_ name: String, _ workshop: Workshop) -> JSONValue {
    JSONValue(workshop.authOS.seeded.planIDs[name])
  }

  @Test func `what reads a user gives him in a row, and his address nowhere else`() async throws {
    try await Workshop.open(users: [Self.ada]) { workshop in
      try await workshop.withWorker { _, _ in
        let user = id("ada@example.com", workshop)
        for type in ["get_user", "update_user"] {
          let (job, rows) = try await run(type, ["user_id": user], in: workshop)
          #expect(rows.map { $0["email"] } == ["ada@example.com"])
          #expect(job.result?["user_id"] == user)
          #expect(job.result?["rows"] == 1)
          let trail = job.events.compactMap(\.recorded).map { $0.serialized() }.joined()
          #expect(trail.contains("hmac-sha256:"))
          #expect(!trail.contains("ada@example.com"))
        }
        let stranger: JSONValue = ["user_id": "0a000000-0000-4000-8000-00000000c0de"]
        let (job, rows) = try await run("get_user", stranger, in: workshop, to: "discarded")
        #expect(job.summary.lastError?["code"] == "user_not_linked")
        #expect(rows.isEmpty)
      }
    }
  }

  @Test func `what changes a subscription does so once, and tells what is stored`() async throws {
    let grace = SeedUser(email: "grace@example.com")
    try await Workshop.open(users: [Self.ada, grace]) { workshop in
      try await workshop.withWorker { _, _ in
        let user = id("grace@example.com", workshop)
        let order: JSONValue = [
          "user_id": user, "plan_id": plan("pro", workshop), "current_period_end": Self.end,
        ]
        for _ in 0..<2 {
          let (job, _) = try await run("create_subscription", order, in: workshop)
          #expect(job.result?["plan_id"] == plan("pro", workshop))
          #expect(job.result?["status"] == "active")
          #expect(job.result?["current_period_end"] == Self.end)
        }
        let (job, _) = try await run(
          "create_subscription", ["user_id": user, "plan_id": plan("team", workshop)], in: workshop,
          to: "discarded")
        #expect(job.summary.lastError?["code"] == "has_another_plan")
        let (updated, _) = try await run(
          "update_subscription", ["user_id": user, "status": "past_due"], in: workshop)
        #expect(updated.result?["status"] == "past_due")
        // The emulator shows the clock to whoever asks in the plain way, as AuthOS on SQLite does.
        let (read, _) = try await run("get_subscription", ["user_id": user], in: workshop)
        #expect(read.result?["current_period_end"] == Self.end)
        #expect(read.result?["plan_name"] == "pro")
        _ = try await run("cancel_subscription", ["user_id": user], in: workshop)
        _ = try await run("cancel_subscription", ["user_id": user], in: workshop)
        let (none, _) = try await run(
          "get_subscription", ["user_id": user], in: workshop, to: "discarded")
        #expect(none.summary.lastError?["code"] == "no_subscription")
      }
      #expect(workshop.effects(.subscriptionInserted) == 1)
      #expect(workshop.effects(.subscriptionUpdated) == 1)
      #expect(workshop.effects(.subscriptionDeleted) == 1)
    }
  }

  @Test func `a thousand users are listed once each while others are added`() async throws {
    let users = (0..<1_050).map { SeedUser(email: "user\($0)@example.com") }
    try await Workshop.open(users: users) { workshop in
      try await workshop.withWorker { _, _ in
        let job = try await workshop.order("list_users", [:])
        var added = 0
        let isDone = try await eventually {
          added += 1
          _ = workshop.authOS.plant(SeedUser(email: "new\(added)@example.com"), at: .now())
          return try await workshop.state(of: job) == "completed"
        }
        #expect(isDone)
        let rows = try await workshop.admin.jobRows(job, limit: 10_000).map(\.data)
        let emails = rows.compactMap { $0["email"]?.stringValue }
        #expect(Set(emails).count == rows.count)
        #expect(Set(users.map(\.email)).isSubset(of: emails))
        let detail = try #require(try await workshop.admin.job(job))
        #expect(detail.result?["rows"] == JSONValue(rows.count))
        #expect(detail.journal.allSatisfy { ($0.outputs?.serialized().utf8.count ?? 0) < 200 })
      }
    }
  }

  @Test func `lists of subscriptions, keys and plans become rows`() async throws {
    try await Workshop.open(users: [Self.ada]) { workshop in
      try await workshop.withWorker { _, _ in
        let (all, subscriptions) = try await run("list_subscriptions", in: workshop)
        #expect(subscriptions.map { $0["user_id"] } == [id("ada@example.com", workshop)])
        #expect(subscriptions.allSatisfy { $0["current_period_end"] == nil })
        #expect(all.result == ["total": 1, "rows": 1])
        let (none, nothing) = try await run(
          "list_subscriptions", ["status": "active"], in: workshop)
        #expect(nothing.isEmpty)
        #expect(none.result == ["total": 0, "rows": 0])
        let (_, keys) = try await run("list_api_keys", in: workshop)
        #expect(keys.count == workshop.authOS.snapshot.keys.count)
        #expect(keys.allSatisfy { $0["key"] == nil && $0["prefix"] != nil })
        let (_, plans) = try await run("list_plans", in: workshop)
        #expect(Set(plans.compactMap { $0["name"]?.stringValue }) == ["free", "pro", "team"])
        #expect(plans.contains { $0["id"] == plan("pro", workshop) })
      }
    }
  }

  @Test func `subscriptions that the server cannot list end the job with the way out`() async throws
  {
    var settings = EmulatorSettings()
    settings.dateMode = .sqlServer
    try await Workshop.open(users: [Self.ada], settings: settings) { workshop in
      try await workshop.withWorker { _, _ in
        let (job, _) = try await run("list_subscriptions", in: workshop, to: "discarded")
        #expect(job.summary.lastError?["code"] == "cannot_be_listed")
        let user = id("ada@example.com", workshop)
        let (read, _) = try await run("get_subscription", ["user_id": user], in: workshop)
        #expect(read.result?["status"] == "trialing")
      }
    }
  }

  @Test func `the service is counted, read and renamed`() async throws {
    try await Workshop.open(users: [Self.ada]) { workshop in
      try await workshop.withWorker { _, _ in
        let (counts, _) = try await run("capture_analytics", in: workshop)
        #expect(counts.result?["total_users"] == 1)
        #expect(counts.result?["active_subscriptions"] == 0)
        _ = try await run("update_service_info", ["name": "Front door"], in: workshop)
        let (service, _) = try await run("get_service_info", in: workshop)
        #expect(service.result?["name"] == "Front door")
        #expect(service.result?["slug"] == "portal")
      }
      #expect(workshop.effects(.serviceRenamed) == 1)
    }
  }

  @Test func `a key and a client secret reach the requester and nobody else`() async throws {
    let own = SealingPrivateKey()
    let publicKey = JSONValue.string(own.publicKey.description)
    try await Workshop.open { workshop in
      try await workshop.withWorker { _, _ in
        let (job, _) = try await run(
          "create_api_key",
          [
            "name": "reports", "permissions": ["read:users"], "expires_in_days": 30,
            "public_key": publicKey,
          ], in: workshop)
        let key = try open(job, "key", with: own)
        let made = workshop.authOS.snapshot.keys.filter { $0.name.hasPrefix("reports (writ job") }
        #expect(made.map(\.permissions) == [["read:users"]])
        #expect(made.first.map { key.hasPrefix($0.prefix) } == true)
        _ = try await run(
          "revoke_api_key", ["api_key_id": JSONValue(made.first?.id)], in: workshop)
        #expect(!workshop.authOS.snapshot.keys.contains { $0.id == made.first?.id })
        let (rotation, _) = try await run(
          "rotate_client_secret", ["public_key": publicKey], in: workshop)
        let secret = try open(rotation, "client_secret", with: own)
        let database = try await workshop.dump()
        #expect(!database.contains(key))
        #expect(!database.contains(secret))
      }
      #expect(workshop.effects(.apiKeyCreated) == 1)
      #expect(workshop.effects(.apiKeyDeleted) == 1)
      #expect(workshop.effects(.secretRotated) == 1)
    }
  }

  private func open(
    _ job: JobDetail, _ name: String, with key: SealingPrivateKey
  ) throws -> String {
    let sealed = try SealedText(try #require(job.result?[name]?.stringValue))
    return try sealed.open(with: key).withBytes { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a user comes with a subscription and goes with all that he had on record`()
    async throws
  {
    try await Workshop.open { workshop in
      try await workshop.withWorker { _, _ in
        let order: JSONValue = [
          "email": "Grace@example.com", "plan_id": plan("team", workshop),
          "current_period_end": Self.end,
        ]
        let (first, _) = try await run("onboard_user", order, in: workshop)
        let (second, _) = try await run("onboard_user", order, in: workshop)
        #expect(first.result == second.result)
        let user = first.result?["user_id"] ?? .null
        let (gone, rows) = try await run("offboard_user", ["user_id": user], in: workshop)
        #expect(rows.map { $0["email"] } == ["grace@example.com"])
        #expect(gone.result?["plan_name"] == "team")
        #expect(gone.result?["current_period_end"] == Self.end)
      }
      let user = workshop.authOS.snapshot.users.first
      #expect(user?.isLinked == false)
      #expect(user?.subscription == nil)
      #expect(workshop.effects(.userInserted) == 1)
      #expect(workshop.effects(.subscriptionInserted) == 1)
    }
  }

  @Test func `a person who has mended the cause lets an onboarding go on`() async throws {
    try await Workshop.open(users: [SeedUser(email: "ada@example.com", plan: "free")]) { workshop in
      try await workshop.withWorker { _, _ in
        let (job, _) = try await run(
          "onboard_user", ["email": "ada@example.com", "plan_id": plan("team", workshop)],
          in: workshop, to: "waiting")
        #expect(job.summary.lastError?["code"] == "no_subscription")
        let user = id("ada@example.com", workshop)
        _ = try await run("cancel_subscription", ["user_id": user], in: workshop)
        try await workshop.admin.replay(job.summary.id)
        try await workshop.expect(job.summary.id, toBe: "completed")
      }
      #expect(workshop.authOS.snapshot.users.first?.subscription?.planName == "team")
    }
  }
}

/// What the emulator serves is what the catalogue can do.
@Suite struct RouteTests {
  /// Routes that no job type is for, and why.
  private static let leftOut: Set<AuthOSEmulator.Operation> = [
    // A session is renewed by another login: a refresh whose answer is lost must not be repeated.
    .refreshToken,
    // An account with a second factor cannot serve a machine.
    .verifyMfa,
    // They say nothing about a service.
    .health, .healthLive, .healthReady, .jwks,
  ]

  @Test func `the catalogue describes every route of the service and its management`() throws {
    var described: Set<String> = []
    for type in try Workshop.catalogue().jobTypes {
      for case .openAPI(let document) in type.document.sources.values where !document.isLocal {
        described.formUnion(document.operations.map { "\($0.method.name) \($0.path)" })
      }
    }
    for operation in AuthOSEmulator.Operation.allCases {
      let route = "\(operation.template.method) \(operation.template.path)"
      #expect(described.contains(route) == !Self.leftOut.contains(operation), "\(route)")
    }
  }
}
