// The body of a step's request: a payload with expressions, and what is put into it.

public import JSON
public import JSONPath

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
    /// The ways to say where.
    public enum Target: Sendable, Hashable {
      /// At one place; a missing member of an object that is there is added.
      case pointer(JSONPointer)
      /// At every node that the query selects; there must be one.
      case query(JSONPath)
    }

    /// Where.
    public var target: Target
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
      guard let replaced = Self.replacing(replacement.target, in: body, with: value) else {
        return nil
      }
      body = replaced
    }
    return body
  }

  private static func replacing(
    _ target: Replacement.Target, in body: JSONValue, with value: JSONValue
  ) -> JSONValue? {
    switch target {
    case .pointer(let pointer): return body.replacing(pointer, with: value)
    case .query(let query):
      guard let nodes = try? query.nodes(in: body), !nodes.isEmpty else { return nil }
      // The deepest first: what is put in must not be looked into.
      let pointers = nodes.map(\.pointer).sorted { $0.tokens.count > $1.tokens.count }
      return pointers.reduce(body) { body, pointer in body?.replacing(pointer, with: value) }
    }
  }
}

extension JSONPathNode {
  fileprivate var pointer: JSONPointer {
    JSONPointer(
      tokens: location.map { step in
        switch step {
        case .name(let name): name
        case .index(let index): String(index)
        }
      })
  }
}
