// Finding the file and putting the layers on top of each other.

import Foundation

/// What the command line says of the configuration.
struct ConfigurationFlags: Sendable {
  var file: String?
  /// The flag, the key it stands for, and the value.
  var values: [(flag: String, key: String, value: String)] = []
}

extension Configuration {
  /// Where a file is looked for when nobody names one.
  static let defaultFiles = ["writ.yaml", "/etc/writ/writ.yaml"]

  /// Reads file, variables and flags, in that order of growing precedence.
  ///
  /// - Throws: ``ConfigurationError`` with every fault.
  static func load(
    flags: ConfigurationFlags = ConfigurationFlags(),
    variables: [String: String] = ProcessInfo.processInfo.environment
  ) throws(ConfigurationError) -> Configuration {
    var layers = ConfigurationLayers()
    let path = try file(flags: flags, variables: variables)
    if let path { layers.add(file: try text(of: path), path: path) }
    layers.add(variables: variables)
    for flag in flags.values { layers.add(flag: flag.flag, key: flag.key, value: flag.value) }
    return try Configuration(layers, file: path)
  }

  private static func file(
    flags: ConfigurationFlags, variables: [String: String]
  ) throws(ConfigurationError) -> String? {
    let named: (path: String, origin: SettingOrigin)?
    if let path = flags.file {
      named = (path, .flag("--config"))
    } else if let path = variables["WRIT_CONFIG"], !path.isEmpty {
      named = (path, .variable("WRIT_CONFIG"))
    } else {
      named = nil
    }
    guard let named else {
      return defaultFiles.first { FileManager.default.fileExists(atPath: $0) }
    }
    guard FileManager.default.fileExists(atPath: named.path) else {
      throw ConfigurationError(faults: [
        ConfigurationFault(
          origin: named.origin, key: "", reason: "there is no file \(named.path)")
      ])
    }
    return named.path
  }

  private static func text(of path: String) throws(ConfigurationError) -> String {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ConfigurationError(faults: [
        ConfigurationFault(
          origin: .file(path: path, line: 1), key: "",
          reason: "cannot be read; check that it is a file and that you may read it")
      ])
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw ConfigurationError(faults: [
        ConfigurationFault(origin: .file(path: path, line: 1), key: "", reason: "must be UTF-8")
      ])
    }
    return text
  }
}
