// The operations of `jobs/openapi/writ.yaml` that the worker carries out itself, because they need
// the secret store: an answer in the form of HTTP, so that a workflow reads like any other.

import Arazzo
import JSON
import JobModel
import Secrets

/// Carries out local operations; each may be repeated without harm.
struct LocalHandlers: Sendable {
  private let secrets: any SecretStore
  private let store: any WorkerStore
  private let time: WorkerTime
  /// How long one call waits for the other workers: they look at their stores with each heartbeat.
  private let patience: Duration
  /// The worker in words, for the person who has to know whose store lacks a key: `reader on db2`.
  private let worker: String
  private static let pauseBetweenQuestions: Duration = .milliseconds(100)

  init(
    secrets: any SecretStore, store: any WorkerStore, time: WorkerTime, patience: Duration,
    worker: String
  ) {
    self.secrets = secrets
    self.store = store
    self.time = time
    self.patience = patience
    self.worker = worker
  }

  private struct Owner {
    var environment: String
    var jobType: String
    /// The public part of the key that is meant; `nil` for any.
    var prefix: String?
    /// The public part of the key that took its place.
    var newPrefix: String?
    /// Whether the previous key is meant.
    var isPrevious: Bool
  }

  /// The answer to an operation; 501 for one that this version does not know.
  func perform(
    _ operationID: String, input: JSONValue, under registration: Registration
  ) async -> StepResponse {
    if operationID == "describeInstallation" { return await describeInstallation() }
    guard let environment = input["environment"]?.stringValue,
      let jobType = input["job_type"]?.stringValue
    else { return Self.refusal(400, "BAD_REQUEST") }
    let owner = Owner(
      environment: environment, jobType: jobType, prefix: input["prefix"]?.stringValue,
      newPrefix: input["new_prefix"]?.stringValue, isPrevious: input["role"] == "previous")
    do {
      switch operationID {
      case "describeKey": return try await describeKey(owner)
      case "checkPendingKey": return try checkKey(owner, registration)
      case "promoteKey":
        try secrets.promoteKey(environment: environment, jobType: jobType, prefix: owner.prefix)
      case "awaitKeyLoaded": return try await awaitKeyLoaded(owner, registration)
      case "discardPreviousKey": return try discardPreviousKey(owner, registration)
      default: return Self.refusal(501, "NOT_IMPLEMENTED")
      }
      return StepResponse(status: 204)
    } catch let error as SecretStoreError {
      return error.code == .missing
        ? elsewhere(owner, registration)
        : Self.refusal(503, "SECRET_STORE")
    } catch {
      return Self.refusal(503, "DATABASE")
    }
  }

  private func describeInstallation() async -> StepResponse {
    guard let name = try? await store.installation() else { return Self.refusal(503, "DATABASE") }
    return StepResponse(status: 200, json: ["name": .string(name)])
  }

  /// What a rotation must know of the key in use: its name and public prefix, the least privilege of
  /// its type, and who makes keys here.
  ///
  /// The least privilege covers what jobs need that were ordered under an older version and are not over.
  private func describeKey(_ owner: Owner) async throws -> StepResponse {
    let name = try SecretName(keyOf: owner.jobType, environment: owner.environment)
    guard let definition = try await store.definition(type: owner.jobType) else {
      return Self.refusal(404, "NOT_FOUND")
    }
    var permissions = Set(definition.leastPrivilege)
    let older = try await store.openDefinitions(
      environment: owner.environment, jobType: owner.jobType)
    for hash in older { permissions.formUnion(try await leastPrivilege(hash)) }
    guard !permissions.isEmpty else { return Self.refusal(404, "NOT_FOUND") }
    return StepResponse(
      status: 200,
      json: [
        "name": .string(name.description), "prefix": JSONValue(try secrets.read(name)?.keyPrefix),
        "permissions": .array(permissions.sorted().map { .string($0) }),
        "installation": .string(try await store.installation()),
      ])
  }

  /// What a definition needs; nothing where this program cannot read it: its jobs do not run either.
  private func leastPrivilege(_ hash: String) async throws -> [String] {
    do {
      return try await store.definition(hash: hash)?.leastPrivilege ?? []
    } catch  where !store.isTransient(error) {
      return []
    }
  }

  /// Whether a key is at hand: another worker may have a store of its own, and one that was held up may
  /// have written over it.
  private func checkKey(_ owner: Owner, _ registration: Registration) throws -> StepResponse {
    let roles: [SecretName.KeyRole] = owner.isPrevious ? [.previous] : [.pending, .current]
    for role in roles where try prefix(owner, role) == owner.prefix {
      return StepResponse(status: 204)
    }
    return elsewhere(owner, registration)
  }

  private func discardPreviousKey(
    _ owner: Owner, _ registration: Registration
  ) throws -> StepResponse {
    let previous = try prefix(owner, .previous)
    // Forgotten already, or never here: the key that took its place tells.
    if previous == nil, let newPrefix = owner.newPrefix, try prefix(owner, .current) != newPrefix {
      return elsewhere(owner, registration)
    }
    if owner.prefix == nil || previous == owner.prefix {
      try secrets.delete(
        SecretName(keyOf: owner.jobType, environment: owner.environment, role: .previous))
    }
    return StepResponse(status: 204)
  }

  /// The public part of a key of the store; `nil` where there is none that could be used.
  private func prefix(_ owner: Owner, _ role: SecretName.KeyRole) throws -> String? {
    try secrets.read(
      SecretName(keyOf: owner.jobType, environment: owner.environment, role: role))?.keyPrefix
  }

  /// Whether every live worker that serves the environment shows the key in use; asks for a while.
  private func awaitKeyLoaded(
    _ owner: Owner, _ registration: Registration
  ) async throws -> StepResponse {
    let name = try SecretName(keyOf: owner.jobType, environment: owner.environment)
    guard let key = try secrets.read(name), let fingerprint = key.fingerprint,
      owner.prefix == nil || key.keyPrefix == owner.prefix
    else { return elsewhere(owner, registration) }
    let end = time.now + patience
    while true {
      await registration.keys.report()
      let workers = try await store.workersWithoutKey(
        environment: owner.environment, jobType: owner.jobType, fingerprint: fingerprint)
      if workers.isEmpty { return StepResponse(status: 204) }
      guard time.now < end, registration.lease.maySend, !Task.isCancelled else {
        return Self.refusal(409, "KEY_NOT_LOADED", Self.list(workers))
      }
      try? await time.sleep(for: Self.pauseBetweenQuestions)
    }
  }

  /// At most ten by name, so that the sentence stays one.
  private static func list(_ workers: [WorkerWithoutKey]) -> String {
    let names = workers.prefix(10).map(\.words).joined(separator: "; ")
    let rest = workers.count - 10
    return "Without it: \(names)\(rest > 0 ? "; and \(rest) more" : "")."
  }

  /// This worker cannot do the step; one whose store has the key can.
  private func elsewhere(_ owner: Owner, _ registration: Registration) -> StepResponse {
    let key = owner.prefix ?? "the key"
    return Self.refusal(
      404, "KEY_ELSEWHERE",
      "The secret store of worker \(registration.lease.worker) (\(worker)), which took this step, does not hold \(key); it is left to a worker whose store does."
    )
  }

  private static func refusal(
    _ status: Int, _ code: String, _ reason: String? = nil
  ) -> StepResponse {
    var body = JSONObject([("error_code", .string(code))])
    body["reason"] = reason.map { .string($0) }
    return StepResponse(status: status, json: .object(body))
  }
}
