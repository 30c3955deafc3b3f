// A JSONPath query (RFC 9535), checked whole when it is made, so that nothing is left to go wrong
// when it is applied but the bound on its work.

public import JSON

/// Why a text is not a JSONPath query or not a regular expression, and where.
public struct JSONPathError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What is wrong and what to do; never quotes the text.
  public let reason: String
  /// The Unicode scalar at which it is wrong, counted from 1.
  public let position: Int

  /// The reason and the position.
  public var description: String { "\(reason) (at character \(position))" }
}

/// A query took more work than it may; what it would have selected is unknown.
public struct WorkLimitExceeded: Error, Sendable, Hashable {}

/// A well-formed and well-typed JSONPath query by RFC 9535.
public struct JSONPath: Sendable, Hashable, CustomStringConvertible {
  /// The query as written.
  public let description: String
  let query: Query
  /// The literal regular expressions of the query that are not I-Regexp: by RFC 9535 they match
  /// nothing, which an author rarely means.
  public let unusableRegularExpressions: [JSONPathError]

  /// The work that one application of a query may do unless the caller says otherwise: about the
  /// number of values visited, compared or matched, some tens of milliseconds.
  public static let standardWorkLimit = 1_000_000

  /// Parses a query.
  ///
  /// - Throws: ``JSONPathError`` for what is not well-formed or not well-typed.
  public init(parsing text: String) throws(JSONPathError) {
    var parser = JSONPathParser(text)
    query = try parser.parseWhole()
    description = text
    unusableRegularExpressions = parser.unusableRegularExpressions
  }

  /// Whether the query selects at most one node of any value: only names and indices.
  public var isSingular: Bool { query.isSingular }

  /// The names and indices of a singular query, as tokens of a JSON Pointer; `nil` for any other.
  ///
  /// A negative index counts from the end, which no pointer can say: `nil` too.
  public var pointerTokens: [String]? {
    var tokens: [String] = []
    for segment in query.segments {
      guard !segment.isDescendant, segment.selectors.count == 1 else { return nil }
      switch segment.selectors[0] {
      case .name(let name): tokens.append(name)
      case .index(let index) where index >= 0: tokens.append(String(index))
      default: return nil
      }
    }
    return tokens
  }

  /// The nodes that the query selects, in the order of RFC 9535.
  ///
  /// Arrays in their order, objects in the order of their document, a node before its descendants. A
  /// node may occur twice.
  ///
  /// - Throws: ``WorkLimitExceeded``.
  public func nodes(
    in value: JSONValue, workLimit: Int = standardWorkLimit
  ) throws(WorkLimitExceeded) -> [JSONPathNode] {
    var evaluator = JSONPathEvaluator(root: value, remaining: workLimit)
    return try evaluator.nodes(of: query, from: JSONPathNode(value: value))
  }

  /// The values of the nodes that the query selects.
  ///
  /// - Throws: ``WorkLimitExceeded``.
  public func values(
    in value: JSONValue, workLimit: Int = standardWorkLimit
  ) throws(WorkLimitExceeded) -> [JSONValue] {
    try nodes(in: value, workLimit: workLimit).map(\.value)
  }
}

/// A value that a query selected, and where it was.
public struct JSONPathNode: Sendable {
  /// A step from a value to one of its children.
  public enum Step: Sendable, Hashable {
    /// The member of an object.
    case name(String)
    /// The element of an array, from the start.
    case index(Int)
  }

  /// The value.
  public let value: JSONValue
  /// The last step to it and those before; `nil` for the root.
  ///
  /// Shared among the nodes of a query, since a
  /// list for each would make deep values cost the square of their depth.
  let link: Link?

  final class Link: Sendable {
    let parent: Link?
    let step: Step

    init(parent: Link?, step: Step) {
      self.parent = parent
      self.step = step
    }
  }

  init(value: JSONValue) {
    self.value = value
    link = nil
  }

  init(value: JSONValue, parent: Link?, step: Step) {
    self.value = value
    link = Link(parent: parent, step: step)
  }

  /// The steps from the root.
  public var location: [Step] {
    var steps: [Step] = []
    var link = link
    while let current = link {
      steps.append(current.step)
      link = current.parent
    }
    return steps.reversed()
  }

  /// The normalized path (RFC 9535, section 2.7), for example `$['users'][0]`.
  public var normalizedPath: String {
    "$"
      + location.map { step in
        switch step {
        case .index(let index): "[\(index)]"
        case .name(let name): "['\(Self.escaped(name))']"
        }
      }.joined()
  }

  private static func escaped(_ name: String) -> String {
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar {
      case "\u{8}": result += "\\b"
      case "\t": result += "\\t"
      case "\n": result += "\\n"
      case "\u{C}": result += "\\f"
      case "\r": result += "\\r"
      case "'": result += "\\'"
      case "\\": result += "\\\\"
      case "\u{0}"..<" ":
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
