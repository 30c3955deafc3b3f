// The alarm of a worker that waits for a rate: only the earliest request leads to a ring.

import Testing

@testable import JobRunner

@Suite struct AlarmTests {
  @Test func `only a moment before the one that is due needs a ring of its own`() {
    let alarm = Alarm()
    #expect(alarm.set(at: .seconds(5)))
    #expect(!alarm.set(at: .seconds(5)))
    #expect(!alarm.set(at: .seconds(6)))
    #expect(alarm.set(at: .seconds(4)))
    // The later ring, which was asked for first, does not take the earlier request away.
    alarm.clear(at: .seconds(5))
    #expect(!alarm.set(at: .seconds(4)))
    alarm.clear(at: .seconds(4))
    #expect(alarm.set(at: .seconds(6)))
  }
}
