// `x-writ.schedule`: what is read, and the errors. Each row is one change and what it causes.

import Arazzo
import JSON
import Testing

@Suite struct ScheduleReadingTests {
  private static let place = "register_reader.arazzo.yaml:20: $.workflows[0].x-writ.schedule"

  private static func errors(_ schedule: String) throws -> [String] {
    let edit = Edit("concurrency: 8\n", "concurrency: 8\n      schedule: \(schedule)\n")
    return Library.errors(Library.files(arazzo: try #require(edit.applied(to: Library.arazzo))))
  }

  @Test func `a list of schedules is read with its defaults`() throws {
    let edit = Edit(
      "concurrency: 8\n",
      """
      concurrency: 8
            schedule:
              - {name: nightly, cron: "0 3 * * *", inputs: {email: a@example.com}}
              - name: weekly
                cron: "@weekly"
                timeZone: Europe/Berlin
                environments: [production, staging]
                inputs: {email: b@example.com, name: Bob}
                queue: slow
                priority: 9
                missed: skip

      """)
    let catalogue = try Catalogue.load(
      files: Library.files(arazzo: try #require(edit.applied(to: Library.arazzo))))
    let schedules = catalogue.jobTypes[0].workflow.policy.schedules
    #expect(
      schedules == [
        SchedulePolicy(
          name: "nightly", cron: try CronExpression(parsing: "0 3 * * *"),
          inputs: JSONObject([("email", "a@example.com")])),
        SchedulePolicy(
          name: "weekly", cron: try CronExpression(parsing: "@weekly"), timeZone: "Europe/Berlin",
          inputs: JSONObject([("email", "b@example.com"), ("name", "Bob")]),
          environments: ["production", "staging"], queue: "slow", priority: 9, missed: .skip),
      ])
  }

  static let faults: [(String, [String])] = [
    (
      "{cron: 0 3 * * *}",
      [
        "register_reader.arazzo.yaml:20: $.workflows[0].x-writ.schedule: the input 'email' is required"
      ]
    ),
    (
      #"{cron: "0 25 * * *", inputs: {email: a@b.cd}}"#,
      ["\(place).cron: the cron expression has an hour outside 0 to 23"]
    ),
    (
      #"{cron: "0 0 30 2 *", inputs: {email: a@b.cd}}"#,
      ["\(place).cron: the cron expression never fires: none of its months has a day 30"]
    ),
    (
      "{cron: '@daily', inputs: {email: nobody, branch: x, colour: red}}",
      [
        "\(place).inputs.email: the input 'email' must be an e-mail address",
        "\(place).inputs.branch: the input 'branch' is supplied by the worker's environment and "
          + "cannot be passed",
        "\(place).inputs.colour: the input 'colour' is unknown; the inputs are email, name",
      ]
    ),
    (
      "{cron: '@daily', inputs: {email: a@b.cd}, timeZone: 'Europe / Berlin', missed: never, every: 5}",
      [
        "\(place).timeZone: 'timeZone' must be a name of the IANA time zone database, such as "
          + "Europe/Berlin",
        "\(place).missed: 'missed' must be one of once, skip",
        "\(place).every: a schedule has no field 'every'; its fields are name, cron, timeZone, "
          + "inputs, environment, environments, queue, priority, missed",
      ]
    ),
    (
      "{cron: '@daily', inputs: {email: a@b.cd}, environment: a, environments: [B, a]}",
      ["\(place).environments: a schedule has either 'environment' or 'environments'"]
    ),
    (
      "[{cron: '@daily', inputs: {email: a@b.cd}}, {name: x, cron: '@daily', inputs: {email: a@b.cd}}, "
        + "{name: x, cron: '@daily', inputs: {email: a@b.cd}}]",
      [
        "\(place)[0]: each schedule of a list needs a 'name'",
        "\(place)[2].name: there are two schedules 'x'",
      ]
    ),
    ("[]", ["\(place): 'schedule' needs at least one element; or leave it out"]),
    ("{inputs: {email: a@b.cd}}", ["\(place): a schedule needs the field 'cron'"]),
    ("daily", ["\(place): a schedule must be an object, but this is a text"]),
  ]

  @Test(arguments: faults) func `a faulty schedule is reported where it stands`(
    schedule: String, expected: [String]
  ) throws {
    #expect(try Set(Self.errors(schedule)) == Set(expected))
  }
}
