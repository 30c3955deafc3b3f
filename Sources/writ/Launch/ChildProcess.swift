// A process of this same binary, started, watched and stopped by `up` and `demo`.

import Foundation
import Synchronization

/// A running child.
///
/// Its standard input is a pipe that nobody writes to: when this process ends, however that happens,
/// the child reads the end of it and stops by itself (``ParentWatch``).
final class ChildProcess: Sendable {
  /// How it ended.
  struct End: Sendable, Hashable {
    var status: Int32
    var wasSignalled: Bool
  }

  let identifier: pid_t
  /// Kept open for as long as the child may live.
  private let leash: Pipe
  private let state: Mutex<State>

  private enum State {
    case running([CheckedContinuation<End, Never>])
    case ended(End)
  }

  /// Starts `writ` with arguments; secrets have no place in them.
  ///
  /// The child gets this process's environment without the `WRIT_…` variables, so that nothing but its
  /// arguments decides what it does. Its messages are appended to a file.
  static func start(_ arguments: [String], log: String) throws -> ChildProcess {
    let process = Process()
    process.executableURL = try executable()
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("WRIT_") }
    let leash = Pipe()
    process.standardInput = leash
    let file = try Self.append(to: log)
    process.standardOutput = file
    process.standardError = file
    let (ends, continuation) = AsyncStream.makeStream(of: End.self)
    process.terminationHandler = { process in
      continuation.yield(
        End(
          status: process.terminationStatus,
          wasSignalled: process.terminationReason == .uncaughtSignal))
      continuation.finish()
    }
    try process.run()
    // Ours is the writing end alone.
    try? leash.fileHandleForReading.close()
    try? file.close()
    let child = ChildProcess(identifier: process.processIdentifier, leash: leash)
    // Unstructured: it lives exactly as long as the child, which nobody may be waiting for.
    Task {
      for await end in ends { child.finish(end) }
    }
    return child
  }

  private init(identifier: pid_t, leash: Pipe) {
    self.identifier = identifier
    self.leash = leash
    state = Mutex(.running([]))
  }

  /// Whether it has not ended.
  var isRunning: Bool {
    state.withLock { if case .running = $0 { true } else { false } }
  }

  /// Sends a signal, unless it has ended.
  func signal(_ number: Int32) {
    state.withLock { if case .running = $0 { _ = kill(identifier, number) } }
  }

  /// Waits for the end.
  func end() async -> End {
    await withCheckedContinuation { continuation in
      let end: End? = state.withLock { state in
        switch state {
        case .running(let waiting):
          state = .running(waiting + [continuation])
          return nil
        case .ended(let end): return end
        }
      }
      if let end { continuation.resume(returning: end) }
    }
  }

  /// Asks it to stop, and kills it when it takes too long.
  func stop(within limit: Duration) async {
    signal(SIGTERM)
    let killer = Task {
      try await Task.sleep(for: limit)
      signal(SIGKILL)
    }
    _ = await end()
    killer.cancel()
    try? leash.fileHandleForWriting.close()
  }

  private func finish(_ end: End) {
    let waiting: [CheckedContinuation<End, Never>] = state.withLock { state in
      guard case .running(let waiting) = state else { return [] }
      state = .ended(end)
      return waiting
    }
    for continuation in waiting { continuation.resume(returning: end) }
  }

  /// The file of this process: /proc/self/exe knows it even when it was found on the PATH.
  private static func executable() throws -> URL {
    let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw CommandError(
        .unavailable, "the file of this program is gone, so no worker can be started from it")
    }
    return URL(fileURLWithPath: path)
  }

  private static func append(to path: String) throws -> FileHandle {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw CommandError(
        .failure, "\(path) cannot be written to: \(String(cString: strerror(errno)))")
    }
    return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }
}
