// Facts that one task tells another.

import Synchronization

/// Raised once, seen by all.
final class Flag: Sendable {
  private let state = Atomic<Bool>(false)

  var isRaised: Bool { state.load(ordering: .acquiring) }
  func raise() { state.store(true, ordering: .releasing) }
}

/// A number that is set once and read later.
final class Counter: Sendable {
  private let state = Atomic<Int>(0)

  var value: Int { state.load(ordering: .acquiring) }
  func set(_ value: Int) { state.store(value, ordering: .releasing) }
}

/// A value that several tasks change.
final class Shared<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  init(_ value: Value) { state = Mutex(value) }

  var value: Value { state.withLock { $0 } }
  func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
