// Paging through a list that others change meanwhile.

import JSON
import Testing

@testable import JobModel

@Suite struct `Paging through a list` {
  private static func name(_ number: Int) -> String { "user-\(10_000 + number)" }

  private func simulation(users count: Int) throws -> Simulation {
    var world = FakeAuthOS()
    for number in 0..<count {
      world.emails["\(number)@example.com"] = Self.name(number)
      world.linked.insert(Self.name(number))
    }
    return try Simulation("list_users", JSONObject(), authOS: world)
  }

  @Test(arguments: [0, 1, 9, 10, 99, 100, 101, 189, 190, 191, 1_050])
  func `gives every element once, whatever their number`(count: Int) throws {
    var simulation = try simulation(users: count)
    #expect(try simulation.run() == .completed)
    #expect(simulation.rows.map(\.key) == (0..<count).map(Self.name))
    #expect(simulation.authOS.pages.count <= count / 90 + 2)
  }

  @Test func `gives those who stay once while others come before them`() throws {
    var simulation = try simulation(users: 1_000)
    simulation.beforeSending = { request, authOS in
      guard request.step == "page" else { return }
      for number in 0..<25 { authOS.linked.insert("new-\(authOS.linked.count)-\(number)") }
    }
    #expect(try simulation.run() == .completed)
    let stayed = simulation.rows.map(\.key).filter { $0.hasPrefix("user-") }
    #expect(stayed == (0..<1_000).map(Self.name))
    #expect(Set(simulation.rows.map(\.key)).count == simulation.rows.count)
  }

  @Test func `misses nobody while up to ten go between two pages`() throws {
    var simulation = try simulation(users: 1_000)
    simulation.beforeSending = { request, authOS in
      guard request.step == "page", authOS.pages.count > 0 else { return }
      for id in authOS.linked.sorted().prefix(10) { authOS.linked.remove(id) }
    }
    #expect(try simulation.run() == .completed)
    let seen = Set(simulation.rows.map(\.key))
    #expect(simulation.authOS.linked.count < 950)
    #expect(simulation.authOS.linked.isSubset(of: seen))
  }

  @Test func `has a person look at a list that does not end`() throws {
    var simulation = try simulation(users: 0)
    simulation.authOS.imaginaryUsers = 1_000_000
    guard case .review(let error) = try simulation.run() else {
      Issue.record("no review")
      return
    }
    #expect(error.code == "too_many_steps")
    #expect(simulation.authOS.pages.last == "users 179910")
  }

  @Test func `reaches the end of a list of 60,000 elements`() throws {
    var simulation = try simulation(users: 0)
    simulation.authOS.imaginaryUsers = 60_000
    #expect(try simulation.run() == .completed)
    #expect(simulation.authOS.pages.last == "users 59940")
    #expect(simulation.row.journal.count < WorkflowMachine.greatestJournalWithRows)
  }

  @Test func `keeps a page's entry in the journal small`() throws {
    var simulation = try simulation(users: 1_000)
    _ = try simulation.run()
    for entry in simulation.row.journal {
      #expect(JSONValue.object(entry.outputs).serialized().utf8.count < 100)
    }
  }

  @Test func `refuses an answer that is no list, and an element without its key`() throws {
    for body: JSONValue in [
      ["users": 5, "total": 0], ["users": [["email": "a@example.com"]], "total": 1],
      ["users": [["id": ""]], "total": 1],
    ] {
      var simulation = try simulation(users: 0)
      simulation.authOS.override = StepResponse(status: 200, json: body)
      guard case .discarded(let error) = try simulation.run() else {
        Issue.record("not discarded")
        continue
      }
      #expect(error.code == "unexpected_response")
      #expect(simulation.rows.isEmpty)
    }
  }

  @Test func `records how many came, and nothing of them`() throws {
    var simulation = try simulation(users: 150)
    _ = try simulation.run()
    let outcomes = simulation.records.compactMap { record in
      if case .outcome(let outcome) = record, outcome.step == "page" { outcome } else { nil }
    }
    #expect(outcomes.map(\.recorded.clear["rows"]) == [100, 60])
    #expect(outcomes.allSatisfy { !JSONValue.object($0.recorded.clear).serialized().contains("@") })
    #expect(outcomes.allSatisfy { $0.recorded.digested.isEmpty })
  }
}
