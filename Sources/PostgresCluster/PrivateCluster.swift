// A PostgreSQL cluster of our own, for trying out, for the demo and for tests: a unix socket in a
// private directory, no port, trust authentication (the directory's mode is the lock), and gone
// when we are.

internal import Foundation
internal import Synchronization

/// A running PostgreSQL cluster that belongs to this process.
///
/// Reached through a unix socket only, by this account and root only. Its superuser is `postgres`.
/// Ended by ``stop()``, by ``terminate()``, and by the end of this process in any way, SIGKILL
/// included (`setpriv --pdeathsig`). Started by root, it runs as the user `postgres`, or `nobody`
/// if there is none.
public final class PrivateCluster: Sendable {
  /// The directory that holds everything; a throw-away one is removed in the end.
  public var directory: String { files.path }
  /// Where the socket is: the `host` of a connection string.
  public var socketDirectory: String { files.socket }
  /// The file that the server's messages are appended to.
  public var logPath: String { files.log }
  /// The program psql; nil if it is not installed.
  public let psqlPath: String?

  private let files: ClusterDirectory
  private let server: ServerProcess
  private let isReleased = Mutex(false)

  private init(_ files: ClusterDirectory, _ server: ServerProcess, psql: String?) {
    self.files = files
    self.server = server
    psqlPath = psql
  }

  /// Starts the cluster of a directory, which is made if there is none.
  ///
  /// - Parameters:
  ///   - directory: where its files are kept; nil makes a throw-away cluster, in memory where that is possible.
  ///   - settings: parameters of the server, as in `postgresql.conf`; they win over ours.
  ///   - durable: whether commits survive a crash of the machine; by default unless it is a throw-away cluster.
  ///   - startTimeout: how long the server may take to accept connections, recovery after a crash included.
  public static func start(
    directory: String? = nil, settings: [String: String] = [:], durable: Bool? = nil,
    startTimeout: Duration = .seconds(60)
  ) async throws(PostgresClusterError) -> PrivateCluster {
    let programs = try PostgresPrograms.find()
    let account = try ServerAccount.choose()
    let files = try ClusterDirectory(at: directory, for: account)
    do throws(PostgresClusterError) {
      let isDurable = durable ?? (directory != nil)
      try await checkAccess(files, account)
      try await initialize(files, programs, account, isDurable: isDurable)
      try await awaitPredecessor(files)
      let command = command(files, programs, settings, isDurable: isDurable)
      let server = try await ServerProcess.start(account.command(command), log: files.log)
      try await awaitReady(files, server, startTimeout)
      return PrivateCluster(files, server, psql: programs.psql)
    } catch {
      files.release()
      throw error
    }
  }

  /// Whether the server's process exists.
  public var isRunning: Bool { server.isRunning }

  /// The connection string (`key=value` pairs) of a database; there is no password.
  public func connectionString(user: String = "postgres", database: String = "postgres") -> String {
    func quoted(_ value: String) -> String {
      "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
    return "host=\(quoted(files.socket)) port=5432 user=\(quoted(user)) dbname=\(quoted(database))"
  }

  /// Ends all sessions, stops the server, and removes a throw-away directory.
  ///
  /// A server that does not stop within half a minute is stopped without its checkpoint. May be
  /// called again.
  public func stop() async {
    server.signal(SIGINT)  // fast shutdown (manual, section 19.5)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [server] in _ = await server.end() }
      group.addTask { [server] in
        // A cancelled caller does not wait for the checkpoint either.
        try? await Task.sleep(for: .seconds(30))
        if server.isRunning { server.signal(SIGQUIT) }
      }
      await group.next()
      if !server.isRunning { group.cancelAll() }
    }
    release()
  }

  /// The same as ``stop()`` for places that cannot wait for a task, such as `atexit`; takes at most
  /// some seconds.
  ///
  /// Not for a signal handler: it allocates.
  public func terminate() {
    server.signal(SIGINT)
    for _ in 0..<300 where server.isRunning { usleep(10_000) }
    server.signal(SIGQUIT)
    for _ in 0..<100 where server.isRunning { usleep(10_000) }
    release()
  }

  private func release() {
    let isFirst = isReleased.withLock { released in
      defer { released = true }
      return !released
    }
    if isFirst { files.release() }
  }
}

// MARK: Starting

extension PrivateCluster {
  /// The account must be able to get to the directory; that of root often cannot, since /root is
  /// closed to others.
  private static func checkAccess(
    _ files: ClusterDirectory, _ account: ServerAccount
  ) async throws(PostgresClusterError) {
    guard account.isOther else { return }
    let check = try await ServerProcess.start(
      account.command(["/bin/sh", "-c", "cd \"$0\" && test -w .", files.path]), log: "/dev/null")
    guard await check.end() == 0 else {
      throw PostgresClusterError(
        .directory,
        "the server runs as the user \(account.name), who cannot write to \(files.path): choose a directory under /var/lib, or open the directories above it"
      )
    }
  }

  /// Under another name first, so that an initdb that was killed is not taken for a cluster.
  private static func initialize(
    _ files: ClusterDirectory, _ programs: PostgresPrograms, _ account: ServerAccount,
    isDurable: Bool
  ) async throws(PostgresClusterError) {
    if files.version != nil { return }
    let unfinished = "\(files.path)/data.new"
    try? FileManager.default.removeItem(atPath: unfinished)
    var command = [
      programs.path("initdb"), "-D", unfinished, "-U", "postgres", "--auth=trust",
      "--encoding=UTF8", "--no-locale", "--no-instructions",
    ]
    if !isDurable { command += ["--no-sync", "--wal-segsize=1"] }
    let initdb = try await ServerProcess.start(account.command(command), log: files.log)
    guard await initdb.end() == 0, rename(unfinished, files.data) == 0 else {
      throw failure("initdb could not make a cluster", files)
    }
  }

  /// A server whose owner was killed is shutting down; one that goes on belongs to somebody.
  private static func awaitPredecessor(
    _ files: ClusterDirectory
  ) async throws(PostgresClusterError) {
    let deadline = ContinuousClock.now + .seconds(10)
    while let postmaster = files.postmaster, kill(postmaster.identifier, 0) == 0 || errno == EPERM {
      guard isPostgres(postmaster.identifier) else { return }
      guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(50))) != nil
      else {
        throw PostgresClusterError(
          .inUse,
          "the cluster in \(files.path) is already run by process \(postmaster.identifier): stop it, or choose another directory"
        )
      }
    }
  }

  /// A stale file may name a process that is something else by now.
  private static func isPostgres(_ identifier: pid_t) -> Bool {
    let name = try? String(contentsOfFile: "/proc/\(identifier)/comm", encoding: .utf8)
    return name.map { $0.hasPrefix("postgres") } ?? false
  }

  private static func command(
    _ files: ClusterDirectory, _ programs: PostgresPrograms, _ settings: [String: String],
    isDurable: Bool
  ) -> [String] {
    var all = [
      "listen_addresses": "", "unix_socket_directories": files.socket,
      "unix_socket_permissions": "0700", "port": "5432",
    ]
    if !isDurable {
      all.merge([
        "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off",
        "max_connections": "200",
      ]) { _, new in new }
    }
    all.merge(settings) { _, given in given }
    return [programs.path("postgres"), "-D", files.data]
      + all.sorted { $0.key < $1.key }.flatMap { ["-c", "\($0.key)=\($0.value)"] }
  }

  private static func awaitReady(
    _ files: ClusterDirectory, _ server: ServerProcess, _ timeout: Duration
  ) async throws(PostgresClusterError) {
    let deadline = ContinuousClock.now + timeout
    while true {
      if let postmaster = files.postmaster, postmaster.identifier == server.identifier,
        postmaster.isReady
      {
        return
      }
      guard server.isRunning else { throw failure("the server did not start", files) }
      guard ContinuousClock.now < deadline, (try? await Task.sleep(for: .milliseconds(5))) != nil
      else {
        server.signal(SIGQUIT)
        _ = await server.end()
        throw failure("the server did not accept connections in time", files)
      }
    }
  }

  /// A throw-away log goes with its directory, so its last complaint is repeated here.
  private static func failure(_ what: String, _ files: ClusterDirectory) -> PostgresClusterError {
    if let version = files.version, let complaint = files.lastComplaint,
      complaint.contains("incompatible")
    {
      return PostgresClusterError(
        .directory,
        "the data in \(files.path) was made by PostgreSQL \(version), which is not the version installed: install that one or choose another directory"
      )
    }
    let place = files.isThrowaway ? "" : "; see \(files.log)"
    return PostgresClusterError(
      .failed, "\(what): \(files.lastComplaint ?? "it gave no reason")\(place)")
  }
}
