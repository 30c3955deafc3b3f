// Checking and normalizing the inputs of a job.

public import JSON

extension InputSchema {
  /// What is wrong with inputs; the text of a violation never holds a value.
  ///
  /// - Parameters:
  ///   - value: The inputs.
  ///   - includesEnvironment: Whether the inputs that the worker's environment and the job supply
  ///     are already among them; if not, a caller who passes one is refused.
  public func validate(
    _ value: JSONValue, includesEnvironment: Bool = false
  ) -> [InputViolation] {
    guard let object = value.objectValue else {
      return [InputViolation(field: nil, rule: "must be an object")]
    }
    var violations: [InputViolation] = []
    for property in properties {
      if property.policy.isSupplied, !includesEnvironment {
        if object[property.name] != nil {
          violations.append(
            InputViolation(
              field: property.name,
              rule: property.policy.jobField == nil
                ? "is supplied by the worker's environment and cannot be passed"
                : "is supplied by the job itself and cannot be passed"))
        }
        continue
      }
      guard let value = object[property.name] else {
        if property.isRequired, property.defaultValue == nil {
          violations.append(InputViolation(field: property.name, rule: "is required"))
        }
        continue
      }
      violations += property.violations(of: value)
    }
    let known = parameters.map(\.name).joined(separator: ", ")
    for name in object.names where self[name] == nil {
      violations.append(
        InputViolation(
          field: Self.isPrintable(name) ? name : "a field",
          rule: known.isEmpty
            ? "is unknown; there are no inputs" : "is unknown; the inputs are \(known)"))
    }
    return violations
  }

  /// The inputs with defaults filled in and texts normalized; what no schema describes stays.
  public func normalized(_ inputs: JSONObject) -> JSONObject {
    var result = inputs
    for property in properties {
      guard let value = result[property.name] ?? property.defaultValue else { continue }
      result[property.name] = property.normalized(value)
    }
    return result
  }

  private static func isPrintable(_ name: String) -> Bool {
    name.utf8.count <= 63 && !name.isEmpty
      && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-.".contains($0)) }
  }
}

extension InputProperty {
  /// The value in the form that ``Policy/normalization`` asks for.
  public func normalized(_ value: JSONValue) -> JSONValue {
    guard let normalization = policy.normalization, case .string(let text) = value else {
      return value
    }
    let trimmed = Self.trimmed(text)
    switch normalization {
    case .lowercase: return .string(trimmed.lowercased())
    case .email:
      guard let at = trimmed.lastIndex(of: "@") else { return .string(String(trimmed)) }
      return .string(String(trimmed[..<at]) + trimmed[at...].lowercased())
    }
  }

  private static func trimmed(_ text: String) -> Substring {
    var rest = text[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }

  /// What is wrong with a value of this input, after normalizing it.
  public func violations(of value: JSONValue) -> [InputViolation] {
    rules(brokenBy: normalized(value)).map { InputViolation(field: name, rule: $0) }
  }

  private func rules(brokenBy value: JSONValue) -> [String] {
    if let refusal = policy.refusal, !value.isNull { return ["must not be passed: \(refusal)"] }
    if value.isNull, policy.refusal != nil { return [] }
    if value.isNull { return isNullable ? [] : ["must not be null"] }
    switch kind {
    case .json:
      guard let type = constraints.jsonType, !type.includes(value) else { return [] }
      return [type.rule]
    case .boolean: return value.boolValue == nil ? [kind.rule] : []
    case .integer:
      guard let integer = value.intValue else { return [kind.rule] }
      return numberRules(JSONNumber(integer))
    case .number:
      guard case .number(let number) = value else { return [kind.rule] }
      return numberRules(number)
    case .string, .uuid, .dateTime, .email, .uri, .publicKey:
      guard let text = value.stringValue, hasFormat(text) else { return [kind.rule] }
      return textRules(text)
    case .stringArray, .uuidArray, .integerArray:
      guard let elements = value.arrayValue, elements.allSatisfy(isElement) else {
        return [kind.rule]
      }
      return countRules(
        elements.count, constraints.minItems, constraints.maxItems, "element", "elements")
    }
  }

  private func isElement(_ element: JSONValue) -> Bool {
    kind == .integerArray
      ? element.intValue != nil : element.stringValue.map(hasFormat) ?? false
  }

  private func hasFormat(_ text: String) -> Bool {
    // PostgreSQL's text has no zero byte.
    guard !text.utf8.contains(0) else { return false }
    if kind == .email, text.utf8.count > 254 { return false }
    guard let pattern = kind.formatPattern else { return true }
    return Self.matches(text, pattern)
  }

  private func textRules(_ text: String) -> [String] {
    var rules = countRules(
      text.unicodeScalars.count, constraints.minLength, constraints.maxLength, "character",
      "characters")
    if let pattern = constraints.pattern, !pattern.matches(text) {
      rules.append("must match the pattern \(pattern.text)")
    }
    if let allowed = constraints.allowedValues, !allowed.contains(text) {
      rules.append("must be one of \(allowed.joined(separator: ", "))")
    }
    return rules
  }

  private func numberRules(_ number: JSONNumber) -> [String] {
    var rules: [String] = []
    if let minimum = constraints.minimum, Self.isLess(number, minimum) {
      rules.append("must be at least \(minimum.text)")
    }
    if let maximum = constraints.maximum, Self.isLess(maximum, number) {
      rules.append("must be at most \(maximum.text)")
    }
    return rules
  }

  private func countRules(
    _ count: Int, _ least: Int?, _ most: Int?, _ one: String, _ many: String
  ) -> [String] {
    if let least, count < least {
      return ["must have at least \(least) \(least == 1 ? one : many)"]
    }
    if let most, count > most { return ["must have at most \(most) \(most == 1 ? one : many)"] }
    return []
  }

  static func isLess(_ left: JSONNumber, _ right: JSONNumber) -> Bool {
    if let left = left.intValue, let right = right.intValue { return left < right }
    return left.doubleValue < right.doubleValue
  }

  private static func matches(_ text: String, _ pattern: String) -> Bool {
    guard let regex = try? Regex(pattern).matchingSemantics(.unicodeScalar) else { return false }
    return text.firstMatch(of: regex) != nil
  }
}
