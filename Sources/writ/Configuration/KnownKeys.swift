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

  /// The full name of a variable's key, given the environments that the file knows.
  static func key(ofVariable name: String, environments: Set<String>) -> String? {
    if let key = ConfigurationKey.all.first(where: { $0.variable == name && !isOfEnvironment($0) })
    {
      return key.name
    }
    let prefix = "WRIT_ENVIRONMENTS_"
    guard name.hasPrefix(prefix) else { return nil }
    for key in ConfigurationKey.all where isOfEnvironment(key) {
      let suffix = key.variable.dropFirst("\(prefix)<NAME>".count)
      guard name.hasSuffix(suffix), name.count > prefix.count + suffix.count else { continue }
      let written = String(name.dropFirst(prefix.count).dropLast(suffix.count))
      let known = environments.first {
        $0.uppercased().replacing("-", with: "_") == written
      }
      return key.name.replacing("<name>", with: known ?? written.lowercased())
    }
    return nil
  }

  /// `; did you mean …?` for a name in the file or behind `--set`.
  static func question(_ name: String) -> String {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isEnvironment = parts.first == "environments" && parts.count > 1
    let known = ConfigurationKey.all.map {
      isEnvironment ? $0.name.replacing("<name>", with: String(parts[1])) : $0.name
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
    if parts.count > 1, parts[0] == ConfigurationKey.environmentPrefix { parts[1] = "<name>" }
    return parts.joined(separator: ".")
  }
}
