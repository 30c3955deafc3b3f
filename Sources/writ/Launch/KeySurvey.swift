// Looks at everything that tells of keys: the secret store of this machine, AuthOS, the database. What
// cannot be looked at is said, and the rest is shown all the same.

import Arazzo
import Foundation
import JobRunner
import JobStore
import Logging
import Postgres
import Secrets

/// What a look at the keys has shown.
struct KeySurvey: Sendable {
  var facts: [KeyFacts]
  /// What could not be looked at, each a sentence that says what to do.
  var blindSpots: [String]

  /// Looks at the keys of some environments.
  ///
  /// - Throws: what is wrong with the catalogue; everything else is a blind spot.
  static func take(
    of environments: [Configuration.Environment], _ configuration: Configuration, logger: Logger
  ) async throws -> KeySurvey {
    let known = try await KeyedTypes.take(configuration)
    let types = known.keyed.map { (name: $0.name, leastPrivilege: $0.leastPrivilege) }
    var survey = KeySurvey(
      facts: environments.map { KeyFacts(environment: $0.name, types: types) },
      blindSpots: known.blindSpot.map { [$0] } ?? [])
    survey.lookAtStore(configuration)
    await survey.lookAtDatabase(configuration)
    await survey.lookAtAuthOS(configuration, known, logger)
    await survey.lookAtMakers(configuration)
    return survey
  }

  // MARK: The secret store

  private mutating func lookAtStore(_ configuration: Configuration) {
    do {
      let store = try configuration.secretStore()
      for index in facts.indices { facts[index].store = Self.held(in: store, facts[index]) }
    } catch {
      blindSpots.append(
        "the secret store of this machine could not be read: \(Self.sentence(error))")
    }
  }

  private static func held(
    in store: any SecretStore, _ facts: KeyFacts
  ) -> [String: [KeyFacts.SecretRole: KeyFacts.Held]] {
    var held: [String: [KeyFacts.SecretRole: KeyFacts.Held]] = [:]
    let roles: [(KeyFacts.SecretRole, SecretName.KeyRole)] = [
      (.current, .current), (.pending, .pending), (.previous, .previous),
    ]
    for type in facts.types {
      for (role, keyRole) in roles {
        do {
          let name = try SecretName(
            keyOf: type.name, environment: facts.environment, role: keyRole)
          guard let secret = try store.read(name) else { continue }
          held[type.name, default: [:]][role] =
            secret.keyPrefix.map { .key(prefix: $0) }
            ?? .unusable("\(name) does not look like a key of AuthOS")
        } catch {
          held[type.name, default: [:]][role] = .unusable(sentence(error))
        }
      }
    }
    return held
  }

  // MARK: The database

  private mutating func lookAtDatabase(_ configuration: Configuration) async {
    do {
      let pairs = facts.flatMap { fact in
        fact.types.map { (environment: fact.environment, jobType: $0.name) }
      }
      let (rotations, workers) = try await configuration.withStore { store in
        (try await store.keyRotations(of: pairs), try await store.workerKeys())
      }
      for index in facts.indices {
        let environment = facts[index].environment
        facts[index].installation = workers.installation
        facts[index].workers = workers.entries.filter { $0.environment == environment }
        facts[index].rotations = Dictionary(
          rotations.filter { $0.environment == environment }.map { ($0.jobType, $0) },
          uniquingKeysWith: { $1 })
      }
    } catch let error as PostgresError where error.sqlState == "42501" {
      blindSpots.append(
        "the database does not let this role look at rotations and workers; use a member of writ_admin"
      )
    } catch {
      blindSpots.append(
        "the database could not be asked for rotations and workers: \(Self.sentence(error))")
    }
  }

  /// Whether somebody was given the keys that this installation has made for other programs.
  private mutating func lookAtMakers(_ configuration: Configuration) async {
    for index in facts.indices {
      guard let installation = facts[index].installation, let listed = facts[index].listed else {
        continue
      }
      let jobs = listed.compactMap { KeyReview.order(of: $0.name, installation: installation) }
      guard !jobs.isEmpty else { continue }
      do {
        facts[index].makers = try await configuration.withStore { try await $0.keyMakers(jobs) }
      } catch {
        blindSpots.append(
          "the database could not be asked which keys for other programs were handed out: "
            + Self.sentence(error))
      }
    }
  }

  // MARK: AuthOS

  private mutating func lookAtAuthOS(
    _ configuration: Configuration, _ known: KeyedTypes, _ logger: Logger
  ) async {
    guard let definition = known.jobType("rotate_api_key") else {
      blindSpots.append(
        "neither the catalogue nor the database has the job type rotate_api_key, which tells how keys are listed"
      )
      return
    }
    do {
      let worker = try WorkerConfiguration(configuration.workerValues())
      let sender = AsyncHTTPSender(configuration: worker)
      let keys = ManagedKeys(
        configuration: worker, sender: sender, secrets: try configuration.secretStore(),
        time: .system, logger: logger)
      for index in facts.indices {
        guard let environment = worker.environment(facts[index].environment),
          environment.organization != nil
        else { continue }
        do throws(ManagedKeysError) {
          facts[index].listed = try await keys.keys(in: environment, describedBy: definition)
        } catch {
          blindSpots.append(Self.sentence(error, environment))
        }
      }
      try? await sender.shutdown()
    } catch {
      blindSpots.append("AuthOS could not be asked: \(Self.sentence(error))")
    }
  }

  private static func sentence(
    _ error: ManagedKeysError, _ environment: EnvironmentConfiguration
  ) -> String {
    let place = "AuthOS of \(environment.name) could not be asked"
    switch error {
    case .credential(let name, "secret_missing"):
      return
        "\(place): the secret \(name) is missing; it opens the session for the management routes"
    case .credential(let name, let code):
      return "\(place): the account of \(name) cannot be used (\(code))"
    case .unavailable(let code):
      return
        "\(place): \(environment.targets["authos"] ?? "it") does not answer as it should (\(code))"
    case .refused(403, _):
      return
        "\(place): the account may not list the keys of \(environment.organization ?? "")/\(environment.service ?? "")"
    case .refused(404, _):
      return
        "\(place): it knows no \(environment.organization ?? "")/\(environment.service ?? ""); check organization and service"
    case .refused(let status, let code):
      return "\(place): it answered \(status)\(code.map { " \($0)" } ?? "")"
    case .undescribed:
      return "\(place): the catalogue does not describe how keys are listed"
    }
  }

  private static func sentence(_ error: any Error) -> String {
    ErrorReport(error).lines.joined(separator: " ")
  }
}
