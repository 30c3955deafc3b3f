// What the tests of this module wait with.

import Foundation
import Testing

/// Polls until the condition holds; records an issue after half a minute.
func eventually(
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(30)
  while try await !condition() {
    guard ContinuousClock.now < deadline else {
      Issue.record("the condition did not come true", sourceLocation: sourceLocation)
      return
    }
    try await Task.sleep(for: .milliseconds(5))
  }
}

func removeDirectory(_ path: String) throws {
  try FileManager.default.removeItem(atPath: path)
}
