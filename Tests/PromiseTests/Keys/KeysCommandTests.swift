// `writ keys`: what an operator sees and orders.

import AuthOSEmulator
import Foundation
import JSON
import Postgres
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct KeysCommands {
    private static let options: FixtureOptions = {
      var options = FixtureOptions()
      options.otherKeys = 120
      options.worker = [
        "lease": "2s", "renewal-interval": "200ms", "lease-margin": "300ms",
        "sweep-interval": "100ms", "database-timeout": "1s", "poll-interval": "100ms",
      ]
      return options
    }()

    /// The keys that `writ keys list --json` shows for the types that the fixture has keys for.
    private func list(
      _ fixture: WritFixture, as role: FixtureRole = .admin
    ) async throws -> (rows: [JSONValue], notLookedAt: [JSONValue]) {
      let process = try await fixture.run(["keys", "list", "--json"], as: role)
      #expect(process.ended == .exited(0), "\(process.errors)")
      let document = try JSONValue(parsing: Array(process.output.joined().utf8))
      let rows = (document["keys"]?.arrayValue ?? []).filter { row in
        row["type"]?.stringValue.map(WritFixture.keyedTypes.contains) ?? true
      }
      return (rows, document["not_looked_at"]?.arrayValue ?? [])
    }

    private func warnings(_ rows: [JSONValue], _ type: String?) -> [String] {
      rows.filter { $0["type"]?.stringValue == type }.flatMap {
        ($0["warnings"]?.arrayValue ?? []).compactMap { $0["code"]?.stringValue }
      }
    }

    @Test func `keys are listed, rotated all at once, and told apart from orphans`() async throws {
      try await WritFixture.with(Self.options) { fixture in
        _ = try await fixture.startWorker()
        try await fixture.database.withPool(.superuser) { pool in
          _ = try await pool.query(
            "select writ.grant_job_type($1, $2)",
            [.text("rotate_api_key"), .text(FixtureRole.admin.rawValue)])
        }
        let (fresh, notLookedAt) = try await list(fixture)
        var rows = fresh
        #expect(notLookedAt.isEmpty, "\(notLookedAt)")
        #expect(rows.count == WritFixture.keyedTypes.count)
        #expect(rows.allSatisfy { $0["warnings"] == [] && $0["age_days"] == 0 }, "\(rows)")
        #expect(rows.allSatisfy { $0["rotated_at"] == nil })

        let old = fixture.secret("create_user.key")
        let plan = try await fixture.run(
          ["keys", "rotate", "--all", "--dry-run", "--json"], as: .admin)
        let planned = try JSONValue(parsing: Array(plan.output.joined().utf8)).arrayValue ?? []
        #expect(planned.count == WritFixture.keyedTypes.count)
        #expect(planned.allSatisfy { $0["state"] == "planned" && $0["job_id"] == nil })
        let all = try await fixture.run(
          ["keys", "rotate", "--all", "--wait", "--json"], as: .admin, within: .seconds(60))
        #expect(all.ended == .exited(0), "\(all.errors)")
        let rotated = try JSONValue(parsing: Array(all.output.joined().utf8)).arrayValue ?? []
        #expect(rotated.count == planned.count)
        #expect(rotated.allSatisfy { $0["state"] == "completed" }, "\(rotated)")

        rows = try await list(fixture).rows
        #expect(rows.allSatisfy { $0["warnings"] == [] && $0["rotated_at"] != nil }, "\(rows)")
        #expect(rows.count == WritFixture.keyedTypes.count)

        // The old key comes back from some backup: it is dead, and nobody holds the new one.
        let new = try #require(fixture.secret("create_user.key"))
        try fixture.write("create_user.key", try #require(old))
        rows = try await list(fixture).rows
        #expect(warnings(rows, "create_user").contains("dead"))
        let text = try await fixture.run(["keys", "list"], as: .admin)
        #expect(!(text.output + text.errors).joined().contains(new.dropFirst(16)))
        #expect(
          text.output.contains { $0.contains("dead  default/create_user: AuthOS has no such key") })
        try await awaiting("the worker to show the old key", within: .seconds(20)) {
          let (rows, _) = try await list(fixture)
          return warnings(rows, nil) == ["orphaned"]
        }
        let check = try await fixture.run(["keys", "list", "--check"], as: .admin)
        #expect(check.ended == .exited(1))
      }
    }

    @Test func `what cannot be looked at is said, and the rest is shown`() async throws {
      try await WritFixture.with(Self.options) { fixture in
        let (rows, notLookedAt) = try await list(fixture, as: .enqueuer)
        #expect(rows.count == WritFixture.keyedTypes.count)
        #expect(rows.allSatisfy { $0["id"] != nil && $0["warnings"] == [] }, "\(rows)")
        #expect(
          notLookedAt == [
            "the database does not let this role see which types are published besides those of the catalogue; use a member of writ_admin",
            "the database does not let this role look at rotations and workers; use a member of writ_admin",
          ])
        try fixture.write("management.password", "wrong horse battery staple")
        let (poorer, spots) = try await list(fixture, as: .admin)
        #expect(poorer.allSatisfy { $0["id"] == nil && $0["prefix"] != nil })
        #expect(
          spots == [
            "AuthOS of default could not be asked: the account of default/management.password cannot be used (login_refused)"
          ])
      }
    }

    @Test(arguments: [
      (
        ["keys", "rotate", "create_usr"],
        "writ: there is no job type create_usr; did you mean create_user?", 65
      ),
      (
        ["keys", "rotate", "rotate_api_key"], "writ: jobs of the type rotate_api_key need no key",
        65
      ),
      (
        ["keys", "list", "--environment", "defualt"],
        "writ: there is no environment defualt in the configuration; did you mean default?", 65
      ),
    ])
    func `a mistake gets a sentence`(arguments: [String], sentence: String, code: Int32)
      async throws
    {
      try await WritFixture.with(Self.options) { fixture in
        let process = try await fixture.run(arguments, as: .admin)
        #expect(process.ended == .exited(code))
        #expect(process.errors == [sentence])
        #expect(process.output == [])
      }
    }

    @Test func `waiting without a live worker says so, ends in time, and leaves the order`()
      async throws
    {
      try await WritFixture.with(Self.options) { fixture in
        let process = try await fixture.run(
          ["keys", "rotate", "create_user", "--wait", "--timeout", "500ms", "--json"], as: .enqueuer
        )
        #expect(process.ended == .exited(75))
        #expect(
          process.errors.contains(
            "writ: no live worker serves default: 1 rotation waits there until one is started (`writ worker`)"
          ), "\(process.errors)")
        #expect(
          process.errors.last
            == "writ: not over after 500ms; the rotations stay ordered, and go on as soon as a worker can"
        )
        let report = try JSONValue(parsing: Array(process.output.joined().utf8)).arrayValue ?? []
        #expect(report.map { $0["state"] } == ["available"])
        let job = try #require(report.first?["job_id"]?.intValue)
        let rotation = try await fixture.start(
          ["keys", "rotate", "create_user", "--wait"], as: .enqueuer)
        try await rotation.awaitLine("the missing worker is told") {
          $0.contains("no live worker serves default")
        }
        _ = try await fixture.startWorker()
        #expect(try await rotation.awaitEnd(within: .seconds(60)) == .exited(0))
        let first = try await fixture.pool.query(
          "select state from writ.job where id = $1", [.int(job)])[0]["state"].decode(
            as: String.self)
        #expect(first == "completed", "what was ordered first went on first")
      }
    }

    @Test func `of rotations of which one is refused none is ordered`() async throws {
      try await WritFixture.with(Self.options) { fixture in
        try await fixture.database.withPool(.superuser) { pool in
          _ = try await pool.query(
            "select writ.grant_job_type($1, $2)",
            [.text("rotate_api_key"), .text(FixtureRole.admin.rawValue)])
        }
        // An environment that this machine knows and the database does not.
        let unknown = "\(fixture.secretsDirectory)/other"
        try FileManager.default.copyItem(
          atPath: "\(fixture.secretsDirectory)/default", toPath: unknown)
        let process = try await fixture.run(
          [
            "keys", "rotate", "--all", "--json",
            "--set", "environments.other.authos.url=http://[::1]:1",
            "--set", "environments.other.authos.organization=a", "--set",
            "environments.other.authos.service=b", "--set", "environments.default.default=true",
          ], as: .admin)
        #expect(process.ended == .exited(65))
        #expect(process.output == [])
        #expect(process.errors.count == 1)
        let sentence = process.errors.first ?? ""
        #expect(sentence.hasPrefix("writ: other/change_plan: "), "\(sentence)")
        #expect(sentence.hasSuffix("; no rotation was ordered"), "\(sentence)")
        let jobs = try await fixture.pool.query("select count(*) as jobs from writ.job")[0]["jobs"]
        #expect(try jobs.decode(as: Int.self) == 0)
      }
    }

    @Test func `the old key lives until a worker with a store of its own has the new one`()
      async throws
    {
      try await WritFixture.with(Self.options) { fixture in
        _ = try await fixture.start(
          ["worker", "--set", "worker.name=writer", "--set", "worker.queues=keys"], as: .worker)
        let own = "\(fixture.directory)/own"
        try FileManager.default.copyItem(atPath: fixture.secretsDirectory, toPath: own)
        let reader = try await fixture.start(
          ["worker", "--set", "worker.name=reader", "--set", "secrets.directory=\(own)"],
          as: .worker)
        try await reader.awaitLine("the worker is registered") {
          $0.contains("the worker is registered")
        }
        let rotation = try await fixture.start(
          ["keys", "rotate", "create_user", "--queue", "keys", "--wait", "--json"], as: .enqueuer)
        let error = try await awaiting("the rotation to wait for the reader", within: .seconds(30))
        {
          try await fixture.pool.query(
            "select last_error ->> 'text' as text from writ_data.job where last_error ->> 'code' = 'KEY_NOT_LOADED'"
          ).first.map { try $0["text"].decode(as: String.self) }
        }
        #expect(error.contains("(reader on "), "\(error)")
        #expect(!error.contains("(writer on "), "\(error)")
        #expect(fixture.authOS.snapshot.keys.contains { $0.name == "create_user" })
        // The reader works on with the old key.
        let user = try await fixture.order("writ.create_user(email => 'ada@example.com')")
        try await awaiting("the order to be carried out", within: .seconds(20)) {
          try await !fixture.pool.query(
            "select from writ.job where id = $1 and state = 'completed'", [.int(user)]
          ).isEmpty
        }
        // An operator distributes the new key.
        let new = try #require(fixture.secret("create_user.key"))
        try FileManager.default.removeItem(atPath: "\(own)/default/create_user.key")
        #expect(
          FileManager.default.createFile(
            atPath: "\(own)/default/create_user.key", contents: Data(new.utf8),
            attributes: [.posixPermissions: 0o600]))
        #expect(try await rotation.awaitEnd(within: .seconds(60)) == .exited(0))
        #expect(!fixture.authOS.snapshot.keys.contains { $0.name == "create_user" })
        let next = try await fixture.order("writ.create_user(email => 'grace@example.com')")
        try await awaiting("the next order to be carried out", within: .seconds(20)) {
          try await !fixture.pool.query(
            "select from writ.job where id = $1 and state = 'completed'", [.int(next)]
          ).isEmpty
        }
        let failures = try await fixture.pool.query(
          "select max(failures)::int8 as failures from writ.job")[0]["failures"].decode(
            as: Int.self)
        #expect(failures == 0)
      }
    }
  }
}
