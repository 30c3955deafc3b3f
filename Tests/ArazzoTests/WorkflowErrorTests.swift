// The errors of workflows: their policy and their outputs. Each row is one change and the exact errors that it causes.

import Foundation
import Testing

@testable import Arazzo

@Suite struct WorkflowErrorTests {
  static let edits: [Edit] = [
    Edit(
      "workflowId: registerReader",
      "workflowId: register reader",
      "register_reader.arazzo.yaml:10: $.workflows[0].workflowId: a workflowId is made "
        + "of letters, digits, _ and -"),
    Edit(
      "jobType: register_reader",
      "jobType: registerReader",
      "register_reader.arazzo.yaml:13: $.workflows[0].x-writ.jobType: a job type is "
        + "named by at most 63 lower-case letters, digits and _, starting with a letter"),
    Edit(
      "jobType: register_reader",
      "jobType: replay",
      "register_reader.arazzo.yaml:13: $.workflows[0].x-writ.jobType: no job type can be "
        + "named 'replay', as there is a function writ.replay already; choose another name"),
    Edit(
      "jobType: register_reader",
      "jobTypes: register_reader",
      "register_reader.arazzo.yaml:13: $.workflows[0].x-writ.jobTypes: x-writ of a "
        + "workflow has no field 'jobTypes'; did you mean jobType?"),
    Edit(
      "summary: Adds a reader unless there is one",
      "dependsOn: [login]",
      "register_reader.arazzo.yaml:11: $.workflows[0].dependsOn[0]: there is no "
        + "workflow 'login' in this document"),
    Edit(
      "summary: Adds a reader unless there is one",
      "dependsOn: [registerReader]",
      "register_reader.arazzo.yaml:10: $.workflows[0]: the workflow 'registerReader' "
        + "depends on itself through its dependsOn"),
    Edit(
      #"{$inputs.email}""#,
      #"{$inputs.mail}""#,
      "register_reader.arazzo.yaml:14: $.workflows[0].x-writ.subject: $inputs.mail: "
        + "there is no input 'mail' in the inputs of this workflow; did you mean email?"),
    Edit(
      #"{$inputs.email}""#,
      #"{$inputs.branch}""#,
      "register_reader.arazzo.yaml:14: $.workflows[0].x-writ.subject: $inputs.branch: "
        + "the subject is fixed when a job is ordered, before the worker's environment "
        + "supplies 'branch'"),
    Edit(
      #"{$inputs.email}""#,
      #"{$steps.find.outputs.id}""#,
      "register_reader.arazzo.yaml:14: $.workflows[0].x-writ.subject: "
        + "$steps.find.outputs.id: only $inputs has a value here"),
    Edit(
      #"{$inputs.email}""#,
      #"{$inputs.email""#,
      "register_reader.arazzo.yaml:14: $.workflows[0].x-writ.subject: an embedded "
        + "expression ends with } (at character 8)"),
    Edit(
      "maxAttempts: 5",
      "maxAttempts: 0",
      "register_reader.arazzo.yaml:15: $.workflows[0].x-writ.retry.maxAttempts: "
        + "'maxAttempts' must be an integer from 1 to 1000"),
    Edit(
      "cap: PT1M",
      "cap: PT0.1S",
      "register_reader.arazzo.yaml:15: $.workflows[0].x-writ.retry: 'base' must not be "
        + "longer than 'cap'"),
    Edit(
      "requestTimeout: PT10S",
      "requestTimeout: 10s",
      "register_reader.arazzo.yaml:16: $.workflows[0].x-writ.requestTimeout: "
        + "'requestTimeout' must be a duration by ISO 8601 of days, hours, minutes and "
        + "seconds, such as PT30S or PT1H30M, at most a year"),
    Edit(
      "deadline: PT1H",
      "deadline: PT0S",
      "register_reader.arazzo.yaml:17: $.workflows[0].x-writ.deadline: 'deadline' must "
        + "be longer than zero"),
    Edit(
      "replay: safe",
      "replay: always",
      "register_reader.arazzo.yaml:18: $.workflows[0].x-writ.replay: 'replay' must be "
        + "one of safe, never, review"),
    Edit(
      "concurrency: 8",
      "concurrency: many",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.concurrency: "
        + "'concurrency' must be an integer from 1 to 100000"),
    Edit(
      "concurrency: 8",
      "rate: 10",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.rate: rate must be an object, but "
        + "this is a number"),
    Edit(
      "concurrency: 8",
      "rate: {limit: 10}",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.rate: rate needs the field 'per'"),
    Edit(
      "concurrency: 8",
      "rate: {limit: 0, per: PT1S}",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.rate.limit: 'limit' must be an "
        + "integer from 1 to 100000"),
    Edit(
      "concurrency: 8",
      "rate: {limit: 10, per: P40D}",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.rate.per: 'per' must be from "
        + "PT0.001S to P31D"),
    Edit(
      "concurrency: 8",
      "rate: {limit: 10, per: PT1S, burst: 5}",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.rate.burst: rate has no field "
        + "'burst'; its fields are limit, per"),
    Edit(
      "concurrency: 8",
      "idempotencyWindow: a month",
      "register_reader.arazzo.yaml:19: $.workflows[0].x-writ.idempotencyWindow: "
        + "'idempotencyWindow' must be a duration by ISO 8601 of days, hours, minutes and seconds, "
        + "such as PT30S or PT1H30M, at most a year"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $steps.card.outputs.serial",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$steps.card.outputs.serial: the step 'card' has no output 'serial'"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $steps.cart.outputs.number",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$steps.cart.outputs.number: there is no step 'cart' in this workflow; did you "
        + "mean card?"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $steps.card.outputs.pin",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$steps.card.outputs.pin: this is a secret, which may flow only into a sink; to "
        + "authenticate with it, use x-writ.credential.secretOf"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $response.body#/number",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$response.body#/number: it has a value only inside a step; give the step an "
        + "output and use that"),
    Edit(
      "card: $steps.card.outputs.number",
      "the card: $steps.card.outputs.number",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs['the card']: the name of "
        + "an output is made of letters, digits, dots, _ and -"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: number",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: an expression "
        + "starts with $ (at character 1)"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: {context: $response.body, selector: $.id, type: jsonpath}",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: Selector Objects "
        + "belong to Arazzo 1.1, but this document is 1.0; use a JSON Pointer, such as "
        + "$response.body#/id"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $workflows.other.outputs.card",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$workflows.other.outputs.card: there is no workflow 'other' in this document"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $workflows.registerReader.outputs.serial",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$workflows.registerReader.outputs.serial: the workflow 'registerReader' has no "
        + "output 'serial'"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $sourceDescriptions.library.title",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$sourceDescriptions.library.title: of a source description, only its fields "
        + "have a value: url, type, name"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $self",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: $self: this "
        + "document has no $self"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $outputs.card",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: $outputs.card: "
        + "$outputs has a value only after a step that calls a workflow; use $steps"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $components.parameters.reader",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: "
        + "$components.parameters.reader: a component has no value; refer to it with "
        + "'reference'"),
    Edit(
      "card: $steps.card.outputs.number",
      "card: $message.payload",
      "register_reader.arazzo.yaml:72: $.workflows[0].outputs.card: $message belongs "
        + "to AsyncAPI, which is not supported (at character 1)"),
  ]

  @Test(arguments: edits)
  func `a workflow that breaks a rule is refused with its place and the rule`(edit: Edit) throws {
    let document = try #require(edit.applied(to: Library.arazzo), "the old text must occur once")
    #expect(Library.errors(Library.files(arazzo: document)) == edit.errors)
  }

  @Test func `the names that no job type can have are the functions of the schema`() throws {
    let file = URL(filePath: #filePath).resolvingSymlinksInPath()
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "sql/schema.sql")
    let schema = try String(contentsOf: file, encoding: .utf8)
    let functions = schema.split(separator: "\n").compactMap {
      $0.prefixMatch(of: /CREATE (FUNCTION|PROCEDURE|AGGREGATE) writ\.(\w+)\(/)?.2
    }
    #expect(Set(functions.map(String.init)) == JobTypeNames.taken)
  }
}
