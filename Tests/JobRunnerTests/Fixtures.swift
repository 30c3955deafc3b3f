// What many tests need: a configuration, a secret store in memory, senders and waiting.

import JSON
import JobModel
import Logging
import Secrets
import Synchronization

@testable import JobRunner

func makeConfiguration(
  _ change: (inout WorkerConfiguration.Values) -> Void = { _ in }
) throws -> WorkerConfiguration {
  var values = WorkerConfiguration.Values()
  values.environments = [
    EnvironmentConfiguration(
      name: "production", targets: ["authos": "http://127.0.0.1:1"], organization: "acme",
      service: "portal")
  ]
  change(&values)
  return try WorkerConfiguration(values)
}

extension WorkerTime {
  /// Real time.
  static var continuous: WorkerTime {
    WorkerTime(clock: ContinuousClock(), secondsSince1970: { .seconds(1_800_000_000) })
  }

  static func manual(_ clock: ManualClock) -> WorkerTime {
    WorkerTime(clock: clock, secondsSince1970: { .seconds(1_800_000_000) })
  }
}

let quietLogger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// Waits until something holds; the deadline only ends a test that has failed already.
func eventually(
  _ deadline: Duration = .seconds(60), _ condition: () async throws -> Bool
) async throws -> Bool {
  let start = ContinuousClock.now
  while ContinuousClock.now - start < deadline {
    if try await condition() { return true }
    try await Task.sleep(for: .milliseconds(5))
  }
  return try await condition()
}

/// Secrets in memory.
final class MemorySecretStore: SecretStore {
  private let secrets: Mutex<[SecretName: Secret]>

  init(_ texts: [String: String] = [:]) throws {
    var secrets: [SecretName: Secret] = [:]
    for (name, text) in texts { secrets[try SecretName(name)] = Secret(text) }
    self.secrets = Mutex(secrets)
  }

  func read(_ name: SecretName) -> Secret? { secrets.withLock { $0[name] } }
  func write(_ name: SecretName, _ secret: Secret) { secrets.withLock { $0[name] = secret } }
  func delete(_ name: SecretName) { secrets.withLock { $0[name] = nil } }
  func names() -> [SecretName] { secrets.withLock { $0.keys.sorted() } }
  func fingerprint(_ name: SecretName) -> String? { read(name)?.fingerprint }

  func promoteKey(environment: String, jobType: String, prefix: String?) throws {
    let current = try SecretName(keyOf: jobType, environment: environment)
    let pending = try SecretName(keyOf: jobType, environment: environment, role: .pending)
    let previous = try SecretName(keyOf: jobType, environment: environment, role: .previous)
    try secrets.withLock { secrets in
      let isWanted = { (key: Secret) in prefix == nil || key.keyPrefix == prefix }
      guard let new = secrets[pending], isWanted(new) else {
        guard let key = secrets[current], isWanted(key) else {
          throw SecretStoreError(.missing, "there is no key to promote")
        }
        return
      }
      secrets[previous] = secrets[current]
      secrets[current] = new
      secrets[pending] = nil
    }
  }

  func set(_ name: String, _ text: String) throws { write(try SecretName(name), Secret(text)) }
  func text(_ name: String) throws -> String? {
    read(try SecretName(name))?.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}

/// Secrets of which one environment cannot be listed, though each of them can be read.
final class UnlistableSecretStore: SecretStore {
  let base: MemorySecretStore
  private let hidden = Mutex<String?>(nil)

  init(_ base: MemorySecretStore) { self.base = base }

  func hide(_ environment: String?) { hidden.withLock { $0 = environment } }
  func read(_ name: SecretName) -> Secret? { base.read(name) }
  func write(_ name: SecretName, _ secret: Secret) { base.write(name, secret) }
  func delete(_ name: SecretName) { base.delete(name) }
  func names() -> [SecretName] { base.names() }
  func promoteKey(environment: String, jobType: String, prefix: String?) throws {
    try base.promoteKey(environment: environment, jobType: jobType, prefix: prefix)
  }
  func keyedTypes(environment: String) throws -> [String] {
    guard environment != hidden.withLock({ $0 }) else {
      throw SecretStoreError(.inputOutput, "cannot list \(environment)")
    }
    return try base.keyedTypes(environment: environment)
  }
}

/// A sender that answers what a test says and remembers what it was sent.
final class ScriptedSender: HTTPSender {
  typealias Answer =
    @Sendable (OutgoingRequest, Int) async -> Result<StepResponse, TransportFailure>
  private let answer: Answer
  private let sent = Mutex<[OutgoingRequest]>([])

  init(_ answer: @escaping Answer) { self.answer = answer }

  var requests: [OutgoingRequest] { sent.withLock { $0 } }

  func send(_ request: OutgoingRequest) async throws(TransportFailure) -> StepResponse {
    let number = sent.withLock { sent in
      sent.append(request)
      return sent.count
    }
    return try await answer(request, number).get()
  }
}

extension OutgoingRequest {
  /// What stands in the header field that authenticates.
  var authorizationText: String? {
    guard let authorization = authorizations.first,
      case .header(_, let prefix) = authorization.place
    else { return nil }
    return prefix + authorization.secret.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}
