// Reading and writing date-times.

import AuthOSEmulator
import JSON
import Testing

@Suite struct UTCTimeTests {
  @Test(arguments: [
    (0, 0, "1970-01-01T00:00:00Z"), (-1, 0, "1969-12-31T23:59:59Z"),
    (951_782_400, 0, "2000-02-29T00:00:00Z"), (253_402_300_799, 0, "9999-12-31T23:59:59Z"),
    (1, 500_000_000, "1970-01-01T00:00:01.500Z"), (1, 1000, "1970-01-01T00:00:01.000001Z"),
    (1, 1, "1970-01-01T00:00:01.000000001Z"), (1, -1, "1970-01-01T00:00:00.999999999Z"),
  ])
  func `a time is written with as few groups of digits as keep it`(
    seconds: Int, nanoseconds: Int, expected: String
  ) {
    #expect(UTCTime(seconds: seconds, nanoseconds: nanoseconds).rfc3339 == expected)
  }

  @Test(arguments: [
    ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
    ("2030-01-01t00:00:00z", "2030-01-01T00:00:00Z"),
    ("2030-01-01 00:00:00+05:30", "2029-12-31T18:30:00Z"),
    ("2030-01-01T00:00:00.1234567891-01:00", "2030-01-01T01:00:00.123456789Z"),
    ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
    ("2028-02-29T12:00:00Z", "2028-02-29T12:00:00Z"),
  ])
  func `a period end is read in every form that RFC 3339 has`(text: String, expected: String) {
    #expect(periodEnd(text)["current_period_end"] == .string(expected))
  }

  @Test(arguments: [
    "", "2030-01-01", "2030-01-01T00:00:00", "2030-01-01T00:00:00.Z", "2030-13-01T00:00:00Z",
    "2030-02-29T00:00:00Z", "2030-01-01T24:00:00Z", "2030-01-01T00:00:00+0100",
    "2030-01-01T00:00:00Z ", "30-01-01T00:00:00Z", "2030-01-01T00:00:61Z",
  ])
  func `anything else is refused`(text: String) {
    #expect(
      periodEnd(text).summary.hasPrefix("400 BAD_REQUEST: Invalid current_period_end: "))
  }

  private func periodEnd(_ text: String) -> Reply {
    let fixture = Fixture()
    return fixture.subscribe(fixture.user("ada@acme.test"), until: text)
  }
}
