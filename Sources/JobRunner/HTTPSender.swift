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
  /// What authenticates: secrets, each at its place.
  public var authorizations: [Authorization]
  /// The body.
  public var body: Body
  /// The longest wait for the whole answer, connecting included.
  public var timeout: Duration
  /// What the certificate of an `https` server is checked against; `nil` for the machine's trust roots.
  public var trustRoots: TrustRoots?

  /// A secret and where it is sent.
  ///
  /// Only the sender puts the two together, so that no URL and no list of header fields that anybody
  /// else sees holds a secret.
  public struct Authorization: Sendable {
    /// The places.
    public enum Place: Sendable, Hashable {
      /// A header field; `prefix` is what stands before the secret, for example `Bearer `.
      case header(name: String, prefix: String)
      /// A parameter of the query, percent-encoded.
      case query(name: String)
      /// A cookie, beside those that the request has already.
      case cookie(name: String)
    }

    /// The place.
    public var place: Place
    /// The secret.
    public var secret: Secret

    /// A secret at a place.
    public init(_ place: Place, _ secret: Secret) {
      self.place = place
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
    authorizations: [Authorization] = [], body: Body = .none, timeout: Duration,
    trustRoots: TrustRoots? = nil
  ) {
    self.method = method
    self.url = url
    self.headers = headers
    self.authorizations = authorizations
    self.body = body
    self.timeout = timeout
    self.trustRoots = trustRoots
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
