// Reads the fields of one object of a document, reporting what is missing, wrong or unknown.

internal import JSON

/// One object of a document.
struct ObjectReader {
  let node: DocumentNode
  let members: [DocumentNode.Member]
  let errors: ErrorCollector

  /// Starts to read an object; `nil` after reporting that the value is none.
  ///
  /// - Parameters:
  ///   - what: What the object is, for messages: `a step`.
  ///   - fields: The fields that it may have, besides `x-` fields.
  ///   - refused: Fields of the standard that are not supported, with the reason.
  ///   - isExtensible: Whether it may have `x-` fields.
  ///   - hasPolicy: Whether `x-writ` has a meaning here.
  init?(
    _ node: DocumentNode, _ what: String, fields: [String], refused: [String: String] = [:],
    isExtensible: Bool = true, hasPolicy: Bool = false, errors: ErrorCollector
  ) {
    guard let members = node.members else {
      errors.report("\(what) must be an object, but this is \(node.kindName)", at: node.location)
      return nil
    }
    self.node = node
    self.members = members
    self.errors = errors
    for (index, member) in members.enumerated() where !fields.contains(member.name) {
      if let reason = refused[member.name] {
        errors.report(reason, at: member.nameLocation)
      } else if member.name == "x-writ" {
        if !hasPolicy { errors.report("x-writ has no meaning on \(what)", at: member.nameLocation) }
      } else if !member.name.hasPrefix("x-") || !isExtensible {
        // What is not indented enough leaves the field above it empty.
        let above = index > 0 ? members[index - 1] : nil
        let hint =
          above?.value.scalar == .some(.null)
          ? "; if it belongs to '\(above?.name ?? "")', indent it further" : ""
        errors.report(
          Self.unknown(member.name, what, fields, hasPolicy: hasPolicy) + hint,
          at: member.nameLocation)
      }
    }
  }

  /// Names that are easily written one level too high.
  private static let policyNames = [
    "jobType", "subject", "requestTimeout", "deadline", "replay", "concurrency", "rate", "schedule",
    "permissions", "inDoubt", "sink", "credential", "effect", "record", "secret", "outcome",
  ]

  private static func unknown(
    _ name: String, _ what: String, _ fields: [String], hasPolicy: Bool
  ) -> String {
    if hasPolicy, policyNames.contains(name) {
      return "'\(name)' is not a field of \(what): it belongs below x-writ, two columns further in"
    }
    if let near = Suggestion.nearest(to: name, among: fields + (hasPolicy ? ["x-writ"] : [])) {
      return "\(what) has no field '\(name)'; did you mean \(near)?"
    }
    return "\(what) has no field '\(name)'; its fields are " + fields.joined(separator: ", ")
  }

  var location: SourceLocation { node.location }

  func report(_ reason: String, at node: DocumentNode? = nil) {
    errors.report(reason, at: (node ?? self.node).location)
  }

  subscript(name: String) -> DocumentNode? { members.first { $0.name == name }?.value }

  /// The `x-` fields, but for those that have a meaning to us.
  func extensions(except known: [String] = []) -> JSONObject {
    JSONObject(
      members.filter { $0.name.hasPrefix("x-") && $0.name != "x-writ" && !known.contains($0.name) }
        .map { ($0.name, $0.value.value) })
  }

  func required(_ name: String, _ what: String) -> DocumentNode? {
    if let node = self[name] { return node }
    report("\(what) needs the field '\(name)'")
    return nil
  }

  func string(_ name: String) -> String? {
    guard let node = self[name] else { return nil }
    guard let text = node.string else {
      let hint =
        switch node.scalar {
        case .bool?, .number?: "; put quotes around it"
        default: ""
        }
      report("'\(name)' must be a text, but this is \(node.kindName)\(hint)", at: node)
      return nil
    }
    return text
  }

  func requiredString(_ name: String, _ what: String) -> String? {
    guard required(name, what) != nil, let text = string(name) else { return nil }
    guard !text.isEmpty else {
      report("'\(name)' must not be empty", at: self[name])
      return nil
    }
    return text
  }

  func boolean(_ name: String) -> Bool? {
    guard let node = self[name] else { return nil }
    guard let value = node.scalar?.boolValue else {
      report("'\(name)' must be true or false, but this is \(node.kindName)", at: node)
      return nil
    }
    return value
  }

  func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
    guard let node = self[name] else { return nil }
    guard let value = node.scalar?.intValue, range.contains(value) else {
      report(
        "'\(name)' must be an integer from \(range.lowerBound) to \(range.upperBound)", at: node)
      return nil
    }
    return value
  }

  func list(_ name: String) -> [DocumentNode]? {
    guard let node = self[name] else { return nil }
    guard let elements = node.elements else {
      let hint = node.scalar == .some(.null) ? "" : "; each element of a list begins with '- '"
      report("'\(name)' must be a list, but this is \(node.kindName)\(hint)", at: node)
      return nil
    }
    return elements
  }

  func nonEmptyList(_ name: String, _ what: String) -> [DocumentNode] {
    guard required(name, what) != nil, let elements = list(name) else { return [] }
    if elements.isEmpty { report("'\(name)' needs at least one element", at: self[name]) }
    return elements
  }

  func strings(_ name: String) -> [(text: String, node: DocumentNode)] {
    (list(name) ?? []).compactMap { element in
      guard let text = element.string else {
        report("an element of '\(name)' must be a text", at: element)
        return nil
      }
      return (text, element)
    }
  }

  func map(_ name: String) -> [DocumentNode.Member] {
    guard let node = self[name] else { return [] }
    guard let members = node.members else {
      report("'\(name)' must be an object, but this is \(node.kindName)", at: node)
      return []
    }
    return members
  }

  func choice<T: RawRepresentable & CaseIterable>(_ name: String, as type: T.Type) -> T?
  where T.RawValue == String {
    guard let node = self[name] else { return nil }
    if let text = node.string, let value = T(rawValue: text) { return value }
    let choices = T.allCases.map(\.rawValue)
    report(
      "'\(name)' must be one of \(choices.joined(separator: ", "))"
        + Suggestion.question(node.string, among: choices), at: node)
    return nil
  }

  /// A duration of ISO 8601, longer than nothing and at most a year.
  func duration(_ name: String) -> Duration? {
    guard let node = self[name] else { return nil }
    let text = node.string ?? ""
    // A text that is a duration but for its zeros.
    let isZero =
      !text.contains { $0.isNumber && $0 != "0" }
      && Duration(iso8601: text.replacing("0", with: "1")) != nil
    if isZero, text.contains("0") {
      report("'\(name)' must be longer than zero", at: node)
      return nil
    }
    guard let duration = Duration(iso8601: text), duration > .zero,
      duration <= .seconds(366 * 86_400)
    else {
      report(
        "'\(name)' must be a duration by ISO 8601 of days, hours, minutes and seconds, such as "
          + "PT30S or PT1H30M, at most a year", at: node)
      return nil
    }
    return duration
  }

  func template(_ name: String) -> ValueTemplate? {
    guard let text = string(name), let node = self[name] else { return nil }
    return errors.template(text, at: node)
  }
}

extension ErrorCollector {
  /// Reports a field that was surely meant to be x-writ.
  ///
  /// Fields that begin with x- may be called anything and mean nothing, so that a misspelt x-writ would too, and
  /// with it the mark of a secret.
  func reportMisspeltPolicy(_ member: DocumentNode.Member) {
    let name = member.name.lowercased()
    guard member.name.hasPrefix("x-"), member.name != "x-writ", (5...7).contains(name.count),
      // x-writ is an object, so that x-wait: 5 is another field.
      name == "x-writ"
        || member.value.members != nil
          && (Suggestion.distance(Array(name), Array("x-writ")) == 1
            || name.sorted() == "x-writ".sorted())
    else { return }
    report("'\(member.name)' means nothing to Writ; did you mean x-writ?", at: member.nameLocation)
  }

  func template(_ text: String, at node: DocumentNode) -> ValueTemplate? {
    do {
      return try ValueTemplate(parsing: text)
    } catch {
      report(error.description, at: node.location)
      return nil
    }
  }

  /// A runtime expression that is the whole text.
  func expression(_ node: DocumentNode) -> RuntimeExpression? {
    guard let text = node.string else {
      report("a runtime expression is expected, but this is \(node.kindName)", at: node.location)
      return nil
    }
    do {
      return try RuntimeExpression.parse(text)
    } catch {
      report(error.description, at: node.location)
      return nil
    }
  }
}
