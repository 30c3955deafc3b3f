// Aligned columns for people.

/// Rows under titles, two spaces between columns.
///
///     ID     TYPE         STATE
///     41872  create_user  completed
struct Table: Sendable {
  /// A column.
  struct Column: Sendable {
    var title: String
    var isNumber = false
    var style: (@Sendable (String) -> Style?)? = nil
  }

  var columns: [Column]
  private(set) var rows: [[String]] = []

  /// A table of these titles; a title that begins with `#` is of a column of numbers, set to the right.
  init(_ titles: String...) { self.init(titles) }

  /// The same of a list of titles, in capitals.
  init(fields names: [String]) { self.init(names.map { $0.uppercased() }) }

  private init(_ titles: [String]) {
    columns = titles.map { title in
      title.hasPrefix("#")
        ? Column(title: String(title.dropFirst()), isNumber: true) : Column(title: title)
    }
  }

  /// Gives cells of one column a style.
  func styling(_ title: String, _ style: @escaping @Sendable (String) -> Style?) -> Table {
    var copy = self
    if let index = columns.firstIndex(where: { $0.title == title }) {
      copy.columns[index].style = style
    }
    return copy
  }

  /// Adds a row.
  mutating func add(_ cells: [String]) { rows.append(cells.map(\.printable)) }

  /// Adds a row.
  mutating func add(_ cells: String...) { add(cells) }

  /// The lines, the titles first unless there are none; an empty cell under a title shows as `-`.
  func lines(usesColour: Bool = false) -> [String] {
    let hasTitles = columns.contains { !$0.title.isEmpty }
    let rows = rows.map { $0.map { $0.isEmpty && hasTitles ? "-" : $0 } }
    let widths = columns.indices.map { index in
      ([columns[index].title] + rows.map { $0[index] }).map(\.count).max() ?? 0
    }
    let head = hasTitles ? [line(columns.map(\.title), widths, isHead: true, usesColour)] : []
    return head + rows.map { line($0, widths, isHead: false, usesColour) }
  }

  private func line(
    _ cells: [String], _ widths: [Int], isHead: Bool, _ usesColour: Bool
  ) -> String {
    let last = cells.count - 1
    return cells.enumerated().map { index, cell in
      let column = columns[index]
      let padded =
        column.isNumber
        ? cell.paddedLeft(to: widths[index]) : index == last ? cell : cell.padded(to: widths[index])
      let style: Style? = isHead ? .dim : column.style?(cell)
      return style?.applied(to: padded, if: usesColour) ?? padded
    }.joined(separator: "  ").withoutTrailingSpaces
  }
}

extension String {
  fileprivate var withoutTrailingSpaces: String {
    guard let last = lastIndex(where: { $0 != " " }) else { return "" }
    return String(self[...last])
  }
}
