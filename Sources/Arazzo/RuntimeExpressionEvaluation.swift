// The value of a runtime expression in a context.

public import JSON
internal import JSONPath

extension RuntimeExpression {
  /// The value, with its type; `nil` where there is none.
  public func evaluate(in context: EvaluationContext) -> JSONValue? {
    guard let value = sourceValue(in: context) else { return nil }
    guard let part = pointer.map({ value.value(at: $0) }) ?? value else { return nil }
    guard let selector else { return part }
    guard let values = try? selector.values(in: part) else { return nil }
    // By the form of the query, not by what it found: the type of a value must not depend on data.
    return selector.isSingular ? values.first : .array(values)
  }

  private func sourceValue(in context: EvaluationContext) -> JSONValue? {
    switch source {
    case .url: context.url.map { .string($0) }
    case .method: context.method.map { .string($0) }
    case .statusCode: context.statusCode.map { JSONValue($0) }
    case .selfURI: context.selfURI.map { .string($0) }
    case .request(let part): context.request.flatMap { Self.value(of: part, in: $0) }
    case .response(let part): context.response.flatMap { Self.value(of: part, in: $0) }
    case .input(let name): Self.lookUp(name, in: context.inputs)
    case .output(let name): Self.lookUp(name, in: context.outputs)
    case .step(let step, let output):
      context.steps[step].flatMap { Self.lookUp(output, in: $0) }
    case .workflow(let workflow, let field, let name):
      context.workflows[workflow].flatMap {
        Self.lookUp(name, in: field == .inputs ? $0.inputs : $0.outputs)
      }
    case .sourceDescription(let name, let reference):
      switch reference {
      case "url": context.sourceURLs[name].map { .string($0) }
      case "name": context.sourceURLs[name].map { _ in .string(name) }
      case "type": context.sourceTypes[name].map { .string($0) }
      default: nil
      }
    case .component: nil  // replaced when the document is loaded
    }
  }

  private static func value(
    of part: MessagePart, in message: EvaluationContext.Message
  ) -> JSONValue? {
    switch part {
    case .body: return message.body
    case .query(let name): return message.query[name]
    case .path(let name): return message.path[name]
    case .header(let name):
      let wanted = name.lowercased()
      return message.headers.first { $0.name.lowercased() == wanted }.map { .string($0.value) }
    }
  }

  /// A value by its name; a name with dots that does not exist as a whole is tried as a name and
  /// a path of properties, since names may contain dots.
  static func lookUp(_ name: String, in object: JSONObject) -> JSONValue? {
    if let value = object[name] { return value }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    for length in stride(from: parts.count - 1, to: 0, by: -1) {
      guard let start = object[parts[..<length].joined(separator: ".")] else { continue }
      var value: JSONValue? = start
      for part in parts[length...] { value = value?[String(part)] }
      return value
    }
    return nil
  }
}
