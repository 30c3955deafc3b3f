// A cron expression as sets of numbers, and which wall times it means. docs/schedules.md tells the same.

/// When a schedule fires, in wall time.
///
/// Five fields as in crontab(5) by Vixie: minute (0–59), hour (0–23), day of the month (1–31), month
/// (1–12 or jan–dec), day of the week (0–7 or sun–sat; 0 and 7 are Sunday). A field is a list of `*`,
/// numbers, names and ranges, `*` and ranges with a step (`*/15`, `9-17/2`); `L` among the days of the
/// month is the last one. `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for
/// five fields.
///
/// A day has to match both day fields; but where neither begins with `*`, one of them is enough.
///
/// What a wall time is in a time zone is not decided here: the database has the zones and the clock.
public struct CronExpression: Sendable, Hashable {
  /// The text from which it was read, with single spaces.
  public let text: String
  /// Matching minutes, ascending; never empty.
  public let minutes: [Int]
  /// Matching hours, ascending; never empty.
  public let hours: [Int]
  /// Matching days of the month, ascending; empty only where ``isLastDay``.
  public let days: [Int]
  /// Whether the last day of the month matches, whichever that is.
  public let isLastDay: Bool
  /// Matching months, ascending; never empty.
  public let months: [Int]
  /// Matching days of the week, ascending, 0 for Sunday; never empty.
  public let weekdays: [Int]
  /// Whether one matching day field is enough.
  public let matchesEitherDay: Bool

  /// Reads an expression.
  ///
  /// - Throws: ``CronError`` with the rule that is broken, also for one that can never fire.
  public init(parsing text: String) throws(CronError) {
    let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    self.text = words.joined(separator: " ")
    let fields = try Self.fields(words)
    minutes = try CronField.minute.read(fields[0]).numbers
    hours = try CronField.hour.read(fields[1]).numbers
    let days = try CronField.day.read(fields[2])
    self.days = days.numbers
    isLastDay = days.hasLast
    months = try CronField.month.read(fields[3]).numbers
    weekdays = Set(try CronField.weekday.read(fields[4]).numbers.map { $0 % 7 }).sorted()
    matchesEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    if !matchesEitherDay, !isLastDay, let first = self.days.first,
      !months.contains(where: { first <= Self.longest($0) })
    {
      throw CronError("never fires: none of its months has a day \(first)")
    }
  }

  private static func fields(_ words: [String]) throws(CronError) -> [String] {
    guard let first = words.first else {
      throw CronError("is empty; write five fields, such as 0 3 * * *")
    }
    if first.hasPrefix("@") {
      guard words.count == 1, let meaning = abbreviations[first.lowercased()] else {
        throw CronError(
          "has an unknown abbreviation; known are \(abbreviations.keys.sorted().joined(separator: ", "))"
        )
      }
      return meaning.split(separator: " ").map(String.init)
    }
    guard words.count == 5 else {
      throw CronError(
        "must have five fields (minute, hour, day of the month, month, day of the week), "
          + "but has \(words.count)")
    }
    return words
  }

  private static let abbreviations = [
    "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
  ]

  /// The days that a month can have.
  private static func longest(_ month: Int) -> Int { LocalMinute.days(in: month, of: 2000) }

  // MARK: Wall times

  /// Whether it means this wall time.
  public func matches(_ time: LocalMinute) -> Bool {
    minutes.contains(time.minute) && hours.contains(time.hour) && months.contains(time.month)
      && matchesDay(time)
  }

  /// The first wall time after another that it means.
  public func next(after time: LocalMinute) -> LocalMinute {
    var candidate = time.nextMinute
    // The 29th of February on one day of the week comes back after 40 years at the latest.
    while true {
      if !months.contains(candidate.month) {
        candidate = candidate.startOfNextMonth
      } else if !matchesDay(candidate) {
        candidate = candidate.startOfNextDay
      } else if let hour = hours.first(where: { $0 >= candidate.hour }) {
        if hour > candidate.hour {
          candidate.hour = hour
          candidate.minute = minutes[0]
          return candidate
        }
        if let minute = minutes.first(where: { $0 >= candidate.minute }) {
          candidate.minute = minute
          return candidate
        }
        candidate = candidate.startOfNextHour
      } else {
        candidate = candidate.startOfNextDay
      }
    }
  }

  private func matchesDay(_ time: LocalMinute) -> Bool {
    let isDay =
      days.contains(time.day)
      || (isLastDay && time.day == LocalMinute.days(in: time.month, of: time.year))
    let isWeekday = weekdays.contains(time.weekday)
    return matchesEitherDay ? isDay || isWeekday : isDay && isWeekday
  }
}

/// Why a text is no cron expression: a rule that reads on from "the cron expression".
public struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The rule, without a full stop.
  public let rule: String

  init(_ rule: String) { self.rule = rule }

  /// The rule.
  public var description: String { rule }
}

/// A minute of the Gregorian calendar on a clock on the wall, in no time zone.
public struct LocalMinute: Sendable, Hashable, Comparable {
  /// The year.
  public var year: Int
  /// The month, 1–12.
  public var month: Int
  /// The day of the month, from 1.
  public var day: Int
  /// The hour, 0–23.
  public var hour: Int
  /// The minute, 0–59.
  public var minute: Int

  /// A wall time; the numbers have to be in range.
  public init(_ year: Int, _ month: Int, _ day: Int, _ hour: Int = 0, _ minute: Int = 0) {
    self.year = year
    self.month = month
    self.day = day
    self.hour = hour
    self.minute = minute
  }

  /// The day of the week, 0 for Sunday; by Sakamoto's method.
  public var weekday: Int {
    let shifts = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4]
    let year = month < 3 ? year - 1 : year
    return (year + year / 4 - year / 100 + year / 400 + shifts[month - 1] + day) % 7
  }

  /// The number of days of a month.
  public static func days(in month: Int, of year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }

  /// Earlier to later.
  public static func < (left: LocalMinute, right: LocalMinute) -> Bool {
    (left.year * 12 + left.month, left.day, left.hour * 60 + left.minute)
      < (right.year * 12 + right.month, right.day, right.hour * 60 + right.minute)
  }

  var nextMinute: LocalMinute {
    minute < 59 ? LocalMinute(year, month, day, hour, minute + 1) : startOfNextHour
  }
  var startOfNextHour: LocalMinute {
    hour < 23 ? LocalMinute(year, month, day, hour + 1) : startOfNextDay
  }
  var startOfNextDay: LocalMinute {
    day < Self.days(in: month, of: year) ? LocalMinute(year, month, day + 1) : startOfNextMonth
  }
  var startOfNextMonth: LocalMinute {
    month < 12 ? LocalMinute(year, month + 1, 1) : LocalMinute(year + 1, 1, 1)
  }
}
