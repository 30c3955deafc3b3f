// The history checker, tested by breaking each promise on purpose: a checker that accepts everything proves nothing.

import Testing

@testable import AuthOSEmulator

@Suite struct `The history checker` {
  private let user = "00000000-0000-4000-8000-000000000001"

  @Test func `accepts a history in which everything went well`() {
    #expect(good().violations() == [])
  }

  @Test func `names a job that is lost`() {
    var checker = good()
    checker.history.jobs.removeFirst()
    #expect(checker.violations().contains("job 1 is lost"))
  }

  @Test func `names a job that did not complete`() {
    var checker = good()
    checker.history.jobs[0].state = "waiting"
    checker.history.jobs[0].waitingReason = "review"
    #expect(
      checker.violations().contains("job 1 (create_user) is waiting review  after 1 attempts"))
  }

  @Test func `names a gap in the trail`() {
    var checker = good()
    checker.history.events.remove(at: 1)
    #expect(
      checker.violations().contains(
        "job 1: event 4 (completed) leaves running, but the state was available"))
  }

  @Test func `names a job that ended twice`() {
    var checker = good()
    var end = checker.history.events[3]
    end.id = 99
    checker.history.events.append(end)
    #expect(checker.violations().contains("job 1: it ended 2 times"))
  }

  @Test func `names an intent without an outcome`() {
    var checker = good()
    checker.history.steps[0].outcomeAt = nil
    #expect(checker.violations().contains("job 1: create has an intent but no outcome"))
  }

  @Test func `names a change that no event tells of`() {
    var checker = good()
    checker.history.events.removeAll { $0.event == "step" && $0.jobID == 1 }
    #expect(checker.violations().contains("job 1: no event tells of create"))
  }

  @Test func `names a user who was made twice`() {
    var checker = good()
    checker.ledger.append(effect(.userInserted, at: 25, email: "ada@acme.test", user: "u"))
    #expect(checker.violations().contains("ada@acme.test was inserted 2 times and linked 1 times"))
  }

  @Test func `names a subscription that was made twice, or lost`() {
    var checker = good()
    checker.ledger.append(effect(.subscriptionInserted, at: 45, user: user, plan: "pro"))
    checker.after.users[1].subscription = nil
    #expect(
      checker.violations() == [
        "user \(user) ends with plan none, linked true",
        "user \(user): subscriptionDeleted free, subscriptionInserted pro, subscriptionInserted pro; "
          + "ordered: subscriptionDeleted free, subscriptionInserted pro",
      ])
  }

  @Test func `names a period end that was lost`() {
    var checker = good()
    checker.after.users[1].subscription?.currentPeriodEnd = UTCTime(seconds: 1)
    #expect(checker.violations() == ["user \(user): the period end was lost"])
  }

  @Test func `names a key that was left alive`() {
    var checker = good()
    checker.after.keys.append(
      .init(id: "k0", name: "create_user", prefix: "sk_0", permissions: ["write:users"]))
    #expect(
      checker.violations() == ["create_user has 2 live keys: writ create_user job 3, create_user"])
  }

  @Test func `names an effect that was never intended, or came before its intent`() {
    var checker = good()
    checker.ledger.append(effect(.linkRemoved, at: 50, email: "eve@acme.test", user: "e"))
    checker.ledger[0].time = UTCTime(seconds: 5)
    #expect(
      checker.violations() == [
        "userInserted of ada@acme.test came before its intent",
        "linkRemoved of eve@acme.test was never intended",
      ])
  }

  // MARK: A good history

  private func good() -> HistoryChecker {
    HistoryChecker(
      orders: [
        .init(id: 1, kind: .createUser(email: "ada@acme.test")),
        .init(id: 2, kind: .changePlan(userID: user, plan: "pro")),
        .init(id: 3, kind: .rotateKey(type: "create_user")),
      ],
      history: History(
        jobs: [
          job(1, "create_user", userID: "u"), job(2, "change_plan"), job(3, "rotate_api_key"),
        ],
        events: trail(1, step: "create", from: 10) + trail(2, step: "remove_old", from: 30)
          + trail(3, step: "create_key", from: 60),
        steps: [step(1, "create", "create", 20), step(2, "remove_old", "delete", 40)]),
      ledger: [
        effect(.userInserted, at: 21, email: "ada@acme.test", user: "u"),
        effect(.linkInserted, at: 22, email: "ada@acme.test", user: "u"),
        effect(.subscriptionDeleted, at: 41, user: user, plan: "free"),
        effect(.subscriptionInserted, at: 42, user: user, plan: "pro"),
      ],
      before: snapshot(
        [person("mover@acme.test", user, plan: "free")],
        keys: [.init(id: "k0", name: "create_user", prefix: "sk_0", permissions: ["write:users"])]),
      after: snapshot(
        [person("ada@acme.test", "u", plan: nil), person("mover@acme.test", user, plan: "pro")],
        keys: [
          .init(
            id: "k1", name: "writ create_user job 3", prefix: "sk_1", permissions: ["write:users"])
        ]))
  }

  private func snapshot(
    _ users: [EmulatorSnapshot.User], keys: [EmulatorSnapshot.Key]
  ) -> EmulatorSnapshot {
    var snapshot = EmulatedAuthOS(seed: EmulatorSeed(), at: UTCTime(seconds: 0)).snapshot
    snapshot.users = users
    snapshot.keys = keys
    return snapshot
  }

  private func person(_ email: String, _ id: String, plan: String?) -> EmulatorSnapshot.User {
    .init(
      id: id, email: email, isLinked: true,
      subscription: plan.map {
        .init(id: "s", planName: $0, status: "active", currentPeriodEnd: UTCTime(seconds: 9_000))
      })
  }

  private func job(_ id: Int, _ type: String, userID: String? = nil) -> HistoryJob {
    HistoryJob(id: id, type: type, state: "completed", attempt: 1, failures: 0, userID: userID)
  }

  private func trail(_ job: Int, step: String, from second: Int64) -> [HistoryEvent] {
    let first = job * 4 - 3
    return [
      event(first, "enqueued", job, nil, nil, "available", second),
      event(first + 1, "claimed", job, 1, "available", "running", second + 5),
      event(first + 2, "step", job, 1, nil, nil, second + 12, step: step),
      event(first + 3, "completed", job, 1, "running", "completed", second + 13),
    ]
  }

  private func event(
    _ id: Int, _ name: String, _ job: Int, _ attempt: Int?, _ from: String?, _ to: String?,
    _ second: Int64, step: String? = nil
  ) -> HistoryEvent {
    HistoryEvent(
      id: id, event: name, jobID: job, attempt: attempt, fromState: from, toState: to, step: step,
      workerID: 1, time: second * 1_000_000)
  }

  private func step(_ job: Int, _ name: String, _ effect: String, _ second: Int64) -> HistoryStep {
    HistoryStep(
      jobID: job, sequence: 1, attempt: 1, step: name, effect: effect, result: "succeeded",
      intentAt: second * 1_000_000, outcomeAt: (second + 3) * 1_000_000)
  }

  private func effect(
    _ effect: Effect, at second: Int, email: String? = nil, user: String? = nil, plan: String? = nil
  ) -> LedgerRecord {
    LedgerRecord(
      sequence: second, time: UTCTime(seconds: second), effect: effect,
      operation: .createServiceUser, requestNumber: second, userID: user, email: email,
      planName: plan)
  }
}
