// What is in use, what AuthOS knows, what was rotated and what the workers show, brought together: one
// row a key, with everything about it that a person should look at. Pure.

import Foundation
import JSON
import JobRunner
import JobStore
import Postgres

/// Something about a key that a person should look at.
struct KeyWarning: Sendable, Hashable {
  /// The kinds, as `--json` writes them and docs/keys.md explains them.
  enum Code: String, Sendable, Hashable, CaseIterable {
    case missing, unreadable, dead, shared, expired, old
    case tooBroad = "too_broad"
    case tooNarrow = "too_narrow"
    case leftOver = "left_over"
    case otherWorker = "worker_differs"
    case orphaned
    case rotationStopped = "rotation_stopped"
  }

  var code: Code
  /// A sentence without a full stop.
  var text: String

  init(_ code: Code, _ text: String) {
    self.code = code
    self.text = text
  }
}

/// A key of a job type in an environment, or an orphan.
struct KeyRow: Sendable, Hashable {
  var environment: String
  /// `nil` for a key that belongs to no type that needs one.
  var jobType: String?
  var id: String?
  var name: String?
  var prefix: String?
  var permissions: [String]?
  /// The least privilege of the type.
  var needs: [String] = []
  var createdAt: PostgresTimestamp?
  var lastUsedAt: PostgresTimestamp?
  var expiresAt: PostgresTimestamp?
  var rotatedAt: PostgresTimestamp?
  var rotatedBy: Int?
  var rotating: Int?
  var warnings: [KeyWarning] = []
}

/// What is known of one environment; a part that could not be looked at is `nil`.
struct KeyFacts: Sendable {
  /// What the secret store of this machine holds under a name.
  enum Held: Sendable, Hashable {
    /// A key with this public part.
    case key(prefix: String)
    /// Something that cannot be used, and why.
    case unusable(String)

    var prefix: String? {
      if case .key(let prefix) = self { prefix } else { nil }
    }
  }

  var environment: String
  /// The types that need a key, with their least privilege.
  var types: [(name: String, leastPrivilege: [String])]
  /// By job type and role; `nil` where the store could not be read.
  var store: [String: [SecretRole: Held]]?
  /// What AuthOS lists.
  var listed: [ManagedKey]?
  /// By job type.
  var rotations: [String: KeyRotations]?
  /// What live workers show, in this environment.
  var workers: [WorkerKeys.Entry]?
  /// The name of the installation.
  var installation: String?
  /// The jobs after whom keys for other programs are named, by their numbers.
  var makers: [Int: KeyMaker]?

  /// Which of a type's keys.
  enum SecretRole: Sendable, Hashable { case current, pending, previous }
}

/// Makes rows of facts.
struct KeyReview: Sendable {
  var facts: KeyFacts
  var now: PostgresTimestamp
  /// From which age on a key counts as old.
  var maximumAge: Duration

  /// The rows of the types in their order, then the orphans.
  func rows() -> [KeyRow] { facts.types.map(row) + orphans() }

  private func row(_ type: (name: String, leastPrivilege: [String])) -> KeyRow {
    var row = KeyRow(environment: facts.environment, jobType: type.name)
    row.needs = type.leastPrivilege
    if let rotations = facts.rotations?[type.name] {
      row.rotatedAt = rotations.lastAt
      row.rotatedBy = rotations.lastJob
      row.rotating = rotations.openJobs.first
      if let job = row.rotating, rotations.openState == "waiting: review" {
        row.warnings.append(
          KeyWarning(
            .rotationStopped, "its rotation waits for a person: `writ jobs show \(job)`"))
      }
    }
    guard let store = facts.store else { return row }
    let held = store[type.name] ?? [:]
    switch held[.current] {
    case nil:
      row.warnings.append(
        KeyWarning(
          .missing, "the secret store holds no key; order one with `writ keys rotate \(type.name)`")
      )
    case .unusable(let reason)?: row.warnings.append(KeyWarning(.unreadable, reason))
    case .key(let prefix)?:
      row.prefix = prefix
      describe(&row, prefix)
      row.warnings += sharing(prefix, type.name) + differing(prefix, type.name)
    }
    row.warnings += leftOver(held, row)
    return row
  }

  /// What AuthOS says about the key in use.
  private func describe(_ row: inout KeyRow, _ prefix: String) {
    guard let listed = facts.listed else { return }
    guard let key = listed.first(where: { $0.prefix == prefix }) else {
      row.warnings.append(
        KeyWarning(
          .dead,
          "AuthOS has no such key in this service: it was deleted there, or belongs to another service"
        ))
      return
    }
    fill(&row, key)
    let broad = key.permissions.filter { !row.needs.contains($0) }
    let narrow = row.needs.filter { !key.permissions.contains($0) }
    if !broad.isEmpty {
      row.warnings.append(
        KeyWarning(.tooBroad, "it may also \(broad.joined(separator: ", ")); rotate it"))
    }
    if !narrow.isEmpty {
      row.warnings.append(
        KeyWarning(.tooNarrow, "it lacks \(narrow.joined(separator: ", ")); rotate it"))
    }
    if let created = row.createdAt, now - created >= maximumAge {
      row.warnings.append(
        KeyWarning(.old, "it is \(Self.days(now - created).counting("day")) old; rotate it"))
    }
  }

  private func fill(_ row: inout KeyRow, _ key: ManagedKey) {
    row.id = key.id
    row.name = key.name
    row.prefix = key.prefix
    row.permissions = key.permissions
    row.createdAt = key.createdAt.flatMap { PostgresTimestamp($0) }
    row.lastUsedAt = key.lastUsedAt.flatMap { PostgresTimestamp($0) }
    row.expiresAt = key.expiresAt.flatMap { PostgresTimestamp($0) }
    guard let end = row.expiresAt, end - now < .seconds(14 * 86_400) else { return }
    row.warnings.append(
      KeyWarning(
        .expired,
        end <= now ? "it has expired; rotate it" : "it expires on \(end.toSeconds); rotate it"))
  }

  private func sharing(_ prefix: String, _ type: String) -> [KeyWarning] {
    let others = facts.types.map(\.name).filter {
      $0 != type && facts.store?[$0]?[.current]?.prefix == prefix
    }
    guard !others.isEmpty else { return [] }
    return [
      KeyWarning(
        .shared,
        "\(others.joined(separator: ", ")) \(others.count == 1 ? "has" : "have") the same key; rotating "
          + "one of them kills it for the others"
      )
    ]
  }

  private func differing(_ prefix: String, _ type: String) -> [KeyWarning] {
    let others = (facts.workers ?? []).filter { $0.jobType == type && $0.prefix != prefix }
    guard !others.isEmpty else { return [] }
    let names = others.map {
      "worker \($0.worker) (\($0.name) on \($0.host)) shows \($0.prefix ?? "something that it cannot use")"
    }
    return [KeyWarning(.otherWorker, names.joined(separator: "; "))]
  }

  /// What a rotation that is over should not have left.
  private func leftOver(
    _ held: [KeyFacts.SecretRole: KeyFacts.Held], _ row: KeyRow
  ) -> [KeyWarning] {
    guard facts.rotations != nil, row.rotating == nil else { return [] }
    let left = [(KeyFacts.SecretRole.pending, "pending"), (.previous, "previous")].filter {
      held[$0.0] != nil
    }.map(\.1)
    guard !left.isEmpty, let type = row.jobType else { return [] }
    let files = left.map { "\(facts.environment)/\(type).\($0).key" }.joined(separator: " and ")
    return [
      KeyWarning(
        .leftOver,
        "no rotation is under way, but \(files) \(left.count == 1 ? "is" : "are") in the store; "
          + "rotate it")
    ]
  }

  /// Keys that a job of this installation has made and that nobody holds.
  private func orphans() -> [KeyRow] {
    guard let listed = facts.listed, let installation = facts.installation, let store = facts.store,
      let workers = facts.workers
    else { return [] }
    let held = Set(
      store.values.flatMap { $0.values.compactMap(\.prefix) } + workers.compactMap(\.prefix))
    let running = Set((facts.rotations ?? [:]).values.flatMap(\.openJobs))
    return listed.compactMap { key in
      guard !held.contains(key.prefix) else { return nil }
      var reason: String?
      if let job = Self.rotation(of: key.name, installation: installation) {
        reason =
          running.contains(job)
          ? nil : "job \(job) made it, and no store that can be seen holds it; delete it in AuthOS"
      } else if let job = Self.order(of: key.name, installation: installation) {
        reason = facts.makers?[job].flatMap { Self.orphaned(key, by: $0, job) }
      }
      guard let reason else { return nil }
      var row = KeyRow(environment: facts.environment, jobType: nil)
      fill(&row, key)
      row.warnings.append(KeyWarning(.orphaned, reason))
      return row
    }
  }

  /// Why nobody has a key that was made for another program; `nil` where somebody may, or will.
  private static func orphaned(_ key: ManagedKey, by maker: KeyMaker, _ job: Int) -> String? {
    switch maker.state {
    case "completed":
      guard let prefix = maker.prefix, prefix != key.prefix else { return nil }
      return "job \(job) made it and gave \(prefix) to its requester instead; delete it in AuthOS"
    case "discarded", "cancelled":
      return
        "job \(job) made it and was \(maker.state), so that nobody was given its secret; delete it in AuthOS"
    default: return nil
    }
  }

  /// The job that made a key, from its name `writ <type> job <number> of <installation>`.
  static func rotation(of name: String, installation: String) -> Int? {
    let words = name.split(separator: " ")
    guard words.count == 6, words[0] == "writ", words[2] == "job", words[4] == "of",
      words[5] == installation
    else { return nil }
    return Int(words[3])
  }

  /// The job that made a key for another program, from its name
  /// `<whatever> (writ job <number> of <installation>)`.
  static func order(of name: String, installation: String) -> Int? {
    guard let start = name.range(of: " (writ job ", options: .backwards),
      name.hasSuffix(" of \(installation))")
    else { return nil }
    return Int(name[start.upperBound...].dropLast(" of \(installation))".count))
  }

  static func days(_ duration: Duration) -> Int { Int(duration / .seconds(86_400)) }
}

extension KeyRow {
  /// The row as `--json` shows it.
  func json(now: PostgresTimestamp) -> JSONValue {
    var object = JSONObject([("environment", .string(environment))])
    let texts: [(String, String?)] = [
      ("type", jobType), ("id", id), ("name", name), ("prefix", prefix),
      ("created_at", createdAt?.description), ("last_used_at", lastUsedAt?.description),
      ("expires_at", expiresAt?.description), ("rotated_at", rotatedAt?.description),
    ]
    for case (let name, let text?) in texts { object[name] = .string(text) }
    if let createdAt { object["age_days"] = JSONValue(KeyReview.days(now - createdAt)) }
    if let permissions { object["permissions"] = .array(permissions.map { .string($0) }) }
    object["least_privilege"] = .array(needs.map { .string($0) })
    if let rotatedBy { object["rotated_by_job"] = JSONValue(rotatedBy) }
    if let rotating { object["rotating_job"] = JSONValue(rotating) }
    object["warnings"] = .array(
      warnings.map { ["code": .string($0.code.rawValue), "text": .string($0.text)] })
    return .object(object)
  }
}
