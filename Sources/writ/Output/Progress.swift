// How far a piece of work has come: one moving line on a terminal, a line now and then elsewhere.

import Foundation

/// A count at one moment.
struct ProgressSample: Sendable {
  var done: Int
  var total: Int
  /// Further counts in words, for example `12 retrying`.
  var note: String
  var elapsed: Duration
  /// What was done at an earlier moment: the rate is that since then.
  var baseline: (done: Int, elapsed: Duration) = (0, .zero)

  init(done: Int, total: Int, note: String, elapsed: Duration) {
    self.done = done
    self.total = total
    self.note = note
    self.elapsed = elapsed
  }

  /// Items a second since the baseline, or `nil` before anything can be said.
  var rate: Double? {
    let seconds = (elapsed - baseline.elapsed) / .seconds(1)
    return done > 0 && seconds >= 0.2 ? Double(done - baseline.done) / seconds : nil
  }

  /// The time that the rest takes at this rate.
  var timeLeft: Duration? {
    guard let rate, rate > 0 else { return nil }
    return .milliseconds(Int(Double(max(0, total - done)) / rate * 1_000))
  }

  /// `#########-----------  135 of 300 done, 12 retrying, 31 /s, 5 s left`.
  func bar(width: Int) -> String {
    let share = total > 0 ? Double(min(done, total)) / Double(total) : 0
    let filled = Int((share * Double(width)).rounded(.down))
    return String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
      + "  " + words
  }

  /// The same without the bar.
  var words: String {
    var parts = ["\(done) of \(total) done"]
    if !note.isEmpty { parts.append(note) }
    if let rate, rate >= 0.05 {
      parts.append(rate >= 10 ? "\(Int(rate)) /s" : "\(Self.tenths(rate)) /s")
    }
    if done < total, let timeLeft { parts.append("\(Self.coarse(timeLeft)) left") }
    return parts.joined(separator: ", ")
  }

  private static func tenths(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  private static func coarse(_ duration: Duration) -> String {
    let seconds = max(1, Int((duration / .seconds(1)).rounded(.up)))
    return DurationText.shown(.seconds(seconds)).replacing(".0 s", with: " s")
  }
}

/// Shows samples on standard error.
struct ProgressDisplay: Sendable {
  private let output: Output
  private let interval: Duration
  private var lastShown: Duration?
  private var isOpen = false

  /// - Parameter interval: The time between two lines where there is no terminal.
  init(output: Output, interval: Duration = .seconds(2)) {
    self.output = output
    self.interval = interval
  }

  /// Shows a sample; elsewhere than on a terminal only when the last one is old enough.
  mutating func show(_ sample: ProgressSample) {
    if output.errorIsTerminal {
      output.errorText("\r\u{1B}[K  " + sample.bar(width: 24))
      isOpen = true
      return
    }
    if let lastShown, sample.elapsed - lastShown < interval { return }
    lastShown = sample.elapsed
    output.note("  " + sample.words)
  }

  /// Writes a line between samples.
  mutating func interrupt(_ text: String) {
    if isOpen { output.errorText("\r\u{1B}[K") }
    isOpen = false
    output.note(text)
  }

  /// Leaves the last sample on the screen.
  mutating func finish(_ sample: ProgressSample) {
    lastShown = nil
    show(sample)
    close()
  }

  /// Ends a line that is still moving, so that what follows begins on a line of its own.
  mutating func close() {
    if isOpen { output.errorText("\n") }
    isOpen = false
  }
}

/// The samples of the last seconds, so that a rate tells of now and not of the beginning.
struct ProgressWindow: Sendable {
  private let length: Duration
  private var past: [(done: Int, elapsed: Duration)] = []

  init(length: Duration = .seconds(4)) { self.length = length }

  /// The sample with the oldest one that still counts as its baseline.
  mutating func measured(_ sample: ProgressSample) -> ProgressSample {
    past.append((sample.done, sample.elapsed))
    // One sample beyond the window stays: it is the baseline.
    while past.count > 2, sample.elapsed - past[1].elapsed > length { past.removeFirst() }
    var measured = sample
    if let first = past.first, past.count > 1 { measured.baseline = first }
    return measured
  }
}
