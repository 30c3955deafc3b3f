// Secrets from environment variables, for trying out: anybody who may look at the process can read them,
// so a directory is the better place.

/// A secret store over environment variables; it can only be read.
///
/// `WRIT_SECRET_` and the name in capitals, where `/`, `.` and `-` become `_`:
/// `production/create_user.key` is `WRIT_SECRET_PRODUCTION_CREATE_USER_KEY`,
/// `production/management.password` is `WRIT_SECRET_PRODUCTION_MANAGEMENT_PASSWORD`. A variable that is
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
    "WRIT_SECRET_"
      + String(
        name.description.map { "/.-".contains($0) ? "_" : $0 }
      ).uppercased()
  }

  /// The secret of a name.
  public func read(_ name: SecretName) throws -> Secret? { secrets[Self.variable(of: name)] }

  /// Always refused.
  public func write(_ name: SecretName, _ secret: Secret) throws { throw Self.readOnly }

  /// Always refused.
  public func promoteKey(environment: String, jobType: String) throws { throw Self.readOnly }

  /// Always refused.
  public func delete(_ name: SecretName) throws { throw Self.readOnly }

  /// None: the names cannot be told from the variables.
  public func names() throws -> [SecretName] { [] }

  private static let readOnly = SecretStoreError(
    .readOnly,
    "secrets from environment variables cannot be changed; name a directory for secrets instead")
}
