// Criteria: parsed when the document is loaded, so that a mistake shows before the first job.

internal import JSON

struct CriterionReader {
  let errors: ErrorCollector
  let uses: ExpressionUses
  let stepId: String?

  func readList(_ object: ObjectReader, _ name: String, mayBeEmpty: Bool) -> [Criterion] {
    guard let nodes = object.list(name) else { return [] }
    if nodes.isEmpty, !mayBeEmpty {
      object.report("'\(name)' needs at least one element, or must be left out", at: object[name])
    }
    return nodes.compactMap(read)
  }

  private func read(_ node: DocumentNode) -> Criterion? {
    guard
      let object = ObjectReader(
        node, "a criterion", fields: ["context", "condition", "type"], errors: errors)
    else { return nil }
    let type = readType(object)
    let context = object["context"].flatMap(errors.expression)
    guard let text = object.requiredString("condition", "a criterion"),
      let conditionNode = object["condition"], let type
    else { return nil }
    guard let kind = readKind(type, text, conditionNode, object, context) else { return nil }
    let criterion = Criterion(kind: kind, text: text, location: object.location)
    uses.note(criterion.expressions, at: conditionNode.location, .response, step: stepId)
    return criterion
  }

  private func readType(_ object: ObjectReader) -> String? {
    guard let node = object["type"] else { return "simple" }
    let type = node.string ?? node["type"]?.string
    switch type {
    case "simple" where node.string != nil, "regex" where node.string != nil: return type
    case "jsonpath":
      object.report(
        "jsonpath criteria are not supported yet, they come with a later version; use a simple "
          + "condition, such as $response.body#/users/0 != null", at: node)
    case "xpath":
      object.report("XPath is not supported; use a simple or a regex condition", at: node)
    default: object.report("'type' must be one of simple, regex", at: node)
    }
    return nil
  }

  private func readKind(
    _ type: String, _ text: String, _ node: DocumentNode, _ object: ObjectReader,
    _ context: RuntimeExpression?
  ) -> Criterion.Kind? {
    do {
      if type == "simple" { return .simple(try Condition(parsing: text)) }
      guard object.required("context", "a criterion of type regex") != nil, let context else {
        return nil
      }
      let parts = try ValueTemplate.parts(of: text)
      if parts.count == 1, case .literal(let pattern) = parts[0], (try? Regex(pattern)) == nil {
        object.report("the condition is not a valid regular expression", at: node)
        return nil
      }
      return .regex(context: context, pattern: parts)
    } catch {
      object.report("\(error)", at: node)
      return nil
    }
  }
}
