// Secrets are planted, all four job types run through success and failure, and then everything that was written
// anywhere is searched for them.

import AuthOSEmulator
import Foundation
import Postgres
import PostgresCluster
import Testing
import WritTesting

extension WholeProcesses {
  @Suite struct `No secret` {
    @Test(.timeLimit(.minutes(3)))
    func `reaches database, log, trail, output or command line, whatever AuthOS and the store do`()
      async throws
    {
      let cluster = try await PrivateCluster.start(settings: [
        "log_statement": "all", "log_parameter_max_length": "-1",
        "log_parameter_max_length_on_error": "-1",
        "log_min_error_statement": "debug1", "log_error_verbosity": "verbose",
        "wal_keep_size": "2GB", "wal_level": "logical", "full_page_writes": "on",
      ])
      do {
        try await Self.check(cluster)
      } catch {
        await cluster.stop()
        throw error
      }
      await cluster.stop()
    }

    private static func check(_ cluster: PrivateCluster) async throws {
      let hostile = try HostileAuthOS()
      defer { hostile.stop() }
      var options = FixtureOptions()
      options.cluster = cluster
      options.logLevel = "trace"
      options.frontPort = hostile.port
      options.managementPassword = #"p@ss/w"o'rd +\Canary é 9f3b"#
      for type in WritFixture.keyedTypes { options.keys[type] = key() }
      options.users = (0..<40).map { .person("person\($0)@acme.test", plan: "free") }
      options.users.append(
        SeedUser(
          email: "token@acme.test",
          connectedAccounts: [
            SeedConnectedAccount(
              provider: "github", providerUserID: "4711", scopes: ["read:user", "repo"],
              grantedScopes: ["read:user", "repo"], token: CanaryStory.token)
          ]))
      options.worker = ["refused-key-pause": "300ms", "request-timeout": "3s"]
      options.retry = "{maxAttempts: 60, base: PT0.05S, cap: PT0.2S}"
      try await WritFixture.with(options) { fixture in
        let options = fixture.options
        hostile.serve(fixture.authOS)
        let wrongKey = key()
        let wrongPassword = #"wr0ng/pass"w'ord \+Canary 77a1"#
        var story = CanaryStory(fixture, hostile)
        try await story.play(wrongKey: wrongKey, wrongPassword: wrongPassword)
        let canaries =
          hostile.canaries + options.keys.map { Canary(key: "key of \($0)", $1) }
          + [
            Canary(key: "wrong key", wrongKey), Canary("password", options.managementPassword),
            Canary("wrong password", wrongPassword),
            Canary("provider token", CanaryStory.token),
          ]
        #expect(hostile.canaries.count >= 8)
        let sinks = CanarySinks(fixture, cluster, story.processes)
        let scanner = try await sinks.scan(for: canaries)
        #expect(
          scanner.findings.isEmpty,
          "\(scanner.findings.count)\n\(scanner.findings.prefix(20).map(\.description).joined(separator: "\n"))"
        )
        let runs = scanner.scannedBytes >> 20
        print(
          "canaries: \(canaries.count) secrets, \(runs) MB searched, \(story.misdeeds) misdeeds answered"
        )
        #expect(runs > 20)
        try await proveThatEveryPlaceIsSearched(fixture, sinks)
      }
    }

    /// A search that finds nothing proves something only if it finds what is there: a leak in each place, each form.
    private static func proveThatEveryPlaceIsSearched(
      _ fixture: WritFixture, _ sinks: CanarySinks
    ) async throws {
      let leak = Canary("planted", "planted-\(UUID().uuidString)-canary")
      let forms: [Canary.Form] = [
        .raw, .hex, .hexUpper, .base64, .base64Shifted1, .base64Shifted2, .percentAll,
      ]
      let texts = forms.map { String(decoding: leak.leak(as: $0), as: UTF8.self) }
      try await fixture.pool.execute("create table planted (leak text)")
      try await fixture.pool.execute(
        "insert into planted select unnest($1::text[])", [.texts(texts)])
      let process = try await WritProcess.start(
        program: "/bin/sh",
        ["-c", "printf '%s\\n' \"$@\"; printf '%s\\n' \"$@\" >&2; kill -STOP $$", "sh"] + texts)
      try await process.awaitLine("the last leak") { $0 == texts.last }
      var scanner = try await sinks.adding(process).scan(for: [leak])
      await process.destroy()
      for form in forms {
        let places = Set(scanner.findings.filter { $0.form == form }.map { $0.place })
        for place in [
          "pg_dumpall", "/server.log", "/pg_wal (", "output of ", "errors of ", "/cmdline",
        ] {
          #expect(places.contains { $0.contains(place) }, "\(form) in \(place): \(places)")
        }
      }
      scanner = CanaryScanner([leak])
      scanner.scan(lines: ["nothing"], place: "clean")
      #expect(scanner.findings.isEmpty)
    }

    private static func key() -> String {
      func digits(_ count: Int) -> String {
        (0..<count).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
      }
      return "sk_\(digits(12))_\(digits(64))"
    }
  }
}
