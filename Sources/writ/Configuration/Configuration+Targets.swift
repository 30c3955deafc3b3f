// Which targets of job types an environment lacks.

import Arazzo
import JobModel

extension Configuration.Environment {
  /// The address of a target here, if there is one.
  func url(of use: TargetUse) -> String? {
    use.source == SecretNaming.authOS ? authos?.url : targets[use.source] ?? use.defaultURL
  }

  /// A sentence about the addresses that jobs of a type would wait for here; `nil` where none is missing.
  func missingTargets(of type: JobTypeDefinition) -> String? {
    let settings = type.targets.filter { url(of: $0) == nil }.map {
      TargetReport(use: $0, jobType: type.name, environment: name).setting
    }
    guard !settings.isEmpty else { return nil }
    return
      "jobs of \(type.name) wait in \(name) until \(settings.joined(separator: " and ")) is set"
  }
}
