import Secrets
import Testing

@testable import JobRunner

@Suite struct KeyGateTests {
  private let clock = ManualClock()
  private let name: SecretName
  private let gate: KeyGate

  init() throws {
    name = try SecretName("production/create_user.key")
    gate = KeyGate(time: .manual(clock), pause: .seconds(30))
  }

  @Test func `a refused key is kept back until the key changes`() {
    gate.refuse([Secret("old")], [name])
    #expect(gate.obstacle(to: [Secret("old")], [name], "read") == .notAccepted)
    #expect(gate.obstacle(to: [Secret("new")], [name], "read") == nil)
    #expect(gate.obstacle(to: [Secret("new")], [name], "read") == nil)
  }

  @Test func `after the pause a single request tries the same key again`() {
    gate.refuse([Secret("old")], [name])
    clock.advance(by: .seconds(30))
    #expect(gate.obstacle(to: [Secret("old")], [name], "read") == nil)
    #expect(gate.obstacle(to: [Secret("old")], [name], "read") == .notAccepted)
    gate.accept([name], "read")
    #expect(gate.obstacle(to: [Secret("old")], [name], "read") == nil)
  }

  @Test func `secrets that are refused together are tried again when one of them changes`() throws {
    let other = try SecretName("production/create_user.billing.password")
    gate.refuse([Secret("a"), Secret("b")], [name, other])
    #expect(gate.obstacle(to: [Secret("a"), Secret("b")], [name, other], "read") == .notAccepted)
    #expect(gate.obstacle(to: [Secret("a")], [name], "read") == nil)
    #expect(gate.obstacle(to: [Secret("a"), Secret("c")], [name, other], "read") == nil)
  }

  @Test func `a key that lacks a permission is kept back from that operation alone`() {
    gate.refuse([Secret("narrow")], [name], "write")
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "read") == nil)
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "write") == .lacksPermission)
    gate.accept([name], "read")
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "write") == .lacksPermission)
    #expect(gate.obstacle(to: [Secret("wide")], [name], "write") == nil)
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "write") == nil)
  }

  @Test func `a key that lacks a permission is a key that is accepted`() {
    gate.refuse([Secret("narrow")], [name])
    clock.advance(by: .seconds(30))
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "write") == nil)
    gate.refuse([Secret("narrow")], [name], "write")
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "read") == nil)
    #expect(gate.obstacle(to: [Secret("narrow")], [name], "write") == .lacksPermission)
  }

  @Test func `the refusal of a key that is being replaced keeps nothing back`() throws {
    let previous = try SecretName("production/create_user.previous.key")
    gate.refuse([Secret("dead")], [previous])
    #expect(gate.obstacle(to: [Secret("dead")], [previous], "read") == nil)
  }
}
