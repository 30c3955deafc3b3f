// The names of content types, as they are compared: without parameters and in lower case (RFC 9110, section 8.3.1).

/// What a content type is, whatever parameters go with it.
package enum MediaType {
  /// The content type of forms.
  package static let form = "application/x-www-form-urlencoded"

  /// `application/json` of `Application/JSON; charset=utf-8`.
  package static func bare(_ contentType: String) -> String {
    contentType.prefix { $0 != ";" }.filter { !$0.isWhitespace }.lowercased()
  }

  /// Whether a body of this content type is JSON.
  package static func isJSON(_ contentType: String) -> Bool {
    let type = bare(contentType)
    return type.hasSuffix("/json") || type.hasSuffix("+json")
  }
}
