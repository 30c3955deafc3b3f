// Reading the date-times that clients send as `current_period_end`.

/// Why a text is no RFC 3339 date-time, in the words of the server's date library.
enum DateReadingError: String, Error {
  case tooShort = "premature end of input"
  case tooLong = "trailing input"
  case invalid = "input contains invalid characters"
  case outOfRange = "input is out of range"
}

extension UTCTime {
  /// Reads RFC 3339 with a mandatory offset; `T`, `t` or a space separates date and time, any
  /// number of fractional digits is allowed (those past the ninth are dropped), and so is the leap
  /// second 60.
  init(rfc3339 text: String) throws(DateReadingError) {
    var reader = DateReader(bytes: Array(text.utf8))
    let year = try reader.digits(4)
    try reader.one(of: "-")
    let month = try reader.digits(2)
    try reader.one(of: "-")
    let day = try reader.digits(2)
    try reader.one(of: "Tt ")
    let hour = try reader.digits(2)
    try reader.one(of: ":")
    let minute = try reader.digits(2)
    try reader.one(of: ":")
    let second = try reader.digits(2)
    let nanoseconds = try reader.fraction()
    let offset = try reader.offset()
    guard reader.isAtEnd else { throw .tooLong }
    guard (1...12).contains(month), day >= 1, day <= Self.length(ofMonth: month, year: year),
      hour < 24, minute < 60, second <= 60
    else { throw .outOfRange }
    let seconds = Self.days(year: year, month: month, day: day) * 86_400
    self.init(
      seconds: seconds + hour * 3600 + minute * 60 + second - offset, nanoseconds: nanoseconds)
  }

  private static func length(ofMonth month: Int, year: Int) -> Int {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

private struct DateReader {
  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func next() throws(DateReadingError) -> UInt8 {
    guard position < bytes.count else { throw .tooShort }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func digits(_ count: Int) throws(DateReadingError) -> Int {
    var value = 0
    for _ in 0..<count {
      let byte = try next()
      guard (0x30...0x39).contains(byte) else { throw .invalid }
      value = value * 10 + Int(byte - 0x30)
    }
    return value
  }

  mutating func one(of characters: String) throws(DateReadingError) {
    guard characters.utf8.contains(try next()) else { throw .invalid }
  }

  mutating func fraction() throws(DateReadingError) -> Int {
    guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else { return 0 }
    position += 1
    var nanoseconds = try digits(1) * 100_000_000
    var scale = 10_000_000
    while position < bytes.count, (0x30...0x39).contains(bytes[position]) {
      nanoseconds += Int(bytes[position] - 0x30) * scale
      scale /= 10
      position += 1
    }
    return nanoseconds
  }

  /// The offset from UTC in seconds.
  mutating func offset() throws(DateReadingError) -> Int {
    switch try next() {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): return 0
    case UInt8(ascii: "+"): return try hoursAndMinutes()
    case UInt8(ascii: "-"): return -(try hoursAndMinutes())
    default: throw .invalid
    }
  }

  private mutating func hoursAndMinutes() throws(DateReadingError) -> Int {
    let hours = try digits(2)
    try one(of: ":")
    let minutes = try digits(2)
    guard hours < 24, minutes < 60 else { throw .outOfRange }
    return hours * 3600 + minutes * 60
  }
}
