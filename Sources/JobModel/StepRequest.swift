// What the machine asks the worker to send, and what the worker tells it in return.

public import Arazzo
public import JSON
public import Secrets

/// A request that the worker sends, or an operation that the worker itself carries out.
public struct StepRequest: Sendable, Hashable {
  /// Where it goes.
  public enum Target: Sendable, Hashable {
    /// Over HTTP to the API of this source description; `servers` are the base URLs of its
    /// document, for an environment that names none of its own.
    case remote(source: String, servers: [String])
    /// The worker carries it out; `input` is the body.
    case local(input: JSONValue)
  }

  /// With what it authenticates.
  public enum Credential: Sendable, Hashable {
    /// With nothing.
    case none
    /// With secrets of the store, each at its place; at least one.
    case secrets([SecretUse])
    /// With a session of this security scheme, which the worker opens and keeps by itself.
    case session(SecurityScheme)
  }

  /// The step, with the sub-workflows around it.
  public var step: String
  /// The `operationId`, or method and path where it has none.
  public var operationID: String
  /// What the step does to the outside world.
  public var effect: OperationEffect
  /// Where it goes.
  public var target: Target
  /// The method, for example `POST`.
  public var method: String
  /// The path, percent-encoded, with the query; to be appended to the base URL.
  public var path: String
  /// The header fields but those of the credential; names in lower case.
  public var headers: [(name: String, value: String)]
  /// The body.
  public var body: [UInt8]?
  /// With what it authenticates, and by what it is signed.
  public var credential: Credential
  /// What stays the same however often the message is sent; `nil` where nothing is signed.
  ///
  /// The environment, the job, the step, and how often the job has been done with that step.
  public var messageIdentity: String?
  /// How long to wait for the whole answer.
  public var timeout: Duration

  /// Whether both ask for the same.
  public static func == (left: Self, right: Self) -> Bool {
    left.step == right.step && left.operationID == right.operationID
      && left.effect == right.effect && left.target == right.target
      && left.method == right.method && left.path == right.path
      && left.headers.elementsEqual(right.headers, by: ==) && left.body == right.body
      && left.credential == right.credential && left.timeout == right.timeout
      && left.messageIdentity == right.messageIdentity
  }

  /// Hashes what tells most requests apart.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(step)
    hasher.combine(method)
    hasher.combine(path)
    hasher.combine(body)
  }
}

/// An answer, of AuthOS or of a local operation.
public struct StepResponse: Sendable {
  /// The HTTP status.
  public var status: Int
  /// The header fields; names are compared without regard to case.
  public var headers: [(name: String, value: String)]
  /// The body; the machine keeps only what the step's outputs name.
  public var body: [UInt8]

  /// An answer.
  public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// An answer with a JSON body, as local operations give it.
  public init(status: Int, json: JSONValue) {
    self.init(
      status: status, headers: [(name: "content-type", value: "application/json")],
      body: json.serializedBytes())
  }

  /// The first header field of a name.
  func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name }?.value
  }
}

/// Why no answer came.
public enum TransportFailure: Error, Sendable, Hashable {
  /// Nothing left this machine: a new try is safe.
  case notSent(NotSent)
  /// The request may have arrived.
  case ambiguous(Ambiguous)
  /// There is no credential to send it with; `name` is the secret that is missing or unusable.
  case credentialMissing(name: String)
  /// The secret of this name cannot be used; `reason` is what it has to be, without the secret.
  case credentialUnusable(name: String, reason: String)
  /// The session that it needs could not be opened: nothing left but the login.
  ///
  /// A login that did not leave either is ``notSent(_:)``, for the same reason.
  case loginFailed(LoginFailure)
  /// Nobody has said where the target is; `setting` is the key of the configuration that would.
  case targetMissing(setting: String)

  /// Whether the job waits until a person has put the installation right.
  public var isPutOff: Bool {
    switch self {
    case .credentialMissing, .credentialUnusable, .targetMissing: true
    case .notSent, .ambiguous, .loginFailed: false
    }
  }

  /// Why nothing left.
  public enum NotSent: String, Sendable, Hashable, CaseIterable {
    /// Nobody listens at the address.
    case connectionRefused = "connection_refused"
    /// The host's name could not be resolved.
    case nameResolution = "name_resolution"
    /// The TLS handshake failed.
    case tls = "tls_failed"
    /// The certificate of the server is not one that this worker trusts.
    case tlsUntrusted = "tls_untrusted"
    /// The certificate of the server is for another host.
    case tlsOtherHost = "tls_wrong_host"
    /// No connection could be made in time.
    case connectTimeout = "connect_timeout"
    /// The worker's own limits kept it back (circuit breaker, lease about to end).
    case heldBack = "held_back"

    /// Whether a person has to look at certificates.
    public var isAboutTLS: Bool { self == .tls || self == .tlsUntrusted || self == .tlsOtherHost }
  }

  /// What came of a login that left, in place of a session.
  public enum LoginFailure: Sendable, Hashable {
    /// No whole answer.
    case unanswered(Ambiguous)
    /// An answer with this status.
    case answered(status: Int)
    /// An answer that should hold a token and holds none.
    case withoutToken
    /// The service limits logins; `wait` is how long it asks to wait, if it says.
    case limited(wait: Duration?)
  }

  /// Why it is unknown.
  public enum Ambiguous: String, Sendable, Hashable, CaseIterable {
    /// No whole answer came in time.
    case responseTimeout = "response_timeout"
    /// The connection ended before the answer was whole.
    case connectionReset = "connection_reset"
    /// What came back was not HTTP, or larger than the worker takes.
    case unreadableResponse = "unreadable_response"
    /// The worker was told to stop and gave up waiting.
    case abandoned = "abandoned"
  }
}

/// A secret that has to be durable before the step counts as done.
public struct SecretWrite: Sendable {
  /// The name in the secret store, for example `production/create_user.pending.key`.
  public var name: String
  /// The secret.
  public var secret: Secret

  /// A write.
  public init(name: String, secret: Secret) {
    self.name = name
    self.secret = secret
  }
}

/// A secret that has to be sealed before the step counts as done.
public struct SecretSeal: Sendable {
  /// The output of the step that gets the sealed text.
  public var output: String
  /// The secret.
  public var secret: Secret
  /// The public key.
  public var key: SealingPublicKey
  /// What the text is bound to.
  public var context: SealingContext

  /// A sealing.
  public init(output: String, secret: Secret, key: SealingPublicKey, context: SealingContext) {
    self.output = output
    self.secret = secret
    self.key = key
    self.context = context
  }
}

/// A moment by the wall clock, only to read a `Retry-After` date against.
public struct WallTime: Sendable, Hashable {
  /// Whole seconds since 1970-01-01T00:00:00Z.
  public var secondsSince1970: Int

  /// A moment.
  public init(secondsSince1970: Int) { self.secondsSince1970 = secondsSince1970 }
}
