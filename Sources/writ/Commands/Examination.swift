// The checks of `writ doctor`, from the outside in: configuration, database, workers, secrets, targets.

import Arazzo
import Foundation
import JobModel
import JobRunner
import JobStore
import Postgres
import Secrets

/// Looks at everything once.
///
/// A check that cannot be made is a finding too; none throws.
struct Examination: Sendable {
  let configuration: Configuration

  /// All findings, in the order in which a person would look.
  func run() async -> [Finding] {
    var findings = [program]
    do {
      findings += try await configuration.withPool { await database($0) }
    } catch {
      findings.append(Finding(.fail, "database", Self.sentence(error)))
    }
    findings += environments
    let types: [JobTypeDefinition]
    do {
      let isAway = findings.contains { $0.subject == "database" && $0.verdict == .fail }
      types = try await KeyedTypes.take(configuration, asksDatabase: !isAway).definitions
    } catch {
      return findings + [Finding(.fail, "catalogue", Self.sentence(error))]
    }
    findings += secrets(of: types)
    for environment in configuration.environments {
      findings += await targets(environment, types)
    }
    return findings
  }

  private var program: Finding {
    Finding(
      .ok, "program",
      "version \(BuildVersion.text), schema \(Migration.all.count), configuration "
        + (configuration.file ?? "from variables and flags alone"))
  }

  // MARK: Database

  private func database(_ pool: PostgresPool) async -> [Finding] {
    do {
      let server = try await pool.query(.server)
      guard let row = server.first else { return [] }
      let version = try row.decode("version", as: String.self)
      let user = try row.decode("role", as: String.self)
      let number = try row.decode("number", as: Int.self)
      let found = Finding(
        number >= 150_000 ? .ok : .fail, "database",
        "PostgreSQL \(version) as role \(user)"
          + (number >= 150_000 ? "" : "; Writ needs 15 or later"))
      let schema = await schema(pool)
      // Without a schema, every further look would fail for the same reason.
      if schema.count == 1, schema[0].verdict == .fail { return [found] + schema }
      return [found] + schema + (await content(JobStore(pool: pool), pool))
    } catch {
      return [Finding(.fail, "database", Self.sentence(error))]
    }
  }

  private func schema(_ pool: PostgresPool) async -> [Finding] {
    await findings("schema") {
      let exists = try await pool.query(.schemaExists).first?.decode("exists", as: Bool.self)
      guard exists == true else {
        return [Finding(.fail, "schema", "there is none; run `writ migrate`")]
      }
      let roles = try await pool.query(.roles)
      var held: [String] = []
      for row in roles where try row.decode("held") { held.append(try row.decode("name")) }
      let roleFinding =
        held.isEmpty
        ? Finding(
          .warn, "roles",
          "this role is a member of none of Writ's; `grant writ_admin to …` for people, writ_worker for workers"
        )
        : Finding(.ok, "roles", "member of \(held.joined(separator: ", "))")
      do {
        let pending = try await Migrator(pool: pool).plan().count
        return [
          pending == 0
            ? Finding(.ok, "schema", "up to date")
            : Finding(
              .fail, "schema", "\(pending.counting("migration")) behind; run `writ migrate`"),
          roleFinding,
        ]
      } catch let error as PostgresError where error.sqlState == "42501" {
        return [
          Finding(.ok, "schema", "present; its version is shown to owners only"), roleFinding,
        ]
      }
    }
  }

  private func content(_ store: JobStore, _ pool: PostgresPool) async -> [Finding] {
    await findings("job types") {
      let types = try await store.jobTypes()
      guard !types.isEmpty else {
        return [Finding(.warn, "job types", "none is published; run `writ types publish`")]
      }
      let old = try withoutTargets(types)
      return [
        Finding(.ok, "job types", types.map(\.name).joined(separator: ", "))
      ]
        + (old.isEmpty
          ? []
          : [
            Finding(
              .warn, "job types",
              "published by a version before circuits, so that an outage uses up their attempts: "
                + "\(old.joined(separator: ", ")); run `writ types publish`")
          ])
    }
      + findings("workers") {
        let workers = try await store.workers()
        let live = workers.filter { $0.state == "live" }
        let versions = Set(live.map(\.version)).sorted()
        if live.isEmpty { return [Finding(.fail, "workers", "none is alive; start `writ worker`")] }
        return [
          Finding(
            versions.count == 1 ? .ok : .warn, "workers",
            "\(live.count) alive, version \(versions.joined(separator: " and "))")
        ]
      } + findings("backlog") { try await backlog(pool) }
      + findings("circuits") { try await circuits(store) }
      + findings("schedules") { try await schedules(store) }
      + findings("snapshots") { try await snapshots(pool) }
  }

  /// The types of the catalogue that call targets of which the database does not know.
  private func withoutTargets(_ types: [PublishedJobType]) throws -> [String] {
    let known = try CatalogueSource.read(directory: configuration.catalogue).load().jobTypes
    return types.filter { type in
      type.targets.isEmpty && known.contains { $0.name == type.name && !$0.targets.isEmpty }
    }.map(\.name)
  }

  /// What is due, what waits for a person, and each queue in which the oldest job has been due for long.
  private func backlog(_ pool: PostgresPool) async throws -> [Finding] {
    guard let row = try await pool.query(.backlog).first else { return [] }
    let due: Int = try row.decode("due")
    let review: Int = try row.decode("review")
    let oldest: Double = try row.decode("oldest_seconds")
    let late = try await pool.query(.lateQueues, [.double(Self.lateSeconds)]).map { row in
      let environment: String = try row.decode("environment")
      let queue: String = try row.decode("queue")
      let jobs: Int = try row.decode("due")
      return Finding(
        .warn, "queue \(environment)/\(queue)",
        "\(jobs) due, the oldest for \(Self.age(try row.decode("oldest_seconds"))); see that a live worker "
          + "has it in worker.queues, or add workers or slots")
    }
    return [
      due == 0
        ? Finding(.ok, "backlog", "no job is due")
        : Finding(
          late.isEmpty ? .ok : .warn, "backlog",
          "\(due) due, the oldest for \(Self.age(oldest))"
            + (late.isEmpty ? "" : "; see `writ jobs list --state available`"))
    ] + late + [
      review == 0
        ? Finding(.ok, "review", "no job waits for a person")
        : Finding(
          .warn, "review", "\(review) waiting for a person; see `writ jobs list --state waiting`")
    ]
  }

  /// How long a job may have been due before the doctor asks why, in seconds.
  private static let lateSeconds = 300.0

  private static func age(_ seconds: Double) -> String {
    DurationText.shown(.milliseconds(Int(seconds * 1_000)))
  }

  /// One finding for each target that has stopped answering.
  private func circuits(_ store: JobStore) async throws -> [Finding] {
    let circuits = try await store.circuits()
    guard !circuits.isEmpty else { return [Finding(.ok, "circuits", "none is open")] }
    return circuits.map { circuit in
      Finding(
        .warn, "circuit \(circuit.name.environment)/\(circuit.name.target)",
        "open since \(circuit.openedAt.toSeconds) for \(circuit.errorCode), "
          + "\(circuit.parkedJobs.counting("job")) parked; see that the target answers, it closes by itself then"
      )
    }
  }

  /// One finding for each schedule that could order no job, or for all when there are none.
  private func schedules(_ store: JobStore) async throws -> [Finding] {
    let schedules = try await store.schedules()
    let obstacles = try await store.scheduleObstacles()
    guard obstacles.isEmpty else {
      return obstacles.map { obstacle in
        let place = obstacle.environment.map { " in \($0)" } ?? ""
        return Finding(
          .warn, "schedule \(obstacle.name)\(place)",
          "cannot order its job: \(obstacle.reason); mend or remove it, see docs/schedules.md")
      }
    }
    let paused = schedules.filter(\.isPaused).count
    return [
      Finding(
        .ok, "schedules",
        schedules.isEmpty
          ? "there is none"
          : schedules.count.counting("schedule")
            + (schedules.count == 1 ? " can order its job" : " can order their jobs")
            + (paused > 0 ? ", \(paused) paused" : ""))
    ]
  }

  private func snapshots(_ pool: PostgresPool) async throws -> [Finding] {
    guard let row = try await pool.query(.oldestSnapshot).first else { return [] }
    let seconds: Double = try row.decode("seconds")
    let age = Self.age(seconds)
    return [
      seconds > 300
        ? Finding(
          .warn, "snapshots",
          "the oldest is \(age) old, so dead rows pile up; end that transaction (pg_stat_activity)")
        : Finding(.ok, "snapshots", "the oldest is \(age) old")
    ]
  }

  // MARK: Environments, secrets, targets

  private var environments: [Finding] {
    configuration.environments.isEmpty
      ? [
        Finding(
          .warn, "environments",
          "none is configured; a worker needs at least one, see docs/configuration.md")
      ]
      : [
        Finding(.ok, "environments", configuration.environments.map(\.name).joined(separator: ", "))
      ]
  }

  private func secrets(of types: [JobTypeDefinition]) -> [Finding] {
    do {
      let store = try configuration.secretStore()
      return configuration.environments.flatMap { environment in
        types.filter { environment.authos != nil && $0.needsKeyOfAuthOS }.map {
          key(of: $0, in: environment.name, store)
        } + sessions(in: environment, types, store) + others(in: environment, types, store)
      }
    } catch {
      return [Finding(.fail, "secrets", Self.sentence(error))]
    }
  }

  private func sessions(
    in environment: Configuration.Environment, _ types: [JobTypeDefinition],
    _ store: any SecretStore
  ) -> [Finding] {
    let hasSession = types.flatMap(\.targets).contains {
      $0.source == SecretNaming.authOS && $0.hasSession
    }
    return environment.authos != nil && hasSession ? [session(in: environment.name, store)] : []
  }

  /// The secrets of other targets than AuthOS, where these are in use.
  private func others(
    in environment: Configuration.Environment, _ types: [JobTypeDefinition],
    _ store: any SecretStore
  ) -> [Finding] {
    types.flatMap { type in
      type.targets.filter { $0.source != SecretNaming.authOS && environment.url(of: $0) != nil }
        .flatMap { use in
          TargetReport(use: use, jobType: type.name, environment: environment.name).secrets.map {
            secret($0, of: "\(type.name) at \(use.source) in \(environment.name)", store)
          }
        }
    }
  }

  private func secret(
    _ names: [String], of subject: String, _ store: any SecretStore
  ) -> Finding {
    let subject = "secret \(subject)"
    do {
      for name in names where try store.read(SecretName(name)) != nil {
        return Finding(.ok, subject, "present, \(name)")
      }
      return Finding(.fail, subject, "missing; put it into \(names.joined(separator: " or "))")
    } catch {
      return Finding(.fail, subject, Self.sentence(error))
    }
  }

  private func key(
    of type: JobTypeDefinition, in environment: String, _ store: any SecretStore
  ) -> Finding {
    let subject = "key \(environment)/\(type.name)"
    do {
      let name = try SecretName(keyOf: type.name, environment: environment)
      guard let secret = try store.read(name) else {
        return Finding(
          .fail, subject,
          "missing; put a key with \(type.leastPrivilege.joined(separator: ", ")) into \(name)")
      }
      guard let prefix = secret.keyPrefix else {
        return Finding(.warn, subject, "present, but it does not look like a key of AuthOS")
      }
      return Finding(.ok, subject, "present, \(prefix)…")
    } catch {
      return Finding(.fail, subject, Self.sentence(error))
    }
  }

  /// The account with which `rotate_api_key` opens its session.
  private func session(in environment: String, _ store: any SecretStore) -> Finding {
    let subject = "session \(environment)"
    do {
      let missing = try ["email", "password"].map {
        try SecretName("\(environment)/management.\($0)")
      }
      .filter { try store.read($0) == nil }.map(\.description)
      return missing.isEmpty
        ? Finding(.ok, subject, "its account is present")
        : Finding(
          .warn, subject,
          "missing \(missing.joined(separator: " and ")); without an account no key can be rotated")
    } catch {
      return Finding(.fail, subject, Self.sentence(error))
    }
  }

  private func targets(
    _ environment: Configuration.Environment, _ types: [JobTypeDefinition]
  ) async -> [Finding] {
    var findings: [Finding] = []
    findings += authorities(environment)
    if let authos = environment.authos { findings.append(await health(authos, environment)) }
    let known = Set(types.flatMap { $0.targets.map(\.source) }).sorted()
    for name in environment.targets.keys.sorted() where !known.contains(name) {
      findings.append(
        Finding(
          .warn, "target \(environment.name)/\(name)",
          "no job type calls it\(Suggestion.question(name, among: known))"))
    }
    for type in types {
      for use in type.targets where environment.url(of: use) == nil {
        let report = TargetReport(use: use, jobType: type.name, environment: environment.name)
        // A type that nobody means to use here is no fault; one that AuthOS is missing for may be one.
        findings.append(
          Finding(
            use.source == SecretNaming.authOS ? .warn : .ok,
            "target \(environment.name)/\(use.source)",
            "not in use; jobs of \(type.name) would wait until \(report.setting) is set"))
      }
    }
    return findings
  }

  private func authorities(_ environment: Configuration.Environment) -> [Finding] {
    environment.authorities.sorted { $0.key < $1.key }.map { target, file in
      let subject = "certificates \(environment.name)/\(target)"
      do throws(TrustRootsError) {
        let count = try TrustRoots(file: file.path).count
        return Finding(
          .ok, subject, "\(count) in \(file.path), in place of the machine's trust roots")
      } catch {
        return Finding(.fail, subject, "\(file.key): \(error.description)")
      }
    }
  }

  private func health(
    _ authos: Configuration.Environment.AuthOS, _ environment: Configuration.Environment
  ) async -> Finding {
    let subject = "target \(environment.name)"
    let key = "environments.\(environment.name).authos"
    var values = WorkerConfiguration.Values()
    values.version = BuildVersion.text
    values.environments = [EnvironmentConfiguration(name: environment.name, targets: [:])]
    let file = environment.authorities[SecretNaming.authOS]
    do {
      let status = try await HealthProbe.status(
        of: authos.url + "/health", within: .seconds(5),
        trusting: try file.map { try TrustRoots(file: $0.path) },
        as: try WorkerConfiguration(values))
      return status == 200
        ? Finding(.ok, subject, "\(authos.url) answers")
        : Finding(.fail, subject, "\(authos.url)/health answered \(status) instead of 200")
    } catch is TrustRootsError {
      return Finding(.warn, subject, "not asked, since \(key).ca-file cannot be used")
    } catch TransportFailure.notSent(let reason) where reason.isAboutTLS {
      let remedy =
        reason == .tlsUntrusted
        ? "the authority is unknown or the certificate has expired; see \(key).ca-file"
        : "check \(key).url"
      return Finding(
        .fail, subject,
        "\(authos.url): \(Classification.of(.notSent(reason)).text) (\(reason.rawValue)); \(remedy)"
      )
    } catch {
      return Finding(
        .fail, subject, "\(authos.url) cannot be reached; check \(key).url, and the way there")
    }
  }

  // MARK: Errors

  private func findings(
    _ subject: String, _ check: () async throws -> [Finding]
  ) async -> [Finding] {
    do {
      return try await check()
    } catch let error as PostgresError where error.sqlState == "42501" {
      return [Finding(.warn, subject, "this role may not look; use a member of writ_admin")]
    } catch {
      return [Finding(.fail, subject, Self.sentence(error))]
    }
  }

  private static func sentence(_ error: any Error) -> String {
    ErrorReport(error).lines.joined(separator: "; ")
  }
}

/// What the doctor asks of the server itself; nothing of it is about jobs but the last.
extension Statement {
  fileprivate static let server: Statement = """
    select pg_catalog.current_setting('server_version') as version, current_user::text as role,
           pg_catalog.current_setting('server_version_num')::bigint as number
    """

  fileprivate static let schemaExists: Statement =
    "select pg_catalog.to_regclass('writ.job') is not null as exists"

  fileprivate static let roles: Statement = """
    select rolname::text as name, pg_catalog.pg_has_role(oid, 'member') as held
      from pg_catalog.pg_roles
     where rolname in ('writ_enqueuer', 'writ_worker', 'writ_admin', 'writ_auditor')
     order by rolname
    """

  fileprivate static let oldestSnapshot: Statement = """
    select coalesce(
             extract(epoch from max(pg_catalog.clock_timestamp() - xact_start)), 0
           )::float8 as seconds
      from pg_catalog.pg_stat_activity
     where backend_xmin is not null and pid <> pg_catalog.pg_backend_pid()
    """

  fileprivate static let backlog: Statement = """
    select coalesce(sum(jobs) filter (where state = 'available'), 0)::bigint as due,
           coalesce(sum(jobs) filter (where waiting_reason = 'review'), 0)::bigint as review,
           coalesce(
             extract(epoch from pg_catalog.clock_timestamp()
               - min(oldest_run_at) filter (where state = 'available')), 0
           )::float8 as oldest_seconds
      from writ.job_summary
    """

  /// The queues in which a job that may be taken has been due for longer than so many seconds.
  fileprivate static let lateQueues: Statement = """
    select environment, queue, sum(jobs)::bigint as due,
           extract(epoch from pg_catalog.clock_timestamp() - min(oldest_run_at))::float8
             as oldest_seconds
      from writ.job_summary
     where state = 'available'
     group by environment, queue
    having min(oldest_run_at)
             < pg_catalog.clock_timestamp() - pg_catalog.make_interval(secs => $1::float8)
     order by environment, queue
    """
}
