// The three places that settings come from, before they mean anything: file, variables, flags.

import Foundation
import Yams

/// Where a setting was written.
enum SettingOrigin: Sendable, Hashable, CustomStringConvertible {
  case file(path: String, line: Int)
  case variable(String)
  case flag(String)

  var description: String {
    switch self {
    case .file(let path, let line): "\(path):\(line)"
    case .variable(let name), .flag(let name): name
    }
  }
}

/// A value as it was written.
struct Setting: Sendable, Hashable {
  /// The words of a list, or the one text of a scalar.
  var words: [String]
  var isList = false
  var origin: SettingOrigin
}

/// What is wrong with one setting: where, which key, the rule and the remedy; never the value of a secret.
struct ConfigurationFault: Sendable, Hashable, CustomStringConvertible {
  var origin: SettingOrigin
  var key: String
  var reason: String

  /// `writ.yaml:3: worker.slots: must be …`; a variable or flag already names the key.
  var description: String {
    if case .file = origin {
      return key.isEmpty ? "\(origin): \(reason)" : "\(origin): \(key): \(reason)"
    }
    return "\(origin): \(reason)"
  }
}

/// The settings of all places, the later ones in place of the earlier ones.
struct ConfigurationLayers: Sendable {
  /// By full key, for example `environments.production.authos.url`.
  private(set) var settings: [String: Setting] = [:]
  private(set) var faults: [ConfigurationFault] = []

  /// Adds the content of a configuration file.
  mutating func add(file text: String, path: String) {
    let root: Node?
    do {
      root = try Yams.compose(yaml: text)
    } catch {
      let (line, reason) = Self.explain(error)
      faults.append(
        ConfigurationFault(origin: .file(path: path, line: line), key: "", reason: reason))
      return
    }
    guard let root, root.null == nil else { return }
    guard case .mapping(let mapping) = root else {
      report(path, root, "", "the file must be a mapping of keys to values")
      return
    }
    add(mapping, path: path, prefix: "")
  }

  private mutating func add(_ mapping: Node.Mapping, path: String, prefix: String) {
    for (keyNode, value) in mapping {
      guard let word = keyNode.scalar?.string else {
        report(path, keyNode, prefix, "a key must be a word")
        continue
      }
      let key = prefix.isEmpty ? word : "\(prefix).\(word)"
      switch value {
      case .mapping(let inner) where KnownKeys.isGroup(key): add(inner, path: path, prefix: key)
      case .mapping where KnownKeys.key(key) != nil:
        report(path, keyNode, key, "must be a single value, not a mapping")
      case _ where KnownKeys.isGroup(key):
        report(path, keyNode, key, "must be a mapping of keys to values")
      case _ where KnownKeys.key(key) == nil:
        report(path, keyNode, key, "unknown key\(KnownKeys.question(key))")
      default: add(value, at: keyNode, key: key, path: path)
      }
    }
  }

  private mutating func add(_ value: Node, at keyNode: Node, key: String, path: String) {
    let origin = SettingOrigin.file(path: path, line: keyNode.mark?.line ?? 1)
    switch value {
    case .scalar(let scalar) where value.null == nil || scalar.style != .plain:
      settings[key] = Setting(words: [scalar.string], origin: origin)
    case .sequence(let sequence):
      let words = sequence.compactMap { $0.scalar?.string }
      guard words.count == sequence.count else {
        report(path, keyNode, key, "must be a list of words")
        return
      }
      settings[key] = Setting(words: words, isList: true, origin: origin)
    default: report(path, keyNode, key, "has no value; give one or remove the key")
    }
  }

  /// Adds every `WRIT_…` variable except those with a meaning of their own.
  mutating func add(variables: [String: String]) {
    let environments = knownEnvironments
    for (name, value) in variables.sorted(by: { $0.key < $1.key }) where name.hasPrefix("WRIT_") {
      if name == "WRIT_CONFIG" || name.hasPrefix("WRIT_SECRET_") { continue }
      guard let key = KnownKeys.key(ofVariable: name, environments: environments) else {
        faults.append(
          ConfigurationFault(
            origin: .variable(name), key: "",
            reason: "unknown variable\(KnownKeys.question(variable: name))"))
        continue
      }
      settings[key] = Setting(words: [value], origin: .variable(name))
    }
  }

  /// The environments that were named so far, and the targets of each.
  private var knownEnvironments: [String: Set<String>] {
    var environments: [String: Set<String>] = [:]
    for key in settings.keys {
      let parts = key.split(separator: ".").map(String.init)
      guard parts.count > 2, parts[0] == ConfigurationKey.environmentPrefix else { continue }
      environments[parts[1], default: []].formUnion(
        parts.count > 3 && parts[2] == "targets" ? [parts[3]] : [])
    }
    return environments
  }

  /// Adds a flag that stands for a key.
  mutating func add(flag: String, key: String, value: String) {
    guard KnownKeys.key(key) != nil else {
      faults.append(
        ConfigurationFault(
          origin: .flag(flag), key: key, reason: "unknown key \(key)\(KnownKeys.question(key))"))
      return
    }
    settings[key] = Setting(words: [value], origin: .flag(flag))
  }

  private mutating func report(_ path: String, _ node: Node, _ key: String, _ reason: String) {
    faults.append(
      ConfigurationFault(
        origin: .file(path: path, line: node.mark?.line ?? 1), key: key, reason: reason))
  }

  /// The line and the rule of what the YAML parser says, without the text around it.
  private static func explain(_ error: any Error) -> (line: Int, reason: String) {
    switch error as? YamlError {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      (mark.line, "not valid YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      (context.mark.line, "the key \(duplicates.sorted().joined(separator: ", ")) is given twice")
    default: (1, "not valid YAML in UTF-8")
    }
  }
}
