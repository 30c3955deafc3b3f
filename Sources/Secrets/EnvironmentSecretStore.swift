// Secrets from environment variables, for trying out: anybody who may look at the process can read them,
// so a directory is the better place.

/// A secret store over environment variables; it can only be read.
///
/// `WRIT_SECRET_` and the name in capitals, where `/`, `-` and the last `.` become `_`, other dots `__`:
/// `production/create_user.key` is `WRIT_SECRET_PRODUCTION_CREATE_USER_KEY`,
/// `production/management.password` is `WRIT_SECRET_PRODUCTION_MANAGEMENT_PASSWORD`,
/// `production/targets.billing.key` is `WRIT_SECRET_PRODUCTION_TARGETS__BILLING_KEY`. A variable that is
/// empty counts as absent.
public struct EnvironmentSecretStore: SecretStore {
  private let secrets: [String: Secret]

  /// A store over variables, by their names; those that do not begin with `WRIT_SECRET_` are not kept.
  public init(environment: [String: String]) {
    secrets = environment.filter { $0.key.hasPrefix("WRIT_SECRET_") && !$0.value.isEmpty }
      .mapValues { Secret($0) }
  }

  /// The variable that holds the secret of a name.
  public static func variable(of name: SecretName) -> String {
    var words = name.entry.split(separator: ".")
    let last = words.removeLast()
    // Two strokes, so that the key of a type `create` for a target `user` is not that of `create_user`.
    let entry = words.isEmpty ? String(last) : words.joined(separator: "__") + "_" + last
    return "WRIT_SECRET_"
      + "\(name.environment)_\(entry)".replacing("-", with: "_").uppercased()
  }

  /// The secret of a name.
  public func read(_ name: SecretName) throws -> Secret? { secrets[Self.variable(of: name)] }

  /// Always refused.
  public func write(_ name: SecretName, _ secret: Secret) throws { throw Self.readOnly }

  /// Always refused.
  public func promoteKey(environment: String, jobType: String, prefix: String?) throws {
    throw Self.readOnly
  }

  /// Always refused.
  public func delete(_ name: SecretName) throws { throw Self.readOnly }

  /// None: the names cannot be told from the variables.
  public func names() throws -> [SecretName] { [] }

  /// What stands between the environment's part of a variable and `_KEY`, in small letters.
  ///
  /// A variable that could belong to two environments, such as `WRIT_SECRET_A_B_KEY` to `a` and `a_b`,
  /// counts for both, as it does when it is read.
  public func keyedTypes(environment: String) throws -> [String] {
    let prefix = Self.variable(of: try SecretName("\(environment)/x")).dropLast()
    return secrets.keys.filter {
      $0.hasPrefix(prefix) && $0.hasSuffix("_KEY") && $0.count > prefix.count + 4
    }.map { $0.dropFirst(prefix.count).dropLast(4).lowercased() }.sorted()
  }

  private static let readOnly = SecretStoreError(
    .readOnly,
    "secrets from environment variables cannot be changed; name a directory for secrets instead")
}
