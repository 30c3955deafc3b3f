// What is enough to say that a target answers nobody.

import JobModel
import Testing

@Suite struct CircuitEvidenceTests {
  private static let policy = CircuitPolicy(jobs: 3, silence: .seconds(10))

  /// What each of these failures of jobs, at seconds, comes to.
  private static func verdicts(_ failures: [(job: Int, second: Int)]) -> [Bool] {
    var evidence = CircuitEvidence()
    return failures.map { evidence.failed($0.job, at: .seconds($0.second), by: policy) }
  }

  @Test func `several jobs and some time open a circuit`() {
    #expect(Self.verdicts([(1, 100), (2, 109), (3, 110)]) == [false, false, true])
  }

  @Test func `one job that fails for ever opens none`() {
    #expect(!Self.verdicts((0..<1_000).map { (1, $0) }).contains(true))
  }

  @Test func `failures of long ago are no part of an outage of now`() {
    #expect(Self.verdicts([(1, 0), (2, 5), (3, 66)]) == [false, false, false])
    #expect(Self.verdicts([(1, 0), (2, 5), (3, 65)]) == [false, false, true])
  }

  @Test func `a moment in which everything fails opens none`() {
    #expect(!Self.verdicts((0..<1_000).map { ($0, 5) }).contains(true))
  }
}
