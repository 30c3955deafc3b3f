// What happens while canaries are planted: every job type in success and failure, and every command that shows jobs.

import AuthOSEmulator
import Foundation
import Postgres
import Secrets
import Testing
import WritTesting

/// Plays the story and keeps every process that wrote something.
struct CanaryStory {
  private let fixture: WritFixture
  private let hostile: HostileAuthOS
  private(set) var processes: [WritProcess] = []
  private(set) var misdeeds = 0
  private var people = 0
  private let key = SealingPrivateKey()
  /// The token of the provider.
  static let token = "gho-provider-token-canary-5c21d0"

  init(_ fixture: WritFixture, _ hostile: HostileAuthOS) {
    self.fixture = fixture
    self.hostile = hostile
  }

  mutating func play(wrongKey: String, wrongPassword: String) async throws {
    let rightKey = fixture.secret("create_user.key") ?? ""
    try fixture.write("create_user.key", wrongKey)
    try fixture.write("management.password", wrongPassword)
    let worker = try await fixture.startWorker("canary")
    processes.append(worker)
    try await refusedCredentials(rightKey: rightKey)
    try await failingStore()
    try await successes()
    for misdeed in HostileAuthOS.Misdeed.allCases { try await suffer(misdeed) }
    try await successes()
    try await providerToken()
    try await show()
    worker.signal(SIGTERM)
    try await worker.awaitEnd(within: .seconds(40))
  }

  /// A key that AuthOS does not know, and a login that it refuses; then both are put right.
  private mutating func refusedCredentials(rightKey: String) async throws {
    let created = try await fixture.order("writ.create_user(email => 'first@acme.test')")
    let rotated = try await fixture.order("writ.rotate_api_key(job_type => 'change_plan')")
    for job in [created, rotated] {
      try await awaiting("job \(job) to be put off", within: .seconds(30)) {
        try await fixture.events(of: job).contains { $0.event == "retried" }
      }
    }
    try fixture.write("create_user.key", rightKey)
    try fixture.write("management.password", fixture.options.managementPassword)
    try await fixture.awaitEveryJob(within: .seconds(60), hurries: true)
  }

  /// A directory stands where a new key has to be written.
  private mutating func failingStore() async throws {
    let obstacle = "\(fixture.secretsDirectory)/default/revoke_access.pending.key"
    try FileManager.default.createDirectory(
      atPath: "\(obstacle)/inside", withIntermediateDirectories: true)
    let job = try await fixture.order("writ.rotate_api_key(job_type => 'revoke_access')")
    try await awaiting("a key that cannot be stored", within: .seconds(30)) {
      try await fixture.events(of: job).contains { $0.event == "retried" }
    }
    try FileManager.default.removeItem(atPath: obstacle)
    try await fixture.awaitEveryJob(within: .seconds(60), hurries: true)
  }

  private mutating func successes() async throws {
    _ = try await orderAll()
    try await fixture.awaitEveryJob(within: .seconds(60), hurries: true)
  }

  /// All four types meet a server that echoes credentials.
  private mutating func suffer(_ misdeed: HostileAuthOS.Misdeed) async throws {
    for type in [
      "create_user", "change_plan", "revoke_access", "rotate_api_key", "request_provider_token",
    ] {
      hostile.misbehave(misdeed, times: 2)
      try await order(type)
      try await awaiting("\(misdeed) to happen to \(type)", within: .seconds(30)) {
        hostile.done > 0
      }
      try await fixture.awaitEveryJob(within: .seconds(60), hurries: true)
      misdeeds += hostile.done
      hostile.misbehave(misdeed, times: 0)
    }
  }

  /// A token of another provider, which only `writ unseal` may show; its output is not among those that are
  /// searched.
  private mutating func providerToken() async throws {
    let job = try await fixture.order(
      "writ.request_provider_token(user_id => '\(tokenUser)', provider => 'github', public_key => $1)",
      [.text(key.publicKey.description)])
    try await fixture.awaitEveryJob(within: .seconds(60), hurries: true)
    let file = "\(fixture.directory)/canary.key"
    try PrivateFile.create(file, key.text)
    let process = try await fixture.run(
      ["unseal", "--job", "\(job)", "--private-key", file], as: .enqueuer)
    #expect(process.output == [Self.token], "\(process.errors)")
  }

  private var tokenUser: String { fixture.authOS.seeded.userIDs["token@acme.test"] ?? "" }

  private mutating func orderAll() async throws -> [Int] {
    var jobs: [Int] = []
    for type in ["create_user", "change_plan", "revoke_access", "rotate_api_key"] {
      jobs.append(try await order(type))
    }
    return jobs
  }

  @discardableResult
  private mutating func order(_ type: String) async throws -> Int {
    people = (people + 1) % 40
    let user = fixture.authOS.seeded.userIDs["person\(people)@acme.test"] ?? ""
    let plan = fixture.authOS.seeded.planIDs["pro"] ?? ""
    let call =
      switch type {
      case "create_user": "writ.create_user(email => 'new\(people)@acme.test')"
      case "change_plan": "writ.change_plan(user_id => '\(user)', plan_id => '\(plan)')"
      case "revoke_access": "writ.revoke_access(user_id => '\(user)')"
      case "request_provider_token":
        "writ.request_provider_token(user_id => '\(tokenUser)', provider => 'github', "
          + "public_key => '\(key.publicKey)')"
      default: "writ.rotate_api_key(job_type => '\(WritFixture.keyedTypes[people % 3])')"
      }
    return try await fixture.order(call)
  }

  /// Everything that a person can look at.
  private mutating func show() async throws {
    let jobs = try await History.read(fixture.pool).jobs.map(\.id)
    var commands = [["jobs", "list"], ["audit", "log"], ["doctor"], ["types", "list"]]
    commands += stride(from: 0, to: jobs.count, by: 4).map { ["jobs", "show", "\(jobs[$0])"] }
    for command in commands {
      processes.append(try await fixture.run(command, as: .admin))
      processes.append(try await fixture.run(command + ["--json"], as: .admin))
    }
  }
}
