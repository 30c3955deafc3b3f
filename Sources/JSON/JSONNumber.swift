// A number as JSON wrote it, so that a value too wide for Double passes through unharmed.

/// A JSON number: its exact text, which keeps the RFC 8259 grammar.
public struct JSONNumber: Sendable {
  /// The number as written, for example `1.50` or `12345678901234567890`.
  public let text: String

  /// A number from an integer.
  public init(_ value: Int) { text = String(value) }

  /// A number from a finite floating-point value; integers get no fraction, infinities and NaN
  /// become `0`, since JSON has no word for them.
  public init(_ value: Double) {
    if let integer = Int(exactly: value) {
      text = String(integer)
    } else {
      text = value.isFinite ? "\(value)" : "0"
    }
  }

  /// Text that the parser has already checked against the grammar.
  init(checkedText: String) { text = checkedText }

  /// The number as a 64-bit integer; `1.0` and `1e2` are integers, `1.5` is not.
  public var intValue: Int? { Int(text) ?? Double(text).flatMap { Int(exactly: $0) } }

  /// The nearest binary floating-point value.
  public var doubleValue: Double { Double(text) ?? .nan }
}

extension JSONNumber: Hashable {
  /// Whether both are the same number, however written.
  public static func == (left: JSONNumber, right: JSONNumber) -> Bool {
    if left.text == right.text { return true }
    if let a = Int(left.text), let b = Int(right.text) { return a == b }
    return left.doubleValue == right.doubleValue
  }

  /// Hashes the value, so that numbers that are equal hash alike.
  public func hash(into hasher: inout Hasher) { hasher.combine(doubleValue) }
}
