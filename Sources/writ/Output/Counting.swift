// Numbers of things in sentences: 1 attempt, 2 attempts.

extension Int {
  /// The number and the noun, which takes an s unless there is one.
  func counting(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
