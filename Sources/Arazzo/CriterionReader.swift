// Criteria: parsed when the document is loaded, so that a mistake shows before the first job.

internal import JSON

struct CriterionReader {
  let document: ArazzoReader
  let uses: ExpressionUses
  let stepId: String?
  var errors: ErrorCollector { document.errors }

  func readList(_ object: ObjectReader, _ name: String, mayBeEmpty: Bool) -> [Criterion] {
    guard let nodes = object.list(name) else { return [] }
    if nodes.isEmpty, !mayBeEmpty {
      object.report("'\(name)' needs at least one element, or must be left out", at: object[name])
    }
    return nodes.compactMap(read)
  }

  private func read(_ node: DocumentNode) -> Criterion? {
    guard node.string == nil else {
      errors.report(
        "a criterion must be an object, but this is a text; write condition: before it",
        at: node.location)
      return nil
    }
    guard
      let object = ObjectReader(
        node, "a criterion", fields: ["context", "condition", "type"], errors: errors)
    else { return nil }
    let type = readType(object)
    let context = object["context"].flatMap(errors.expression)
    if let node = object["context"], object["type"] == nil, !document.isPublished {
      object.report(
        "without 'type' this is a simple condition, which has no context: write type: regex or type: "
          + "jsonpath, or remove 'context'", at: node)
    }
    guard let text = object.requiredString("condition", "a criterion"),
      let conditionNode = object["condition"], let type
    else { return nil }
    guard let kind = readKind(type, text, conditionNode, object, context) else { return nil }
    let criterion = Criterion(kind: kind, text: text, location: object.location)
    let optional: Set<RuntimeExpression> =
      if case .simple(let condition) = kind { condition.nullTested } else { [] }
    for read in criterion.reads {
      uses.note(
        [read.expression], at: conditionNode.location, .response, step: stepId,
        isOptional: optional.contains(read.expression), isCondition: true, path: read.path,
        isWhole: read.isWhole)
    }
    return criterion
  }

  private func readType(_ object: ObjectReader) -> String? {
    guard let node = object["type"] else { return "simple" }
    if node.members != nil {
      return ExpressionTypeReader(document: document).read(node, allows: ["jsonpath"])
    }
    switch node.string {
    case let type? where ["simple", "regex", "jsonpath"].contains(type): return type
    case "xpath":
      object.report(
        "XPath is not supported; use a simple, a regex or a jsonpath condition", at: node)
    default:
      object.report(
        "'type' must be one of simple, regex, jsonpath"
          + Suggestion.question(node.string, among: ["simple", "regex", "jsonpath"]), at: node)
    }
    return nil
  }

  private func readKind(
    _ type: String, _ text: String, _ node: DocumentNode, _ object: ObjectReader,
    _ context: RuntimeExpression?
  ) -> Criterion.Kind? {
    do {
      if type == "simple" { return .simple(try Condition(parsing: text)) }
      guard object.required("context", "a criterion of type \(type)") != nil, let context else {
        return nil
      }
      return type == "regex"
        ? .regex(context: context, pattern: try PatternTemplate(parsing: text))
        : .jsonPath(context: context, query: try JSONPathTemplate(parsing: text))
    } catch {
      object.report("\(error)", at: node)
      return nil
    }
  }
}
