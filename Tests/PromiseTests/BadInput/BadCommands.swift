// Wrong command lines and configurations, each with what stands on standard error and the exit code.

/// One wrong command line, or a right one with a wrong configuration.
struct BadCommand: Sendable {
  var arguments: [String]
  /// The text of writ.yaml; without one there is no such file.
  var configuration: String?
  var code: Int32
  /// The lines before `Usage:` and `Help:`.
  var message: [String]

  init(_ command: String, with configuration: String? = nil, _ code: Int32, _ message: String...) {
    arguments = command.split(separator: " ").map(String.init)
    self.configuration = configuration
    self.code = code
    self.message = message.map { "writ: \($0)" }
  }

  static let all = commandLines + configurations

  static let commandLines = [
    BadCommand("frobnicate", 64, "Unexpected argument 'frobnicate'"),
    BadCommand("jobs show abc", 64, "The value 'abc' is invalid for '<id>'"),
    BadCommand("jobs show", 64, "Missing expected argument '<id>'"),
    BadCommand("jobs list --state nonsense", 64, "there is no state nonsense"),
    BadCommand("jobs list --limit 0", 64, "--limit must be from 1 to 100000"),
    BadCommand(
      "enqueue create_user --input email", 64,
      "--input takes NAME=VALUE, for example email=ada@example.com"),
    BadCommand(
      "enqueue create_user --input email=a@b.c --payload {}", 64,
      "give either --input or --payload, not both"),
    BadCommand("enqueue create_user --payload [1]", 65, "--payload must be a JSON object"),
    BadCommand(
      "enqueue create_user --run-at tomorrow", 64,
      "--run-at takes a time such as 2026-12-24T02:00:00Z"),
    BadCommand(
      "enqueue create_user --priority 99999", 64, "--priority must be from 0 to 9"),
    BadCommand(
      "worker --set worker.slotz=4", 64,
      "--set worker.slotz: unknown key worker.slotz; did you mean worker.slots?"),
    BadCommand(
      "worker --database postgresql://u:hunter2@h/d", 64,
      "--database: must not hold a password, since every user of this machine can read arguments; "
        + "use PGPASSFILE, WRIT_DATABASE or the configuration file"),
    BadCommand("demo --fault-rate 2", 64, "--fault-rate must be from 0 to 0.9"),
    BadCommand("up --port 70000", 64, "--port must be from 0 to 65535"),
    BadCommand(
      "types check /nonexistent", 65,
      "/nonexistent is not a directory; name the one that holds the catalogue"),
    BadCommand(
      "types show greet_user", 65,
      "there is no job type greet_user in the built-in catalogue (for one of your own, name its "
        + "--directory); did you mean get_user?"),
    BadCommand(
      "types show nosuch", 65,
      "there is no job type nosuch in the built-in catalogue (for one of your own, name its "
        + "--directory)"),
    BadCommand(
      "audit log --event completd", 64, "there is no event completd; did you mean completed?"),
    BadCommand(
      "audit log --since yesterday", 64,
      "--since takes a time such as 2026-05-01T00:00:00Z or a duration such as 24h"),
    BadCommand(
      "doctor --config /nonexistent.yaml", 64, "--config: there is no file /nonexistent.yaml"),
    BadCommand(
      "completions tcsh", 64,
      "The value 'tcsh' is invalid for '<shell>'. Please provide one of 'bash', 'zsh' or 'fish'"),
    BadCommand(
      "migrate --database host=/nonexistent", 69,
      "the database cannot be reached: cannot connect to PostgreSQL: connection to server on socket "
        + "\"/nonexistent/.s.PGSQL.5432\" failed: No such file or directory; check `database` in the "
        + "configuration, WRIT_DATABASE or --database, and that the server runs"),
  ]

  static let configurations = [
    BadCommand(
      "worker", with: "database: [1", 78,
      "writ.yaml:2: not valid YAML: did not find expected ',' or ']'"),
    BadCommand(
      "worker", with: "worker: 5", 78, "writ.yaml:1: worker: must be a mapping of keys to values"),
    BadCommand(
      "worker", with: "worker: {slots: many}", 78,
      "writ.yaml:1: worker.slots: must be a whole number from 1 to 10000"),
    BadCommand(
      "worker", with: "worker: {lease: 8}", 78,
      "writ.yaml:1: worker.lease: must be a number with a unit (ms, s, m, h, d), from 1s to 9s"),
    BadCommand(
      "worker", with: "worker: {queues: [a, a]}", 78,
      "writ.yaml:1: worker.queues: must be at least one word, and none twice"),
    BadCommand(
      "worker", with: "log: {level: info, level: debug}", 78,
      "writ.yaml:1: the key level is given twice"),
    BadCommand(
      "worker", with: "worker: {environments: [nope]}", 78,
      "writ.yaml:1: worker.environments: there is no environment nope"),
    BadCommand(
      "worker",
      with: "environments: {Prod: {authos: {url: 'http://h', organization: a, service: s}}}",
      78,
      "writ.yaml:1: environments.Prod: the name must be 1 to 63 of a-z, 0-9, - and _, starting with a letter"
    ),
    BadCommand(
      "worker",
      with:
        "environments: {a: {authos: {url: 'http://u:hunter2@h/', organization: a, service: s}}}",
      78,
      "writ.yaml:1: environments.a.authos.url: must be an http:// or https:// URL without user, query or fragment"
    ),
    BadCommand(
      "worker",
      with: """
        worker: {lease: 3s, renewal-interval: 1s, database-timeout: 1s}
        environments: {a: {authos: {url: 'http://h', organization: a, service: s}}}
        """, 78, "worker: lease must be longer than three renewal intervals"),
    BadCommand(
      "worker", with: "log: {level: info}", 78,
      "environments: a worker needs at least one; add `environments: {production: {authos: {url: …, "
        + "organization: …, service: …}}}` to the configuration"),
  ]
}
