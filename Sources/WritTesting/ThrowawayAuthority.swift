// A certificate authority of a test's own, and certificates of servers; made with the program openssl, which
// comes with PostgreSQL's packages.

import Foundation

/// Files of an authority and of a server in a directory of their own.
public struct ThrowawayAuthority: Sendable {
  /// openssl is missing, or refused.
  public struct Failure: Error, CustomStringConvertible {
    /// What it said.
    public let description: String
  }

  /// Where the files are.
  public let directory: String
  /// The authority's certificate, in PEM.
  public var certificate: String { "\(directory)/ca.pem" }

  /// An authority with a key of its own.
  public init(in directory: String) throws {
    self.directory = directory
    try openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
      "2",
      "-subj", "/CN=A throw-away authority", "-keyout", "\(directory)/ca.key", "-out", certificate)
  }

  /// A certificate for names such as `DNS:localhost,IP:127.0.0.1`, and its key, both in PEM.
  public func issue(_ names: String, as file: String) throws -> (certificate: String, key: String) {
    let stem = "\(directory)/\(file)"
    try openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
      "/CN=\(file)",
      "-keyout", "\(stem).key", "-out", "\(stem).csr")
    try Data("subjectAltName=\(names)\n".utf8).write(to: URL(fileURLWithPath: "\(stem).ext"))
    try openssl(
      "x509", "-req", "-in", "\(stem).csr", "-CA", certificate, "-CAkey", "\(directory)/ca.key",
      "-CAcreateserial", "-days", "2", "-extfile", "\(stem).ext", "-out", "\(stem).pem")
    return ("\(stem).pem", "\(stem).key")
  }

  private func openssl(_ arguments: String...) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["openssl"] + arguments
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "openssl \(arguments.first ?? ""): \(text)")
    }
  }
}

/// A directory that is gone afterwards.
public func withTemporaryDirectory<Value>(
  _ body: (String) async throws -> Value
) async throws -> Value {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("writ-test-\(UUID().uuidString.prefix(8))").path
  try FileManager.default.createDirectory(
    atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}
