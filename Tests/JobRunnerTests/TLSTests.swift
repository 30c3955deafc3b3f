// Targets behind TLS: a private authority, no authority, another host.

import JSON
import JobModel
import JobStore
import NIOSSL
import Secrets
import Testing
import WritTesting

@testable import JobRunner

@Suite struct TLSTests {
  private static let answer =
    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 54\r\n\r\n"
    + #"{"id":"u1","email":"ada@example.com","created_at":"1"}"#

  private static func context(
    _ authority: ThrowawayAuthority, names: String
  ) throws -> NIOSSLContext {
    let files = try authority.issue(names, as: "server")
    return try NIOSSLContext(
      configuration: .makeServerConfiguration(
        certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificate).map {
          .certificate($0)
        }, privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem))))
  }

  /// Runs the body with a TLS server for names, and the authority that issued its certificate.
  private func withServer(
    for names: String, _ body: (_ port: Int, ThrowawayAuthority) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { directory in
      let authority = try ThrowawayAuthority(in: directory)
      let server = try await RawServer(
        .answer(Self.answer), tls: try Self.context(authority, names: names))
      do { try await body(server.port, authority) } catch {
        try await server.stop()
        throw error
      }
      try await server.stop()
    }
  }

  private func send(
    _ url: String, trusting trustRoots: TrustRoots?
  ) async throws -> Result<StepResponse, TransportFailure> {
    let sender = AsyncHTTPSender(configuration: try makeConfiguration())
    let result: Result<StepResponse, TransportFailure>
    do throws(TransportFailure) {
      result = .success(
        try await sender.send(
          OutgoingRequest(method: "GET", url: url, timeout: .seconds(10), trustRoots: trustRoots)))
    } catch {
      result = .failure(error)
    }
    try await sender.shutdown()
    return result
  }

  @Test func `a server is trusted by the authority of its target alone, and by its name`()
    async throws
  {
    try await withServer(for: "DNS:localhost,IP:127.0.0.1") { port, authority in
      let roots = try TrustRoots(file: authority.certificate)
      for host in ["localhost", "127.0.0.1"] {
        let url = "https://\(host):\(port)/"
        #expect(try await send(url, trusting: roots).get().status == 200)
        let stranger = try await send(url, trusting: nil)
        #expect(throws: TransportFailure.notSent(.tlsUntrusted)) { try stranger.get() }
      }
    }
    try await withServer(for: "DNS:other.example") { port, authority in
      let roots = try TrustRoots(file: authority.certificate)
      let wrong = try await send("https://localhost:\(port)/", trusting: roots)
      #expect(throws: TransportFailure.notSent(.tlsOtherHost)) { try wrong.get() }
    }
  }

  @Test func `a worker calls AuthOS behind a private authority`() async throws {
    try await Workshop.open { workshop in
      try await withServer(for: "DNS:localhost") { port, authority in
        let roots = try TrustRoots(file: authority.certificate)
        func environment(_ trustRoots: [String: TrustRoots]) -> [EnvironmentConfiguration] {
          [
            EnvironmentConfiguration(
              name: "default", targets: ["authos": "https://localhost:\(port)"],
              organization: "acme", service: "portal", trustRoots: trustRoots)
          ]
        }
        let job = try await workshop.order("create_user", ["email": "ada@example.com"])
        // Its login meets the same certificate.
        let inSession = try await workshop.order("list_api_keys", [:])
        try await workshop.withWorker({ $0.environments = environment([:]) }) { _, _ in
          for job in [job, inSession] {
            let error = try await awaiting("the handshake to fail", within: .seconds(30)) {
              try await workshop.admin.job(job)?.summary.lastError
            }
            #expect(error["code"] == "tls_untrusted")
            let text = try #require(error["text"]?.stringValue)
            #expect(
              text.hasPrefix(
                "the target authos shows a certificate that the worker does not trust: of an authority that it does not know, or expired; see environments.default.authos.ca-file"
              ))
          }
        }
        try await workshop.withWorker({ $0.environments = environment(["authos": roots]) }) {
          _, _ in
          try await workshop.expect(job, toBe: "completed")
        }
      }
    }
  }

  @Test func `a file without a certificate is refused in a sentence`() async throws {
    try await withTemporaryDirectory { directory in
      let authority = try ThrowawayAuthority(in: directory)
      #expect(try TrustRoots(file: authority.certificate).count == 1)
      func refusal(_ path: String) -> String {
        do {
          _ = try TrustRoots(file: path)
          return "accepted"
        } catch {
          return error.description
        }
      }
      #expect(refusal("\(directory)/none.pem") == "there is no file \(directory)/none.pem")
      #expect(
        refusal("\(directory)/ca.key")
          == "the file \(directory)/ca.key holds no certificate that can be read; it takes one or more in PEM, each from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----"
      )
    }
  }
}
