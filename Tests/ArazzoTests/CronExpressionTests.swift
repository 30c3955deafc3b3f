// Cron expressions: what is read, what is refused, and which wall times are meant.

import Arazzo
import Testing

@Suite struct CronExpressionTests {
  @Test(arguments: [
    ("", "is empty; write five fields, such as 0 3 * * *"),
    (
      "0 3 * *",
      "must have five fields (minute, hour, day of the month, month, day of the week), but has 4"
    ),
    (
      "0 0 3 * * *",
      "must have five fields (minute, hour, day of the month, month, day of the week), but has 6"
    ),
    ("60 * * * *", "has a minute outside 0 to 59"),
    ("* 24 * * *", "has an hour outside 0 to 23"),
    ("* * 0 * *", "has a day of the month outside 1 to 31"),
    ("* * * 13 *", "has a month outside 1 to 12"),
    ("* * * * 8", "has a day of the week outside 0 to 7"),
    ("-1 * * * *", "has a minute that is not made of *, numbers, a-b, /n and commas"),
    ("1,,2 * * * *", "has a minute that is not made of *, numbers, a-b, /n and commas"),
    ("*/0 * * * *", "has a minute that is not made of *, numbers, a-b, /n and commas"),
    (
      "*/60 * * * *",
      "has a step in its minute that is longer than the range, so it would match once"
    ),
    ("5/15 * * * *", "must have a step after a range in its minute: write a-b/n or */n"),
    (
      "0 22-2 * * *",
      "has a range in its hour that ends before it begins; write two ranges with a comma"
    ),
    (
      "0 0 ? * *",
      "has a day of the month that is not made of *, numbers, a-b, /n, L and commas"
    ),
    (
      "0 0 * * mo",
      "has a day of the week that is not made of *, numbers, names of three letters, a-b, /n and commas"
    ),
    ("0 0 30 2 *", "never fires: none of its months has a day 30"),
    ("0 0 31 2,4,6,9,11 *", "never fires: none of its months has a day 31"),
    (
      "@reboot",
      "has an unknown abbreviation; known are @annually, @daily, @hourly, @midnight, @monthly, "
        + "@weekly, @yearly"
    ),
  ]) func `what is no cron expression is refused with its rule`(text: String, rule: String) {
    let error = #expect(throws: CronError.self) { try CronExpression(parsing: text) }
    #expect(error?.rule == rule)
  }

  @Test(arguments: [
    ("0 3 * * *", LocalMinute(2026, 3, 1, 3), LocalMinute(2026, 3, 2, 3)),
    ("*/15 9-17 * * mon-fri", LocalMinute(2026, 5, 1, 17, 45), LocalMinute(2026, 5, 4, 9)),
    ("59 23 L * *", LocalMinute(2028, 2, 1), LocalMinute(2028, 2, 29, 23, 59)),
    ("0 0 15,L * *", LocalMinute(2026, 4, 15), LocalMinute(2026, 4, 30)),
    ("0 0 29 2 *", LocalMinute(2096, 3, 1), LocalMinute(2104, 2, 29)),
    ("0 0 29 2 */3", LocalMinute(2026, 1, 1), LocalMinute(2032, 2, 29)),
    ("0 0 * * sat-sun", LocalMinute(2026, 11, 21), LocalMinute(2026, 11, 22)),
    ("0 0 * * 7", LocalMinute(2026, 11, 21), LocalMinute(2026, 11, 22)),
    // Both day fields: one is enough; but one that begins with * has to match too.
    ("0 0 13 * fri", LocalMinute(2026, 11, 7), LocalMinute(2026, 11, 13)),
    ("0 0 13 * fri", LocalMinute(2026, 11, 13), LocalMinute(2026, 11, 20)),
    ("0 0 */2 * fri", LocalMinute(2026, 11, 13), LocalMinute(2026, 11, 27)),
    ("@monthly", LocalMinute(2026, 12, 1), LocalMinute(2027, 1, 1)),
    ("5-59/20 0 1 JAN *", LocalMinute(2026, 1, 1, 0, 25), LocalMinute(2026, 1, 1, 0, 45)),
  ]) func `the next wall time is the one that a calendar shows`(
    text: String, after: LocalMinute, next: LocalMinute
  ) throws {
    #expect(try CronExpression(parsing: text).next(after: after) == next)
  }

  /// Compares with the definition: walk minute by minute until one matches.
  @Test func `the next wall time is the first matching minute, for random expressions`() throws {
    var random = SplitMix(seed: 42)
    for _ in 0..<400 {
      let expression = try CronExpression(parsing: Self.expression(&random))
      let after = LocalMinute(
        2024 + Int.random(in: 0...4, using: &random), Int.random(in: 1...12, using: &random),
        Int.random(in: 1...28, using: &random), Int.random(in: 0...23, using: &random),
        Int.random(in: 0...59, using: &random))
      let next = expression.next(after: after)
      #expect(next > after)
      #expect(expression.matches(next))
      var time = Self.following(after)
      var minutes = 0
      while time < next, minutes < 3_000 {
        #expect(!expression.matches(time), "\(expression.text) means \(time) before \(next)")
        time = Self.following(time)
        minutes += 1
      }
    }
  }

  /// Mostly narrow fields, so that days and months matter.
  static func expression(_ random: inout SplitMix) -> String {
    func field(_ range: ClosedRange<Int>) -> String {
      switch Int.random(in: 0...4, using: &random) {
      case 0, 1: return "*"
      case 2: return "*/\(Int.random(in: 1...(range.upperBound / 2), using: &random))"
      case 3:
        let low = Int.random(in: range, using: &random)
        return "\(low)-\(Int.random(in: low...range.upperBound, using: &random))"
      default: return "\(Int.random(in: range, using: &random))"
      }
    }
    let fields = [field(0...59), field(0...23), field(1...28), field(1...12), field(0...6)]
    return fields.joined(separator: " ")
  }

  private static func following(_ time: LocalMinute) -> LocalMinute {
    var time = time
    time.minute += 1
    if time.minute == 60 { (time.hour, time.minute) = (time.hour + 1, 0) }
    if time.hour == 24 { (time.day, time.hour) = (time.day + 1, 0) }
    if time.day > LocalMinute.days(in: time.month, of: time.year) {
      (time.month, time.day) = (time.month + 1, 1)
    }
    if time.month == 13 { (time.year, time.month) = (time.year + 1, 1) }
    return time
  }
}

/// Steele, Lea and Flood's generator: the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
