// The seam to HTTP: what the worker hands over to be sent, and what it gets back.

public import JobModel
public import Secrets

/// A request as it goes out.
public struct OutgoingRequest: Sendable {
  /// The method, for example `POST`.
  public var method: String
  /// The whole URL.
  public var url: String
  /// The header fields without secrets.
  public var headers: [(name: String, value: String)]
  /// The header field that authenticates: a name, a text before the secret, and the secret.
  public var authorization: Authorization?
  /// The body.
  public var body: Body
  /// The longest wait for the whole answer, connecting included.
  public var timeout: Duration

  /// A header field that holds a secret.
  public struct Authorization: Sendable {
    /// The name of the field.
    public var header: String
    /// What stands before the secret, for example `Bearer `.
    public var prefix: String
    /// The secret.
    public var secret: Secret

    /// A header field.
    public init(header: String, prefix: String = "", secret: Secret) {
      self.header = header
      self.prefix = prefix
      self.secret = secret
    }
  }

  /// A body.
  public enum Body: Sendable {
    /// There is none.
    case none
    /// These bytes.
    case bytes([UInt8])
    /// Bytes that hold a secret, such as the password of a login.
    case secret(Secret)
  }

  /// A request.
  public init(
    method: String, url: String, headers: [(name: String, value: String)] = [],
    authorization: Authorization? = nil, body: Body = .none, timeout: Duration
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.authorization = authorization
    self.body = body
    self.timeout = timeout
  }
}

/// Sends requests over HTTP, one try each: it follows no redirect and repeats nothing.
public protocol HTTPSender: Sendable {
  /// Sends a request and reads the whole answer.
  ///
  /// - Throws: A failure that says whether the request may have left. When the task is cancelled
  ///   the answer is ``TransportFailure/ambiguous(_:)`` with `abandoned`.
  func send(_ request: OutgoingRequest) async throws(TransportFailure) -> StepResponse
}
