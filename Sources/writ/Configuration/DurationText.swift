// Durations as people write them: 500ms, 7s, 2m, 1h, 30d.

/// Reading and writing durations with their units.
enum DurationText {
  private static let units: [(name: String, milliseconds: Int)] = [
    ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
  ]

  /// The duration of a text such as `1.5s`, or `nil` where the number or the unit is missing.
  static func read(_ text: String) -> Duration? {
    guard
      let unit = units.first(where: {
        text.hasSuffix($0.name) && text.dropLast($0.name.count).last?.isNumber == true
      }), let number = Double(text.dropLast(unit.name.count)), number.isFinite, number >= 0,
      number < 1e9
    else { return nil }
    return .microseconds(Int64((number * Double(unit.milliseconds) * 1_000).rounded()))
  }

  /// A duration in the largest unit that leaves no fraction.
  static func written(_ duration: Duration) -> String {
    let milliseconds = Int(duration / .milliseconds(1))
    let unit = units.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds }
    guard let unit else { return milliseconds == 0 ? "0s" : "\(milliseconds)ms" }
    return "\(milliseconds / unit.milliseconds)\(unit.name)"
  }

  /// A duration for a reader, with two or three digits that matter: `3 ms`, `1.4 s`, `2 m 05 s`.
  static func shown(_ duration: Duration) -> String {
    let milliseconds = duration / .milliseconds(1)
    if milliseconds < 0 { return "0 ms" }
    if milliseconds < 999.5 { return "\(Int(milliseconds.rounded())) ms" }
    let tenths = Int((milliseconds / 100).rounded())
    if tenths < 600 { return "\(tenths / 10).\(tenths % 10) s" }
    let seconds = Int((milliseconds / 1_000).rounded())
    if seconds < 3_600 { return "\(seconds / 60) m \(padded(seconds % 60)) s" }
    if seconds < 172_800 { return "\(seconds / 3_600) h \(padded(seconds / 60 % 60)) m" }
    return "\(seconds / 86_400) d \(padded(seconds / 3_600 % 24)) h"
  }

  private static func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
