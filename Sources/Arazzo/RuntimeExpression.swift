// Runtime expressions: `$inputs.email`, `$response.body#/id` and the like, parsed and evaluated.

public import JSON
public import JSONPath

/// Why a text is not an expression or a condition, and where.
public struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong and what to do.
  public let reason: String
  /// The character at which it is wrong, counted from 1.
  public let position: Int

  /// The reason and the position.
  public var description: String { "\(reason) (at character \(position))" }
}

/// A checked runtime expression of Arazzo 1.0 or 1.1.
public struct RuntimeExpression: Sendable, Hashable, CustomStringConvertible {
  /// Inputs or outputs of a workflow.
  public enum WorkflowField: String, Sendable, Hashable {
    /// What it was given, or what it gave.
    case inputs, outputs
  }

  /// A part of a request or a response.
  public enum MessagePart: Sendable, Hashable {
    /// The first header field of this name.
    case header(String)
    /// A query parameter.
    case query(String)
    /// A path parameter.
    case path(String)
    /// The body.
    case body
  }

  /// What an expression reads.
  public enum Source: Sendable, Hashable {
    /// The URL of the request.
    case url
    /// The method of the request.
    case method
    /// The status of the response.
    case statusCode
    /// A part of the request.
    case request(MessagePart)
    /// A part of the response.
    case response(MessagePart)
    /// An input; the name may go on with a path of properties (`address.city`).
    case input(String)
    /// An output of the workflow.
    case output(String)
    /// An output of a step.
    case step(String, output: String)
    /// An input or an output of another workflow.
    case workflow(String, WorkflowField, String)
    /// An operation, a workflow or a field of a source description.
    case sourceDescription(String, reference: String)
    /// A component: its kind and its name.
    case component(String, name: String)
    /// The URI of the document.
    case selfURI
  }

  /// What it reads.
  public let source: Source
  /// Which part of that; `nil` for the whole.
  public let pointer: JSONPointer?
  /// What of that a Selector Object selects by JSONPath; `nil` for all.
  public let selector: JSONPath?
  /// As written.
  public let description: String
}

extension RuntimeExpression {
  /// This expression with a JSON Pointer that goes on from its value.
  func selecting(_ pointer: JSONPointer) -> RuntimeExpression {
    RuntimeExpression(
      source: source, pointer: JSONPointer(tokens: (self.pointer?.tokens ?? []) + pointer.tokens),
      selector: nil, description: description)
  }

  /// This expression with a query into its value.
  func selecting(_ query: JSONPath) -> RuntimeExpression {
    RuntimeExpression(source: source, pointer: pointer, selector: query, description: description)
  }

  /// The names and indices that lead from the source to the value, as far as they are fixed.
  var fixedTokens: [String] { (pointer?.tokens ?? []) + (selector?.pointerTokens ?? []) }
}
