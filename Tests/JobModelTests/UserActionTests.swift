// A provider's token whose user has to act first: the shipped type against a fake AuthOS, plainly, with the
// worker dying at every point and with requests going wrong in every way.

import Arazzo
import JSON
import Secrets
import Testing

@testable import JobModel

private let key = SealingPrivateKey()
private let token = "canary-provider-token"
private let codes = [
  "PROVIDER_LINK_REQUIRED", "PROVIDER_GRANT_REQUIRED", "PROVIDER_SCOPE_CONSENT_REQUIRED",
  "PROVIDER_REAUTH_REQUIRED",
]

private func url(_ number: Int) -> String {
  "https://auth.example/connect/provider-token/\(number)"
}

private func actionRequired(_ number: Int, url address: String? = nil) -> StepResponse {
  StepResponse(
    status: 200,
    json: [
      "status": "action_required", "code": .string(codes[number % codes.count]),
      "reauth_url": .string(address ?? url(number)), "missing_scopes": [], "provider": "github",
    ])
}

private let issued = StepResponse(
  status: 200,
  json: [
    "status": "ok", "access_token": .string(token), "expires_at": "2031-01-01T00:00:00+00:00",
    "scopes": ["repo"], "provider": "github",
    "account": [
      "id": "account-1", "provider_user_id": "4711", "email": "ada@example.com",
      "display_name": "Ada",
    ],
  ])

private func refusal(_ status: Int, _ code: String) -> StepResponse {
  StepResponse(status: status, json: ["error": "secret words", "error_code": .string(code)])
}

private func simulation(_ answers: [StepResponse], seed: UInt64 = 1) throws -> Simulation {
  var world = FakeAuthOS()
  world.tokenAnswers = answers
  return try Simulation(
    "request_provider_token",
    JSONObject([
      ("user_id", "u"), ("provider", "github"), ("public_key", .string(key.publicKey.description)),
    ]), authOS: world, seed: seed)
}

/// What is written down of a job, apart from the address in the record that is for its row.
private func written(_ simulation: Simulation) -> String {
  simulation.records.map { record in
    if case .userAction = record { return "" }
    return record.json(job: 7, attempt: 1).serialized()
  }.joined(separator: "\n")
}

private func expectToken(in simulation: Simulation) throws {
  let text = try #require(simulation.result?["access_token"]?.stringValue)
  #expect(try SealedText(text).open(with: key) == Secret(token))
  #expect(!written(simulation).contains(token))
  #expect(!written(simulation).contains("https://"))
}

@Suite struct `A job whose user has to act` {
  @Test func `gets the token at once where he has`() throws {
    var simulation = try simulation([issued])
    #expect(try simulation.run() == .completed)
    try expectToken(in: simulation)
    #expect(simulation.requests == ["request"])
    #expect(simulation.result?["scopes"] == ["repo"])
    #expect(simulation.result?["email"] == nil)
    #expect(!written(simulation).contains("Ada"))
  }

  @Test func `waits with the address as it was given, for each reason, and burns no attempt`()
    throws
  {
    var simulation = try simulation((0..<4).map { actionRequired($0) } + [issued])
    #expect(try simulation.run() == .completed)
    #expect(simulation.userActions.map(\.url) == (0..<4).map(url))
    #expect(simulation.userActions.map(\.error.code) == codes)
    #expect(simulation.userActions.allSatisfy { $0.deadline == .seconds(86_400) })
    #expect(simulation.row.failures == 0)
    try expectToken(in: simulation)
    // Each check is written over by the next.
    #expect(simulation.row.journal.count == 1)
  }

  @Test func `asks less and less often, never later than every ten minutes`() throws {
    var simulation = try simulation((0..<12).map { actionRequired($0) } + [issued])
    #expect(try simulation.run() == .completed)
    let delays = simulation.userActions.map(\.delay)
    for (index, delay) in delays.enumerated() {
      let whole = min(Duration.seconds(30) * (1 << index), .seconds(600))
      #expect(delay <= whole && delay >= whole * 0.75, "check \(index): \(delay)")
    }
  }

  @Test func `is given up when his time is over, with a sentence`() throws {
    var simulation = try simulation([actionRequired(0)])
    simulation.greatestUserActions = 3
    guard case .discarded(let error) = try simulation.run() else {
      Issue.record("not discarded")
      return
    }
    #expect(error.code == "user_action_expired")
    #expect(error.text == "the user had not acted when the time for it was over")
    #expect(simulation.userActions.count == 3)
  }

  @Test func `gets the token when he acted in the last moment`() throws {
    var simulation = try simulation([actionRequired(0), actionRequired(1), issued])
    simulation.greatestUserActions = 2
    #expect(try simulation.run() == .completed)
    try expectToken(in: simulation)
  }

  @Test(arguments: [
    "javascript:alert(1)", "", "https://auth.example/\u{7}", "/connect/1", "https://a b",
    "https://auth.example/" + String(repeating: "x", count: 2_048),
  ])
  func `is looked at by a person when the address is none`(address: String) throws {
    var simulation = try simulation([actionRequired(0, url: address)])
    guard case .review(let error) = try simulation.run() else {
      Issue.record("no review")
      return
    }
    #expect(error.code == "unexpected_response")
    #expect(simulation.userActions.isEmpty)
  }

  @Test(arguments: [
    (refusal(403, "FORBIDDEN"), "FORBIDDEN"), (refusal(404, "NOT_FOUND"), "not_linked"),
    (refusal(400, "BAD_REQUEST"), "redirect_refused"),
  ])
  func `is discarded when the service refuses, at first or later`(
    answer: (StepResponse, code: String)
  ) throws {
    for before in [[], [actionRequired(0)]] {
      var simulation = try simulation(before + [answer.0])
      guard case .discarded(let error) = try simulation.run() else {
        Issue.record("not discarded")
        return
      }
      #expect(error.code == answer.code)
      #expect(!written(simulation).contains("secret words"))
    }
  }

  @Test func `ends as well when the worker dies at any point`() throws {
    for point in 0..<40 {
      var simulation = try simulation([actionRequired(0), actionRequired(1), issued])
      simulation.crashAfter = point
      #expect(try simulation.run() == .completed, "point \(point)")
      try expectToken(in: simulation)
    }
  }

  @Test func `ends as well through faults and deaths of every kind`() throws {
    for seed in 0..<400 {
      var random = SeededRandom(seed: UInt64(seed))
      let waits = Int.random(in: 0..<4, using: &random)
      var simulation = try simulation(
        (0..<waits).map { actionRequired($0) } + [issued], seed: UInt64(seed))
      simulation.crashAfter =
        Bool.random(using: &random) ? .random(in: 0..<40, using: &random) : nil
      simulation.faults = (0..<Int.random(in: 0..<6, using: &random)).map { _ in
        Fault.allCases.randomElement(using: &random) ?? .none
      }
      #expect(try simulation.run() == .completed, "seed \(seed)")
      try expectToken(in: simulation)
    }
  }
}
