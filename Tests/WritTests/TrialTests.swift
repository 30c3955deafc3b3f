// Trials of job types: which request a fault hits, what inputs become, and what counts as made twice.

import Arazzo
import AuthOSEmulator
import Foundation
import JSON
import JobStore
import Testing

@testable import writ

/// Swift Testing has an `ExitStatus` too.
private typealias Status = writ.ExitStatus

@Suite struct TrialTests {
  private static func type(_ name: String) throws -> JobTypeDefinition {
    try #require(try Catalogue.load(files: EmbeddedCatalogue.documents).jobType(name))
  }

  @Test(arguments: [
    ("dropAfter", "--fault takes STEP=KIND, for example create=dropAfter"),
    (
      "create=dropAftr",
      "--fault create: there is no kind of fault dropAftr; did you mean dropAfter?"
    ),
    ("create=quake", "--fault create: there is no kind of fault quake; --help lists them"),
    ("create=slow:0", "--fault create: the number of the request must be from 1 to 1000"),
    ("create=slow:x", "--fault create: the number of the request must be from 1 to 1000"),
  ]) func `a fault that says nothing sensible is refused`(text: String, sentence: String) {
    #expect(throws: CommandError(Status.usage, sentence)) { try TrialFaultOption(parsing: text) }
  }

  /// The forms of a URL that `types check` reads, each with the place of the API.
  @Test(arguments: [
    ("https://apis.example/lamps", "jobs/lamps.yaml", "$self: https://apis.example/lamps\n"),
    ("https://apis.example/v1/openapi/lamps.yaml", "jobs/openapi/lamps.yaml", ""),
    ("../openapi/lamps.yaml", "openapi/lamps.yaml", ""),
    ("./openapi/lamps.yaml", "jobs/openapi/lamps.yaml", ""),
  ]) func `a trial finds what a URL means`(url: String, place: String, identity: String) throws {
    let root = FileManager.default.temporaryDirectory
      .appending(path: "writ-trial-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: root) }
    func write(_ path: String, _ text: String) throws {
      let file = root.appending(path: path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
    let version = identity.isEmpty ? "3.1.0" : "3.2.0"
    try write(
      place,
      identity + StepDiagramTests.openAPI.replacing("openapi: 3.1.0", with: "openapi: \(version)"))
    try write("jobs/other.arazzo.yaml", "arazzo: 1.1.0\n$self: https://apis.example/faulty\n")
    try write(
      "jobs/lamps.arazzo.yaml",
      StepDiagramTests.arazzo.replacing("url: lamps.yaml", with: "url: \(url)"))
    let trial = try TrialCatalogue(file: root.appending(path: "jobs/lamps.arazzo.yaml").path)
    #expect(trial.type.name == "light_up")
    #expect(trial.type.files.count == 2)
  }

  @Test func `a fault names a step or an operation of the type`() throws {
    let operations = TrialOperations(try Self.type("create_user"))
    let step = try operations.fault(try TrialFaultOption(parsing: "create=dropAfter"), clean: [])
    #expect(step.operation == .authOS(.createServiceUser))
    let operation = try operations.fault(
      try TrialFaultOption(parsing: "createUser=status500:3"), clean: [])
    #expect(operation.operation == .authOS(.createServiceUser))
    #expect(operation.ordinal == 3)
    #expect(operation.text == "status500 at createUser, request 3")
    #expect(
      throws: CommandError(
        .badData,
        "--fault creat: the job type has no such step or operation; did you mean create?")
    ) {
      try operations.fault(try TrialFaultOption(parsing: "creat=dropAfter"), clean: [])
    }
  }

  @Test
  func `a step is hit at its own request, also when an earlier step calls the same operation`()
    throws
  {
    let type = try Self.type("change_plan")
    let operations = TrialOperations(type)
    // Both read_current and set_terms call updateSubscription.
    let fault = try operations.fault(
      try TrialFaultOption(parsing: "set_terms=dropAfter"), clean: ["read_current", "set_terms"])
    #expect(fault.ordinal == 2)
    #expect(
      TrialFault.plan([fault]).rules == [
        FaultRule(FaultRoute(.updateServiceSubscription), script: [nil, .dropAfter])
      ])
    #expect(
      throws: CommandError(
        .badData,
        "--fault settle_terms: the step is carried out by the worker itself and sends no request")
    ) {
      try operations.fault(try TrialFaultOption(parsing: "settle_terms=dropAfter"), clean: [])
    }
  }

  @Test func `every kind of fault that can happen hits every request once`() throws {
    let operations = TrialOperations(try Self.type("change_plan"))
    let requests = [
      RequestRecord(number: 1, operation: .updateServiceSubscription, status: 200),
      RequestRecord(number: 2, operation: .deleteServiceSubscription, status: 204),
      RequestRecord(number: 3, operation: .updateServiceSubscription, status: 404),
    ].map { TrialRequest($0) }
    let faults = operations.everyFault(requests)
    // All kinds but stopHalfWay, silentSubscriptionDeleteFailure and passwordHashingBusy.
    #expect(faults.count == 3 * (Fault.kinds.count - 3))
    #expect(Set(faults).count == faults.count)
    #expect(faults.filter { $0.ordinal == 2 }.allSatisfy { $0.place == "updateSubscription" })
  }

  @Test func `a type that calls another API is hit at its stand-in, by what any service can show`()
    throws
  {
    let operations = TrialOperations(try Self.type("notify_webhook"))
    let fault = try operations.fault(
      try TrialFaultOption(parsing: "deliver=dropAfter:2"), clean: ["deliver"])
    #expect(fault.operation == .standIn("webhook_receiver", operation: "deliver"))
    #expect(TrialFault.plan([fault]).rules == [])
    #expect(
      TrialFault.scripts([fault], at: "webhook_receiver") == ["deliver": [nil, .dropAfter]])
    #expect(TrialFault.scripts([fault], at: "billing") == [:])
    #expect(
      throws: CommandError(.badData, "--fault deliver: only AuthOS can show bookkeeping500")
    ) {
      try operations.fault(try TrialFaultOption(parsing: "deliver=bookkeeping500"), clean: [])
    }
    let request = StandInRequest(number: 1, operation: "deliver", status: 200)
    let every = operations.everyFault([TrialRequest(request, at: "webhook_receiver")])
    #expect(every.count == Fault.kinds.count - Fault.kindsOfAuthOS.count)
    let own = TrialOperations(try Self.type("notify_webhook"), ownTargets: ["webhook_receiver"])
    #expect(
      throws: CommandError(
        .badData,
        "--fault deliver: the request goes to the server of --target webhook_receiver, which is left as "
          + "it is; without --target a stand-in can misbehave")
    ) {
      try own.fault(try TrialFaultOption(parsing: "deliver=dropAfter"), clean: [])
    }
  }

  @Test func `every kind that is listed is one`() {
    for kind in Fault.kinds { #expect(Fault(kind: kind)?.kind == kind) }
    #expect(Fault(kind: "quake") == nil)
  }

  @Test func `inputs get the names of what the emulator holds, and what is missing is guessed`()
    throws
  {
    let authOS = EmulatedAuthOS(seed: EmulatorSeed(users: TrialInputs.users), at: .now())
    let inputs = TrialInputs(seeded: authOS.seeded)
    for (name, _) in TrialInputs.names {
      let found = try inputs.inputs(
        JSONObject([("user_id", .string(name))]), for: try Self.type("revoke_access"))
      #expect(found["user_id"]?.stringValue?.hasPrefix("@") == false)
    }
    let guessed = try inputs.inputs(JSONObject(), for: try Self.type("change_plan"))
    #expect(guessed["user_id"]?.stringValue == authOS.seeded.userIDs["ada@example.com"])
    #expect(guessed["plan_id"]?.stringValue == authOS.seeded.planIDs["pro"])
    let sealed = try inputs.inputs(JSONObject(), for: try Self.type("rotate_client_secret"))
    #expect(sealed["public_key"]?.stringValue?.hasPrefix("writ-public-v1-") == true)
    let escaped = try inputs.inputs(
      JSONObject([("email", "@@x")]), for: try Self.type("create_user"))
    #expect(escaped["email"] == "@x")
    #expect(
      throws: CommandError(
        .usage, "--input user_id: nothing at the emulator is called @usr; did you mean @user?")
    ) {
      try inputs.inputs(JSONObject([("user_id", "@usr")]), for: try Self.type("revoke_access"))
    }
  }
}
