// Who runs the server. PostgreSQL refuses root, so root hands the cluster to an unprivileged
// account.

internal import Foundation

/// The account that the cluster's files and processes belong to.
struct ServerAccount: Sendable {
  let name: String
  let user: uid_t
  let group: gid_t
  /// Whether it is not our own, so that files must be given to it and programs started as it.
  let isOther: Bool
  private let setpriv: String?

  /// Our own account; for root `postgres`, or `nobody` if there is none.
  static func choose() throws(PostgresClusterError) -> ServerAccount {
    let places: [String] = ["/usr/bin/setpriv", "/bin/setpriv"]
    let setpriv = places.first { access($0, X_OK) == 0 }
    guard geteuid() == 0 else {
      return ServerAccount(
        name: NSUserName(), user: geteuid(), group: getegid(), isOther: false, setpriv: setpriv)
    }
    guard setpriv != nil else {
      throw PostgresClusterError(
        .programsMissing,
        "root cannot run PostgreSQL itself and setpriv, which changes the account, is missing: install util-linux"
      )
    }
    for name in ["postgres", "nobody"] {
      if let (user, group) = lookUp(name) {
        return ServerAccount(name: name, user: user, group: group, isOther: true, setpriv: setpriv)
      }
    }
    throw PostgresClusterError(
      .programsMissing,
      "root cannot run PostgreSQL itself and there is neither a user postgres nor nobody: create the user postgres"
    )
  }

  /// The command line that runs a program as this account, and interrupts it when the thread that
  /// started it ends.
  ///
  /// SIGINT is PostgreSQL's fast shutdown. Without setpriv (only if the account is our own) nothing
  /// interrupts it.
  func command(_ arguments: [String]) -> [String] {
    guard let setpriv else { return arguments }
    let identity =
      isOther ? ["--reuid=\(user)", "--regid=\(group)", "--init-groups", "--reset-env"] : []
    return [setpriv] + identity + ["--pdeathsig", "INT", "--"] + arguments
  }

  /// Makes a directory that only this account (and root) can enter.
  func makeDirectory(_ path: String) throws(PostgresClusterError) {
    let isNew = mkdir(path, 0o700) == 0
    guard isNew || errno == EEXIST else {
      throw PostgresClusterError(
        .directory, "\(path) cannot be created: \(String(cString: strerror(errno)))")
    }
    if isNew { try own(path) }
  }

  /// Gives a file or directory to this account.
  func own(_ path: String) throws(PostgresClusterError) {
    guard !isOther || chown(path, user, group) == 0 else {
      throw PostgresClusterError(
        .directory,
        "\(path) cannot be given to the user \(name): \(String(cString: strerror(errno)))")
    }
  }

  private static func lookUp(_ name: String) -> (uid_t, gid_t)? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var buffer = [CChar](repeating: 0, count: 16_384)
    guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else {
      return nil
    }
    return (entry.pw_uid, entry.pw_gid)
  }
}
