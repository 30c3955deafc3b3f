// Where a sandbox keeps its files.

import Foundation

/// How this program was called, for commands that people may copy.
enum Program {
  /// The path as it was typed, or `writ` where it was found on the PATH.
  static var name: String {
    guard let first = CommandLine.arguments.first, first.contains("/") else { return "writ" }
    return first
  }
}

enum DataDirectory {
  /// The directory of `writ up` where nobody names one.
  ///
  /// Root's home is closed to the account that PostgreSQL runs as, so root gets a place below /var/lib.
  static func standard(
    variables: [String: String] = ProcessInfo.processInfo.environment, isRoot: Bool = geteuid() == 0
  ) -> String {
    if isRoot { return "/var/lib/writ" }
    if let data = variables["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/writ" }
    return "\(variables["HOME"] ?? NSHomeDirectory())/.local/share/writ"
  }

  /// Makes a directory and its parents.
  static func make(_ path: String) throws -> String {
    let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
    do {
      try FileManager.default.createDirectory(
        atPath: absolute, withIntermediateDirectories: true,
        attributes: [.posixPermissions: geteuid() == 0 ? 0o755 : 0o700])
    } catch {
      throw CommandError(
        .failure, "\(absolute) cannot be created; name another directory with --data-dir")
    }
    return absolute
  }

  private static let prefix = "writ-demo-"

  /// Makes a directory of our own for a demo, and removes those of demos that were killed.
  static func makeThrowaway() throws -> String {
    let parent = NSTemporaryDirectory()
    for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    where name.hasPrefix(prefix) {
      let owner = name.dropFirst(prefix.count).split(separator: "-").first.flatMap { pid_t($0) }
      if let owner, kill(owner, 0) != 0, errno == ESRCH { remove("\(parent)/\(name)") }
    }
    var template = Array("\(parent)/\(prefix)\(getpid())-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw CommandError(
        .failure, "\(parent) cannot be written to; set TMPDIR to a directory that can")
    }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Removes a directory with all that is in it; what cannot be removed stays.
  static func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
}
