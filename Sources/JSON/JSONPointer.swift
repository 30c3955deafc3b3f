// JSON Pointer (RFC 6901): reading one value out of another, and putting one in.

/// A parsed JSON Pointer, for example `/users/0/id`; the empty text points at the whole value.
public struct JSONPointer: Sendable, Hashable {
  /// The reference tokens, unescaped.
  public let tokens: [String]

  /// A pointer of these reference tokens.
  public init(tokens: [String]) { self.tokens = tokens }

  /// Parses a pointer; `nil` unless it is empty or starts with `/` and escapes `~` properly.
  public init?(_ text: String) {
    if text.isEmpty {
      tokens = []
      return
    }
    guard text.hasPrefix("/") else { return nil }
    var tokens: [String] = []
    for part in text.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
      guard let token = Self.unescape(part) else { return nil }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  private static func unescape(_ part: Substring) -> String? {
    guard part.contains("~") else { return String(part) }
    var result = ""
    var iterator = part.makeIterator()
    while let character = iterator.next() {
      guard character == "~" else {
        result.append(character)
        continue
      }
      switch iterator.next() {
      case "0": result.append("~")
      case "1": result.append("/")
      default: return nil
      }
    }
    return result
  }
}

extension JSONValue {
  /// The value that a pointer names, or `nil` where there is none.
  public func value(at pointer: JSONPointer) -> JSONValue? {
    var value = self
    for token in pointer.tokens {
      switch value {
      case .object(let object):
        guard let member = object[token] else { return nil }
        value = member
      case .array(let elements):
        guard let index = Self.arrayIndex(token), elements.indices.contains(index) else {
          return nil
        }
        value = elements[index]
      default: return nil
      }
    }
    return value
  }

  /// The value with what the pointer names replaced, or `nil` where its parent does not exist; a
  /// missing member of an existing object is added.
  public func replacing(_ pointer: JSONPointer, with replacement: JSONValue) -> JSONValue? {
    replacing(pointer.tokens[...], with: replacement)
  }

  private func replacing(_ tokens: ArraySlice<String>, with replacement: JSONValue) -> JSONValue? {
    guard let token = tokens.first else { return replacement }
    switch self {
    case .object(var object):
      guard tokens.count == 1 || object[token] != nil,
        let value = (object[token] ?? .null).replacing(tokens.dropFirst(), with: replacement)
      else { return nil }
      object[token] = value
      return .object(object)
    case .array(var elements):
      guard let index = Self.arrayIndex(token), elements.indices.contains(index),
        let value = elements[index].replacing(tokens.dropFirst(), with: replacement)
      else { return nil }
      elements[index] = value
      return .array(elements)
    default: return nil
    }
  }

  /// An array index as RFC 6901 writes it: digits, no leading zero.
  private static func arrayIndex(_ token: String) -> Int? {
    guard let index = Int(token), index >= 0, String(index) == token else { return nil }
    return index
  }
}
