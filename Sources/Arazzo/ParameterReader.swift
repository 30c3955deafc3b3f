// Parameters, and the values that expressions may stand in.

internal import JSON

struct ParameterReader {
  let document: ArazzoReader
  let uses: ExpressionUses
  let stepId: String?
  var scope = ExpressionScope.request
  var errors: ErrorCollector { document.errors }

  /// Reads `parameters`.
  ///
  /// - Parameter needsLocation: Whether the parameters go to an operation; `nil` if that is not
  ///   known because the target could not be read.
  func readList(_ object: ObjectReader, needsLocation: Bool?) -> [Parameter] {
    var parameters: [Parameter] = []
    for node in object.list("parameters") ?? [] {
      guard let parameter = read(node, needsLocation: needsLocation) else { continue }
      if parameters.contains(where: {
        $0.name == parameter.name && $0.location == parameter.location
      }) {
        errors.report("the parameter '\(parameter.name)' is passed twice", at: node.location)
      }
      parameters.append(parameter)
    }
    return parameters
  }

  private func read(_ node: DocumentNode, needsLocation: Bool?) -> Parameter? {
    guard let (target, override) = document.reusable(node, "parameters"),
      let object = ObjectReader(
        target, "a parameter", fields: ["name", "in", "value"], errors: errors),
      let name = object.requiredString("name", "a parameter")
    else { return nil }
    guard let valueNode = override ?? object.required("value", "a parameter") else { return nil }
    let value = ValueReader(document: document).read(valueNode)
    let isWhole = if case .expression = value { true } else { false }
    let place = object["in"]?.string
    uses.note(
      value.expressions, at: valueNode.location, scope, step: stepId,
      mayBeLeftOut: isWhole && place != nil && place != "path")
    return Parameter(
      name: name, location: readLocation(object, needsLocation), value: value,
      sourceLocation: node.location)
  }

  private func readLocation(_ object: ObjectReader, _ needsLocation: Bool?) -> ParameterLocation? {
    switch (object["in"], needsLocation) {
    case (nil, true?):
      object.report(
        "a parameter of an operation needs the field 'in': path, query, header or cookie")
      return nil
    case (let node?, false?):
      object.report("a parameter of a workflow has no 'in'", at: node)
      return nil
    case (nil, _): return nil
    case (let node?, _):
      if node.string == "querystring", !document.allowsVersion1_1 {
        object.report(
          "a parameter in 'querystring' belongs to Arazzo 1.1, but this document is 1.0", at: node)
        return nil
      }
      return object.choice("in", as: ParameterLocation.self)
    }
  }
}

/// Any value of a document, with the expressions in its strings.
struct ValueReader {
  let document: ArazzoReader
  var errors: ErrorCollector { document.errors }

  func read(_ node: DocumentNode) -> ValueTemplate {
    switch node.content {
    case .scalar(.string(let text)):
      if !document.isPublished {
        errors.reportForgottenSigns(text, inputs: document.inputNames, at: node)
      }
      return errors.template(text, at: node) ?? .literal(.string(text))
    case .scalar(let value): return .literal(value)
    case .array(let elements):
      let values = elements.map(read)
      return values.allSatisfy(\.isLiteral) ? .literal(node.value) : .array(values)
    case .object(let members):
      let selectors = SelectorReader(document: document)
      if document.allowsVersion1_1, selectors.isSelector(node) {
        return selectors.read(node).map { .expression($0) } ?? .literal(nil)
      }
      reportForgottenQuotes(members, node)
      let values = members.map { ValueTemplate.Member(name: $0.name, value: read($0.value)) }
      return values.allSatisfy(\.value.isLiteral) ? .literal(node.value) : .object(values)
    }
  }
}

extension ValueReader {
  /// `{$inputs.email}` without quotes is an object in YAML, with a field of that name and nothing in it.
  private func reportForgottenQuotes(_ members: [DocumentNode.Member], _ node: DocumentNode) {
    guard !document.isPublished, members.count == 1, let name = members.first?.name,
      name.wholeMatch(of: /\$[a-z]\w*(\..*)?/) != nil,
      members.first?.value.scalar == .some(.null)
    else { return }
    errors.report(
      "without quotes, braces make an object here: write \(name), or put quotes around '{\(name)}'",
      at: node.location)
  }
}

extension ValueTemplate {
  var isLiteral: Bool { if case .literal = self { true } else { false } }
}

extension ErrorCollector {
  /// Reports a text that is nothing but an input without its sign: `inputs.email`, also in the braces of another
  /// language.
  ///
  /// Only for a declared input, since a text may well be `inputs.csv`, and prose may have such words in it.
  func reportForgottenSigns(_ text: String, inputs: Set<String>, at node: DocumentNode) {
    guard
      let found = text.wholeMatch(
        of: /inputs\.([\w.-]+)|\$?\{+(?:\s*|\s+\$)inputs\.([\w.-]+)\s*\}+/),
      let name = found.1 ?? found.2, inputs.contains(String(name))
    else { return }
    report(
      "'\(text)' is a text as it stands"
        + (found.1 == nil ? ", with its braces" : "")
        + "; the value of the input is $inputs.\(name), and inside a text {$inputs.\(name)}",
      at: node.location)
  }
}
