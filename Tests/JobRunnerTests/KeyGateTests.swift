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
    #expect(!gate.mayUse([Secret("old")], [name]))
    #expect(gate.mayUse([Secret("new")], [name]))
    #expect(gate.mayUse([Secret("new")], [name]))
  }

  @Test func `after the pause a single request tries the same key again`() {
    gate.refuse([Secret("old")], [name])
    clock.advance(by: .seconds(30))
    #expect(gate.mayUse([Secret("old")], [name]))
    #expect(!gate.mayUse([Secret("old")], [name]))
    gate.accept([name])
    #expect(gate.mayUse([Secret("old")], [name]))
  }

  @Test func `secrets that are refused together are tried again when one of them changes`() throws {
    let other = try SecretName("production/create_user.billing.password")
    gate.refuse([Secret("a"), Secret("b")], [name, other])
    #expect(!gate.mayUse([Secret("a"), Secret("b")], [name, other]))
    #expect(gate.mayUse([Secret("a")], [name]))
    #expect(gate.mayUse([Secret("a"), Secret("c")], [name, other]))
  }

  @Test func `the refusal of a key that is being replaced keeps nothing back`() throws {
    let previous = try SecretName("production/create_user.previous.key")
    gate.refuse([Secret("dead")], [previous])
    #expect(gate.mayUse([Secret("dead")], [previous]))
  }
}
