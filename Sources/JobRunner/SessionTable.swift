// The sessions of a worker, one for each environment and security scheme.

import Arazzo
import Logging
import Secrets

/// Finds or makes the session of an environment.
actor SessionTable {
  private struct Key: Hashable {
    var environment: String
    var target: String
    var scheme: String
    var base: String
  }

  private let configuration: WorkerConfiguration
  private let sender: any HTTPSender
  private let secrets: any SecretStore
  private let time: WorkerTime
  private let statistics: StatisticsBox
  private let logger: Logger
  private var sessions: [Key: Session] = [:]

  init(
    configuration: WorkerConfiguration, sender: any HTTPSender, secrets: any SecretStore,
    time: WorkerTime, statistics: StatisticsBox, logger: Logger
  ) {
    self.configuration = configuration
    self.sender = sender
    self.secrets = secrets
    self.time = time
    self.statistics = statistics
    self.logger = logger
  }

  /// The session of an environment; `nil` when the scheme does not say how to open one.
  func session(
    _ environment: String, _ scheme: SecurityScheme, target: String, base: String,
    document: OpenAPIDocument?
  ) -> Session? {
    let key = Key(environment: environment, target: target, scheme: scheme.name, base: base)
    if let session = sessions[key] { return session }
    guard let document, let recipe = SessionRecipe(scheme: scheme, document: document),
      let session = try? Session(
        recipe, environment: environment, target: target, baseURL: Transport.join(base, ""),
        secrets: secrets, sender: sender, time: time, configuration: configuration.values,
        statistics: statistics,
        logger: logger)
    else { return nil }
    sessions[key] = session
    return session
  }
}
