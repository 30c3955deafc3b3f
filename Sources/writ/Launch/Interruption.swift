// Running a piece of work until it is done or somebody stops it.

import Foundation
import UnixSignals

enum Interruption {
  /// How a piece of work came to its end.
  enum Outcome<Value: Sendable>: Sendable {
    case finished(Value)
    case interrupted(ExitStatus)
  }

  /// Runs work; on ctrl-C or SIGTERM its task is cancelled, and it is waited for.
  ///
  /// - Throws: What the work threw, unless it was interrupted.
  static func run<Value: Sendable>(
    _ work: @escaping @Sendable () async throws -> Value
  ) async throws -> Outcome<Value> {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
    return try await withThrowingTaskGroup(of: Outcome<Value>?.self) { group in
      group.addTask { .finished(try await work()) }
      group.addTask {
        for await signal in signals {
          return .interrupted(signal == .sigint ? .interrupted : .terminated)
        }
        return nil
      }
      var stop: ExitStatus?
      while true {
        do {
          guard let next = try await group.next() else { break }
          switch next {
          case .finished(let value)?:
            group.cancelAll()
            return stop.map { .interrupted($0) } ?? .finished(value)
          case .interrupted(let status)?:
            stop = status
            group.cancelAll()
          case nil: continue
          }
        } catch {
          group.cancelAll()
          if let stop { return .interrupted(stop) }
          throw error
        }
      }
      return .interrupted(stop ?? .terminated)
    }
  }
}
