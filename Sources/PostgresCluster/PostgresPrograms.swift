// Where PostgreSQL's programs are. Debian keeps the server's off the PATH.

internal import Foundation

/// The directory of the server's programs, and psql.
struct PostgresPrograms: Sendable {
  let directory: String
  /// Nil if it is not installed.
  let psql: String?

  func path(_ program: String) -> String { "\(directory)/\(program)" }

  /// Looks in `PG_BINDIR`, where `pg_config` points, on the PATH, and in the usual places; the
  /// highest version first.
  static func find(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(PostgresClusterError) -> PostgresPrograms {
    let search = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
      .map(String.init)
    let directory: String
    if let given = environment["PG_BINDIR"], !given.isEmpty {
      guard holdsServer(given) else {
        throw PostgresClusterError(
          .programsMissing,
          "PG_BINDIR is \(given), but initdb and postgres are not there: set it to the directory that holds them"
        )
      }
      directory = given
    } else {
      let places = [configuredDirectory()].compactMap(\.self) + search + usualDirectories()
      guard let found = places.first(where: holdsServer) else {
        throw PostgresClusterError(
          .programsMissing,
          "PostgreSQL's initdb and postgres were not found: install postgresql or set PG_BINDIR to their directory"
        )
      }
      directory = found
    }
    let candidates: [String] = ([directory] + search).map { "\($0)/psql" }
    let psql = candidates.first { access($0, X_OK) == 0 }
    return PostgresPrograms(directory: directory, psql: psql)
  }

  private static func holdsServer(_ directory: String) -> Bool {
    ["initdb", "postgres"].allSatisfy { access("\(directory)/\($0)", X_OK) == 0 }
  }

  /// What `pg_config --bindir` prints; it comes with libpq's headers.
  private static func configuredDirectory() -> String? {
    guard let output = popen("pg_config --bindir 2>/dev/null", "r") else { return nil }
    defer { pclose(output) }
    var line = [CChar](repeating: 0, count: 4096)
    guard fgets(&line, Int32(line.count), output) != nil else { return nil }
    return String(
      decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func usualDirectories() -> [String] {
    let debian = "/usr/lib/postgresql"
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: debian)) ?? []
    let redHat = ((try? FileManager.default.contentsOfDirectory(atPath: "/usr")) ?? [])
      .filter { $0.hasPrefix("pgsql-") }
    func highestFirst(_ names: [String]) -> [String] {
      names.sorted { $0.compare($1, options: .numeric) == .orderedDescending }
    }
    return highestFirst(versions).map { "\(debian)/\($0)/bin" }
      + highestFirst(redHat).map { "/usr/\($0)/bin" } + ["/usr/local/pgsql/bin"]
  }
}
