// Jobs whose steps need a session, with a login that fails: what the job says, and what it costs.

import JSON
import JobModel
import JobStore
import Testing
import WritTesting

@testable import JobRunner

@Suite struct LoginFailureTests {
  private static func answer(_ head: String, _ body: String = "") -> RawServer.Behaviour {
    .answer("HTTP/1.1 \(head)\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
  }

  private static let cases: [(RawServer.Behaviour?, code: String, text: String)] = [
    (nil, "connection_refused", "nobody listens at the address"),
    (
      answer("302 Found\r\nlocation: /elsewhere"), "login_failed",
      "no session could be opened: the login was answered with 302, a redirect: the base URL is wrong"
    ),
    (
      answer("404 Not Found\r\ncontent-type: text/html", "<html>nginx</html>"), "login_failed",
      "no session could be opened: the login was answered with 404 and no error code: wrong base URL, wrong version or a proxy in between"
    ),
    (
      answer("500 Oh"), "login_failed",
      "no session could be opened: the login was answered with 500"
    ),
    (
      answer("200 OK", "<html>welcome</html>"), "login_failed",
      "no session could be opened: the answer to the login holds no token"
    ),
    (
      .close, "login_failed",
      "no session could be opened: the connection ended before the answer was whole"
    ),
  ]

  @Test func `a job says why there is no session, and gives up like one whose target is away`()
    async throws
  {
    try await Workshop.open { workshop in
      for (behaviour, code, text) in Self.cases {
        let server = try await RawServer(behaviour ?? .close)
        let port = server.port
        if behaviour == nil { try await server.stop() }
        let job = try await workshop.order("list_api_keys", [:])
        try await workshop.withWorker({ values in
          values.pollInterval = .milliseconds(20)
          values.environments[0].targets["authos"] = "http://127.0.0.1:\(port)"
        }) { _, _ in
          try await workshop.expect(job, toBe: "discarded")
        }
        let summary = try #require(try await workshop.admin.job(job)?.summary)
        #expect(summary.lastError?["code"] == .string(code))
        #expect(
          summary.lastError?["text"] == .string("\(text); given up after 20 failures"))
        if behaviour != nil { try await server.stop() }
      }
    }
  }
}
