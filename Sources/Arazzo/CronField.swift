// One field of a cron expression: a list of numbers, names, ranges and steps.

struct CronField {
  struct Value {
    var numbers: [Int]
    /// Whether `L` was among them.
    var hasLast: Bool
  }

  let name: String
  /// The article that its name takes.
  var article = "a"
  let range: ClosedRange<Int>
  var names: [String: Int] = [:]
  /// Whether `L` has a meaning.
  var hasLast = false

  static let minute = CronField(name: "minute", range: 0...59)
  static let hour = CronField(name: "hour", article: "an", range: 0...23)
  static let day = CronField(name: "day of the month", range: 1...31, hasLast: true)
  static let month = CronField(
    name: "month", range: 1...12,
    names: numbered(
      ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], from: 1)
  )
  static let weekday = CronField(
    name: "day of the week", range: 0...7,
    names: numbered(["sun", "mon", "tue", "wed", "thu", "fri", "sat"], from: 0))

  private static func numbered(_ names: [String], from first: Int) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0 + first) })
  }

  func read(_ text: String) throws(CronError) -> Value {
    var value = Value(numbers: [], hasLast: false)
    var numbers: Set<Int> = []
    for element in text.split(separator: ",", omittingEmptySubsequences: false) {
      if hasLast, element == "L" || element == "l" {
        value.hasLast = true
      } else {
        numbers.formUnion(try read(element: element))
      }
    }
    value.numbers = numbers.sorted()
    return value
  }

  private func read(element: Substring) throws(CronError) -> [Int] {
    let parts = element.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, !parts[0].isEmpty else { throw malformed }
    let bounds = try bounds(parts[0])
    guard parts.count == 2 else { return Array(bounds.range) }
    guard bounds.isRange else {
      throw CronError("must have a step after a range in its \(name): write a-b/n or */n")
    }
    guard let step = Self.number(parts[1]), step >= 1 else { throw malformed }
    guard step <= bounds.range.upperBound - bounds.range.lowerBound else {
      throw CronError(
        "has a step in its \(name) that is longer than the range, so it would match once")
    }
    return Array(stride(from: bounds.range.lowerBound, through: bounds.range.upperBound, by: step))
  }

  private func bounds(
    _ text: Substring
  ) throws(CronError) -> (range: ClosedRange<Int>, isRange: Bool) {
    // Seven is Sunday again, so that sat-sun can be written; a star counts it once.
    if text == "*" { return (range.lowerBound...(range == 0...7 ? 6 : range.upperBound), true) }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2 else { throw malformed }
    let first = try value(ends[0])
    guard ends.count == 2 else { return (first...first, false) }
    var last = try value(ends[1])
    if range == 0...7, last == 0, first > 0 { last = 7 }
    guard first <= last else {
      throw CronError(
        "has a range in its \(name) that ends before it begins; write two ranges with a comma")
    }
    return (first...last, true)
  }

  private func value(_ text: Substring) throws(CronError) -> Int {
    if let number = names[text.lowercased()] { return number }
    guard let number = Self.number(text) else { throw malformed }
    guard range.contains(number) else {
      throw CronError(
        "has \(article) \(name) outside \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private var malformed: CronError {
    let words = names.isEmpty ? "" : ", names of three letters"
    let last = hasLast ? ", L" : ""
    return CronError(
      "has \(article) \(name) that is not made of *, numbers\(words), a-b, /n\(last) and commas")
  }

  private static func number(_ text: Substring) -> Int? {
    guard (1...2).contains(text.utf8.count),
      text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    else { return nil }
    return Int(text)
  }
}
