// From a step's request to its answer: where to send it, with which credential, and what a refused
// credential means.

import Arazzo
import JSON
import JobModel
import Logging
import Secrets

/// Sends the requests of jobs.
struct Transport: Sendable {
  private let configuration: WorkerConfiguration
  private let sender: any HTTPSender
  private let secrets: any SecretStore
  private let local: LocalHandlers
  private let gate: KeyGate
  private let sessions: SessionTable
  private let installation: InstallationName
  private let time: WorkerTime
  private let statistics: StatisticsBox

  init(
    configuration: WorkerConfiguration, sender: any HTTPSender, secrets: any SecretStore,
    store: any WorkerStore, time: WorkerTime, statistics: StatisticsBox, logger: Logger
  ) {
    self.configuration = configuration
    self.sender = sender
    self.secrets = secrets
    self.time = time
    self.statistics = statistics
    local = LocalHandlers(
      secrets: secrets, store: store, time: time,
      patience: min(max(configuration.values.renewalInterval * 2, .seconds(2)), .seconds(5)),
      worker: "\(configuration.values.name) on \(configuration.values.host)")
    installation = InstallationName(store: store)
    gate = KeyGate(time: time, pause: configuration.values.refusedKeyPause)
    sessions = SessionTable(
      configuration: configuration, sender: sender, secrets: secrets, time: time,
      statistics: statistics, logger: logger)
  }

  /// Sends a request of a job, or carries it out, under a registration.
  func send(
    _ request: StepRequest, of job: ClaimedJob, _ definition: JobTypeDefinition,
    under registration: Registration
  ) async -> Result<StepResponse, TransportFailure> {
    switch request.target {
    case .local(let input):
      return .success(
        await local.perform(request.operationID, input: input, under: registration))
    case .remote(let source, let servers):
      guard let base = configuration.environment(job.environment)?.url(of: source, servers: servers)
      else {
        let setting = EnvironmentConfiguration.setting(
          ofTarget: source, environment: job.environment)
        return .failure(.targetMissing(setting: setting))
      }
      let call = Call(
        request: request, url: Self.join(base, request.path), base: base, source: source,
        job: job, definition: definition, lease: registration.lease)
      do throws(TransportFailure) {
        return .success(try await send(call))
      } catch {
        return .failure(error)
      }
    }
  }

  private struct Call {
    var request: StepRequest
    var url: String
    var base: String
    var source: String
    var job: ClaimedJob
    var definition: JobTypeDefinition
    var lease: Lease
  }

  private func send(_ call: Call) async throws(TransportFailure) -> StepResponse {
    switch call.request.credential {
    case .none: try await deliver(call, nil)
    case .secrets(let uses): try await sendWithSecrets(call, uses)
    case .session(let scheme): try await sendInSession(call, scheme)
    }
  }

  /// Sends with secrets of the store; once more when one of them was changed after it was read.
  ///
  /// A rotation deletes the old key while requests with it may be on their way, and may bring a permission that
  /// it lacked: they are refused, have changed nothing, and go out again with the new key, unless the lease has ended meanwhile.
  private func sendWithSecrets(
    _ call: Call, _ uses: [SecretUse]
  ) async throws(TransportFailure) -> StepResponse {
    var held = try HeldSecrets(uses, in: secrets)
    let operation = call.request.operationID
    if let obstacle = gate.obstacle(to: held.secrets, held.names, operation) {
      throw .credentialUnusable(
        name: held.namesInWords, reason: obstacle.reason(operation: operation))
    }
    while true {
      let response = try await deliver(call, held)
      let isOfAuthOS = call.source == SecretNaming.authOS
      let isGone = isOfAuthOS && response.saysKeyIsGone
      let isTooNarrow = isOfAuthOS && response.lacksPermission
      guard response.status == 401 || isGone || isTooNarrow else {
        gate.accept(held.names, operation)
        return response
      }
      let current = try? HeldSecrets(uses, in: secrets)
      guard let current, current.secrets != held.secrets else {
        gate.refuse(held.secrets, held.names, isTooNarrow ? operation : nil)
        if isGone { throw .credentialMissing(name: held.namesInWords) }
        return response
      }
      guard call.lease.maySend else { throw .notSent(.heldBack) }
      held = current
    }
  }

  /// Sends in the session of the environment; once more with a new one when the service has ended
  /// it, which is certain to have changed nothing.
  private func sendInSession(
    _ call: Call, _ scheme: SecurityScheme
  ) async throws(TransportFailure) -> StepResponse {
    guard
      let session = await sessions.session(
        call.job.environment, scheme, target: call.source, base: call.base,
        document: call.definition.document.openAPI(named: call.source))
    else {
      let account = SecretNaming.account(
        environment: call.job.environment, target: call.source)
      throw .credentialMissing(name: account.email)
    }
    let token = try await openSession(session)
    let response = try await deliver(
      call, [.bearer(token.secret)], traces: CredentialTraces([token.secret]))
    guard response.status == 401 else { return response }
    let next = try await openSession(session, insteadOf: token)
    return try await deliver(
      call, [.bearer(next.secret)], traces: CredentialTraces([next.secret]))
  }

  private func openSession(
    _ session: Session, insteadOf refused: Session.Token? = nil
  ) async throws(TransportFailure) -> Session.Token {
    do {
      return try await session.token(insteadOf: refused)
    } catch SessionError.credential(let name, _) {
      throw .credentialMissing(name: name)
    } catch SessionError.unavailable(let failure) {
      throw failure
    } catch {
      throw .notSent(.heldBack)
    }
  }

  private func deliver(
    _ call: Call, _ held: HeldSecrets?
  ) async throws(TransportFailure) -> StepResponse {
    guard let held else { return try await deliver(call, [], traces: nil) }
    var call = call
    if let identity = call.request.messageIdentity {
      let installation = try await installation.name()
      call.request.headers += try held.signature(
        id: StandardWebhooks.messageID(
          job: call.job.id, identity: "\(installation) \(identity)"),
        timestamp: Int(time.sinceEpoch.components.seconds), body: call.request.body ?? [])
    }
    return try await deliver(call, held.authorizations, traces: held.traces)
  }

  private func deliver(
    _ call: Call, _ authorizations: [OutgoingRequest.Authorization], traces: CredentialTraces?
  ) async throws(TransportFailure) -> StepResponse {
    var headers = call.request.headers
    if let traceparent = call.job.traceparent {
      headers.append((name: "traceparent", value: traceparent))
    }
    statistics.count(\.requests)
    do throws(TransportFailure) {
      let response = try await sender.send(
        OutgoingRequest(
          method: call.request.method, url: call.url, headers: headers,
          authorizations: authorizations, body: call.request.body.map { .bytes($0) } ?? .none,
          timeout: call.request.timeout,
          trustRoots: configuration.environment(call.job.environment)?.trustRoots[call.source]))
      // A server that sends our credential back could put it into a member that is recorded.
      guard let traces, traces.areIn(response) else { return response }
      guard response.isRefusalByStatus else { throw .ambiguous(.unreadableResponse) }
      return StepResponse(status: response.status)
    } catch {
      statistics.count(\.failedRequests)
      throw error
    }
  }

  /// A base URL and a path, with one slash between them.
  ///
  /// The path `/` adds nothing: the base URL is the whole address then, as it is for webhooks.
  static func join(_ base: String, _ path: String) -> String {
    if path == "/" || path.hasPrefix("/?") { return base + path.dropFirst() }
    return base.hasSuffix("/") ? String(base.dropLast()) + path : base + path
  }
}

extension KeyGate.Obstacle {
  /// What the secret has to be, for ``TransportFailure/credentialUnusable(name:reason:)``.
  fileprivate func reason(operation: String) -> String {
    switch self {
    case .notAccepted: "the service refused it; put another in its place"
    case .lacksPermission:
      "it lacks a permission that \(operation) takes; rotate it, or give it the permission"
    }
  }
}

extension OutgoingRequest.Authorization {
  /// A token of a session.
  static func bearer(_ token: Secret) -> Self {
    Self(.header(name: "authorization", prefix: "Bearer "), token)
  }
}

extension StepResponse {
  /// Whether the status alone says that nothing was done, and what to do about it.
  fileprivate var isRefusalByStatus: Bool {
    switch status {
    case 300...399, 401, 403, 429: true
    default: false
    }
  }

  /// Whether AuthOS lost the key between recognizing it and noting its use: it then answers a request
  /// of whatever kind with this 404, which says nothing about what was asked for.
  fileprivate var saysKeyIsGone: Bool {
    guard status == 404, body.count < 1_024, let answer = try? JSONValue(parsing: body) else {
      return false
    }
    return answer["error_code"] == "NOT_FOUND" && answer["error"] == "API key not found"
  }
}

extension ArazzoDocument {
  /// The OpenAPI description of a source, also of a source of a source.
  func openAPI(named name: String) -> OpenAPIDocument? {
    if case .openAPI(let document)? = sources[name] { return document }
    for source in sources.values {
      guard case .arazzo(let document) = source else { continue }
      if let found = document.openAPI(named: name) { return found }
    }
    return nil
  }
}
