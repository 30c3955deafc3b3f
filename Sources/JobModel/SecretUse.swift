// The secrets of a request: how they are named in the store, and where they stand in the request.

/// Secrets of the store that a request needs together, and the place that they take in it.
public struct SecretUse: Sendable, Hashable {
  /// The places of a request.
  public enum Place: Sendable, Hashable {
    /// A header field; `prefix` stands before the secret.
    case header(name: String, prefix: String)
    /// A parameter of the query.
    case query(name: String)
    /// A cookie.
    case cookie(name: String)
    /// `Authorization: Basic …`, of a user and a password, in this order.
    case basic
    /// The header fields of Standard Webhooks.
    case standardWebhooks
  }

  /// The place.
  public var place: Place
  /// Where the store may keep them, the first choice first; each element names all of them.
  public var names: [[String]]

  /// A use of secrets.
  public init(_ place: Place, names: [[String]]) {
    self.place = place
    self.names = names
  }

  /// The names as a sentence lists them: `a/x.key or a/y.key`.
  public var namesInWords: String {
    names.map { $0.joined(separator: " and ") }.joined(separator: ", or ")
  }
}

/// How the secrets of targets are named.
public enum SecretNaming {
  /// The source description whose keys belong to one job type each and are rotated by Writ.
  public static let authOS = "authos"

  /// Where the secrets of a scheme may be kept, the first choice first.
  ///
  /// For AuthOS `<environment>/<job type>.<word>` alone, so that a key can be bound to what one type
  /// needs. For any other target `<environment>/<job type>.<target>.<word>`, then
  /// `<environment>/targets.<target>.<word>`. A job type cannot reach the secrets of a target that it
  /// does not call, whatever types and targets are called.
  public static func places(
    _ words: [String], environment: String, jobType: String, target: String
  ) -> [[String]] {
    let owners =
      target == authOS ? [jobType] : ["\(jobType).\(target)", "targets.\(target)"]
    return owners.map { owner in words.map { "\(environment)/\(owner).\($0)" } }
  }

  /// Whether a secret is one that a rotation keeps while it is under way.
  public static func isOfRotation(_ name: String) -> Bool {
    name.hasSuffix(".pending.key") || name.hasSuffix(".previous.key")
  }

  /// What opens the session of a target: the account of the management routes for AuthOS.
  public static func account(environment: String, target: String) -> (
    email: String, password: String
  ) {
    let owner = target == authOS ? "management" : "targets.\(target)"
    return ("\(environment)/\(owner).email", "\(environment)/\(owner).password")
  }
}
