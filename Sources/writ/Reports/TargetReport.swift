// What a job type needs of an installation: addresses and secrets, by name.

import Arazzo
import JSON
import JobModel

/// The targets of a job type in words.
struct TargetReport: Sendable {
  let use: TargetUse
  let jobType: String
  var environment = "<environment>"

  /// The key of the configuration that says where the target is.
  var setting: String {
    use.source == SecretNaming.authOS
      ? "environments.\(environment).authos.url"
      : "environments.\(environment).targets.\(use.source).url"
  }

  /// Whether an environment that configures no address has one all the same.
  var hasDefaultURL: Bool { use.source != SecretNaming.authOS && use.defaultURL != nil }

  /// The secrets, each with all names that it may have, the first choice first.
  var secrets: [[String]] {
    var secrets = use.secretWords.map { word in
      SecretNaming.places(
        [word], environment: environment, jobType: jobType, target: use.source
      ).flatMap { $0 }
    }
    if use.hasSession {
      let account = SecretNaming.account(environment: environment, target: use.source)
      secrets += [[account.email], [account.password]]
    }
    return secrets
  }

  /// The lines of `writ types show`.
  var lines: [String] {
    let note = hasDefaultURL ? ", else \(use.defaultURL ?? "")" : ""
    return ["  \(use.source) at \(setting)\(note)"]
      + secrets.map { "    secret \($0.joined(separator: ", or "))" }
      + (use.signature == .none ? [] : ["    signed: \(use.signature.rawValue)"])
  }

  var json: JSONValue {
    .members([
      ("name", .string(use.source)), ("url_setting", .string(setting)),
      ("default_url", hasDefaultURL ? use.defaultURL.map { .string($0) } : nil),
      ("secrets", .array(secrets.map { .array($0.map { .string($0) }) })),
      ("signature", use.signature == .none ? nil : .string(use.signature.rawValue)),
    ])
  }
}

extension JobTypeDefinition {
  /// Whether jobs of the type call AuthOS with a key of their own.
  var needsKeyOfAuthOS: Bool {
    targets.contains { $0.source == SecretNaming.authOS && $0.secretWords.contains("key") }
  }

  /// What its secrets are called, in short: permissions of the key of AuthOS, and the words of others.
  var needsInShort: String {
    (leastPrivilege
      + targets.filter { $0.source != SecretNaming.authOS }.map { target in
        ([target.source] + target.secretWords).joined(separator: ":")
      }).joined(separator: " ")
  }
}
