// What the configuration accepts, from which place, and what it says about the rest.

import Foundation
import Logging
import Testing

@testable import writ

@Suite struct ConfigurationTests {
  private func load(
    _ text: String, variables: [String: String] = [:],
    flags: [(String, String, String)] = []
  ) throws(ConfigurationError) -> Configuration {
    var layers = ConfigurationLayers()
    layers.add(file: text, path: "writ.yaml")
    layers.add(variables: variables)
    for (flag, key, value) in flags { layers.add(flag: flag, key: key, value: value) }
    return try Configuration(layers, file: "writ.yaml")
  }

  private func faults(
    _ text: String, variables: [String: String] = [:], flags: [(String, String, String)] = []
  ) -> [String] {
    do {
      _ = try load(text, variables: variables, flags: flags)
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  private let environment = """
    environments:
      production:
        authos: {url: "https://id.example/", organization: acme, service: portal}

    """

  @Test func `an empty configuration has the defaults`() throws {
    let configuration = try load("")
    #expect(configuration.database == "")
    #expect(configuration.catalogue == nil)
    #expect(configuration.logFormat == .auto)
    #expect(configuration.environments == [])
    #expect(configuration.worker == Configuration.WorkerSettings())
  }

  @Test func `a variable wins over the file and a flag over both`() throws {
    let text = "worker: {slots: 4, claim-batch: 10}\nlog: {level: debug}\n"
    let configuration = try load(
      text, variables: ["WRIT_WORKER_SLOTS": "8", "WRIT_LOG_LEVEL": "error"],
      flags: [("--log-level", "log.level", "trace")])
    #expect(configuration.worker.slots == 8)
    #expect(configuration.worker.claimBatch == 10)
    #expect(configuration.logLevel == .trace)
  }

  @Test func `a single environment is the default one`() throws {
    let configuration = try load(environment)
    #expect(
      configuration.environments == [
        Configuration.Environment(
          name: "production", isDefault: true,
          authos: .init(url: "https://id.example", organization: "acme", service: "portal"))
      ])
  }

  @Test func `a variable reaches an environment whose name has a hyphen`() throws {
    let text = environment.replacing("production", with: "eu-west")
    let configuration = try load(
      text, variables: ["WRIT_ENVIRONMENTS_EU_WEST_AUTHOS_ORGANIZATION": "other"])
    #expect(configuration.environments.map(\.name) == ["eu-west"])
    #expect(configuration.environments.first?.authos?.organization == "other")
  }

  @Test func `an environment without AuthOS has targets of its own`() throws {
    let text = """
      environments:
        eu:
          targets:
            webhook-receiver: {url: "https://hooks.example/in/"}
      """
    let configuration = try load(
      text,
      variables: [
        "WRIT_ENVIRONMENTS_EU_TARGETS_WEBHOOK_RECEIVER_URL": "http://other.example/in/",
        "WRIT_ENVIRONMENTS_US_TARGETS_BILLING_URL": "https://billing.example",
      ])
    #expect(configuration.environments.map(\.name) == ["eu", "us"])
    #expect(configuration.environments.map { $0.authos == nil } == [true, true])
    #expect(
      configuration.environments.map(\.targets) == [
        ["webhook-receiver": "http://other.example/in/"], ["billing": "https://billing.example"],
      ])
  }

  @Test func `the authorities of targets are files, read when a worker starts`() async throws {
    let text = """
      database: "host=/nowhere"
      environments:
        eu:
          authos: {url: "https://id.example", organization: a, service: b, ca-file: none.pem}
          targets:
            web-hooks: {ca-file: /nowhere/either.pem}
      """
    let configuration = try load(
      text, variables: ["WRIT_ENVIRONMENTS_EU_TARGETS_WEB_HOOKS_CA_FILE": "/nowhere/other.pem"])
    #expect(
      configuration.environments.first?.authorities.mapValues(\.path)
        == ["authos": "none.pem", "web-hooks": "/nowhere/other.pem"])
    let error = #expect(throws: ConfigurationError.self) { try configuration.workerValues() }
    #expect(
      error?.faults.map(\.description) == [
        "writ.yaml:4: environments.eu.authos.ca-file: there is no file none.pem",
        "WRIT_ENVIRONMENTS_EU_TARGETS_WEB_HOOKS_CA_FILE: there is no file /nowhere/other.pem",
      ])
    let findings = await Examination(configuration: configuration).run()
    #expect(
      findings.filter { $0.subject.hasPrefix("certificates ") || $0.subject == "target eu" } == [
        Finding(
          .fail, "certificates eu/authos",
          "environments.eu.authos.ca-file: there is no file none.pem"),
        Finding(
          .fail, "certificates eu/web-hooks",
          "environments.eu.targets.web-hooks.ca-file: there is no file /nowhere/other.pem"),
        Finding(
          .warn, "target eu",
          "not asked, since environments.eu.authos.ca-file cannot be used"),
      ])
  }

  @Test func `a directory in a file is relative to that file`() throws {
    var layers = ConfigurationLayers()
    layers.add(
      file: "secrets: {directory: keys}\ncatalogue: /srv/jobs\n", path: "/etc/writ/writ.yaml")
    let configuration = try Configuration(layers)
    #expect(configuration.secretsDirectory == "/etc/writ/keys")
    #expect(configuration.catalogue == "/srv/jobs")
  }

  @Test(arguments: [
    ("worker:\n  slot: 4\n", "writ.yaml:2: worker.slot: unknown key; did you mean worker.slots?"),
    ("wrker: 4\n", "writ.yaml:1: wrker: unknown key; did you mean worker?"),
    ("worker: 4\n", "writ.yaml:1: worker: must be a mapping of keys to values"),
    (
      "worker: {slots: many}\n", "writ.yaml:1: worker.slots: must be a whole number from 1 to 10000"
    ),
    (
      "worker:\n  lease: 7\n",
      "writ.yaml:2: worker.lease: must be a number with a unit (ms, s, m, h, d), from 1s to 9s"
    ),
    (
      "log: {format: xml}\n", "writ.yaml:1: log.format: must be one of auto, text, json"
    ),
    ("catalogue:\n", "writ.yaml:1: catalogue: has no value; give one or remove the key"),
    ("database: [a, b]\n", "writ.yaml:1: database: must be a single value, not a list"),
    (
      "worker: {queues: [a, a]}\n",
      "writ.yaml:1: worker.queues: must be at least one word, and none twice"
    ),
    (
      "worker: {environments: [prod]}\n",
      "writ.yaml:1: worker.environments: there is no environment prod"
    ),
    ("- a\n", "writ.yaml:1: the file must be a mapping of keys to values"),
    ("database: a\ndatabase: b\n", "writ.yaml:1: the key database is given twice"),
    (
      "environments:\n  Production:\n    authos: {url: 'http://h', organization: a, service: b}\n",
      "writ.yaml:3: environments.Production: the name must be 1 to 63 of a-z, 0-9, - and _, starting with a letter"
    ),
    (
      "environments: {p: {authos: {url: 'ftp://h', organization: a, service: b}}}\n",
      "writ.yaml:1: environments.p.authos.url: must be an http:// or https:// URL without user, query or fragment"
    ),
    (
      "environments: {p: {targets: {b: {url: 'https://u:p@h'}}}}\n",
      "writ.yaml:1: environments.p.targets.b.url: must be an http:// or https:// URL without user, query or fragment"
    ),
    (
      "environments: {p: {authos: {url: 'http://127.0.0.1:70000', organization: a, service: b}}}\n",
      "writ.yaml:1: environments.p.authos.url: the port must be a number from 1 to 65535"
    ),
    (
      "environments: {p: {targets: {b: {url: 'http://[::1]:99999'}}}}\n",
      "writ.yaml:1: environments.p.targets.b.url: the port must be a number from 1 to 65535"
    ),
    (
      "environments: {p: {targets: {b: {url: 'http://h', ca-file: a.pem}}}}\n",
      "writ.yaml:1: environments.p.targets.b.ca-file: says nothing for an http:// address; make environments.p.targets.b.url an https:// one"
    ),
    (
      "environments: {p: {targets: {b: {uri: 'https://h'}}}}\n",
      "writ.yaml:1: environments.p.targets.b.uri: unknown key; did you mean environments.p.targets.b.url?"
    ),
    (
      "environments: {p: {targets: {authos: {url: 'https://h'}}}}\n",
      "writ.yaml:1: environments.p.targets.authos.url: the address of AuthOS is environments.p.authos.url"
    ),
    (
      "environments: {p: {authos: {url: 'http://h', organization: a}}}\n",
      "writ.yaml:1: environments.p: environments.p.authos.service is missing"
    ),
  ])
  func `a wrong file is refused with file, line, key and rule`(text: String, message: String) {
    #expect(faults(text) == [message])
  }

  @Test func `broken YAML is refused with its line`() {
    let found = faults("worker:\n  slots: [1\n")
    #expect(found.count == 1)
    #expect(found.first?.hasPrefix("writ.yaml:3: not valid YAML: ") == true)
  }

  @Test func `all faults of all places are told at once`() {
    let found = faults(
      "worker: {slots: 0}\n", variables: ["WRIT_WORKER_SLOT": "1", "WRIT_LOG_LEVEL": "loud"],
      flags: [("--set log.formt", "log.formt", "text")])
    #expect(
      found == [
        "WRIT_WORKER_SLOT: unknown variable; did you mean WRIT_WORKER_SLOTS?",
        "--set log.formt: unknown key log.formt; did you mean log.format?",
        "WRIT_LOG_LEVEL: must be one of trace, debug, info, notice, warning, error, critical",
        "writ.yaml:1: worker.slots: must be a whole number from 1 to 10000",
      ])
  }

  @Test func `two default environments are refused`() {
    let text = """
      environments:
        a: {default: true, authos: {url: "http://a", organization: o, service: s}}
        b: {default: true, authos: {url: "http://b", organization: o, service: s}}
      """
    #expect(
      faults(text) == [
        "writ.yaml:3: environments.b.default: only one environment can be the default, and a is one already"
      ])
  }

  @Test(arguments: [
    "host=db password=x", "host=db PASSWORD = x", "postgresql://u:x@db/writ",
    "host=db sslpassword=x",
    "postgres://u:p%40ss@h1,h2/writ?sslmode=require", "postgresql://u@db/writ?password=x",
  ])
  func `a flag with a password is refused, and the password is not repeated`(connection: String) {
    #expect(
      faults("", flags: [("--database", "database", connection)]) == [
        "--database: must not hold a password, since every user of this machine can read arguments; "
          + "use PGPASSFILE, WRIT_DATABASE or the configuration file"
      ])
    #expect(faults("", variables: ["WRIT_DATABASE": connection]) == [])
  }

  @Test(arguments: [
    "host=db user=writ passfile=/etc/pgpass", "postgresql://u@db:5432/writ", "",
    "postgresql://db:5432/writ?application_name=a",
  ])
  func `a connection string without a password is accepted as a flag`(connection: String) {
    #expect(!ConnectionText.containsPassword(connection))
  }

  @Test func `a file that is named but missing is refused`() {
    do {
      _ = try Configuration.load(
        flags: ConfigurationFlags(file: "/nowhere/writ.yaml"), variables: [:])
      Issue.record("it was accepted")
    } catch {
      #expect(error.description == "--config: there is no file /nowhere/writ.yaml")
    }
  }
}

@Suite struct ConfigurationDocumentationTests {
  @Test func `the documentation lists exactly the keys that the code knows`() throws {
    let path = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../docs/configuration.md")
    let text = try String(contentsOf: path, encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
    #expect(rows == ConfigurationKey.all.map(\.documentation))
  }

  @Test func `no key is there twice`() {
    #expect(Set(ConfigurationKey.all.map(\.name)).count == ConfigurationKey.all.count)
    #expect(Set(ConfigurationKey.all.map(\.variable)).count == ConfigurationKey.all.count)
  }
}

@Suite struct DurationTextTests {
  @Test(arguments: [
    ("500ms", Duration.milliseconds(500)), ("1.5s", .milliseconds(1500)), ("2m", .seconds(120)),
    ("1h", .seconds(3600)), ("30d", .seconds(2_592_000)),
  ])
  func `a number with a unit is a duration`(text: String, duration: Duration) {
    #expect(DurationText.read(text) == duration)
  }

  @Test(arguments: ["7", "s", "-1s", "1 s", "1w", "", "nans", "1e99d"])
  func `anything else is not`(text: String) { #expect(DurationText.read(text) == nil) }

  @Test(arguments: [
    (Duration.milliseconds(3), "3 ms"), (.milliseconds(1400), "1.4 s"),
    (.seconds(59.97), "1 m 00 s"),
    (.seconds(125), "2 m 05 s"), (.seconds(7260), "2 h 01 m"), (.seconds(180_000), "2 d 02 h"),
  ])
  func `a duration is shown with the digits that matter`(duration: Duration, text: String) {
    #expect(DurationText.shown(duration) == text)
  }
}
