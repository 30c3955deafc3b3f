// The files of one cluster, and the lock that says whose they are.

internal import Foundation

/// A directory with `data` (PostgreSQL's own), `socket`, `server.log` and `lock`.
struct ClusterDirectory: Sendable {
  let path: String
  let isThrowaway: Bool
  /// Where the server's socket is: in the directory, or in a short one of its own.
  let socket: String
  /// Holds the lock; it ends with our process, however that ends.
  private let lock: Int32

  var data: String { "\(path)/data" }
  var log: String { "\(path)/server.log" }

  private static let throwawayPrefix = "writ-throwaway-"

  /// Makes or opens the directory and locks it; nil makes a new one that goes with the cluster.
  init(at given: String?, for account: ServerAccount) throws(PostgresClusterError) {
    isThrowaway = given == nil
    if let given {
      path = URL(fileURLWithPath: given).standardizedFileURL.path
      try Self.makeParents(of: path)
    } else {
      let parent = Self.throwawayParent()
      Self.removeAbandoned(in: parent)
      let name = "\(Self.throwawayPrefix)\(getpid())-\(UInt32.random(in: 0 ... .max))"
      path = "\(parent)/\(name)"
    }
    try account.makeDirectory(path)
    lock = try Self.lock(path)
    do throws(PostgresClusterError) {
      socket = try Self.makeSocketDirectory(in: path, account)
    } catch {
      close(lock)
      throw error
    }
  }

  /// Lets others have the directory; removes it if it is a throw-away one.
  func release() {
    if !socket.hasPrefix(path) { remove(socket) }
    if isThrowaway { remove(path) }
    close(lock)
  }

  /// The process that `data/postmaster.pid` names, and whether it says that it accepts connections.
  ///
  /// The format is that of `miscadmin.h`: line 1 is the process, line 8 its state.
  var postmaster: (identifier: pid_t, isReady: Bool)? {
    guard let text = try? String(contentsOfFile: "\(data)/postmaster.pid", encoding: .utf8) else {
      return nil
    }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard let identifier = lines.first.flatMap({ pid_t($0) }) else { return nil }
    return (identifier, lines.count > 7 && lines[7].hasPrefix("ready"))
  }

  /// The major version that made `data`; nil if nothing has.
  var version: String? {
    (try? String(contentsOfFile: "\(data)/PG_VERSION", encoding: .utf8))?
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// The last complaint in the log, for an error message.
  var lastComplaint: String? {
    guard let text = try? String(contentsOfFile: log, encoding: .utf8) else { return nil }
    return text.split(separator: "\n").last { $0.contains("FATAL:") || $0.contains("rror:") }
      .map(String.init)
  }

  private static func makeParents(of path: String) throws(PostgresClusterError) {
    let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
    do {
      try FileManager.default.createDirectory(
        atPath: parent, withIntermediateDirectories: true)
    } catch {
      throw PostgresClusterError(
        .directory, "\(parent) cannot be created: choose another directory")
    }
  }

  private static func lock(_ path: String) throws(PostgresClusterError) -> Int32 {
    let lock = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else {
      throw PostgresClusterError(
        .directory, "\(path) cannot be written to: choose a directory of your own")
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw PostgresClusterError(
        .inUse,
        "the cluster in \(path) is in use by another process: stop that one, or choose another directory"
      )
    }
    return lock
  }

  /// A socket's path may have 107 bytes (`sun_path`, unix(7)), of which the server's file name
  /// takes 14.
  private static func makeSocketDirectory(
    in path: String, _ account: ServerAccount
  ) throws(PostgresClusterError) -> String {
    let inside = "\(path)/socket"
    if inside.utf8.count + "/.s.PGSQL.5432.lock".utf8.count <= 107 {
      try account.makeDirectory(inside)
      return inside
    }
    var template = Array("/tmp/writ-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw PostgresClusterError(
        .directory, "/tmp cannot be written to, and \(path) is too long for a socket")
    }
    let short = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    try account.own(short)
    return short
  }

  /// Memory if there is enough of it, else the temporary directory.
  private static func throwawayParent() -> String {
    var space = statvfs()
    let memory = "/dev/shm"
    let isRoomy =
      statvfs(memory, &space) == 0 && UInt64(space.f_bavail) * UInt64(space.f_frsize) > 512 << 20
    return isRoomy && access(memory, W_OK | X_OK) == 0 ? memory : "/tmp"
  }

  /// Removes what processes left that were killed: their lock is free.
  private static func removeAbandoned(in parent: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    for name in names where name.hasPrefix(throwawayPrefix) {
      let path = "\(parent)/\(name)"
      let parts = name.dropFirst(throwawayPrefix.count).split(separator: "-")
      guard let owner = parts.first.flatMap({ pid_t($0) }), kill(owner, 0) != 0, errno == ESRCH
      else {
        continue
      }
      // Its server is shutting down perhaps; it goes by itself, and the next start finds it gone.
      if let text = try? String(contentsOfFile: "\(path)/data/postmaster.pid", encoding: .utf8),
        let server = text.split(separator: "\n").first.flatMap({ pid_t($0) }),
        kill(server, 0) == 0 || errno == EPERM
      {
        continue
      }
      guard let lock = try? lock(path) else { continue }
      remove(path)
      close(lock)
    }
  }
}

/// Removes a directory with all that is in it; what cannot be removed stays.
private func remove(_ path: String) {
  try? FileManager.default.removeItem(atPath: path)
}
