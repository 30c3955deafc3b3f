// Joins what the database says with what AuthOS's ledger says, and names every promise that was broken. Pure.

import AuthOSEmulator

/// What a job was ordered to do, in the terms of the ledger.
struct OrderedJob: Sendable, Hashable {
  enum Kind: Sendable, Hashable {
    case createUser(email: String)
    case changePlan(userID: String, plan: String)
    case revokeAccess(userID: String)
    case rotateKey(type: String)
  }

  var id: Int
  var kind: Kind
}

/// Finds broken promises.
struct HistoryChecker: Sendable {
  /// All orders, in the order of their ids.
  var orders: [OrderedJob]
  var history: History
  var ledger: [LedgerRecord]
  /// AuthOS before the first job.
  var before: EmulatorSnapshot
  /// AuthOS after the last job.
  var after: EmulatorSnapshot

  /// Every violation in words; none is what a test wants.
  func violations() -> [String] {
    jobViolations() + trailViolations() + journalViolations() + creationViolations()
      + userViolations() + keyViolations() + intentViolations()
  }

  // MARK: Jobs

  private func jobViolations() -> [String] {
    let jobs = Dictionary(grouping: history.jobs, by: \.id)
    return orders.compactMap { order in
      switch jobs[order.id]?.count ?? 0 {
      case 0: return "job \(order.id) is lost"
      case 1:
        guard let job = jobs[order.id]?[0], job.state != "completed" else { return nil }
        return "job \(order.id) (\(job.type)) is \(job.state) "
          + "\(job.waitingReason ?? "") \(job.errorCode ?? "") after \(job.attempt) attempts"
      case let count: return "job \(order.id) is there \(count) times"
      }
    }
  }

  // MARK: Trail

  private func trailViolations() -> [String] {
    let events = Dictionary(grouping: history.events, by: \.jobID)
    return history.jobs.flatMap { job in
      Self.trailViolations(of: job, events[job.id] ?? []).map { "job \(job.id): \($0)" }
    }
  }

  private static func trailViolations(of job: HistoryJob, _ events: [HistoryEvent]) -> [String] {
    guard let first = events.first, first.event == "enqueued", first.fromState == nil else {
      return ["its trail does not begin with enqueued"]
    }
    var violations: [String] = []
    var state: String?
    var claims = 0
    for event in events {
      switch (event.fromState, event.toState) {
      case (let from, let to?):
        if from != state {
          violations.append(
            "event \(event.id) (\(event.event)) leaves \(from ?? "nothing"), but the state was \(state ?? "nothing")"
          )
        }
        state = to
      default:
        if event.event == "step", state != "running" {
          violations.append("event \(event.id): a step while it was \(state ?? "nothing")")
        }
      }
      if event.event == "claimed" {
        claims += 1
        if event.attempt != claims {
          violations.append("claim \(claims) is attempt \(event.attempt ?? 0)")
        }
      } else if let attempt = event.attempt, attempt != claims {
        violations.append(
          "event \(event.id) (\(event.event)) is of attempt \(attempt), not \(claims)")
      }
    }
    if state != job.state {
      violations.append("its trail ends in \(state ?? "nothing"), not \(job.state)")
    }
    if claims != job.attempt { violations.append("\(claims) claims, but \(job.attempt) attempts") }
    let ends = events.filter { ["completed", "discarded", "cancelled"].contains($0.event) }.count
    if ends > 1 { violations.append("it ended \(ends) times") }
    return violations
  }

  // MARK: Journal

  /// Every intent of a finished job has an outcome, and every change that succeeded has its event.
  private func journalViolations() -> [String] {
    let states = Dictionary(history.jobs.map { ($0.id, $0.state) }, uniquingKeysWith: { $1 })
    let recorded = Set(
      history.events.filter { $0.event == "step" }.map { "\($0.jobID) \($0.step ?? "")" })
    return history.steps.flatMap { step in
      var violations: [String] = []
      if step.outcomeAt == nil, states[step.jobID] == "completed" {
        violations.append("job \(step.jobID): \(step.step) has an intent but no outcome")
      }
      if step.effect != "none", step.outcomeAt != nil,
        !recorded.contains("\(step.jobID) \(step.step)")
      {
        violations.append("job \(step.jobID): no event tells of \(step.step)")
      }
      return violations
    }
  }

  // MARK: Effects

  private func creationViolations() -> [String] {
    let emails = Dictionary(
      grouping: orders.compactMap { order -> (id: Int, email: String)? in
        if case .createUser(let email) = order.kind { (order.id, email) } else { nil }
      }, by: \.email)
    let effects = Dictionary(grouping: ledger.filter { $0.email != nil }) { $0.email ?? "" }
    let users = Dictionary(grouping: after.users, by: \.email)
    let results = Dictionary(history.jobs.map { ($0.id, $0.userID) }, uniquingKeysWith: { $1 })
    return emails.flatMap { email, jobs in
      var violations: [String] = []
      let inserted = effects[email, default: []].filter { $0.effect == .userInserted }.count
      let linked = effects[email, default: []].filter { $0.effect == .linkInserted }.count
      if inserted != 1 || linked != 1 {
        violations.append("\(email) was inserted \(inserted) times and linked \(linked) times")
      }
      guard let user = users[email]?.first, users[email]?.count == 1, user.isLinked else {
        return violations + ["\(email) is not there once and linked"]
      }
      for job in jobs where results[job.id] != user.id {
        violations.append("job \(job.id) does not name the user that it made")
      }
      return violations
    }.sorted()
  }

  /// The changes that one user's orders ask for, one after the other.
  private func userViolations() -> [String] {
    let starts = Dictionary(before.users.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    let ends = Dictionary(after.users.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    let effects = Dictionary(grouping: ledger.filter { $0.userID != nil }) { $0.userID ?? "" }
    var ordered: [String: [OrderedJob.Kind]] = [:]
    for order in orders {
      switch order.kind {
      case .changePlan(let user, _), .revokeAccess(let user):
        ordered[user, default: []].append(order.kind)
      case .createUser, .rotateKey: continue
      }
    }
    return ordered.flatMap { user, kinds in
      guard let start = starts[user], let end = ends[user] else { return ["user \(user) is lost"] }
      let expected = Self.expected(kinds, start)
      let actual = effects[user, default: []].map(Self.text)
      var violations: [String] = []
      if actual != expected.effects {
        violations.append(
          "user \(user): \(actual.joined(separator: ", ")); ordered: \(expected.effects.joined(separator: ", "))"
        )
      }
      if end.subscription?.planName != expected.plan || end.isLinked != expected.isLinked {
        violations.append(
          "user \(user) ends with plan \(end.subscription?.planName ?? "none"), linked \(end.isLinked)"
        )
      }
      if let old = start.subscription, let new = end.subscription,
        old.currentPeriodEnd != new.currentPeriodEnd
      {
        violations.append("user \(user): the period end was lost")
      }
      return violations
    }.sorted()
  }

  private static func expected(
    _ kinds: [OrderedJob.Kind], _ start: EmulatorSnapshot.User
  ) -> (effects: [String], plan: String?, isLinked: Bool) {
    var effects: [String] = []
    var plan = start.subscription?.planName
    var isLinked = start.isLinked
    for kind in kinds {
      switch kind {
      case .changePlan(_, let wanted) where wanted != plan:
        if let plan { effects.append("\(Effect.subscriptionDeleted.rawValue) \(plan)") }
        effects.append("\(Effect.subscriptionInserted.rawValue) \(wanted)")
        plan = wanted
      case .revokeAccess:
        if let plan { effects.append("\(Effect.subscriptionDeleted.rawValue) \(plan)") }
        if isLinked { effects.append(Effect.linkRemoved.rawValue) }
        plan = nil
        isLinked = false
      case .changePlan, .createUser, .rotateKey: continue
      }
    }
    return (effects, plan, isLinked)
  }

  private static func text(_ record: LedgerRecord) -> String {
    switch record.effect {
    case .subscriptionDeleted, .subscriptionInserted:
      "\(record.effect.rawValue) \(record.planName ?? "?")"
    default: record.effect.rawValue
    }
  }

  /// One live key for each rotated type, made by the last rotation, allowed what the old one was.
  private func keyViolations() -> [String] {
    var rotations: [String: [Int]] = [:]
    for order in orders {
      if case .rotateKey(let type) = order.kind { rotations[type, default: []].append(order.id) }
    }
    return rotations.flatMap { type, jobs in
      let old = before.keys.filter { $0.name == type }
      let live = after.keys.filter { $0.name == type || $0.name.hasPrefix("writ \(type) job ") }
      guard live.count == 1, let key = live.first else {
        return ["\(type) has \(live.count) live keys: \(live.map(\.name).joined(separator: ", "))"]
      }
      var violations: [String] = []
      if !"\(key.name) ".hasPrefix("writ \(type) job \(jobs.max() ?? 0) ") {
        violations.append("\(type): the live key is \(key.name)")
      }
      if Set(key.permissions) != Set(old.first?.permissions ?? []) {
        violations.append("\(type): the new key has other permissions")
      }
      return violations
    }.sorted()
  }

  // MARK: Intents

  /// No effect without an intent that was recorded before it.
  ///
  /// The claim is the intent of a first step.
  private func intentViolations() -> [String] {
    let kinds = Dictionary(orders.map { ($0.id, $0.kind) }, uniquingKeysWith: { $1 })
    var intents: [String: [Int64]] = [:]
    for step in history.steps where step.effect != "none" {
      for subject in Self.subjects(kinds[step.jobID]) {
        intents[subject, default: []].append(step.intentAt)
      }
    }
    for event in history.events where event.event == "claimed" {
      for subject in Self.subjects(kinds[event.jobID]) {
        intents[subject, default: []].append(event.time)
      }
    }
    let earliest = intents.compactMapValues { $0.min() }
    return ledger.compactMap { record in
      guard let subject = record.email ?? record.userID, record.effect != .sessionOpened,
        record.effect != .sessionRefreshed
      else { return nil }
      let known = [record.email, record.userID].compactMap { $0.flatMap { earliest[$0] } }.min()
      let time = Int64(record.time.seconds) * 1_000_000 + Int64(record.time.nanoseconds) / 1_000
      guard let known else { return "\(record.effect) of \(subject) was never intended" }
      return known <= time ? nil : "\(record.effect) of \(subject) came before its intent"
    }
  }

  private static func subjects(_ kind: OrderedJob.Kind?) -> [String] {
    switch kind {
    case .createUser(let email)?: [email]
    case .changePlan(let user, _)?, .revokeAccess(let user)?: [user]
    case .rotateKey?, nil: []
    }
  }
}
