// A moment as PostgreSQL stores it, with its ISO 8601 text both ways; needs no Foundation.

/// A `timestamptz`: microseconds since 2000-01-01T00:00:00Z, which is what the server stores and
/// sends.
///
/// `Int64.max` and `Int64.min` are SQL's `infinity` and `-infinity`.
public struct PostgresTimestamp: Hashable, Comparable, Sendable {
  /// Microseconds since the year 2000 began in UTC; negative before.
  public var microseconds: Int64

  /// SQL's `infinity`: later than every other moment.
  public static let infinity = Self(microseconds: .max)
  /// SQL's `-infinity`: earlier than every other moment.
  public static let negativeInfinity = Self(microseconds: .min)

  private static let unixOffset: Int64 = 946_684_800

  /// A moment that many microseconds after the year 2000 began in UTC.
  public init(microseconds: Int64) { self.microseconds = microseconds }

  /// A moment counted from 1970-01-01T00:00:00Z, in microseconds.
  public init(microsecondsSince1970: Int64) {
    microseconds = microsecondsSince1970 - Self.unixOffset * 1_000_000
  }

  /// Microseconds since 1970-01-01T00:00:00Z; not meaningful for the infinities.
  public var microsecondsSince1970: Int64 {
    microseconds &+ Self.unixOffset &* 1_000_000
  }

  /// Earlier moments come first.
  public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

  /// The moment that much later; parts of a microsecond are dropped.
  public static func + (moment: Self, duration: Duration) -> Self {
    Self(microseconds: moment.microseconds + duration.wholeMicroseconds)
  }

  /// The moment that much earlier.
  public static func - (moment: Self, duration: Duration) -> Self {
    Self(microseconds: moment.microseconds - duration.wholeMicroseconds)
  }

  /// The time from the right moment to the left one.
  public static func - (left: Self, right: Self) -> Duration {
    .microseconds(left.microseconds - right.microseconds)
  }
}

extension PostgresTimestamp: CustomStringConvertible, LosslessStringConvertible {
  /// `2026-05-02T10:14:07Z` or, with a fraction, `2026-05-02T10:14:07.120000Z`; `infinity`,
  /// `-infinity`.
  public var description: String {
    if self == .infinity { return "infinity" }
    if self == .negativeInfinity { return "-infinity" }
    let (seconds, fraction) = microsecondsSince1970.flooredDivision(by: 1_000_000)
    let (days, second) = seconds.flooredDivision(by: 86_400)
    let (year, month, day) = civil(fromDays: days)
    let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    let time = [second / 3600, second / 60 % 60, second % 60].map { padded($0, 2) }
    let tail = fraction == 0 ? "" : "." + padded(fraction, 6)
    return "\(date)T\(time.joined(separator: ":"))\(tail)Z"
  }

  /// Reads what ``description`` writes, and more of ISO 8601: any number of fraction digits (those
  /// after the sixth are dropped), a space for the `T`, and an offset `+hh`, `+hhmm` or `+hh:mm`
  /// for the `Z`.
  ///
  /// Nil for anything else; there is no default time zone.
  public init?(_ text: String) {
    if text == "infinity" { self = .infinity; return }
    if text == "-infinity" { self = .negativeInfinity; return }
    var scanner = DigitScanner(text)
    guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
      scanner.take("-"), let day = scanner.number(2), scanner.take("T") || scanner.take(" "),
      let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
      scanner.take(":"), let second = scanner.number(2),
      (1...12).contains(month), day >= 1, day <= daysInMonth(month, of: year),
      hour < 24, minute < 60, second < 61,
      let fraction = scanner.fraction(), let offset = scanner.offset(), scanner.isAtEnd
    else { return nil }
    let days = daysFromCivil(year, month, day)
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    self.init(microsecondsSince1970: seconds * 1_000_000 + fraction)
  }
}

extension Duration {
  /// Whole microseconds, rounded towards zero.
  var wholeMicroseconds: Int64 {
    components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
  }
}

extension Int64 {
  fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}

private func padded(_ number: Int64, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible
/// Low-Level Date Algorithms", `days_from_civil`): years begin in March, so that the leap day comes
/// last.
private func daysFromCivil(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
  let shifted = month <= 2 ? year - 1 : year
  let (era, yearOfEra) = shifted.flooredDivision(by: 400)
  let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
  let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/// The inverse of ``daysFromCivil(_:_:_:)`` (`civil_from_days` of the same source).
private func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
  let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let shiftedMonth = (5 * dayOfYear + 2) / 153
  let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
}

private func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
  switch month {
  case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
  case 4, 6, 9, 11: 30
  default: 31
  }
}

/// Walks over ASCII digits and separators.
private struct DigitScanner {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func digit() -> Int64? {
    guard let first = rest.first, (48...57).contains(first) else { return nil }
    rest.removeFirst()
    return Int64(first - 48)
  }

  mutating func number(_ width: Int) -> Int64? {
    var result: Int64 = 0
    for _ in 0..<width {
      guard let digit = digit() else { return nil }
      result = result * 10 + digit
    }
    return result
  }

  /// Microseconds; zero if there is no fraction, nil if a point has no digit after it.
  mutating func fraction() -> Int64? {
    guard take(".") else { return 0 }
    var result: Int64 = 0
    var count = 0
    while let digit = digit() {
      if count < 6 { result = result * 10 + digit }
      count += 1
    }
    guard count > 0 else { return nil }
    for _ in min(count, 6)..<6 { result *= 10 }
    return result
  }

  /// Seconds east of Greenwich.
  mutating func offset() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let sign: Int64
    if take("+") { sign = 1 } else if take("-") { sign = -1 } else { return nil }
    guard let hours = number(2) else { return nil }
    if isAtEnd { return sign * hours * 3600 }
    _ = take(":")
    guard let minutes = number(2), hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 3600 + minutes * 60)
  }
}
