// A document as a tree in which every value knows where it stands.

internal import JSON

/// A value of a document, and where it stands.
struct DocumentNode: Sendable {
  struct Member: Sendable {
    let name: String
    let nameLocation: SourceLocation
    let value: DocumentNode
  }

  indirect enum Content: Sendable {
    case scalar(JSONValue)
    case array([DocumentNode])
    case object([Member])
  }

  let content: Content
  let location: SourceLocation

  /// The value without its places.
  var value: JSONValue {
    switch content {
    case .scalar(let value): value
    case .array(let elements): .array(elements.map(\.value))
    case .object(let members): .object(JSONObject(members.map { ($0.name, $0.value.value) }))
    }
  }

  var scalar: JSONValue? { if case .scalar(let value) = content { value } else { nil } }
  var string: String? { scalar?.stringValue }
  var elements: [DocumentNode]? {
    if case .array(let elements) = content { elements } else { nil }
  }
  var members: [Member]? { if case .object(let members) = content { members } else { nil } }

  subscript(name: String) -> DocumentNode? { members?.first { $0.name.isSame(as: name) }?.value }

  /// The value that a JSON Pointer names.
  func node(at pointer: JSONPointer) -> DocumentNode? {
    var node = self
    for token in pointer.tokens {
      if let member = node[token] {
        node = member
      } else if let elements = node.elements, let index = Int(token),
        String(index) == token, elements.indices.contains(index)
      {
        node = elements[index]
      } else {
        return nil
      }
    }
    return node
  }

  /// The step of a JSON path to a member.
  static func step(_ name: String) -> String {
    let isPlain = name.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "$")
    }
    if isPlain && !name.isEmpty { return ".\(name)" }
    let escaped = name.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : "\($0)" }.joined()
    return "['\(escaped)']"
  }

  /// What kind of value this is, in an author's words.
  var kindName: String {
    switch content {
    case .array: "a list"
    case .object: "an object"
    case .scalar(.null): "empty"
    case .scalar(.bool): "true or false"
    case .scalar(.number): "a number"
    case .scalar: "a text"
    }
  }
}
