// Starting a child with pipes for its two outputs: posix_spawn(3), because Foundation's Process cannot be tied to
// a thread of ours.

internal import Foundation

/// A process could not be started.
public struct ProcessError: Error, Sendable, CustomStringConvertible {
  /// What could not be started, and why.
  public let description: String

  init(_ description: String) { self.description = description }
}

/// A child that has just been started.
struct ChildSpawn {
  var identifier: Int32
  /// The reading ends of its standard output and standard error.
  var output: Int32
  var errors: Int32

  /// Starts a program in a process group of its own, with nothing on standard input, killed when this thread ends.
  static func start(
    _ command: [String], environment: [String], directory: String
  ) throws(ProcessError) -> ChildSpawn {
    let (output, errors) = (try pipe(), try pipe())
    defer { for end in [output.writing, errors.writing] { close(end) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writing, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.writing, 2)
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
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))

    // setpriv(1) asks for the parent-death signal, env(1) changes the directory; both then become the program.
    let whole =
      ["/usr/bin/setpriv", "--pdeathsig", "KILL", "/usr/bin/env", "--chdir=\(directory)"] + command
    var identifier: pid_t = 0
    let status = withCStrings(whole) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&identifier, whole[0], &actions, &attributes, arguments, environment)
      }
    }
    guard status == 0 else {
      for end in [output.reading, errors.reading] { close(end) }
      throw ProcessError("\(command[0]) cannot be started: \(String(cString: strerror(status)))")
    }
    return ChildSpawn(identifier: identifier, output: output.reading, errors: errors.reading)
  }

  /// Two connected ends that no child inherits unless told to: sockets, since Glibc's module leaves `pipe2` out and
  /// `pipe` with a later `fcntl` would leave a moment in which another thread's child inherits them.
  private static func pipe() throws(ProcessError) -> (reading: Int32, writing: Int32) {
    var ends: [Int32] = [0, 0]
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw ProcessError("no pipe: \(String(cString: strerror(errno)))")
    }
    return (ends[0], ends[1])
  }

  private static func withCStrings(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Int32
  ) -> Int32 {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }
}
