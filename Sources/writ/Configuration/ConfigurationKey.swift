// Every key of the configuration, once: what the readers accept and what docs/configuration.md lists.

/// One key, as it is written in the configuration file.
struct ConfigurationKey: Sendable, Hashable {
  /// What a value may be.
  enum Kind: Sendable, Hashable {
    /// A libpq connection string or URI.
    case connection
    /// A directory; relative to the file that names it, elsewhere to the working directory.
    case directory
    /// A file; relative as a directory is.
    case file
    /// The start of an `http` or `https` URL.
    case url
    /// Any text that is not empty.
    case text
    /// Words, as a YAML list or separated by commas.
    case words
    /// `true` or `false`.
    case boolean
    /// A whole number in a range.
    case integer(ClosedRange<Int>)
    /// A number with its unit: `ms`, `s`, `m`, `h` or `d`.
    case duration(ClosedRange<Duration>)
    /// One of these words.
    case choice([String])

    /// The kind in the words of the documentation.
    var documentation: String {
      switch self {
      case .connection: "connection string"
      case .directory: "directory"
      case .file: "file"
      case .url: "URL"
      case .text: "text"
      case .words: "list of words"
      case .boolean: "`true` or `false`"
      case .integer(let range): "integer, \(range.lowerBound) to \(range.upperBound)"
      case .duration(let range):
        "duration, \(DurationText.written(range.lowerBound)) to "
          + DurationText.written(range.upperBound)
      case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
      }
    }
  }

  /// The name with its dots; `environments.<name>.…` stands for any environment, and `targets.<target>.…`
  /// for any target of it.
  let name: String
  let kind: Kind
  /// The default as documentation, for example `16` or `none`.
  let defaultText: String
  /// Whether a value may hold a secret.
  let isSecret: Bool
  /// What it is for, in one or two sentences.
  let meaning: String

  init(
    _ name: String, _ kind: Kind, default defaultText: String, isSecret: Bool = false,
    _ meaning: String
  ) {
    self.name = name
    self.kind = kind
    self.defaultText = defaultText
    self.isSecret = isSecret
    self.meaning = meaning
  }

  /// The environment variable: `WRIT_` and the name in capitals with `_` for dots.
  var variable: String {
    "WRIT_"
      + name.uppercased().replacing(".", with: "_").replacing("-", with: "_")
  }

  /// The key's row in docs/configuration.md.
  var documentation: String {
    let shown = defaultText == "none" ? "none" : "`\(defaultText)`"
    let secrecy = isSecret ? "may hold a password" : "no"
    return
      "| `\(name)` | `\(variable)` | \(kind.documentation) | \(shown) | \(secrecy) | \(meaning) |"
  }
}

extension ConfigurationKey {
  /// The prefix of the keys of an environment, whose second part is any name.
  static let environmentPrefix = "environments"

  /// All keys, in the order of the documentation.
  static let all: [ConfigurationKey] = general + environment + worker

  private static let general: [ConfigurationKey] = [
    Self(
      "database", .connection, default: "none", isSecret: true,
      "Where the database is: `host=… dbname=… user=…` or `postgresql://…`; several hosts may be "
        + "listed. Without it, libpq's own variables (`PGHOST`, `PGSERVICE` …) decide. A password "
        + "belongs into `~/.pgpass`, `PGPASSFILE`, this file or the variable, never into a flag."),
    Self(
      "catalogue", .directory, default: "none",
      "The job types to check, list and publish. Without it, the catalogue that is built in."),
    Self(
      "secrets.directory", .directory, default: "none",
      "The secret store: `<environment>/<job type>.key` and so on, mode 0600 in directories of mode "
        + "0700. Without it, secrets are read from `WRIT_SECRET_…` variables, which suits trying out."
    ),
    Self(
      "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
      default: "info", "The least important messages that are logged."),
    Self(
      "log.format", .choice(["auto", "text", "json"]), default: "auto",
      "How messages are written to standard error; `auto` is `text` on a terminal and `json` "
        + "elsewhere."),
  ]

  private static let environment: [ConfigurationKey] = [
    Self(
      "environments.<name>.default", .boolean, default: "false",
      "Whether jobs that name no environment belong to this one. With a single environment, that one "
        + "is the default."),
    Self(
      "environments.<name>.authos.url", .url, default: "none",
      "Where the AuthOS of this environment answers, without the path `/api`. Required for job types "
        + "that call AuthOS, together with the next two."),
    Self(
      "environments.<name>.authos.ca-file", .file, default: "none",
      "Certificates in PEM. They stand in place of the machine's trust roots when this AuthOS is called; see "
        + "[targets.md](targets.md#tls)."),
    Self(
      "environments.<name>.authos.organization", .text, default: "none",
      "The slug of the organization in AuthOS."),
    Self(
      "environments.<name>.authos.service", .text, default: "none",
      "The slug of the service in AuthOS."),
    Self(
      "environments.<name>.targets.<target>.url", .url, default: "the document's first server",
      "Where another API answers: the one whose source description is called `<target>` in the job "
        + "types. See [targets.md](targets.md)."),
    Self(
      "environments.<name>.targets.<target>.ca-file", .file, default: "none",
      "The same as `authos.ca-file` for this target."),
  ]

  private static let worker: [ConfigurationKey] = [
    Self(
      "worker.name", .text, default: "the host's name and the process id",
      "The name under which a worker registers."),
    Self(
      "worker.slots", .integer(1...10_000), default: "16", "How many jobs a worker runs at once."),
    Self("worker.queues", .words, default: "default", "The queues that a worker takes jobs from."),
    Self(
      "worker.environments", .words, default: "all",
      "The environments whose jobs a worker runs; of those that are configured."),
    Self(
      "worker.lease", .duration(.seconds(1) ... .seconds(9)), default: "7s",
      "How long claims stay valid without a renewal. Longer than three times "
        + "`worker.renewal-interval`, and at most 9s together with `worker.sweep-interval`, so that a "
        + "dead worker's jobs run elsewhere within 10s."),
    Self(
      "worker.renewal-interval", .duration(.milliseconds(100) ... .seconds(3)), default: "2s",
      "The time between two renewals of the lease."),
    Self(
      "worker.lease-margin", .duration(.milliseconds(10) ... .seconds(8)), default: "1s",
      "How long before the end of its lease a worker stops starting requests."),
    Self(
      "worker.sweep-interval", .duration(.milliseconds(100) ... .seconds(8)), default: "1s",
      "The time between two looks for jobs of dead workers and jobs that have become due."),
    Self(
      "worker.poll-interval", .duration(.milliseconds(10) ... .seconds(3600)), default: "1s",
      "The time between two claims of an idle worker that no notification wakes."),
    Self(
      "worker.claim-batch", .integer(1...1_000), default: "100",
      "The most jobs that one claim takes."),
    Self(
      "worker.steps-continue-for", .duration(.zero ... .seconds(3600)), default: "10s",
      "After the request to stop: how long jobs of several steps go on before they are handed back."
    ),
    Self(
      "worker.graceful-stop-limit", .duration(.milliseconds(100) ... .seconds(3600)),
      default: "25s",
      "After the request to stop: how long requests in flight may go on before they are cut off."),
    Self(
      "worker.connect-timeout", .duration(.milliseconds(10) ... .seconds(300)), default: "5s",
      "The longest wait for a connection to a target, TLS included."),
    Self(
      "worker.request-timeout", .duration(.milliseconds(10) ... .seconds(3600)), default: "35s",
      "The longest wait for an answer where the job type sets no other."),
    Self(
      "worker.refused-key-pause", .duration(.milliseconds(100) ... .seconds(3600)), default: "30s",
      "How long jobs are put off whose key was refused, as long as the key stays the same."),
    Self(
      "worker.circuit-jobs", .integer(1...1_000), default: "10",
      "How many different jobs must have failed at a target, without one answer in between, before its "
        + "circuit opens."),
    Self(
      "worker.circuit-silence", .duration(.milliseconds(10) ... .seconds(3600)), default: "10s",
      "For how long there must have been nothing but failures before the circuit opens."),
    Self(
      "worker.circuit-pause", .duration(.milliseconds(10) ... .seconds(3600)), default: "10s",
      "The time between two jobs of one type that start while a circuit is open."),
    Self(
      "worker.lost-request-pause", .duration(.seconds(1) ... .seconds(3600)), default: "35s",
      "How long a job waits whose request got no answer and could still undo what comes next "
        + "(`MAY_STILL_ACT`); in whole seconds, rounded up. Longer than a service may work on a request, with every "
        + "proxy in front of it: AuthOS takes up to 30s."),
    Self(
      "worker.database-timeout", .duration(.milliseconds(100) ... .seconds(300)), default: "5s",
      "The longest wait of a worker for one call of the database."),
  ]
}
