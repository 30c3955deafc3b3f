// The configuration of one run of `writ`: checked as a whole, so that one run shows every fault.

import Arazzo
import Foundation
import JobModel
import Logging

/// What file, variables and flags said, checked.
struct Configuration: Sendable {
  /// An AuthOS and other targets behind a name.
  struct Environment: Sendable, Hashable {
    /// The AuthOS of an environment.
    struct AuthOS: Sendable, Hashable {
      /// Without a trailing slash.
      var url: String
      var organization: String
      var service: String
    }

    var name: String
    var isDefault: Bool
    /// `nil` for an environment whose jobs call other targets alone.
    var authos: AuthOS?
    /// The base URLs of other targets, as written, by name of the source description.
    var targets: [String: String] = [:]
    /// The files of the authorities by which the certificates of targets are checked, by name; AuthOS is one
    /// of them.
    var authorities: [String: AuthorityFile] = [:]
  }

  /// A file of certificates, and where it was named.
  struct AuthorityFile: Sendable, Hashable {
    var path: String
    var key: String
    var origin: SettingOrigin
  }

  /// What a worker was told; `nil` leaves the worker's own default.
  struct WorkerSettings: Sendable, Hashable {
    var name: String?
    var slots: Int?
    var queues: [String]?
    var environments: [String]?
    var lease: Duration?
    var renewalInterval: Duration?
    var leaseMargin: Duration?
    var sweepInterval: Duration?
    var pollInterval: Duration?
    var claimBatch: Int?
    var stepsContinueFor: Duration?
    var gracefulStopLimit: Duration?
    var connectTimeout: Duration?
    var requestTimeout: Duration?
    var refusedKeyPause: Duration?
    var circuitJobs: Int?
    var circuitSilence: Duration?
    var circuitPause: Duration?
    var lostRequestPause: Duration?
    var databaseTimeout: Duration?
  }

  /// How log messages look.
  enum LogFormat: String, Sendable, Hashable, CaseIterable { case auto, text, json }

  /// The connection string; empty means libpq's own variables.
  var database = ""
  /// The directory of the catalogue, or `nil` for the built-in one.
  var catalogue: String?
  /// The directory of the secret store, or `nil` for variables.
  var secretsDirectory: String?
  var logLevel = Logger.Level.info
  var logFormat = LogFormat.auto
  /// Sorted by name.
  var environments: [Environment] = []
  var worker = WorkerSettings()
  /// The file that was read, if any.
  var file: String?

  /// Checks settings.
  ///
  /// - Throws: ``ConfigurationError`` with every fault.
  init(_ layers: ConfigurationLayers, file: String? = nil) throws(ConfigurationError) {
    var reader = ConfigurationReader(layers)
    self.file = file
    readGeneral(&reader)
    readEnvironments(&reader)
    readWorker(&reader)
    guard reader.faults.isEmpty else { throw ConfigurationError(faults: reader.faults) }
  }

  private mutating func readGeneral(_ reader: inout ConfigurationReader) {
    database = reader.text("database") ?? ""
    if case .flag(_)? = reader.layers.settings["database"]?.origin,
      ConnectionText.containsPassword(database)
    {
      reader.report(
        "database",
        "must not hold a password, since every user of this machine can read arguments; use "
          + "PGPASSFILE, WRIT_DATABASE or the configuration file")
    }
    catalogue = reader.path("catalogue")
    secretsDirectory = reader.path("secrets.directory")
    if let level = reader.choice("log.level") { logLevel = Logger.Level(rawValue: level) ?? .info }
    if let format = reader.choice("log.format") { logFormat = LogFormat(rawValue: format) ?? .auto }
  }

  private mutating func readEnvironments(_ reader: inout ConfigurationReader) {
    for name in reader.environmentNames {
      let prefix = "\(ConfigurationKey.environmentPrefix).\(name)"
      let origin = reader.origin(ofEnvironment: name) ?? .variable("WRIT_ENVIRONMENTS_…")
      if !Self.isEnvironmentName(name) {
        reader.report(
          missing: "the name must be 1 to 63 of a-z, 0-9, - and _, starting with a letter",
          at: origin, key: prefix)
      }
      environments.append(
        Environment(
          name: name, isDefault: reader.boolean("\(prefix).default") ?? false,
          authos: readAuthOS(&reader, prefix, origin), targets: readTargets(&reader, prefix),
          authorities: readAuthorities(&reader, prefix)))
    }
    if environments.count == 1, !reader.has("environments.\(environments[0].name).default") {
      environments[0].isDefault = true
    }
    let defaults = environments.filter(\.isDefault).map(\.name)
    if defaults.count > 1 {
      reader.report(
        "environments.\(defaults[1]).default",
        "only one environment can be the default, and \(defaults[0]) is one already")
    }
  }

  /// All three settings of an AuthOS, or none of them.
  private func readAuthOS(
    _ reader: inout ConfigurationReader, _ prefix: String, _ origin: SettingOrigin
  ) -> Environment.AuthOS? {
    let keys = ["authos.url", "authos.organization", "authos.service"]
    guard (keys + ["authos.ca-file"]).contains(where: { reader.has("\(prefix).\($0)") }) else {
      return nil
    }
    for key in keys where !reader.has("\(prefix).\(key)") {
      reader.report(missing: "\(prefix).\(key) is missing", at: origin, key: prefix)
    }
    return Environment.AuthOS(
      url: reader.url("\(prefix).authos.url") ?? "",
      organization: reader.text("\(prefix).authos.organization") ?? "",
      service: reader.text("\(prefix).authos.service") ?? "")
  }

  private func readTargets(
    _ reader: inout ConfigurationReader, _ prefix: String
  ) -> [String: String] {
    var targets: [String: String] = [:]
    for target in reader.targetNames(below: prefix) {
      let key = "\(prefix).targets.\(target).url"
      if target == SecretNaming.authOS {
        reader.report(key, "the address of AuthOS is \(prefix).authos.url")
        reader.report(
          "\(prefix).targets.\(target).ca-file",
          "the certificates of AuthOS are \(prefix).authos.ca-file")
      } else if target.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]{0,62}/) == nil {
        reader.report(
          key,
          "a target is called like its source description: at most 63 letters, digits, _ and -, "
            + "starting with a letter or digit")
      } else if let url = reader.url(key, keepsSlash: true) {
        targets[target] = url
      }
    }
    return targets
  }

  private func readAuthorities(
    _ reader: inout ConfigurationReader, _ prefix: String
  ) -> [String: AuthorityFile] {
    var files: [String: AuthorityFile] = [:]
    let places =
      [(SecretNaming.authOS, "\(prefix).authos")]
      + reader.targetNames(below: prefix).filter { $0 != SecretNaming.authOS }.map {
        ($0, "\(prefix).targets.\($0)")
      }
    for (target, place) in places {
      let key = "\(place).ca-file"
      guard let path = reader.path(key), let origin = reader.layers.settings[key]?.origin else {
        continue
      }
      if reader.text("\(place).url")?.hasPrefix("http://") == true {
        reader.report(key, "says nothing for an http:// address; make \(place).url an https:// one")
      }
      files[target] = AuthorityFile(path: path, key: key, origin: origin)
    }
    return files
  }

  private mutating func readWorker(_ reader: inout ConfigurationReader) {
    worker = WorkerSettings(
      name: reader.text("worker.name"), slots: reader.integer("worker.slots"),
      queues: reader.words("worker.queues"), environments: reader.words("worker.environments"),
      lease: reader.duration("worker.lease"),
      renewalInterval: reader.duration("worker.renewal-interval"),
      leaseMargin: reader.duration("worker.lease-margin"),
      sweepInterval: reader.duration("worker.sweep-interval"),
      pollInterval: reader.duration("worker.poll-interval"),
      claimBatch: reader.integer("worker.claim-batch"),
      stepsContinueFor: reader.duration("worker.steps-continue-for"),
      gracefulStopLimit: reader.duration("worker.graceful-stop-limit"),
      connectTimeout: reader.duration("worker.connect-timeout"),
      requestTimeout: reader.duration("worker.request-timeout"),
      refusedKeyPause: reader.duration("worker.refused-key-pause"),
      circuitJobs: reader.integer("worker.circuit-jobs"),
      circuitSilence: reader.duration("worker.circuit-silence"),
      circuitPause: reader.duration("worker.circuit-pause"),
      lostRequestPause: reader.duration("worker.lost-request-pause"),
      databaseTimeout: reader.duration("worker.database-timeout"))
    let known = environments.map(\.name)
    for name in worker.environments ?? [] where !known.contains(name) {
      reader.report(
        "worker.environments",
        "there is no environment \(name)\(Suggestion.question(name, among: known))")
    }
  }

  static func isEnvironmentName(_ name: String) -> Bool {
    name.wholeMatch(of: /[a-z][a-z0-9_-]{0,62}/) != nil
  }
}

/// Everything that is wrong with the configuration.
struct ConfigurationError: Error, Sendable, Hashable, CustomStringConvertible {
  var faults: [ConfigurationFault]

  /// One fault a line.
  var description: String { faults.map(\.description).joined(separator: "\n") }
}
