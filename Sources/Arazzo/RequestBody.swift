// The body of a step's request: a payload with expressions, and what is put into it.

public import JSON

/// The body of a request.
public struct RequestBody: Sendable, Hashable {
  /// The content type; that of the operation where the document names none.
  public var contentType: String
  /// The body before the replacements.
  public var payload: ValueTemplate?
  /// What is put into the body, in their order.
  public var replacements: [Replacement]

  /// A value that is put into a body.
  public struct Replacement: Sendable, Hashable {
    /// Where.
    public var target: JSONPointer
    /// What.
    public var value: ValueTemplate
  }

  /// The body with expressions replaced by their values.
  ///
  /// - Returns: `nil` where the payload is a single expression without a value, or where a
  ///   replacement points into something that does not exist.
  public func evaluate(in context: EvaluationContext) -> JSONValue? {
    var body: JSONValue = .object(JSONObject())
    if let payload {
      guard let value = payload.evaluate(in: context) else { return nil }
      body = value
    }
    for replacement in replacements {
      guard let value = replacement.value.evaluate(in: context) else { continue }
      guard let replaced = body.replacing(replacement.target, with: value) else { return nil }
      body = replaced
    }
    return body
  }
}
