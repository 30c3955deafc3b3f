// Looking keys up by what people wrote, in the file and in variables.

import Arazzo

enum KnownKeys {
  /// The key of a full name; `environments.production.default` finds `environments.<name>.default`.
  static func key(_ name: String) -> ConfigurationKey? {
    let general = generalized(name)
    return ConfigurationKey.all.first { $0.name == general }
  }

  /// Whether keys stand below this name, as below `worker` and `environments.production`.
  static func isGroup(_ name: String) -> Bool {
    let prefix = generalized(name) + "."
    return ConfigurationKey.all.contains { $0.name.hasPrefix(prefix) }
  }

  /// The full name of a variable's key, given the environments that the file knows and their targets.
  static func key(ofVariable name: String, environments: [String: Set<String>]) -> String? {
    if let key = ConfigurationKey.all.first(where: { $0.variable == name && !isOfEnvironment($0) })
    {
      return key.name
    }
    let prefix = "WRIT_ENVIRONMENTS_"
    guard name.hasPrefix(prefix) else { return nil }
    if let key = targetKey(ofVariable: name.dropFirst(prefix.count), environments) { return key }
    for key in ConfigurationKey.all where isOfEnvironment(key) && !key.name.contains("<target>") {
      let suffix = key.variable.dropFirst("\(prefix)<NAME>".count)
      guard name.hasSuffix(suffix), name.count > prefix.count + suffix.count else { continue }
      let written = String(name.dropFirst(prefix.count).dropLast(suffix.count))
      let known = environments.keys.first { variablePart($0) == written }
      return key.name.replacing("<name>", with: known ?? written.lowercased())
    }
    return nil
  }

  /// The key of a target; a name that the file does not know is taken in lower case, with `_`.
  private static func targetKey(
    ofVariable text: Substring, _ environments: [String: Set<String>]
  ) -> String? {
    guard
      let (suffix, word) = [("_URL", "url"), ("_CA_FILE", "ca-file")].first(where: {
        text.hasSuffix($0.0)
      }), let (environment, rest) = text.dropLast(suffix.count).parted(at: "_TARGETS_")
    else { return nil }
    let named = environments.first { variablePart($0.key) == environment }
    let name = named?.key ?? environment.lowercased()
    let target = named?.value.first { variablePart($0) == rest } ?? rest.lowercased()
    return "environments.\(name).targets.\(target).\(word)"
  }

  private static func variablePart(_ name: String) -> String {
    name.uppercased().replacing("-", with: "_")
  }

  /// `; did you mean …?` for a name in the file or behind `--set`.
  static func question(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isEnvironment = parts.first == "environments" && parts.count > 1
    let known = ConfigurationKey.all.map {
      var known = $0.name
      if isEnvironment { known = known.replacing("<name>", with: String(parts[1])) }
      if isEnvironment, parts.count > 3, parts[2] == "targets" {
        known = known.replacing("<target>", with: String(parts[3]))
      }
      return known
    }
    let groups = Set(
      known.flatMap { key in
        key.indices.filter { key[$0] == "." }.map { String(key[..<$0]) }
      })
    return Suggestion.question(name, among: known + groups.sorted())
  }

  /// `; did you mean …?` for a variable.
  static func question(variable name: String) -> String {
    Suggestion.question(name, among: ConfigurationKey.all.map(\.variable) + ["WRIT_CONFIG"])
  }

  private static func isOfEnvironment(_ key: ConfigurationKey) -> Bool {
    key.name.hasPrefix("\(ConfigurationKey.environmentPrefix).")
  }

  private static func generalized(_ name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if parts.count > 1, parts[0] == ConfigurationKey.environmentPrefix {
      parts[1] = "<name>"
      if parts.count > 3, parts[2] == "targets" { parts[3] = "<target>" }
    }
    return parts.joined(separator: ".")
  }
}

extension Substring {
  /// What stands before and after the first occurrence of a text; `nil` unless both are something.
  fileprivate func parted(at separator: String) -> (String, String)? {
    guard let range = firstRange(of: separator), range.lowerBound > startIndex,
      range.upperBound < endIndex
    else { return nil }
    return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
  }
}
