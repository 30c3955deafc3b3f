// The limits on an input's values.

internal import JSON

extension InputSchemaReader {
  func readConstraints(
    _ object: ObjectReader, _ kind: InputProperty.Kind
  ) -> InputProperty.Constraints {
    var constraints = InputProperty.Constraints()
    if kind == .json { return constraints }
    constraints.minLength = object.integer("minLength", in: 0...1_000_000)
    constraints.maxLength = object.integer("maxLength", in: 0...1_000_000)
    constraints.minItems = object.integer("minItems", in: 0...100_000)
    constraints.maxItems = object.integer("maxItems", in: 0...100_000)
    constraints.minimum = readNumber(object, "minimum", kind)
    constraints.maximum = readNumber(object, "maximum", kind)
    constraints.pattern = readPattern(object)
    if let format = object["format"], kind == .integer || kind == .number,
      !["int32", "int64", "float", "double"].contains(format.string)
    {
      object.report("'format' of a number must be one of int32, int64, float, double", at: format)
    }
    if object["enum"] != nil {
      constraints.allowedValues = object.strings("enum").map(\.text)
      if object["enum"]?.elements?.isEmpty == true {
        object.report("'enum' needs at least one element", at: object["enum"])
      }
    }
    reportEmptyRanges(constraints, object)
    return constraints
  }

  private func reportEmptyRanges(
    _ constraints: InputProperty.Constraints, _ object: ObjectReader
  ) {
    func report(_ low: String, _ high: String) {
      object.report("'\(low)' is greater than '\(high)': no value fits", at: object[low])
    }
    if let low = constraints.minLength, let high = constraints.maxLength, low > high {
      report("minLength", "maxLength")
    }
    if let low = constraints.minItems, let high = constraints.maxItems, low > high {
      report("minItems", "maxItems")
    }
    if let low = constraints.minimum, let high = constraints.maximum,
      InputProperty.isLess(high, low)
    {
      report("minimum", "maximum")
    }
  }

  private func readNumber(
    _ object: ObjectReader, _ name: String, _ kind: InputProperty.Kind
  ) -> JSONNumber? {
    guard let node = object[name] else { return nil }
    guard case .number(let number)? = node.scalar, kind != .integer || number.intValue != nil
    else {
      object.report(
        "'\(name)' must be \(kind == .integer ? "an integer" : "a number")", at: node)
      return nil
    }
    return number
  }

  /// A pattern that means the same to this program and to PostgreSQL.
  ///
  /// One of a published definition that an earlier version read otherwise is left out: the database has
  /// checked the inputs by what was published.
  private func readPattern(_ object: ObjectReader) -> InputPattern? {
    guard let text = object.string("pattern"), let node = object["pattern"] else { return nil }
    do {
      return try InputPattern(parsing: text)
    } catch {
      guard !isPublished else { return nil }
      object.report(
        "'pattern' is not a regular expression that Writ and PostgreSQL read alike: \(error.reason) "
          + "(at character \(error.position))", at: node)
      return nil
    }
  }
}
