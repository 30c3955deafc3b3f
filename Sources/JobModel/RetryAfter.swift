// When a server says that it may be asked again: `Retry-After` (RFC 9110, 10.2.3) in both forms, and
// AuthOS's own `x-ratelimit-after`.

/// How long a server asks to wait.
public enum RetryAfter {
  /// The longest wait that is believed; more counts as this much.
  static let longest: Duration = .seconds(24 * 3600)
  /// The wait where a server that limits us names none, or none above zero.
  static let shortest: Duration = .seconds(1)

  /// The wait that a response asks for; `nil` where it asks for none.
  ///
  /// `x-ratelimit-after` is in whole seconds rounded down, so one second is added to it.
  public static func wait(in response: StepResponse, now: WallTime) -> Duration? {
    if let text = response.header("retry-after"), let wait = parse(text, now: now) { return wait }
    if let text = response.header("x-ratelimit-after"), let seconds = digits(text) {
      return min(.seconds(seconds + 1), longest)
    }
    return nil
  }

  /// The wait that a `Retry-After` value asks for; `nil` for a value that is none.
  ///
  /// Seconds, or an HTTP date in any of its three forms (RFC 9110, 5.6.7); a date that has passed
  /// asks for no wait.
  public static func parse(_ text: String, now: WallTime) -> Duration? {
    let trimmed = text.trimmingSpaces
    if let seconds = digits(trimmed) { return min(.seconds(seconds), longest) }
    guard let date = HTTPDate.secondsSince1970(trimmed, now: now) else { return nil }
    return min(.seconds(max(0, date - now.secondsSince1970)), longest)
  }

  /// A wait in whole seconds, as `Retry-After` has it, rounded up.
  static func seconds(notLessThan wait: Duration) -> Int64 {
    let (seconds, rest) = wait.components
    return rest > 0 ? seconds + 1 : seconds
  }

  /// A run of digits; more than nine count as 999999999, which is longer than the longest wait.
  private static func digits(_ text: String) -> Int? {
    guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return text.utf8.count > 9 ? 999_999_999 : Int(text)
  }
}

/// An HTTP date.
enum HTTPDate {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT` and
  /// `Sun Nov  6 08:49:37 1994`; `nil` for anything else.
  static func secondsSince1970(_ text: String, now: WallTime) -> Int? {
    let words = text.split(separator: " ").map(String.init)
    switch words.count {
    case 6 where words[0].hasSuffix(",") && words[5] == "GMT":
      return instant(day: words[1], month: words[2], year: fullYear(words[3]), time: words[4])
    case 4 where words[0].hasSuffix(",") && words[3] == "GMT":
      let date = words[1].split(separator: "-").map(String.init)
      guard date.count == 3, let short = Int(date[2]), date[2].count == 2 else { return nil }
      return instant(
        day: date[0], month: date[1], year: century(of: short, now: now), time: words[2])
    case 5:
      return instant(day: words[2], month: words[1], year: fullYear(words[4]), time: words[3])
    default: return nil
    }
  }

  private static func fullYear(_ text: String) -> Int? { text.count == 4 ? Int(text) : nil }

  /// RFC 9110: a two-digit year more than 50 years ahead is one of the past century.
  private static func century(of short: Int, now: WallTime) -> Int {
    let thisYear = 1970 + now.secondsSince1970 / 31_556_952
    let year = thisYear / 100 * 100 + short
    return year > thisYear + 50 ? year - 100 : year
  }

  private static func instant(day: String, month: String, year: Int?, time: String) -> Int? {
    let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
    guard let day = Int(day), (1...31).contains(day), let year, (1970...9999).contains(year),
      let month = months.firstIndex(of: month).map({ $0 + 1 }),
      clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    return daysSince1970(year: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60
      + second
  }

  /// The days from 1970-01-01 to a date of the Gregorian calendar; years are counted from March, so
  /// that the leap day ends them.
  static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let era = shifted / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    var text = Substring(self)
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
