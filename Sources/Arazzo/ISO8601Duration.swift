// Durations as ISO 8601 writes them, without weeks and the units whose length varies.

extension Duration {
  /// A duration such as `PT30S`, `PT1H30M`, `P2DT0.5S`; `nil` for any other text.
  ///
  /// Only the last unit may have a fraction, of at most nine digits.
  init?(iso8601 text: String) {
    guard text.first == "P", text.count <= 40 else { return nil }
    var total = Duration.zero
    var digits = ""
    var isInTime = false
    var lastRank = 0
    var hasUnit = false
    var hasFraction = false
    for character in text.dropFirst() {
      if character == "T" {
        guard !isInTime, digits.isEmpty, !hasFraction else { return nil }
        isInTime = true
        hasUnit = false
        continue
      }
      if character.isASCII, character.isNumber || character == "." {
        digits.append(character)
        continue
      }
      guard let (rank, seconds) = Self.unit(character, isInTime: isInTime), rank > lastRank,
        !hasFraction, let amount = Self.amount(digits, secondsEach: seconds)
      else { return nil }
      hasFraction = digits.contains(".")
      total += amount
      digits = ""
      lastRank = rank
      hasUnit = true
    }
    guard hasUnit, digits.isEmpty else { return nil }
    self = total
  }

  private static func unit(_ letter: Character, isInTime: Bool) -> (rank: Int, seconds: Int64)? {
    switch (letter, isInTime) {
    case ("D", false): (1, 86_400)
    case ("H", true): (2, 3_600)
    case ("M", true): (3, 60)
    case ("S", true): (4, 1)
    default: nil
    }
  }

  private static func amount(_ digits: String, secondsEach: Int64) -> Duration? {
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts[0].count <= 9, let whole = Int64(parts[0])
    else { return nil }
    var amount = Duration.seconds(whole * secondsEach)
    if parts.count == 2 {
      guard (1...9).contains(parts[1].count), let fraction = Int64(parts[1]) else { return nil }
      let scale = (0..<(9 - parts[1].count)).reduce(Int64(1)) { value, _ in value * 10 }
      amount += .nanoseconds(fraction * scale * secondsEach)
    }
    return amount
  }
}
