// A point in time with nanoseconds and the RFC 3339 forms that AuthOS writes and reads. Foundation's
// dates hold a Double of seconds, which cannot carry the nanoseconds of a stored period end.

/// A point in time: whole seconds and nanoseconds since 1970-01-01T00:00:00Z, without leap seconds.
public struct UTCTime: Sendable, Hashable, Comparable {
  /// Whole seconds since the epoch, rounded down.
  public var seconds: Int
  /// The part of a second, in 0 ..< 1,000,000,000.
  public var nanoseconds: Int

  /// A point in time; nanoseconds beyond a second carry over.
  public init(seconds: Int, nanoseconds: Int = 0) {
    let (carry, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    self.seconds = rest < 0 ? seconds + carry - 1 : seconds + carry
    self.nanoseconds = rest < 0 ? rest + 1_000_000_000 : rest
  }

  /// Orders by time.
  public static func < (left: UTCTime, right: UTCTime) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }

  /// The time so many seconds later.
  public func adding(seconds: Int) -> UTCTime {
    UTCTime(seconds: self.seconds + seconds, nanoseconds: nanoseconds)
  }

  /// The time without what is finer than the given number of nanoseconds.
  func truncated(toNanoseconds unit: Int) -> UTCTime {
    UTCTime(seconds: seconds, nanoseconds: nanoseconds - nanoseconds % unit)
  }

  /// The days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, "chrono-Compatible
  /// Low-Level Date Algorithms", `days_from_civil`).
  static func days(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = (year >= 0 ? year : year - 399) / 400
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// The date of a number of days since 1970-01-01 (`civil_from_days` of the same paper).
  static func date(days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  var civil: (year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
    let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
    let secondOfDay = seconds - days * 86_400
    let date = Self.date(days: days)
    return (
      date.year, date.month, date.day, secondOfDay / 3600, secondOfDay / 60 % 60, secondOfDay % 60
    )
  }
}

extension UTCTime {
  /// RFC 3339 with `Z` and 0, 3, 6 or 9 fractional digits, the form of success bodies.
  public var rfc3339: String { written(zone: "Z") }

  /// RFC 3339 with `+00:00`, the form of error bodies and of provider tokens.
  public var rfc3339WithOffset: String { written(zone: "+00:00") }

  private func written(zone: StaticString) -> String {
    var output: [UInt8] = []
    output.reserveCapacity(36)
    func append(_ value: Int, width: Int) {
      var divisor = 1
      for _ in 1..<width { divisor *= 10 }
      while divisor > 0 {
        output.append(UInt8(48 + value / divisor % 10))
        divisor /= 10
      }
    }
    let civil = self.civil
    if civil.year > 9999 { output.append(UInt8(ascii: "+")) }
    append(civil.year, width: civil.year > 9999 ? String(civil.year).utf8.count : 4)
    output.append(UInt8(ascii: "-"))
    append(civil.month, width: 2)
    output.append(UInt8(ascii: "-"))
    append(civil.day, width: 2)
    output.append(UInt8(ascii: "T"))
    append(civil.hour, width: 2)
    output.append(UInt8(ascii: ":"))
    append(civil.minute, width: 2)
    output.append(UInt8(ascii: ":"))
    append(civil.second, width: 2)
    if nanoseconds != 0 {
      output.append(UInt8(ascii: "."))
      if nanoseconds % 1_000_000 == 0 {
        append(nanoseconds / 1_000_000, width: 3)
      } else if nanoseconds % 1000 == 0 {
        append(nanoseconds / 1000, width: 6)
      } else {
        append(nanoseconds, width: 9)
      }
    }
    zone.withUTF8Buffer { output.append(contentsOf: $0) }
    return String(decoding: output, as: UTF8.self)
  }

  /// The form of HTTP's `Date` and `Retry-After` (RFC 9110, section 5.6.7).
  var httpDate: String {
    let civil = self.civil
    let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = [
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(weekdays[((days % 7) + 7) % 7]), \(two(civil.day)) \(months[civil.month - 1]) "
      + "\(civil.year) \(two(civil.hour)):\(two(civil.minute)):\(two(civil.second)) GMT"
  }
}
