// The operations of `jobs/openapi/writ.yaml` that the worker carries out itself, because they need
// the secret store: an answer in the form of HTTP, so that a workflow reads like any other.

import Arazzo
import JSON
import JobModel
import Secrets

/// Carries out local operations; each may be repeated without harm.
struct LocalHandlers: Sendable {
  private let secrets: any SecretStore
  private let store: any WorkerStore

  init(secrets: any SecretStore, store: any WorkerStore) {
    self.secrets = secrets
    self.store = store
  }

  /// The answer to an operation; 501 for one that this version does not know.
  func perform(_ operationID: String, input: JSONValue) async -> StepResponse {
    guard let environment = input["environment"]?.stringValue,
      let jobType = input["job_type"]?.stringValue
    else { return Self.refusal(400, "BAD_REQUEST") }
    do {
      switch operationID {
      case "describeKey": return try await describeKey(environment, jobType)
      case "promoteKey": try secrets.promoteKey(environment: environment, jobType: jobType)
      case "discardPreviousKey":
        try secrets.delete(SecretName(keyOf: jobType, environment: environment, role: .previous))
      default: return Self.refusal(501, "NOT_IMPLEMENTED")
      }
      return StepResponse(status: 204)
    } catch let error as SecretStoreError {
      return Self.refusal(error.code == .missing ? 404 : 503, Self.errorCode(error))
    } catch {
      return Self.refusal(503, "DATABASE")
    }
  }

  /// What a rotation must know of the key in use: its name and public prefix, and the least
  /// privilege of its type.
  private func describeKey(_ environment: String, _ jobType: String) async throws -> StepResponse {
    let name = try SecretName(keyOf: jobType, environment: environment)
    guard let definition = try await store.definition(type: jobType),
      !definition.leastPrivilege.isEmpty
    else { return Self.refusal(404, "NOT_FOUND") }
    return StepResponse(
      status: 200,
      json: [
        "name": .string(name.description), "prefix": JSONValue(try secrets.read(name)?.keyPrefix),
        "permissions": .array(definition.leastPrivilege.map { .string($0) }),
      ])
  }

  private static func errorCode(_ error: SecretStoreError) -> String {
    switch error.code {
    case .missing: "NOT_FOUND"
    default: "SECRET_STORE"
    }
  }

  private static func refusal(_ status: Int, _ code: String) -> StepResponse {
    StepResponse(status: status, json: ["error_code": .string(code)])
  }
}
