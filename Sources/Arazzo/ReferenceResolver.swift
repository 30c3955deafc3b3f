// `$ref` inside one document.

internal import JSON

struct ReferenceResolver {
  let root: DocumentNode
  let errors: ErrorCollector

  /// The value itself, or what its `$ref` leads to; `nil` after reporting a reference that leads
  /// nowhere, to another document or in a circle.
  func resolve(_ node: DocumentNode) -> DocumentNode? {
    var node = node
    var seen: [String] = []
    while let reference = node["$ref"] {
      guard let text = reference.string else {
        errors.report("'$ref' must be a text", at: reference.location)
        return nil
      }
      guard !seen.contains(text) else {
        errors.report("the reference '\(text)' leads in a circle", at: reference.location)
        return nil
      }
      seen.append(text)
      guard let target = target(of: text, at: reference) else { return nil }
      node = target
    }
    return node
  }

  /// What a reference leads to, by one step.
  func target(of text: String, at reference: DocumentNode) -> DocumentNode? {
    guard text.hasPrefix("#") else {
      errors.report(
        "'\(text)' refers to another document; only references inside the document (#/…) are "
          + "supported", at: reference.location)
      return nil
    }
    guard let pointer = JSONPointer(Self.decoded(text.dropFirst())),
      let target = root.node(at: pointer)
    else {
      errors.report("'\(text)' leads nowhere in this document", at: reference.location)
      return nil
    }
    return target
  }

  /// A fragment with its percent-encoding undone, for paths such as `~1users~1%7Bid%7D`.
  static func decoded(_ fragment: Substring) -> String {
    var bytes: [UInt8] = []
    var rest = Array(fragment.utf8)[...]
    while let byte = rest.popFirst() {
      let digits = rest.prefix(2)
      if byte == UInt8(ascii: "%"), digits.count == 2,
        digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
