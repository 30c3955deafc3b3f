// What `writ keys list` makes of what it sees.

import JSON
import JobRunner
import JobStore
import Postgres
import Testing

@testable import writ

@Suite struct KeyReviewTests {
  private static let now = PostgresTimestamp("2026-06-01T00:00:00Z")!
  private static let prefix = "sk_aaaaaaaaaaaa"

  private static func key(
    _ prefix: String = prefix, name: String = "create_user",
    permissions: [String] = ["write:users"], created: String = "2026-05-02T00:00:00.5+00:00",
    expires: String? = nil
  ) -> ManagedKey {
    ManagedKey(
      id: "k-\(prefix)", name: name, prefix: prefix, permissions: permissions, createdAt: created,
      expiresAt: expires)
  }

  private static func facts(_ change: (inout KeyFacts) -> Void = { _ in }) -> KeyFacts {
    var facts = KeyFacts(environment: "default", types: [("create_user", ["write:users"])])
    facts.store = ["create_user": [.current: .key(prefix: prefix)]]
    facts.listed = [key()]
    facts.rotations = ["create_user": KeyRotations(environment: "default", jobType: "create_user")]
    facts.workers = []
    facts.installation = "0123abcd"
    change(&facts)
    return facts
  }

  private func warnings(_ change: (inout KeyFacts) -> Void) -> [KeyWarning.Code] {
    rows(change).flatMap { $0.warnings.map(\.code) }
  }

  private func rows(_ change: (inout KeyFacts) -> Void = { _ in }) -> [KeyRow] {
    KeyReview(
      facts: Self.facts(change), now: Self.now, maximumAge: .seconds(90 * 86_400)
    ).rows()
  }

  @Test func `a key as it should be has its facts and no warning`() throws {
    let row = try #require(rows().first)
    #expect(rows().count == 1)
    #expect(row.warnings.isEmpty)
    #expect(row.id == "k-sk_aaaaaaaaaaaa")
    #expect(
      row.json(now: Self.now).serialized()
        == #"{"environment":"default","type":"create_user","id":"k-sk_aaaaaaaaaaaa","name":"create_user","prefix":"sk_aaaaaaaaaaaa","created_at":"2026-05-02T00:00:00.500000Z","age_days":29,"permissions":["write:users"],"least_privilege":["write:users"],"warnings":[]}"#
    )
  }

  @Test func `permissions are held against the least privilege`() {
    #expect(
      warnings { $0.listed = [Self.key(permissions: ["write:users", "read:users"])] } == [.tooBroad]
    )
    #expect(
      warnings { $0.listed = [Self.key(permissions: ["read:users"])] } == [.tooBroad, .tooNarrow])
  }

  @Test func `age counts from the day on which it reaches the limit`() {
    #expect(warnings { $0.listed = [Self.key(created: "2026-03-03T00:00:00Z")] } == [.old])
    #expect(warnings { $0.listed = [Self.key(created: "2026-03-03T00:00:01Z")] } == [])
  }

  @Test func `a key that ends soon or has ended is told`() {
    #expect(warnings { $0.listed = [Self.key(expires: "2026-06-10T00:00:00Z")] } == [.expired])
    #expect(warnings { $0.listed = [Self.key(expires: "2026-05-31T00:00:00Z")] } == [.expired])
    #expect(warnings { $0.listed = [Self.key(expires: "2027-05-31T00:00:00Z")] } == [])
  }

  @Test func `a key that is not there, not readable, not alive or not alone is told`() {
    #expect(warnings { $0.store = [:] } == [.missing])
    #expect(
      warnings { $0.store = ["create_user": [.current: .unusable("mode")]] } == [.unreadable])
    #expect(warnings { $0.listed = [] } == [.dead])
    #expect(
      warnings {
        $0.types.append(("get_user", ["write:users"]))
        $0.store?["get_user"] = [.current: .key(prefix: Self.prefix)]
      } == [.shared, .shared])
  }

  @Test func `what a rotation left is told only when none is under way`() {
    let left: (inout KeyFacts) -> Void = {
      $0.store?["create_user"]?[.pending] = .key(prefix: "sk_bbbbbbbbbbbb")
    }
    #expect(warnings(left) == [.leftOver])
    #expect(
      warnings {
        left(&$0)
        $0.rotations = [
          "create_user": KeyRotations(
            environment: "default", jobType: "create_user", openJobs: [7], openState: "running")
        ]
      } == [])
    #expect(
      warnings {
        left(&$0)
        $0.rotations = [
          "create_user": KeyRotations(
            environment: "default", jobType: "create_user", openJobs: [7],
            openState: "waiting: review")
        ]
      } == [.rotationStopped])
  }

  @Test func `an orphan is a key of this installation that nobody holds`() {
    func orphans(_ name: String, _ change: (inout KeyFacts) -> Void = { _ in }) -> Int {
      rows {
        $0.listed = [Self.key(), Self.key("sk_bbbbbbbbbbbb", name: name)]
        change(&$0)
      }.count { $0.warnings.contains { $0.code == .orphaned } }
    }
    let name = "writ create_user job 7 of 0123abcd"
    #expect(orphans(name) == 1)
    #expect(orphans("writ create_user job 7 of ffffffff") == 0, "of another installation")
    #expect(orphans("billing") == 0)
    #expect(
      orphans(name) { $0.store?["create_user"]?[.pending] = .key(prefix: "sk_bbbbbbbbbbbb") } == 0)
    #expect(
      orphans(name) {
        $0.workers = [
          WorkerKeys.Entry(
            worker: 3, name: "w", host: "h", environment: "default", jobType: "create_user",
            prefix: "sk_bbbbbbbbbbbb")
        ]
      } == 0, "a worker with a store of its own holds it")
    #expect(
      orphans(name) {
        $0.rotations = [
          "create_user": KeyRotations(
            environment: "default", jobType: "create_user", openJobs: [7, 9], openState: "running")
        ]
      } == 0, "its rotation is under way")
  }

  @Test func `an orphan is also a key for another program that nobody was given`() {
    let name = "billing (of May) (writ job 9 of 0123abcd)"
    func texts(_ maker: KeyMaker?, named other: String? = nil) -> [String] {
      rows {
        $0.listed = [Self.key(), Self.key("sk_bbbbbbbbbbbb", name: other ?? name)]
        $0.makers = maker.map { [9: $0] } ?? [:]
      }.dropFirst().flatMap { $0.warnings.map(\.text) }
    }
    #expect(
      texts(KeyMaker(state: "cancelled")) == [
        "job 9 made it and was cancelled, so that nobody was given its secret; delete it in AuthOS"
      ])
    #expect(texts(KeyMaker(state: "discarded")).count == 1)
    #expect(texts(KeyMaker(state: "completed", prefix: "sk_bbbbbbbbbbbb")) == [])
    #expect(
      texts(KeyMaker(state: "completed", prefix: "sk_cccccccccccc")) == [
        "job 9 made it and gave sk_cccccccccccc to its requester instead; delete it in AuthOS"
      ])
    #expect(texts(KeyMaker(state: "retryable")) == [], "its job may still delete it")
    #expect(texts(nil) == [], "its job is forgotten")
    let cancelled = KeyMaker(state: "cancelled")
    #expect(
      texts(cancelled, named: "billing (writ job 9 of ffffffff)") == [], "of another installation")
    #expect(texts(cancelled, named: "billing (writ job x of 0123abcd)") == [])
  }

  @Test func `publishing says when the key in use may do too little`() {
    #expect(
      Publication.note(
        on: "create_user", needing: ["read:users", "write:users"], after: ["write:users"])
        == "create_user now needs read:users as well: rotate its key in each environment with "
        + "`writ keys rotate create_user`")
    #expect(
      Publication.note(
        on: "create_user", needing: ["write:users"], after: ["read:users", "write:users"]) == nil)
  }

  @Test func `a worker that shows another key is named`() {
    let row = rows {
      $0.workers = [
        WorkerKeys.Entry(
          worker: 3, name: "mail", host: "db2", environment: "default", jobType: "create_user",
          prefix: "sk_bbbbbbbbbbbb")
      ]
    }.first
    #expect(
      row?.warnings == [KeyWarning(.otherWorker, "worker 3 (mail on db2) shows sk_bbbbbbbbbbbb")])
  }

  @Test func `nothing is concluded from what could not be looked at`() {
    #expect(warnings { $0.listed = nil } == [])
    #expect(warnings { $0.store = nil } == [])
    #expect(
      warnings {
        $0.rotations = nil
        $0.workers = nil
        $0.installation = nil
        $0.store?["create_user"]?[.pending] = .key(prefix: "sk_bbbbbbbbbbbb")
      } == [])
  }
}
