// One environment of the worker: where its targets are and which values its jobs get from it.

import Arazzo
public import JSON
import JobModel

/// An environment: a name that jobs carry, and what stands behind it on this worker.
///
/// Its secrets are not here; they are in the secret store under the environment's name.
public struct EnvironmentConfiguration: Sendable, Hashable {
  /// The name, as jobs carry it.
  public var name: String
  /// The base URL by name of the source description, for example `["authos": "https://id.example"]`;
  /// a source without one uses the first absolute server of its OpenAPI description.
  public var targets: [String: String]
  /// What the certificates of targets are checked against, by name; a target that is not here is checked
  /// against the machine's trust roots.
  public var trustRoots: [String: TrustRoots]
  /// The slug of the organization in AuthOS; `nil` for an environment without an AuthOS.
  public var organization: String?
  /// The slug of the service in AuthOS; `nil` for an environment without an AuthOS.
  public var service: String?
  /// Further values for inputs that the environment supplies (`x-writ.from: environment`).
  public var values: JSONObject

  /// An environment.
  public init(
    name: String, targets: [String: String], organization: String? = nil,
    service: String? = nil, trustRoots: [String: TrustRoots] = [:],
    values: JSONObject = JSONObject()
  ) {
    self.name = name
    self.targets = targets
    self.trustRoots = trustRoots
    self.organization = organization
    self.service = service
    self.values = values
  }

  /// All values that inputs can take from here: `environment`, `organization`, `service`, and
  /// ``values``.
  public var inputs: [String: JSONValue] {
    var inputs: [String: JSONValue] = ["environment": .string(name)]
    inputs["organization"] = organization.map { .string($0) }
    inputs["service"] = service.map { .string($0) }
    for member in values { inputs[member.name] = member.value }
    return inputs
  }

  /// The base URL of a target; `nil` where nobody has said where it is.
  ///
  /// An AuthOS is always the environment's own: no document decides where its keys are sent.
  func url(of target: String, servers: [String]) -> String? {
    if let url = targets[target] { return url }
    return target == SecretNaming.authOS ? nil : servers.first { BaseURL.fault(in: $0) == nil }
  }

  /// The key of the configuration that says where a target is.
  static func setting(ofTarget target: String, environment: String) -> String {
    target == SecretNaming.authOS
      ? "environments.\(environment).authos.url"
      : "environments.\(environment).targets.\(target).url"
  }

  /// What is wrong with it, each a sentence without a full stop.
  var faults: [String] {
    var faults: [String] = []
    if !Self.isName(name) {
      faults.append("name must be 1 to 63 of a-z, 0-9, - and _, starting with a letter")
    }
    for (source, url) in targets.sorted(by: { $0.key < $1.key }) {
      switch BaseURL.fault(in: url) {
      case nil: break
      case .port?:
        faults.append("the port of target \(source) must be a number from 1 to 65535")
      default:
        faults.append(
          "target \(source) must be an http or https URL without user, query or fragment")
      }
    }
    for (label, slug) in [("organization", organization), ("service", service)]
    where slug.map({ $0.isEmpty || $0.contains("/") }) ?? false {
      faults.append("\(label) must be a slug")
    }
    return faults
  }

  private static func isName(_ text: String) -> Bool {
    guard (1...63).contains(text.utf8.count), let first = text.utf8.first else { return false }
    return (0x61...0x7A).contains(first)
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
      }
  }
}
