// A database with the schema and the catalogue in it, made with the commands that an operator would use.

import Arazzo
import Foundation
import JobStore
import Postgres
import PostgresCluster
import WritTesting

/// Where a fixture's database is.
struct FixtureDatabase: Sendable {
  private let cluster: PrivateCluster
  private let name: String

  /// A migrated database with published types, that nobody else uses.
  static func make(_ options: FixtureOptions) async throws -> FixtureDatabase {
    if let script = options.startsFrom {
      let database = try await makeEmpty()
      try await database.restore(script)
      try await database.succeed(["migrate"], as: .superuser)
      return database
    }
    if let cluster = options.cluster {
      let database = FixtureDatabase(cluster: cluster, name: "writ")
      try await FixtureDatabase(cluster: cluster, name: "postgres").withPool(.superuser) {
        _ = try await $0.execute("create database writ")
      }
      try await database.prepare(retry: options.retry)
      return database
    }
    let shared = try await ThrowawayCluster.shared
    let retry = options.retry
    let template = try await shared.template(named: "promise \(retry ?? "as published")") {
      connection in
      try await FixtureDatabase(cluster: shared.cluster, connection).prepare(retry: retry)
    }
    return FixtureDatabase(
      cluster: shared.cluster, try await shared.makeDatabase(template: template))
  }

  /// A database with nothing in it.
  static func makeEmpty() async throws -> FixtureDatabase {
    let shared = try await ThrowawayCluster.shared
    return FixtureDatabase(cluster: shared.cluster, try await shared.makeDatabase())
  }

  private init(cluster: PrivateCluster, name: String) {
    self.cluster = cluster
    self.name = name
  }

  private init(cluster: PrivateCluster, _ connectionString: String) {
    // ThrowawayCluster gives connection strings; the name is their last word.
    let word = connectionString.components(separatedBy: "dbname='").last ?? ""
    self.init(cluster: cluster, name: String(word.dropLast()))
  }

  /// The connection string of a role.
  func connectionString(_ role: FixtureRole) -> String {
    cluster.connectionString(user: role.rawValue, database: name)
  }

  /// Runs work with a pool of connections as a role.
  func withPool<Value: Sendable>(
    _ role: FixtureRole, _ body: (PostgresPool) async throws -> Value
  ) async throws -> Value {
    let pool = PostgresPool(
      configuration: try PostgresConfiguration(
        connectionString: connectionString(role), statementTimeout: .seconds(60),
        applicationName: "promise tests"), maximumConnections: 4, waitTimeout: .seconds(60))
    do {
      let value = try await body(pool)
      await pool.close()
      return value
    } catch {
      await pool.close()
      throw error
    }
  }

  // MARK: Preparing

  /// Runs a dump, which grants rights to the roles of fixtures, and makes those members afterwards.
  private func restore(_ script: String) async throws {
    let text = try String(contentsOfFile: script, encoding: .utf8)
    try await withPool(.superuser) { pool in
      for role in FixtureRole.allCases where role != .superuser {
        try await pool.execute(Statement(sql: Self.creation(of: role, isMember: false)))
      }
      try await pool.withConnection { connection in
        try connection.executeScript(text, deadline: .seconds(60))
        // The script empties the path of its session.
        try connection.executeScript("reset all")
      }
    }
    try await makeRoles()
  }

  private func makeRoles() async throws {
    try await withPool(.superuser) { pool in
      for role in FixtureRole.allCases where role != .superuser {
        try await pool.execute(Statement(sql: Self.creation(of: role)))
      }
    }
  }

  private func prepare(retry: String?) async throws {
    try await succeed(["migrate"], as: .superuser)
    try await makeRoles()
    if let retry {
      try await TemporaryDirectory.with { directory in
        try Self.writeCatalogue(to: directory, retry: retry)
        try await succeed(["types", "publish", directory], as: .admin)
      }
    } else {
      try await succeed(["types", "publish"], as: .admin)
    }
    try await withPool(.admin) { pool in
      for type in [
        "create_user", "change_plan", "revoke_access", "rotate_api_key", "request_provider_token",
        "notify_webhook",
      ] {
        _ = try await pool.query(
          "select writ.grant_job_type($1, $2)", [.text(type), .text(FixtureRole.enqueuer.rawValue)])
      }
    }
  }

  /// Roles belong to the cluster, so another database may have made them; two may do so at once.
  private static func creation(of role: FixtureRole, isMember: Bool = true) -> String {
    """
    do $$ begin
      begin
        create role \(role.rawValue) login;
      exception when duplicate_object or unique_violation then null;
      end;
      \(role.group.flatMap { isMember ? $0 : nil }.map { "grant \($0) to \(role.rawValue);" } ?? "")
    end $$
    """
  }

  /// The built-in catalogue with another retry policy, which has to stand once in each job type.
  private static func writeCatalogue(to directory: String, retry: String) throws {
    for (path, text) in EmbeddedCatalogue.files {
      var text = text
      if path.contains(".arazzo.") {
        let policy = /retry: \{[^}]*\}/
        guard text.matches(of: policy).count == 1 else {
          throw ProcessFailure("\(path) has not exactly one retry policy on one line")
        }
        text.replace(policy, with: "retry: \(retry)")
      }
      let file = URL(fileURLWithPath: "\(directory)/\(path)")
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  private func succeed(_ arguments: [String], as role: FixtureRole) async throws {
    let process = try await WritProcess.start(
      arguments, environment: ["WRIT_DATABASE": connectionString(role)])
    let end = try await process.awaitEnd(within: .seconds(60))
    guard end == .exited(0) else {
      throw ProcessFailure(
        "writ \(arguments.joined(separator: " ")): \(end)\n"
          + (process.output + process.errors).joined(separator: "\n"))
    }
  }
}

/// A process did not do what the fixture needs.
struct ProcessFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// A directory that is gone afterwards.
enum TemporaryDirectory {
  static func with<Value>(_ body: (String) async throws -> Value) async throws -> Value {
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("writ-promise-\(UUID().uuidString.prefix(8))").path
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
  }
}
