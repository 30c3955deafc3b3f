// How results, progress and log messages look.

import Foundation
import JSON
import Logging
import Synchronization
import Testing

@testable import writ

/// What a command wrote.
final class CapturedOutput: Sendable {
  private let streams = Mutex((data: "", notes: ""))

  func output(isTerminal: Bool = false) -> Output {
    Output(
      isTerminal: isTerminal, errorIsTerminal: isTerminal,
      writeData: { text in self.streams.withLock { $0.data += text } },
      writeError: { text in self.streams.withLock { $0.notes += text } })
  }

  var data: String { streams.withLock(\.data) }
  var notes: String { streams.withLock(\.notes) }
}

@Suite struct TableTests {
  @Test func `columns are aligned, numbers to the right, and nothing trails`() {
    var table = Table("#ID", "TYPE", "LAST ERROR")
    table.add("41872", "create_user", "")
    table.add("9", "revoke", "smtp 421: try again later")
    #expect(
      table.lines() == [
        "   ID  TYPE         LAST ERROR",
        "41872  create_user  -",
        "    9  revoke       smtp 421: try again later",
      ])
  }

  @Test func `control characters of a value are shown and not obeyed`() {
    var table = Table("A", "B")
    table.add("x\u{1B}[2J", "two\nlines")
    #expect(table.lines().last == "x\\u{1b}[2J  two lines")
  }

  @Test func `a style is applied to cells only where colours are welcome`() {
    var table = Table("STATE", "N").styling("STATE") { $0 == "bad" ? .red : nil }
    table.add("bad", "1")
    #expect(table.lines(usesColour: true).last == "\u{1B}[31mbad  \u{1B}[0m  1")
    #expect(table.lines().last == "bad    1")
  }
}

@Suite struct CountingTests {
  @Test func `one thing has no plural`() {
    #expect([0, 1, 2].map { $0.counting("attempt") } == ["0 attempts", "1 attempt", "2 attempts"])
  }
}

@Suite struct ProgressTests {
  private let sample = ProgressSample(
    done: 135, total: 300, note: "12 retrying", elapsed: .seconds(4.5))

  @Test func `a sample tells counts, rate and the time that is left`() {
    #expect(sample.words == "135 of 300 done, 12 retrying, 30 /s, 6 s left")
    #expect(sample.bar(width: 4) == "█░░░  135 of 300 done, 12 retrying, 30 /s, 6 s left")
  }

  @Test func `before anything is done there is no rate`() {
    let start = ProgressSample(done: 0, total: 300, note: "", elapsed: .seconds(1))
    #expect(start.words == "0 of 300 done")
  }

  @Test func `without a terminal there is a line now and then`() {
    let captured = CapturedOutput()
    var display = ProgressDisplay(output: captured.output(), interval: .seconds(2))
    for tenth in 0..<40 {
      display.show(
        ProgressSample(done: tenth, total: 40, note: "", elapsed: .milliseconds(100 * tenth)))
    }
    display.finish(ProgressSample(done: 40, total: 40, note: "", elapsed: .seconds(4)))
    #expect(
      captured.notes
        == "  0 of 40 done\n  20 of 40 done, 10 /s, 2 s left\n  40 of 40 done, 10 /s\n")
    #expect(captured.data == "")
  }

  @Test func `on a terminal one line moves`() {
    let captured = CapturedOutput()
    var display = ProgressDisplay(output: captured.output(isTerminal: true))
    display.show(ProgressSample(done: 0, total: 2, note: "", elapsed: .zero))
    display.interrupt("a worker was killed")
    display.finish(ProgressSample(done: 2, total: 2, note: "", elapsed: .seconds(1)))
    let bars = captured.notes.split(separator: "\r\u{1B}[K", omittingEmptySubsequences: false)
    #expect(bars.count == 4)
    #expect(bars.dropFirst(2).first == "a worker was killed\n")
    #expect(captured.notes.hasSuffix("2 of 2 done, 2.0 /s\n"))
  }
}

@Suite struct LogHandlerTests {
  private func logged(_ format: LineLogHandler.Format, _ use: (Logger) -> Void) -> String {
    let captured = CapturedOutput()
    let output = captured.output()
    use(
      Logger(label: "worker") { label in
        LineLogHandler(
          label: label, level: .info, format: format,
          now: { Date(timeIntervalSince1970: 1_777_717_447.25) }, write: { output.errorText($0) })
      })
    return captured.notes
  }

  @Test func `text is one line with sorted fields`() {
    let text = logged(.text(usesColour: false)) {
      $0.info("job finished", metadata: ["job.type": "create_user", "job.id": "7", "why": "a b"])
      $0.debug("hidden")
    }
    #expect(
      text
        == "2026-05-02T10:24:07.250Z info    job finished job.id=7 job.type=create_user why=\"a b\"\n"
    )
  }

  @Test func `JSON is one object a line`() throws {
    let text = logged(.json) { $0.warning("lease lost", metadata: ["job.id": "7"]) }
    #expect(
      text
        == #"{"time":"2026-05-02T10:24:07.250Z","level":"warning","message":"lease lost","logger":"worker","job.id":"7"}"#
        + "\n")
  }

  @Test func `a message cannot forge a second line`() {
    let text = logged(.text(usesColour: false)) {
      $0.error("bad\nthing", metadata: ["a": "x\ny"])
    }
    #expect(text.filter { $0 == "\n" }.count == 1)
  }
}
