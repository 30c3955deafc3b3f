import Testing

@testable import JobRunner

@Suite struct WorkerConfigurationTests {
  @Test func `the defaults return a dead worker's jobs within ten seconds`() throws {
    let values = try makeConfiguration().values
    #expect(values.leaseDuration + values.sweepInterval + values.pollInterval <= .seconds(10))
    #expect(values.leaseDuration > values.renewalInterval * 3)
  }

  @Test func `a configuration of nonsense names every fault at once`() throws {
    let error = #expect(throws: WorkerConfigurationError.self) {
      try makeConfiguration { values in
        values.slots = 0
        values.queues = ["mail", "mail"]
        values.leaseDuration = .seconds(9)
        values.renewalInterval = .seconds(3)
        values.pollInterval = .zero
        values.environments[0].name = "Production!"
        values.environments[0].targets = ["authos": "ftp://id.example"]
        values.environments[0].service = ""
      }
    }
    #expect(
      error?.description == """
        the worker's configuration is refused:
          - slots must be 1 to 10000, not 0
          - queues must not name a queue twice
          - poll interval must be longer than zero
          - lease must be longer than three renewal intervals
          - lease and sweep interval must be at most 9 s together, so that a dead worker's jobs run \
        elsewhere within 10 s
          - environment Production!: name must be 1 to 63 of a-z, 0-9, - and _, starting with a letter
          - environment Production!: target authos must be an http or https URL without user, query \
        or fragment
          - environment Production!: service must be a slug
        """)
  }

  // AsyncHTTPClient ends the process where a port has more than 16 bits.
  @Test(arguments: [
    "http://user@id.example", "https://", "id.example", "https://id.example?x=1",
    "http://127.0.0.1:65536", "http://127.0.0.1:99999/api", "http://[::1]:99999",
    "https://id.example:65536", "http://127.0.0.1:0", "http://127.0.0.1:-1", "http://127.0.0.1:",
    "http://127.0.0.1:+80", "http://127.0.0.1:80:80", "http://[::1]80", "http://[::1",
    "http://:80", "http://127.0.0.1:99999999999999999999", "http://127.0.0.1:٨٠",
  ])
  func `a base URL that is none is refused`(url: String) {
    #expect(throws: WorkerConfigurationError.self) {
      try makeConfiguration { $0.environments[0].targets = ["authos": url] }
    }
  }

  @Test(arguments: [
    "http://127.0.0.1:1", "https://id.example:65535", "http://[::1]", "http://[::1]:8080/api",
    "https://id.example/a:99999", "http://localhost:0080",
  ])
  func `a base URL without a port, or with one that there is, is taken`(url: String) throws {
    let configuration = try makeConfiguration { $0.environments[0].targets = ["ledger": url] }
    #expect(configuration.environment("production")?.url(of: "ledger", servers: []) == url)
  }

  @Test(arguments: ["http://127.0.0.1:65536", "http://[::1]:99999", "http://127.0.0.1:0"])
  func `a published document with a port that there is not gives no address`(url: String) throws {
    let environment = try #require(try makeConfiguration().environment("production"))
    #expect(environment.url(of: "ledger", servers: [url]) == nil)
    #expect(environment.url(of: "ledger", servers: [url, "http://h"]) == "http://h")
  }

  @Test func `a worker without environments or queues is refused`() throws {
    let error = #expect(throws: WorkerConfigurationError.self) {
      try makeConfiguration { values in
        values.environments = []
        values.queues = []
      }
    }
    #expect(
      error?.faults == [
        "queues must name at least one queue",
        "environments must hold at least one environment",
      ])
  }
}
