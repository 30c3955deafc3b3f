// A bell for one listener: rung any number of times, heard once.

import Synchronization

/// Lets one task wait until something happened; rings before the wait are not lost, several rings
/// are one.
final class Signal: Sendable {
  private enum State {
    case quiet
    case rung
    case awaited(CheckedContinuation<Void, Never>)
  }

  private let state = Mutex(State.quiet)

  /// Wakes the listener, or lets its next wait return at once.
  func ring() {
    let listener: CheckedContinuation<Void, Never>? = state.withLock { state in
      if case .awaited(let continuation) = state {
        state = .quiet
        return continuation
      }
      state = .rung
      return nil
    }
    listener?.resume()
  }

  /// Waits for a ring or for the cancellation of the task.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isRung = state.withLock { state in
          if case .quiet = state, !Task.isCancelled {
            state = .awaited(continuation)
            return false
          }
          state = .quiet
          return true
        }
        if isRung { continuation.resume() }
      }
    } onCancel: {
      ring()
    }
  }
}
