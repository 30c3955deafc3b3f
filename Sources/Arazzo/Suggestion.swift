// The nearest known word to one that is not known.

/// Finds what an author may have meant.
public enum Suggestion {
  /// The known word that takes the fewest edits to reach, if that is few for its length.
  public static func nearest(to word: String, among known: [String]) -> String? {
    let scored = known.map { (word: $0, distance: distance(Array(word), Array($0))) }
    guard let best = scored.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }),
      best.distance <= max(2, word.count / 3)
    else { return nil }
    return best.word
  }

  /// `; did you mean X?`, or nothing.
  public static func question(_ word: String?, among known: [String]) -> String {
    word.flatMap { nearest(to: $0, among: known) }.map { "; did you mean \($0)?" } ?? ""
  }

  /// Levenshtein's distance: insertions, deletions and replacements.
  static func distance(_ left: [Character], _ right: [Character]) -> Int {
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let replaced = diagonal + (character == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, diagonal + 1, row[column] + 1)
      }
    }
    return row[right.count]
  }
}
