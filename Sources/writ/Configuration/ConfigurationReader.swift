// From words to checked values, collecting every fault on the way.

import Arazzo
import Foundation

/// Reads settings by key; what is wrong is noted, and the default stands in until all is read.
struct ConfigurationReader {
  let layers: ConfigurationLayers
  private(set) var faults: [ConfigurationFault]

  init(_ layers: ConfigurationLayers) {
    self.layers = layers
    faults = layers.faults
  }

  /// Whether a key was given.
  func has(_ key: String) -> Bool { layers.settings[key] != nil }

  /// The names of all environments that a setting mentions, sorted.
  var environmentNames: [String] {
    let prefix = "\(ConfigurationKey.environmentPrefix)."
    let names = layers.settings.keys.filter { $0.hasPrefix(prefix) }.compactMap {
      $0.dropFirst(prefix.count).split(separator: ".").first.map(String.init)
    }
    return Set(names).sorted()
  }

  /// Where the settings of an environment begin.
  func origin(ofEnvironment name: String) -> SettingOrigin? {
    let prefix = "\(ConfigurationKey.environmentPrefix).\(name)."
    return layers.settings.filter { $0.key.hasPrefix(prefix) }.map(\.value.origin)
      .min { "\($0)" < "\($1)" }
  }

  /// Notes a fault of a key that was given.
  mutating func report(_ key: String, _ reason: String) {
    guard let setting = layers.settings[key] else { return }
    faults.append(ConfigurationFault(origin: setting.origin, key: key, reason: reason))
  }

  /// Notes a fault of something that is missing.
  mutating func report(missing reason: String, at origin: SettingOrigin, key: String) {
    faults.append(ConfigurationFault(origin: origin, key: key, reason: reason))
  }

  /// A single text that is not empty.
  mutating func text(_ key: String) -> String? {
    guard let setting = layers.settings[key] else { return nil }
    guard !setting.isList, let word = setting.words.first else {
      report(key, "must be a single value, not a list")
      return nil
    }
    guard !word.allSatisfy(\.isWhitespace) else {
      report(key, "must not be empty")
      return nil
    }
    return word
  }

  /// A whole number.
  mutating func integer(_ key: String) -> Int? {
    guard let text = text(key), case .integer(let range) = KnownKeys.key(key)?.kind else {
      return nil
    }
    guard let number = Int(text), range.contains(number) else {
      report(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return number
  }

  /// A duration with its unit.
  mutating func duration(_ key: String) -> Duration? {
    guard let text = text(key), case .duration(let range) = KnownKeys.key(key)?.kind else {
      return nil
    }
    guard let duration = DurationText.read(text), range.contains(duration) else {
      report(
        key,
        "must be a number with a unit (ms, s, m, h, d), from "
          + "\(DurationText.written(range.lowerBound)) to \(DurationText.written(range.upperBound))"
      )
      return nil
    }
    return duration
  }

  /// A truth value.
  mutating func boolean(_ key: String) -> Bool? {
    guard let text = text(key) else { return nil }
    guard text == "true" || text == "false" else {
      report(key, "must be true or false")
      return nil
    }
    return text == "true"
  }

  /// One of a key's words.
  mutating func choice(_ key: String) -> String? {
    guard let text = text(key), case .choice(let words) = KnownKeys.key(key)?.kind else {
      return nil
    }
    guard words.contains(text) else {
      report(key, "must be one of \(words.joined(separator: ", "))")
      return nil
    }
    return text
  }

  /// A list of words, none twice.
  mutating func words(_ key: String) -> [String]? {
    guard let setting = layers.settings[key] else { return nil }
    let words =
      setting.isList
      ? setting.words
      : setting.words[0].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
    guard !words.isEmpty, !words.contains(""), Set(words).count == words.count else {
      report(key, "must be at least one word, and none twice")
      return nil
    }
    return words
  }

  /// A file or directory; one that a file names is relative to that file.
  mutating func path(_ key: String) -> String? {
    guard let path = text(key) else { return nil }
    guard !path.hasPrefix("/"), case .file(let file, _)? = layers.settings[key]?.origin else {
      return path
    }
    let folder = file.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return folder.isEmpty ? path : folder.joined(separator: "/") + "/" + path
  }

  /// The names below `targets` of an environment, sorted.
  func targetNames(below prefix: String) -> [String] {
    let prefix = "\(prefix).targets."
    let names = layers.settings.keys.filter { $0.hasPrefix(prefix) }.compactMap {
      $0.dropFirst(prefix.count).split(separator: ".").first.map(String.init)
    }
    return Set(names).sorted()
  }

  /// The start of a URL, without a trailing slash unless that is to be kept.
  mutating func url(_ key: String, keepsSlash: Bool = false) -> String? {
    guard let text = text(key) else { return nil }
    if let fault = BaseURL.fault(in: text) {
      report(
        key,
        fault == .port
          ? "the port must be a number from 1 to 65535"
          : "must be an http:// or https:// URL without user, query or fragment")
      return nil
    }
    return text.hasSuffix("/") && !keepsSlash ? String(text.dropLast()) : text
  }
}
