// The harness that starts, signals and reaps processes, tested with a shell.

import Foundation
import Testing
import WritTesting

@Suite struct `The process harness` {
  @Test func `gives lines, exit code and working directory`() async throws {
    let process = try await WritProcess.start(
      program: "/bin/sh", ["-c", "pwd; echo one >&2; printf two; exit 7"], directory: "/usr")
    #expect(try await process.awaitEnd() == .exited(7))
    #expect(process.output == ["/usr", "two"])
    #expect(process.errors == ["one"])
    #expect(!process.isRunning)
  }

  @Test func `awaits a line, and a signal ends the process`() async throws {
    let process = try await WritProcess.start(
      program: "/bin/sh", ["-c", "echo begun; exec sleep 1000"])
    try await process.awaitLine("begun") { $0 == "begun" }
    #expect(process.isRunning)
    process.signal(SIGTERM)
    try await awaiting("the end", within: .seconds(10)) { !process.isRunning }
    #expect(process.ended == .signalled(SIGTERM))
  }

  @Test func `says what it saw when a line never comes`() async throws {
    let process = try await WritProcess.start(program: "/bin/sh", ["-c", "echo something else"])
    await #expect {
      try await process.awaitLine("never", within: .seconds(5)) { $0 == "never" }
    } throws: {
      "\($0)".hasSuffix(
        "a line of /bin/sh -c echo something else: never; last seen: something else")
    }
  }

  @Test func `a killed process is gone, and says by which signal`() async throws {
    let process = try await WritProcess.start(program: "/bin/sleep", ["1000"])
    await process.destroy()
    #expect(process.ended == .signalled(SIGKILL))
    #expect(kill(process.identifier, 0) != 0 && errno == ESRCH)
  }

  @Test func `passes on the variables that it is given and few others`() async throws {
    let process = try await WritProcess.start(
      program: "/usr/bin/env", [], environment: ["CANARY": "1"])
    try await process.awaitEnd()
    let names = Set(process.output.compactMap { $0.split(separator: "=").first.map(String.init) })
    #expect(names.contains("CANARY"))
    #expect(names.isSubset(of: ["PATH", "HOME", "PG_BINDIR", "TMPDIR", "CANARY"]))
  }
}
