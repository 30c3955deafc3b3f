// A process of the built `writ`, with its output in lines and its end awaited.
//
// Each has a thread of its own that starts it and reaps it: Linux ties a parent-death signal to the thread that
// started the child (prctl(2), PR_SET_PDEATHSIG), and this thread lives as long as the child. So a test that
// fails, or a test process that is killed, leaves no child behind.

internal import Foundation
internal import Synchronization

/// A running program, usually `writ`.
public final class WritProcess: Sendable {
  /// How it ended.
  public enum End: Sendable, Hashable {
    /// By itself, with this code.
    case exited(Int32)
    /// By this signal.
    case signalled(Int32)
  }

  private struct State {
    var end: End?
    var output = LineBuffer()
    var errors = LineBuffer()
    var openStreams = 2
    var waiters: [CheckedContinuation<End, Never>] = []
  }

  /// The process id.
  public let identifier: Int32
  /// What was started, for messages.
  public let command: [String]
  private let state = Mutex(State())

  private init(_ identifier: Int32, _ command: [String]) {
    self.identifier = identifier
    self.command = command
  }

  // MARK: Starting

  /// The built `writ`, beside the test bundle.
  public static var executable: String {
    get throws {
      let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      let bundle = ProcessInfo.processInfo.arguments.first { $0.hasSuffix(".xctest") }
      let places = [bundle, own].compactMap { $0 }.map {
        URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("writ").path
      }
      let found = (ProcessInfo.processInfo.environment["WRIT_TEST_BINARY"].map { [$0] } ?? places)
        .first(where: FileManager.default.isExecutableFile(atPath:))
      guard let found else {
        throw ProcessError("the built writ is at none of \(places.joined(separator: ", "))")
      }
      return found
    }
  }

  /// Starts `writ`.
  ///
  /// - Parameters:
  ///   - environment: its variables; of ours it gets only PATH, HOME and those that select programs of PostgreSQL.
  ///   - directory: its working directory.
  public static func start(
    _ arguments: [String], environment: [String: String] = [:], directory: String = "/"
  ) async throws -> WritProcess {
    try await start(
      program: try executable, arguments, environment: environment, directory: directory)
  }

  /// Starts any program by its path.
  public static func start(
    program: String, _ arguments: [String], environment: [String: String] = [:],
    directory: String = "/"
  ) async throws -> WritProcess {
    let inherited = ProcessInfo.processInfo.environment.filter {
      ["PATH", "HOME", "PG_BINDIR", "TMPDIR"].contains($0.key)
    }
    let variables = inherited.merging(environment) { $1 }.map { "\($0.key)=\($0.value)" }
    let command = [program] + arguments
    let result: Result<WritProcess, ProcessError> = await withCheckedContinuation { continuation in
      let thread = Thread {
        do throws(ProcessError) {
          let child = try ChildSpawn.start(command, environment: variables, directory: directory)
          let process = WritProcess(child.identifier, command)
          process.read(child.output, \.output)
          process.read(child.errors, \.errors)
          continuation.resume(returning: .success(process))
          process.reap()
        } catch {
          continuation.resume(returning: .failure(error))
        }
      }
      thread.start()
    }
    return try result.get()
  }

  // MARK: Watching

  /// The lines of standard output so far.
  public var output: [String] { state.withLock { $0.output.lines } }
  /// The lines of standard error so far.
  public var errors: [String] { state.withLock { $0.errors.lines } }
  /// How it ended, if it has.
  public var ended: End? { state.withLock { $0.end } }
  /// Whether it has not ended.
  public var isRunning: Bool { ended == nil }

  /// Waits for a line of either stream, a past one included.
  ///
  /// - Throws: ``DeadlinePassed`` with the last lines, also when the process ends before it wrote such a line.
  @discardableResult
  public func awaitLine(
    _ what: String, within limit: Duration = .seconds(30),
    where isWanted: (String) -> Bool
  ) async throws -> String {
    let end = ContinuousClock.now + limit
    while true {
      let (lines, isOver) = state.withLock {
        ($0.output.lines + $0.errors.lines, $0.end != nil && $0.openStreams == 0)
      }
      if let line = lines.first(where: isWanted) { return line }
      guard !isOver, ContinuousClock.now < end else {
        throw DeadlinePassed(
          "a line of \(name): \(what)", within: limit,
          lastSeen: lines.suffix(12).joined(separator: "\n"))
      }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Waits for the end, and for everything that was written before it.
  ///
  /// - Throws: ``DeadlinePassed``; the process then goes on.
  @discardableResult
  public func awaitEnd(within limit: Duration = .seconds(30)) async throws -> End {
    do {
      return try await awaiting("the end of \(name)", within: limit, every: .milliseconds(10)) {
        state.withLock { $0.openStreams == 0 ? $0.end : nil }
      }
    } catch is DeadlinePassed {
      throw DeadlinePassed(
        "the end of \(name)", within: limit,
        lastSeen: (output + errors).suffix(12).joined(separator: "\n"))
    }
  }

  // MARK: Ending

  /// Sends a signal, unless it has ended.
  public func signal(_ number: Int32) {
    // Under the lock it cannot be reaped, so its number cannot have passed to another process.
    state.withLock { if $0.end == nil { _ = kill(identifier, number) } }
  }

  /// Kills it and waits until it is gone.
  public func destroy() async {
    signal(SIGKILL)
    _ = await withCheckedContinuation { (continuation: CheckedContinuation<End, Never>) in
      let end: End? = state.withLock { state in
        if state.end == nil { state.waiters.append(continuation) }
        return state.end
      }
      if let end { continuation.resume(returning: end) }
    }
  }

  private var name: String { command.prefix(3).joined(separator: " ") }

  private func reap() {
    var information = siginfo_t()
    // Learns of the end without reaping, so that `signal` never meets a number that was given away.
    while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    let (waiters, end) = state.withLock { state in
      var status: Int32 = 0
      while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
      let signal = status & 0x7F
      let end = signal == 0 ? End.exited(status >> 8 & 0xFF) : .signalled(signal)
      state.end = end
      defer { state.waiters = [] }
      return (state.waiters, end)
    }
    for waiter in waiters { waiter.resume(returning: end) }
  }

  private func read(
    _ descriptor: Int32, _ buffer: any WritableKeyPath<State, LineBuffer> & Sendable
  ) {
    let thread = Thread {
      var bytes = [UInt8](repeating: 0, count: 16_384)
      while true {
        let count = bytes.withUnsafeMutableBytes {
          Glibc.read(descriptor, $0.baseAddress, $0.count)
        }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        self.state.withLock { $0[keyPath: buffer].append(bytes[..<count]) }
      }
      close(descriptor)
      self.state.withLock {
        $0[keyPath: buffer].finish()
        $0.openStreams -= 1
      }
    }
    thread.stackSize = 256 << 10
    thread.start()
  }
}

/// Bytes that become lines.
struct LineBuffer: Sendable {
  private(set) var lines: [String] = []
  private var rest: [UInt8] = []

  mutating func append(_ bytes: ArraySlice<UInt8>) {
    rest += bytes
    guard rest.contains(0x0A) else { return }
    var parts = rest.split(separator: 0x0A, omittingEmptySubsequences: false)
    rest = Array(parts.removeLast())
    lines += parts.map { String(decoding: $0, as: UTF8.self) }
  }

  /// What came after the last end of a line is a line too.
  mutating func finish() {
    if !rest.isEmpty { lines.append(String(decoding: rest, as: UTF8.self)) }
    rest = []
  }
}
