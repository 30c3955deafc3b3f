// The API keys of a service as the management routes list them, for commands of people: the same login,
// in the same session, as the worker's.

public import Arazzo
import JSON
import JobModel
public import Logging
public import Secrets

/// Why the keys of a service cannot be listed.
public enum ManagedKeysError: Error, Sendable, Hashable {
  /// The secret with this name is missing, unreadable or refused; the code says which.
  case credential(name: String, code: String)
  /// The service cannot be reached, or answers with something else; a later try may succeed.
  case unavailable(code: String)
  /// The service refuses.
  case refused(status: Int, code: String?)
  /// The catalogue does not describe how keys are listed, or how a session for that is opened.
  case undescribed
}

/// A key of a service, without its secret.
public struct ManagedKey: Sendable, Hashable {
  /// Its id.
  public var id: String
  /// Its name.
  public var name: String
  /// Its public part.
  public var prefix: String
  /// What it may do.
  public var permissions: [String]
  /// When it was made, RFC 3339.
  public var createdAt: String?
  /// When it was used last; the service notes that every few minutes only.
  public var lastUsedAt: String?
  /// When it ends.
  public var expiresAt: String?

  /// A key.
  public init(
    id: String, name: String, prefix: String, permissions: [String], createdAt: String? = nil,
    lastUsedAt: String? = nil, expiresAt: String? = nil
  ) {
    self.id = id
    self.name = name
    self.prefix = prefix
    self.permissions = permissions
    self.createdAt = createdAt
    self.lastUsedAt = lastUsedAt
    self.expiresAt = expiresAt
  }

  init?(_ json: JSONValue) {
    guard let id = json["id"]?.stringValue, let prefix = json["prefix"]?.stringValue else {
      return nil
    }
    self.init(
      id: id, name: json["name"]?.stringValue ?? "", prefix: prefix,
      permissions: (json["permissions"]?.arrayValue ?? []).compactMap(\.stringValue),
      createdAt: json["created_at"]?.stringValue, lastUsedAt: json["last_used_at"]?.stringValue,
      expiresAt: json["expires_at"]?.stringValue)
  }
}

/// Lists the keys of the services behind environments.
public struct ManagedKeys: Sendable {
  private let configuration: WorkerConfiguration
  private let sender: any HTTPSender
  private let sessions: SessionTable
  private static let pageSize = 100
  private static let overlap = 50
  private static let greatestCount = 100_000

  /// A list; nothing is sent yet.
  ///
  /// - Parameters:
  ///   - configuration: Has the environments.
  ///   - sender: What requests are sent with.
  ///   - secrets: Holds the account of each environment, as for a worker.
  ///   - time: Decides when a session is renewed.
  ///   - logger: Hears of logins that fail.
  public init(
    configuration: WorkerConfiguration, sender: any HTTPSender, secrets: any SecretStore,
    time: WorkerTime, logger: Logger
  ) {
    self.configuration = configuration
    self.sender = sender
    sessions = SessionTable(
      configuration: configuration, sender: sender, secrets: secrets, time: time,
      statistics: StatisticsBox(), logger: logger)
  }

  /// All keys of the service of an environment, newest first.
  ///
  /// Others may add and delete keys meanwhile: pages overlap by half, so that a key is overlooked only when
  /// more than fifty newer ones go between two requests, and one that comes twice counts once.
  ///
  /// - Parameter definition: A job type that lists keys, for the description of the API.
  public func keys(
    in environment: EnvironmentConfiguration, describedBy definition: JobTypeDefinition
  ) async throws(ManagedKeysError) -> [ManagedKey] {
    guard let document = definition.document.openAPI(named: "authos"),
      let operation = document.operation(id: "listApiKeys"),
      let scheme = operation.security.first?.first.flatMap({ document.securitySchemes[$0] }),
      let base = environment.targets[SecretNaming.authOS],
      let organization = environment.organization, let service = environment.service,
      let session = await sessions.session(
        environment.name, scheme, target: SecretNaming.authOS, base: base, document: document)
    else { throw .undescribed }
    let path = operation.path
      .replacing("{org_slug}", with: organization.percentEncoded)
      .replacing("{service_slug}", with: service.percentEncoded)
    var found: [ManagedKey] = []
    var known: Set<String> = []
    var offset = 0
    while true {
      let page = try await page(
        Transport.join(base, "\(path)?limit=\(Self.pageSize)&offset=\(offset)"), session,
        environment.trustRoots[SecretNaming.authOS])
      for key in page.keys where known.insert(key.id).inserted { found.append(key) }
      let isLast = page.keys.count < Self.pageSize && offset + page.keys.count >= page.total
      guard !isLast, !page.keys.isEmpty, offset < Self.greatestCount else { return found }
      offset += max(1, page.keys.count - Self.overlap)
    }
  }

  private func page(
    _ url: String, _ session: Session, _ trustRoots: TrustRoots?
  ) async throws(ManagedKeysError) -> (keys: [ManagedKey], total: Int) {
    let token = try await open(session, insteadOf: nil)
    var response = try await send(url, token, trustRoots)
    if response.status == 401 {
      response = try await send(
        url, try await open(session, insteadOf: token), trustRoots)
    }
    guard response.status == 200 else {
      throw .refused(status: response.status, code: response.errorCode)
    }
    guard let body = try? JSONValue(parsing: response.body),
      let list = body["api_keys"]?.arrayValue, let total = body["total"]?.intValue
    else { throw .unavailable(code: "unreadable_response") }
    return (list.compactMap(ManagedKey.init), total)
  }

  private func open(
    _ session: Session, insteadOf refused: Session.Token?
  ) async throws(ManagedKeysError) -> Session.Token {
    do {
      return try await session.token(insteadOf: refused)
    } catch SessionError.credential(let name, let code) {
      throw .credential(name: name, code: code)
    } catch let error as SessionError {
      throw .unavailable(code: error.code)
    } catch {
      throw .unavailable(code: "login_failed")
    }
  }

  private func send(
    _ url: String, _ token: Session.Token, _ trustRoots: TrustRoots?
  ) async throws(ManagedKeysError) -> StepResponse {
    do {
      return try await sender.send(
        OutgoingRequest(
          method: "GET", url: url, headers: [(name: "accept", value: "application/json")],
          authorizations: [.bearer(token.secret)], timeout: configuration.values.requestTimeout,
          trustRoots: trustRoots))
    } catch {
      throw .unavailable(code: Classification.of(error).code)
    }
  }
}
