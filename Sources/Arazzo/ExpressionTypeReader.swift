// Expression Type Objects: which language, in which version, a condition or a selector is written in.

internal import JSON

struct ExpressionTypeReader {
  let document: ArazzoReader
  var errors: ErrorCollector { document.errors }

  /// The name that Arazzo 1.0 gave to JSONPath before it was RFC 9535.
  static let draft = "draft-goessner-dispatch-jsonpath-00"

  /// The languages that choose a part of a value.
  static let selectors = ["jsonpath", "jsonpointer"]

  /// Reads a field that names a selector language or holds an Expression Type Object; `nil` after reporting
  /// what is not supported, and where the field is missing.
  func readSelector(_ field: String, of object: ObjectReader) -> String? {
    guard let node = object[field] else { return nil }
    if node.members != nil { return read(node, allows: Self.selectors) }
    if let type = node.string, Self.selectors.contains(type) { return type }
    object.report(
      node.string == "xpath"
        ? "XPath is not supported; use jsonpath or jsonpointer"
        : "'\(field)' must be one of jsonpath, jsonpointer"
          + Suggestion.question(node.string, among: Self.selectors), at: node)
    return nil
  }

  /// Reads the object; `nil` after reporting what is not supported.
  ///
  /// A query that names the draft is read by RFC 9535 all the same: the RFC took over what the drafts
  /// had in common, and what only the draft has (scripts in parentheses) is then a syntax error.
  ///
  /// - Parameter allows: The languages that have a meaning at this place.
  func read(_ node: DocumentNode, allows languages: [String]) -> String? {
    guard
      let object = ObjectReader(
        node, "an expression type", fields: ["type", "version"], errors: errors),
      let type = object.requiredString("type", "an expression type"),
      let version = object.requiredString("version", "an expression type")
    else { return nil }
    guard languages.contains(type) else {
      object.report(
        type == "xpath"
          ? "XPath is not supported; use \(languages.joined(separator: " or "))"
          : "'type' must be one of \(languages.joined(separator: ", "))"
            + Suggestion.question(type, among: languages), at: object["type"])
      return nil
    }
    if type == "jsonpath", version == "rfc9535", !document.allowsVersion1_1 {
      object.report(
        "the version rfc9535 belongs to Arazzo 1.1, but this document is 1.0; write type: jsonpath, "
          + "which means the same", at: object["version"])
      return nil
    }
    let versions = type == "jsonpath" ? ["rfc9535", Self.draft] : ["rfc6901"]
    guard versions.contains(version) else {
      object.report(
        "the version of \(type) must be \(versions.joined(separator: " or "))"
          + Suggestion.question(version, among: versions), at: object["version"])
      return nil
    }
    return type
  }
}
