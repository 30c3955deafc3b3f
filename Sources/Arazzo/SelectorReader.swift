// Selector Objects (Arazzo 1.1): a part of a value, by JSONPath or JSON Pointer.

internal import JSON
internal import JSONPath

struct SelectorReader {
  let document: ArazzoReader
  var errors: ErrorCollector { document.errors }

  /// Whether a value is meant as a Selector Object: Arazzo 1.1 knows them at every place of a value,
  /// where 1.0 has plain objects.
  func isSelector(_ node: DocumentNode) -> Bool {
    node["context"] != nil && node["selector"] != nil && node["type"] != nil
  }

  /// Reads a Selector Object; `nil` after reporting why it is none.
  func read(_ node: DocumentNode) -> RuntimeExpression? {
    guard document.allowsVersion1_1 else {
      errors.report(
        "Selector Objects belong to Arazzo 1.1, but this document is 1.0; use a JSON Pointer, such as "
          + "$response.body#/id", at: node.location)
      return nil
    }
    guard
      let object = ObjectReader(
        node, "a selector", fields: ["context", "selector", "type"], errors: errors)
    else { return nil }
    let context = object.required("context", "a selector").flatMap(errors.expression)
    let text = object.requiredString("selector", "a selector")
    guard object.required("type", "a selector") != nil,
      let type = ExpressionTypeReader(document: document).readSelector("type", of: object),
      let context,
      let text, let selectorNode = object["selector"]
    else { return nil }
    if type == "jsonpointer" {
      guard let pointer = JSONPointer(text) else {
        object.report(
          "a JSON Pointer starts with / and writes ~ as ~0 and / as ~1", at: selectorNode)
        return nil
      }
      return context.selecting(pointer)
    }
    do {
      let query = try JSONPath(parsing: text)
      if let unusable = query.unusableRegularExpressions.first { throw unusable }
      return context.selecting(query)
    } catch {
      object.report("\(error)", at: selectorNode)
      return nil
    }
  }
}
