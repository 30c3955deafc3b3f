// A child process with a thread of its own, which starts it and waits for it.
//
// The thread is the point: Linux ties a parent-death signal to the thread that started the child
// (prctl(2), PR_SET_PDEATHSIG), so a child started from a pool's thread would be interrupted when
// that thread happens to end. This thread ends with the child, or with our process, however that
// ends.

internal import Foundation
internal import Synchronization

/// A program that was started, its process, and how it ended.
final class ServerProcess: Sendable {
  private enum State {
    case running(pid_t, waiters: [CheckedContinuation<Int32, Never>])
    /// With the status that `waitpid` gives.
    case ended(Int32)
  }

  private let state: Mutex<State>
  let identifier: pid_t

  private init(_ identifier: pid_t) {
    self.identifier = identifier
    state = Mutex(.running(identifier, waiters: []))
  }

  /// Starts a program: in a process group of its own, so that ctrl-C at a terminal reaches us
  /// alone; with a small environment, so that it learns nothing from ours; and with its output
  /// appended to a file.
  static func start(
    _ command: [String], log: String
  ) async throws(PostgresClusterError) -> ServerProcess {
    let result: Result<ServerProcess, PostgresClusterError> =
      await withCheckedContinuation { continuation in
        let thread = Thread {
          switch spawn(command, log: log) {
          case .success(let identifier):
            let process = ServerProcess(identifier)
            continuation.resume(returning: .success(process))
            process.waitForEnd()
          case .failure(let error): continuation.resume(returning: .failure(error))
          }
        }
        thread.stackSize = 1 << 20
        thread.start()
      }
    return try result.get()
  }

  var isRunning: Bool {
    state.withLock { if case .running = $0 { true } else { false } }
  }

  /// Sends a signal, unless the process has ended.
  func signal(_ number: Int32) {
    // Under the lock the process cannot be reaped, so its number cannot have passed to another.
    state.withLock { if case .running(let identifier, _) = $0 { _ = kill(identifier, number) } }
  }

  /// Waits for the end; the status is that of `waitpid`.
  func end() async -> Int32 {
    await withCheckedContinuation { continuation in
      state.withLock { state in
        switch state {
        case .running(let identifier, let waiters):
          state = .running(identifier, waiters: waiters + [continuation])
        case .ended(let status): continuation.resume(returning: status)
        }
      }
    }
  }

  private func waitForEnd() {
    var information = siginfo_t()
    // Learns of the end without reaping, see `signal`.
    while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    let (waiters, status) = state.withLock { state in
      var status: Int32 = 0
      while waitpid(identifier, &status, 0) < 0, errno == EINTR {}
      defer { state = .ended(status) }
      if case .running(_, let waiters) = state { return (waiters, status) }
      return ([], status)
    }
    for waiter in waiters { waiter.resume(returning: status) }
  }

  private static func spawn(_ command: [String], log: String) -> Result<pid_t, PostgresClusterError>
  {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // Our other descriptors are none of its business, and it may not be able to enter our
    // directory.
    if let closeFrom: CloseFrom = function("posix_spawn_file_actions_addclosefrom_np") {
      _ = closeFrom(&actions, 3)
    }
    if let changeDirectory: ChangeDirectory = function("posix_spawn_file_actions_addchdir_np") {
      _ = changeDirectory(&actions, "/")
    }

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    posix_spawnattr_setflags(
      &attributes,
      Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=/"]
    var identifier: pid_t = 0
    let status = withCStrings(command) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&identifier, command[0], &actions, &attributes, arguments, environment)
      }
    }
    guard status == 0 else {
      return .failure(
        PostgresClusterError(
          .failed, "\(command[0]) cannot be started: \(String(cString: strerror(status)))"))
    }
    return .success(identifier)
  }

  private typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>
  private typealias CloseFrom = @convention(c) (Actions, Int32) -> Int32
  private typealias ChangeDirectory = @convention(c) (Actions, UnsafePointer<CChar>) -> Int32

  /// A function of glibc (2.34 has both) that Swift's Glibc module leaves out; `Function` is its C
  /// type.
  private static func function<Function>(_ name: String) -> Function? {
    dlsym(nil, name).map { unsafeBitCast($0, to: Function.self) }
  }

  private static func withCStrings(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
  ) -> Int32 {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}
