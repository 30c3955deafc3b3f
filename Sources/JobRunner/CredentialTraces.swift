// Whether an answer gives away the credential that it was asked with: a server that sends it back could
// put it into a member that is recorded.

import FoundationEssentials
import Glibc
import JobModel
import Secrets

/// The forms in which a credential may come back.
struct CredentialTraces: Sendable {
  private let forms: [Secret]
  /// A secret so short that chance could repeat it does not count.
  private static let shortest = 12
  /// The end of a secret is searched for: of a key, that is the part that is not public.
  private static let longest = 24
  /// How many layers of JSON within a string of JSON are looked into.
  private static let greatestDepth = 3

  init(_ secrets: [Secret]) {
    forms = secrets.filter { $0.count >= Self.shortest }.flatMap(Self.forms)
  }

  /// Whether the body or a header field of an answer repeats a credential.
  func areIn(_ response: StepResponse) -> Bool {
    guard !forms.isEmpty else { return false }
    if areIn(response.body) { return true }
    return response.headers.contains { areIn(Array($0.value.utf8)) }
  }

  /// Looks at the bytes as they are and, since any character of a JSON string may be written as an escape,
  /// at what they say without escapes.
  private func areIn(_ bytes: [UInt8]) -> Bool {
    var text = bytes
    for _ in 0..<Self.greatestDepth {
      if stand(in: text) { return true }
      guard let unescaped = JSONUnescaping.unescaped(text) else { return false }
      text = unescaped
    }
    return stand(in: text)
  }

  private func stand(in bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { haystack in
      forms.contains { form in form.withBytes { Self.holds(haystack, $0) } }
    }
  }

  /// Whether bytes stand somewhere in others; jumps from one occurrence of the first byte to the next.
  private static func holds(
    _ haystack: UnsafeRawBufferPointer, _ needle: UnsafeRawBufferPointer
  ) -> Bool {
    guard let start = haystack.baseAddress, let wanted = needle.baseAddress else { return false }
    var offset = 0
    while offset + needle.count <= haystack.count {
      let rest = haystack.count - needle.count - offset + 1
      guard let found = memchr(start + offset, Int32(needle[0]), rest) else { return false }
      if memcmp(found, wanted, needle.count) == 0 { return true }
      offset = UnsafeRawPointer(found) - start + 1
    }
    return false
  }

  /// As it is, as JSON escapes it, percent-encoded, as a form encodes it, and in base64; each once.
  private static func forms(_ secret: Secret) -> [Secret] {
    let text = secret.withBytes { String(decoding: $0, as: UTF8.self) }
    let percentEncoded = PercentEncoding.encoded(text)
    let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    let base64 = secret.withBytes { Data($0).base64EncodedString() }
    var forms: [[UInt8]] = []
    for form in [
      text, escaped, escaped.replacing("/", with: "\\/"), percentEncoded,
      percentEncoded.lowercasedEscapes, percentEncoded.replacing("%20", with: "+"), base64,
      base64.replacing("/", with: "\\/"),
      base64.replacing("+", with: "-").replacing("/", with: "_"),
    ] {
      let needle = Array(form.utf8.suffix(longest))
      if !forms.contains(needle) { forms.append(needle) }
    }
    // Without its padding, base64 is still what it was; a secret may be base64 itself.
    for padded in [text, base64] where padded.hasSuffix("=") {
      forms.append(Array(padded.utf8.filter { $0 != UInt8(ascii: "=") }.suffix(longest)))
    }
    return forms.map { Secret($0) }
  }
}

extension String {
  /// Percent-encoded text with the digits of its escapes in lower case.
  fileprivate var lowercasedEscapes: String {
    var result = ""
    var left = 0
    for character in self {
      if character == "%" {
        left = 2
        result.append(character)
      } else if left > 0 {
        left -= 1
        result += character.lowercased()
      } else {
        result.append(character)
      }
    }
    return result
  }
}
