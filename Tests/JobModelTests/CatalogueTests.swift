// The shipped catalogue loads, and asks for no more than it needs.

import Arazzo
import JSON
import JobModel
import Testing

@Suite struct `The catalogue` {
  @Test(arguments: [
    ("cancel_subscription", ["delete:subscriptions"], ["user_id"]),
    ("capture_analytics", ["read:analytics"], []),
    (
      "change_plan", ["delete:subscriptions", "write:subscriptions"],
      ["user_id", "plan_id", "status", "current_period_end"]
    ),
    ("create_api_key", [], ["name", "permissions", "expires_in_days", "public_key"]),
    (
      "create_subscription", ["write:subscriptions"],
      ["user_id", "plan_id", "status", "current_period_end"]
    ),
    ("create_user", ["write:users"], ["email"]),
    ("get_service_info", ["read:service"], []),
    // The only read of a subscription that can be trusted is an update with nothing in it.
    ("get_subscription", ["write:subscriptions"], ["user_id"]),
    ("get_user", ["read:users"], ["user_id"]),
    ("list_api_keys", [], []),
    ("list_plans", [], []),
    ("list_subscriptions", ["read:subscriptions"], ["status"]),
    ("list_users", ["read:users"], []),
    ("notify_webhook", [], ["event_type", "subject", "data", "occurred_at"]),
    (
      "offboard_user",
      [
        "delete:subscriptions", "delete:users", "read:subscriptions", "read:users",
        "write:subscriptions", "write:users",
      ], ["user_id"]
    ),
    (
      "onboard_user", ["write:subscriptions", "write:users"],
      ["email", "plan_id", "status", "current_period_end"]
    ),
    (
      "request_provider_token", ["read:provider_tokens"],
      ["user_id", "provider", "public_key", "scopes", "redirect_uri", "state"]
    ),
    (
      "revoke_access",
      ["delete:subscriptions", "delete:users", "read:subscriptions", "read:users", "write:users"],
      ["user_id"]
    ),
    ("revoke_api_key", [], ["api_key_id"]),
    ("rotate_api_key", [], ["job_type"]),
    ("rotate_client_secret", [], ["public_key"]),
    ("update_service_info", ["write:service"], ["name"]),
    ("update_subscription", ["write:subscriptions"], ["user_id", "status", "current_period_end"]),
    ("update_user", ["write:users"], ["user_id", "email"]),
  ])
  func `asks for the least privilege, and of callers only what the worker cannot know`(
    name: String, permissions: [String], parameters: [String]
  ) throws {
    let definition = try Repository.jobType(name)
    #expect(definition.leastPrivilege == permissions)
    #expect(definition.workflow.inputs.parameters.map(\.name) == parameters)
  }

  @Test func `uses every operation that it describes`() throws {
    var described: Set<String> = []
    var used: Set<String> = []
    for definition in try Repository.catalogue.get().jobTypes {
      for case .openAPI(let document) in definition.document.sources.values {
        described.formUnion(document.operations.map { "\(document.file) \($0.name)" })
        for scheme in document.securitySchemes.values {
          guard let login = scheme.session?["operation"]?.stringValue else { continue }
          used.insert("\(document.file) \(login)")
        }
      }
      // Also those of workflows that steps call, which may stand in another document.
      for step in definition.document.workflows.flatMap(\.steps) {
        guard case .operation(let operation, _, _) = step.target else { continue }
        used.insert("\(operation.location.file) \(operation.name)")
      }
    }
    #expect(described.count > 20)
    #expect(described.subtracting(used).subtracting(Self.notUsedYet).sorted() == [])
  }

  /// Operations whose job type is not there yet.
  private static let notUsedYet: [String] = []

  @Test func `refuses an e-mail address for update_user, and says what to do instead`() throws {
    let inputs = try Repository.jobType("update_user").workflow.inputs
    let id: JSONValue = "b3c1f5a0-0000-4000-8000-000000000001"
    let violations = inputs.validate(["user_id": id, "email": "new@example.com"])
    #expect(violations.count == 1)
    #expect(
      violations.first?.description.hasPrefix(
        "email must not be passed: AuthOS lets no service change a user's e-mail address.") == true)
    #expect(inputs.validate(["user_id": id, "email": nil]).isEmpty)
    #expect(inputs.validate(["user_id": id]).isEmpty)
  }

  @Test func `tells an auditor what every job type and step is for`() throws {
    for definition in try Repository.catalogue.get().jobTypes {
      #expect(definition.workflow.summary != nil)
      #expect(definition.workflow.description != nil)
      for step in definition.workflow.steps {
        #expect(
          step.description != nil || step.operation?.summary != nil,
          "\(definition.name).\(step.stepId)")
      }
    }
  }
}
