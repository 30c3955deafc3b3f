// The scanner that looks for leaked secrets, tested by planting leaks: a search that finds nothing proves nothing
// unless it finds what is there.

import Foundation
import Testing

@testable import WritTesting

@Suite struct `The canary scanner` {
  private let key = Canary(
    key: "key", "sk_0123456789ab_6f1e5c0b9a7d4382f1e0c9b8a7968574635241302f1e0d9c8b7a695847362514")
  private let password = Canary("password", #"p@ss/w"o'rd +\Canary é 9f3b"#)

  @Test(arguments: Canary.Form.allCases)
  func `finds a leak in every form`(form: Canary.Form) {
    for canary in [key, password] {
      var scanner = CanaryScanner([key, password])
      let leak = Array("before ".utf8) + canary.leak(as: form) + Array(" after".utf8)
      scanner.scan(leak, place: "planted")
      #expect(scanner.findings.map(\.canary).contains(canary.name), "\(form)")
      #expect(!scanner.findings.isEmpty && scanner.findings.allSatisfy { $0.canary == canary.name })
    }
  }

  @Test func `finds a secret at any place of a base64 text`() {
    for shift in 0..<9 {
      let text = String(repeating: "x", count: shift) + #"p@ss/w"o'rd +\Canary é 9f3b"# + "tail"
      var scanner = CanaryScanner([password])
      scanner.scan(Array(Data(text.utf8).base64EncodedString().utf8), place: "planted")
      #expect(!scanner.findings.isEmpty, "\(shift)")
    }
  }

  @Test func `finds a key that was cut off`() {
    let leak = key.leak(as: .raw)
    for cut in [Array(leak.prefix(30)), Array(leak.suffix(30))] {
      var scanner = CanaryScanner([key])
      scanner.scan(cut, place: "planted")
      #expect(scanner.findings.count == 1)
    }
  }

  @Test func `finds nothing where nothing is, and says how much it read`() {
    var scanner = CanaryScanner([key, password])
    scanner.scan(lines: ["sk_0123456789ab is the public part", "<secret>"], place: "clean")
    #expect(scanner.findings.isEmpty)
    #expect(scanner.scannedBytes == 43)
  }

  @Test func `finds a leak in a file of a directory and never repeats it`() throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("writ-canary-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let inner = directory.appendingPathComponent("a/b")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    try Data(password.leak(as: .hex)).write(to: inner.appendingPathComponent("leak"))
    var scanner = CanaryScanner([password])
    try scanner.scan(directory: directory.path)
    #expect(scanner.findings.map(\.form) == [.hex])
    let report = scanner.findings[0].description
    #expect(report.hasPrefix("password as hex in \(inner.path)/leak at 0"))
    var second = CanaryScanner([password])
    second.scan(lines: [report], place: "report")
    #expect(second.findings.isEmpty)
  }

  @Test func `finds a leak that a page boundary of the write-ahead log interrupts`() throws {
    let directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("writ-canary-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let leak = password.leak(as: .raw)
    var segment = [UInt8](repeating: 0, count: 16_384)
    let half = leak.count / 2
    segment.replaceSubrange((8_192 - half)..<8_192, with: leak[..<half])
    segment.replaceSubrange((8_192 + 24)..<(8_192 + 24 + leak.count - half), with: leak[half...])
    try Data(segment).write(
      to: directory.appendingPathComponent("000000010000000000000001"))
    var plain = CanaryScanner([password])
    try plain.scan(directory: directory.path)
    #expect(plain.findings.isEmpty)
    var scanner = CanaryScanner([password])
    try scanner.scan(writeAheadLog: directory.path)
    #expect(scanner.findings.map(\.form) == [.raw])
  }

  @Test func `finds a leak in the command line and in the environment of a process`() async throws {
    let secret = String(decoding: key.leak(as: .raw), as: UTF8.self)
    let process = try await WritProcess.start(
      program: "/bin/sh", ["-c", "kill -STOP $$; : \"$0\"", secret],
      environment: ["LEAK": secret])
    var scanner = CanaryScanner([key])
    try await awaiting("the leak in a command line", within: .seconds(10)) {
      try scanner.scanCommandLines() > 0 && !scanner.findings.isEmpty
    }
    #expect(scanner.findings.contains { $0.place == "/proc/\(process.identifier)/cmdline" })
    var second = CanaryScanner([key])
    try second.scan(environmentOf: process.identifier)
    #expect(!second.findings.isEmpty)
    await process.destroy()
  }
}
