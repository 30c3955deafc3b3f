// The general categories of Unicode by the names that regular expressions use.

enum UnicodeCategories {
  private static let byName: [String: Unicode.GeneralCategory] = [
    "Lu": .uppercaseLetter, "Ll": .lowercaseLetter, "Lt": .titlecaseLetter,
    "Lm": .modifierLetter, "Lo": .otherLetter, "Mn": .nonspacingMark, "Mc": .spacingMark,
    "Me": .enclosingMark, "Nd": .decimalNumber, "Nl": .letterNumber, "No": .otherNumber,
    "Pc": .connectorPunctuation, "Pd": .dashPunctuation, "Ps": .openPunctuation,
    "Pe": .closePunctuation, "Pi": .initialPunctuation, "Pf": .finalPunctuation,
    "Po": .otherPunctuation, "Sm": .mathSymbol, "Sc": .currencySymbol, "Sk": .modifierSymbol,
    "So": .otherSymbol, "Zs": .spaceSeparator, "Zl": .lineSeparator, "Zp": .paragraphSeparator,
    "Cc": .control, "Cf": .format, "Co": .privateUse, "Cn": .unassigned,
  ]

  /// The categories that a name means: one of two letters, or all that start with one letter.
  static func named(_ name: String) -> Set<Unicode.GeneralCategory>? {
    if let category = byName[name] { return [category] }
    guard name.count == 1 else { return nil }
    let categories = byName.filter { $0.key.hasPrefix(name) }.map(\.value)
    return categories.isEmpty ? nil : Set(categories)
  }
}
