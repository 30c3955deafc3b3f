// A session for the management routes: opened by a login, kept in memory, opened anew before it
// ends. A refresh is never tried: when its answer is lost, a second one ends the session as theft.

import Arazzo
import JSON
import JobModel
import Logging
import Secrets

/// How a session is opened: `x-writ.session` of a security scheme, with the operation it names.
struct SessionRecipe: Sendable, Hashable {
  var method: String
  var path: String
  /// The members of the request that hold the e-mail address and the password.
  var emailMember = "email"
  var passwordMember = "password"
  /// The members of the response.
  var tokenMember = "access_token"
  var refreshMember = "refresh_token"
  var lifetimeMember = "expires_in"

  init(method: String, path: String) {
    self.method = method
    self.path = path
  }

  /// Reads a scheme; `nil` where it names no operation of the document.
  init?(scheme: SecurityScheme, document: OpenAPIDocument) {
    guard let session = scheme.session, let id = session["operation"]?.stringValue,
      let operation = document.operation(id: id)
    else { return nil }
    method = operation.method.name
    path = operation.path
    emailMember = session["email"]?.stringValue ?? emailMember
    passwordMember = session["password"]?.stringValue ?? passwordMember
    tokenMember = session["token"]?.stringValue ?? tokenMember
    refreshMember = session["refresh"]?.stringValue ?? refreshMember
    lifetimeMember = session["lifetime"]?.stringValue ?? lifetimeMember
  }
}

/// Why there is no session.
enum SessionError: Error, Sendable, Hashable {
  /// A secret is missing, unusable or refused.
  case credential(name: String, code: String)
  /// The login could not be made now; a later one may succeed.
  case unavailable(TransportFailure)
}

/// The session of one environment, shared by all jobs; one login at a time.
actor Session {
  /// A token and how often the session had been opened when it was made.
  struct Token: Sendable {
    var secret: Secret
    var generation: Int
  }

  private struct Open {
    var token: Token
    var renewAt: Duration
  }

  private struct Failure {
    var error: SessionError
    var until: Duration
    var credentials: [Secret]
  }

  private let recipe: SessionRecipe
  private let baseURL: String
  private let emailName: SecretName
  private let passwordName: SecretName
  private let secrets: any SecretStore
  private let sender: any HTTPSender
  private let time: WorkerTime
  private let timeout: Duration
  private let trustRoots: TrustRoots?
  private let refusalPause: Duration
  private let statistics: StatisticsBox
  private let logger: Logger
  private var open: Open?
  private var failure: Failure?
  private var opening: Task<Token, any Error>?
  private var generation = 0
  /// How long the limiter of logins asks to wait.
  private var pauseAsked: Duration?
  private static let faultPause: Duration = .seconds(2)

  init(
    _ recipe: SessionRecipe, environment: String, target: String = SecretNaming.authOS,
    baseURL: String, secrets: any SecretStore, sender: any HTTPSender, time: WorkerTime,
    configuration: WorkerConfiguration.Values, statistics: StatisticsBox, logger: Logger
  ) throws(SecretStoreError) {
    self.recipe = recipe
    self.baseURL = baseURL
    let account = SecretNaming.account(environment: environment, target: target)
    emailName = try SecretName(account.email)
    passwordName = try SecretName(account.password)
    self.secrets = secrets
    self.sender = sender
    self.time = time
    timeout = configuration.requestTimeout
    trustRoots = configuration.environments.first { $0.name == environment }?.trustRoots[target]
    refusalPause = configuration.refusedKeyPause
    self.statistics = statistics
    self.logger = logger
  }

  /// A token that is valid for a while, logging in when there is none.
  ///
  /// - Parameter refused: A token that the service does not accept any more, if that is why.
  /// - Throws: ``SessionError``.
  func token(insteadOf refused: Token? = nil) async throws -> Token {
    if let refused, open?.token.generation == refused.generation { open = nil }
    if let open, time.now < open.renewAt { return open.token }
    // Unstructured, because many jobs wait for the same login; it ends by its timeout.
    let login = opening ?? Task { try await logIn() }
    opening = login
    return try await login.value
  }

  private func logIn() async throws -> Token {
    defer { opening = nil }
    let credentials = try credentials()
    if let failure, failure.credentials == credentials, time.now < failure.until {
      throw failure.error
    }
    do {
      let token = try await requestToken(email: credentials[0], password: credentials[1])
      failure = nil
      return token
    } catch let error as SessionError {
      failure = Failure(
        error: error, until: time.now + pause(after: error), credentials: credentials)
      logger.warning(
        "the management session could not be opened",
        metadata: ["environment": "\(emailName.environment)", "error.code": "\(error.code)"])
      throw error
    }
  }

  private func pause(after error: SessionError) -> Duration {
    defer { pauseAsked = nil }
    if case .credential = error { return refusalPause }
    return max(pauseAsked ?? .zero, Self.faultPause)
  }

  private var wallTime: WallTime {
    WallTime(secondsSince1970: Int(time.sinceEpoch.components.seconds))
  }

  private func credentials() throws -> [Secret] {
    try [emailName, passwordName].map { name in
      do {
        if let secret = try secrets.read(name) { return secret }
      } catch {
        throw SessionError.credential(name: "\(name)", code: "secret_unreadable")
      }
      throw SessionError.credential(name: "\(name)", code: "secret_missing")
    }
  }

  private func requestToken(email: Secret, password: Secret) async throws -> Token {
    statistics.count(\.logins)
    let sentAt = time.now
    let response = try await exchange(body(email: email, password: password))
    guard response.status == 200 else {
      let wait = RetryAfter.wait(in: response, now: wallTime)
      pauseAsked = wait
      throw refusal(response, wait: wait)
    }
    guard let answer = try? JSONValue(parsing: response.body),
      let text = answer[recipe.tokenMember]?.stringValue, !text.isEmpty
    else { throw SessionError.unavailable(.loginFailed(.withoutToken)) }
    // The answer that asks for a second factor has the same members, with an empty refresh token.
    guard answer[recipe.refreshMember]?.stringValue != "" else {
      throw SessionError.credential(name: "\(emailName)", code: "second_factor_required")
    }
    generation += 1
    let token = Token(secret: Secret(text), generation: generation)
    let lifetime = Duration.seconds(answer[recipe.lifetimeMember]?.intValue ?? 300)
    open = Open(token: token, renewAt: sentAt + max(lifetime - .seconds(60), lifetime / 2))
    return token
  }

  private func exchange(_ body: Secret) async throws -> StepResponse {
    do throws(TransportFailure) {
      return try await sender.send(
        OutgoingRequest(
          method: recipe.method, url: baseURL + recipe.path,
          headers: [(name: "content-type", value: "application/json")], body: .secret(body),
          timeout: timeout, trustRoots: trustRoots))
    } catch {
      throw SessionError.unavailable(error.ofLogin)
    }
  }

  private func body(email: Secret, password: Secret) -> Secret {
    let text = { (secret: Secret) in secret.withBytes { String(decoding: $0, as: UTF8.self) } }
    let body: JSONValue = .object(
      JSONObject([
        (recipe.emailMember, .string(text(email))),
        (recipe.passwordMember, .string(text(password))),
      ]))
    return Secret(body.serializedBytes())
  }

  private func refusal(_ response: StepResponse, wait: Duration?) -> SessionError {
    switch response.status {
    case 401: .credential(name: "\(passwordName)", code: "login_refused")
    case 400, 403: .credential(name: "\(emailName)", code: "login_refused")
    // Without an error code it is the address that is wrong, not the account.
    case 404 where response.errorCode != nil:
      .credential(name: "\(emailName)", code: "login_refused")
    case 429: .unavailable(.loginFailed(.limited(wait: wait)))
    case let status: .unavailable(.loginFailed(.answered(status: status)))
    }
  }
}

extension TransportFailure {
  /// What the failure of a login is for the request that needs the session, which has not left.
  fileprivate var ofLogin: TransportFailure {
    switch self {
    // The sender ends with the worker.
    case .ambiguous(.abandoned): .notSent(.heldBack)
    case .ambiguous(let reason): .loginFailed(.unanswered(reason))
    default: self
    }
  }
}

extension SessionError {
  /// What logs and jobs show.
  var code: String {
    switch self {
    case .credential(_, let code): code
    case .unavailable(let failure): Classification.of(failure).code
    }
  }
}
