// The server over real sockets: what Hummingbird must not add, and what only sockets can show.

import AuthOSEmulator
import JSON
import Logging
import Testing

@Suite struct EmulatorServerTests {
  /// Runs a server for the length of the body, then stops it and waits for its end.
  private func withServer(
    faults: [FaultRule] = [], settings: EmulatorSettings = EmulatorSettings(),
    _ body: @Sendable (EmulatedAuthOS, Int) async throws -> Void
  ) async throws {
    let authOS = EmulatedAuthOS(
      seed: EmulatorSeed(
        accounts: [SeedAccount(email: "owner@acme.test", password: Fixture.password)],
        apiKeys: [SeedAPIKey(name: "all", permissions: Fixture.allPermissions)]),
      settings: settings, faults: FaultPlan(rules: faults), at: .now())
    let (ports, listening) = AsyncStream.makeStream(of: Int.self)
    let server = EmulatorServer(
      authOS, controlToken: "control", logger: Logger(label: "test")
    ) { listening.yield($0) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        // A server that cannot start ends the wait for its port.
        defer { listening.finish() }
        try await server.run()
      }
      for await port in ports {
        try await body(authOS, port)
        break
      }
      group.cancelAll()
      try await group.waitForAll()
    }
  }

  private static func key(_ authOS: EmulatedAuthOS) -> [String: String] {
    ["X-API-KEY": authOS.seeded.apiKeys["all"] ?? ""]
  }

  @Test func `one connection serves one request after the other`() async throws {
    try await withServer { authOS, port in
      try await RawConnection.with(port: port) { connection in
        for status in [201, 200, 200] {
          let response = try await connection.send(
            "POST", "/api/service/users", headers: Self.key(authOS),
            body: "{\"email\":\"ada@acme.test\"}")
          #expect(response?.status == status)
        }
        let list = try await connection.send(
          "GET", "/api/service/users?limit=1", headers: Self.key(authOS))
        #expect(list?.body.hasSuffix("\"total\":1}") == true)
        let deleted = try await connection.send(
          "DELETE", "/api/service/users/none", headers: Self.key(authOS))
        #expect(deleted?.status == 404)
      }
      #expect(authOS.ledger().map(\.effect) == [.userInserted, .linkInserted])
    }
  }

  @Test func `an answer carries the server's headers and no others`() async throws {
    try await withServer { _, port in
      let response = try await RawConnection.with(port: port) {
        try await $0.send("GET", "/api/service/users")
      }
      #expect(
        response?.headers.keys.sorted() == [
          "content-length", "content-type", "date", "strict-transport-security",
          "x-content-type-options", "x-frame-options",
        ])
    }
  }

  @Test func `HEAD has the head of GET and no body`() async throws {
    try await withServer { authOS, port in
      try await RawConnection.with(port: port) { connection in
        let get = try await connection.send(
          "GET", "/api/service/info", headers: Self.key(authOS))
        let head = try await connection.send(
          "HEAD", "/api/service/info", headers: Self.key(authOS))
        #expect(head?.status == 200)
        #expect(head?.headers["content-length"] == get?.headers["content-length"])
        let next = try await connection.send("GET", "/health")
        #expect(next?.status == 200)
      }
    }
  }

  @Test func `an unknown path is empty and untyped`() async throws {
    try await withServer { _, port in
      try await RawConnection.with(port: port) { connection in
        for path in ["/", "/api/service/users/", "/_emulator/ledger", "/_emulator"] {
          let response = try await connection.send("GET", path)
          #expect(response?.status == 404)
          #expect(response?.body == "")
          #expect(response?.headers["content-type"] == nil)
        }
      }
    }
  }

  @Test(arguments: [(Fault.dropBefore, 201, 2), (.dropAfter, 200, 2)])
  func `a dropped connection ends without a byte, before or after the effect`(
    fault: Fault, statusOfRepetition: Int, effects: Int
  ) async throws {
    let rule = FaultRule(FaultRoute(.createServiceUser), script: [fault])
    try await withServer(faults: [rule]) { authOS, port in
      for expected in [nil, statusOfRepetition] {
        let response = try await RawConnection.with(port: port) {
          try await $0.send(
            "POST", "/api/service/users", headers: Self.key(authOS),
            body: "{\"email\":\"ada@acme.test\"}")
        }
        #expect(response?.status == expected)
      }
      #expect(authOS.ledger().count == effects)
    }
  }

  @Test func `a timeout answers 408 without body and keeps the connection`() async throws {
    let rule = FaultRule(FaultRoute(.getServiceInfo), script: [.timeout408AfterEffect])
    try await withServer(faults: [rule]) { authOS, port in
      try await RawConnection.with(port: port) { connection in
        let first = try await connection.send(
          "GET", "/api/service/info", headers: Self.key(authOS))
        #expect(first?.status == 408)
        #expect(first?.headers.keys.sorted() == ["content-length", "date"])
        let second = try await connection.send(
          "GET", "/api/service/info", headers: Self.key(authOS))
        #expect(second?.status == 200)
      }
    }
  }

  @Test(arguments: [(Fault.slow(.milliseconds(80)), 1), (.slowAfterEffect(.milliseconds(80)), 1)])
  func `a slow request takes its time and does not hold up others`(
    fault: Fault, requests: Int
  ) async throws {
    let rule = FaultRule(FaultRoute(.getServiceInfo), script: [fault])
    try await withServer(faults: [rule]) { authOS, port in
      let start = ContinuousClock.now
      async let slow = RawConnection.with(port: port) {
        try await $0.send("GET", "/api/service/info", headers: Self.key(authOS))
      }
      let quick = try await RawConnection.with(port: port) { try await $0.send("GET", "/health") }
      #expect(quick?.status == 200)
      #expect(try await slow?.status == 200)
      #expect(ContinuousClock.now - start >= .milliseconds(80))
    }
  }

  @Test(arguments: [(Fault.slow(.seconds(60)), 0), (.slowAfterEffect(.seconds(60)), 2)])
  func `a request that is slower than the time limit gets 408 at the limit`(
    fault: Fault, effects: Int
  ) async throws {
    let rule = FaultRule(FaultRoute(.createServiceUser), script: [fault])
    let settings = EmulatorSettings(timeLimit: .milliseconds(20))
    try await withServer(faults: [rule], settings: settings) { authOS, port in
      let response = try await RawConnection.with(port: port) {
        try await $0.send(
          "POST", "/api/service/users", headers: Self.key(authOS),
          body: "{\"email\":\"ada@acme.test\"}")
      }
      #expect(response?.status == 408)
      #expect(authOS.ledger().count == effects)
    }
  }

  @Test func `bodies over the limit are refused, by their length and by their chunks`() async throws
  {
    try await withServer(settings: EmulatorSettings(bodyLimit: 100)) { authOS, port in
      try await RawConnection.with(port: port) { connection in
        let body = "{\"email\":\"\(String(repeating: "a", count: 100))@acme.test\"}"
        let long = try await connection.send("POST", "/api/service/users", body: body)
        #expect(long?.status == 413)
        #expect(long?.body == "length limit exceeded")
        let chunk = "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
        let key = authOS.seeded.apiKeys["all"] ?? ""
        try await connection.write(
          "POST /api/service/users HTTP/1.1\r\nhost: x\r\nx-api-key: \(key)\r\n"
            + "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n\(chunk)")
        let chunked = try await connection.response()
        #expect(chunked?.body == "Failed to buffer the request body: length limit exceeded")
        #expect(try await connection.send("GET", "/health")?.status == 200)
      }
    }
  }

  @Test func `the control routes need their token`() async throws {
    try await withServer { _, port in
      try await RawConnection.with(port: port) { connection in
        let wrong = try await connection.send(
          "GET", "/_emulator/state", headers: ["X-Emulator-Control": "guess"])
        #expect(wrong?.status == 404)
        let right = try await connection.send(
          "GET", "/_emulator/state", headers: ["X-Emulator-Control": "control"])
        #expect(right?.status == 200)
      }
    }
  }

  @Test func `ledger, counts, faults, settings and seed are reached over HTTP`() async throws {
    let control = ["X-Emulator-Control": "control"]
    try await withServer { authOS, port in
      try await RawConnection.with(port: port) { connection in
        let planted = try await connection.send(
          "POST", "/_emulator/seed", headers: control,
          body: "{\"users\":[{\"email\":\"ada@acme.test\",\"plan\":\"pro\"}]}")
        #expect(planted?.status == 201)
        let faults = try await connection.send(
          "PUT", "/_emulator/faults", headers: control,
          body: "{\"rules\":[{\"route\":\"getServiceInfo\",\"fault\":\"htmlBadGateway502\"}]}")
        #expect(faults?.status == 200)
        let failed = try await connection.send(
          "GET", "/api/service/info", headers: Self.key(authOS))
        #expect(failed?.status == 502)
        let bad = try await connection.send(
          "PUT", "/_emulator/faults", headers: control, body: "{\"rules\":[{}]}")
        #expect(bad?.body.contains("rules[0].route names no operation") == true)
        _ = try await connection.send(
          "POST", "/api/service/users", headers: Self.key(authOS),
          body: "{\"email\":\"bob@acme.test\"}")
        let ledger = try await connection.send(
          "GET", "/_emulator/ledger?after=1", headers: control)
        let records = try JSONValue(parsing: ledger?.body ?? "")["records"]
        #expect(records?.arrayValue?.count == 1)
        #expect(records?[0]?["effect"] == "linkInserted")
        let counts = try await connection.send("GET", "/_emulator/requests", headers: control)
        let total = try JSONValue(parsing: counts?.body ?? "")["total"]
        #expect(total == 2)
        let settings = try await connection.send(
          "PUT", "/_emulator/settings", headers: control,
          body: "{\"date_mode\":\"ideal\",\"organization_status\":\"suspended\"}")
        #expect(settings?.status == 200)
        #expect(authOS.dateMode == .ideal)
        #expect(authOS.organizationStatus == "suspended")
      }
    }
  }

  @Test func `a port that is taken is an error`() async throws {
    try await withServer { authOS, port in
      let second = EmulatorServer(authOS, port: port, logger: Logger(label: "test"))
      await #expect(throws: (any Error).self) { try await second.run() }
    }
  }
}
