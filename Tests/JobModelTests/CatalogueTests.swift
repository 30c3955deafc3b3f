// The shipped catalogue loads, and asks for no more than it needs.

import Arazzo
import JSON
import JobModel
import Testing

@Suite struct `The catalogue` {
  @Test func `holds the four job types`() throws {
    #expect(
      try Repository.catalogue.get().jobTypes.map(\.name) == [
        "change_plan", "create_user", "revoke_access", "rotate_api_key",
      ])
  }

  @Test(arguments: [
    ("create_user", ["write:users"]),
    ("change_plan", ["delete:subscriptions", "write:subscriptions"]),
    (
      "revoke_access",
      ["delete:subscriptions", "delete:users", "read:subscriptions", "read:users", "write:users"]
    ),
    ("rotate_api_key", []),
  ])
  func `asks for the least privilege`(name: String, permissions: [String]) throws {
    #expect(try Repository.jobType(name).leastPrivilege == permissions)
  }

  @Test(arguments: [
    ("create_user", ["email"]),
    ("change_plan", ["user_id", "plan_id", "status", "current_period_end"]),
    ("revoke_access", ["user_id"]),
    ("rotate_api_key", ["job_type"]),
  ])
  func `takes from callers only what the worker cannot know`(
    name: String, parameters: [String]
  ) throws {
    #expect(try Repository.jobType(name).workflow.inputs.parameters.map(\.name) == parameters)
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
