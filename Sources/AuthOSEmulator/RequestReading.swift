// Reading paths, queries and bodies, with the refusals of the two families of routes.

import JSON

/// How a route refuses a body that it cannot read.
enum BodyFamily {
  /// Plain text, with the status by cause: service and management routes.
  case plainText
  /// Always 400 with the JSON error body: login and its neighbours.
  case jsonError
}

/// The JSON object of a body.
struct JSONBody {
  private let object: JSONObject
  private let family: BodyFamily

  init(of request: EmulatedRequest, family: BodyFamily = .plainText) throws(Refusal) {
    guard Self.isJSON(request.header("content-type")) else {
      throw switch family {
      case .plainText:
        .plainText(status: 415, text: "Expected request with `Content-Type: application/json`")
      case .jsonError: .badRequest("Content-Type must be application/json")
      }
    }
    guard !request.bodyExceedsLimit else {
      throw switch family {
      case .plainText:
        .plainText(
          status: 413, text: "Failed to buffer the request body: length limit exceeded")
      case .jsonError:
        .badRequest("JSON parsing error: Failed to buffer the request body")
      }
    }
    let value: JSONValue
    do {
      value = try JSONValue(parsing: request.body, allowsTrailingBytes: true)
    } catch {
      throw Self.refusal(of: error, family: family)
    }
    guard let object = value.objectValue else {
      throw Self.wrongShape("invalid type: \(value.kindName), expected a struct", family: family)
    }
    self.object = object
    self.family = family
  }

  private static func refusal(of error: any Error, family: BodyFamily) -> Refusal {
    let reason = (error as? JSONParseError)?.reason ?? "expected value"
    // The parser counts a repeated member as bad JSON, the server as a wrong shape.
    if reason == "a member name occurs twice" {
      return wrongShape("duplicate field", family: family)
    }
    return switch family {
    case .plainText:
      .plainText(status: 400, text: "Failed to parse the request body as JSON: \(reason)")
    case .jsonError:
      .badRequest("JSON syntax error: Failed to parse the request body as JSON")
    }
  }

  private static func wrongShape(_ detail: String, family: BodyFamily) -> Refusal {
    let text = "Failed to deserialize the JSON body into the target type"
    return switch family {
    case .plainText: .plainText(status: 422, text: "\(text): \(detail)")
    case .jsonError: .badRequest("Invalid JSON data: \(text)")
    }
  }

  private static func isJSON(_ contentType: String?) -> Bool {
    guard let contentType else { return false }
    if contentType == "application/json" { return true }
    let type = contentType.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }.lowercased()
    return type == "application/json"
      || (type.hasPrefix("application/") && type.hasSuffix("+json"))
  }

  private func wrongType(_ name: String, _ value: JSONValue, _ expected: String) -> Refusal {
    Self.wrongShape(
      "\(name): invalid type: \(value.kindName), expected \(expected)", family: family)
  }

  func string(_ name: String) throws(Refusal) -> String {
    guard let value = object[name] else {
      throw Self.wrongShape("missing field `\(name)`", family: family)
    }
    guard let text = value.stringValue else { throw wrongType(name, value, "a string") }
    return text
  }

  func optionalString(_ name: String) throws(Refusal) -> String? {
    guard let value = object[name], !value.isNull else { return nil }
    return try string(name)
  }

  func strings(_ name: String) throws(Refusal) -> [String] {
    guard let value = object[name] else {
      throw Self.wrongShape("missing field `\(name)`", family: family)
    }
    guard let elements = value.arrayValue else { throw wrongType(name, value, "a sequence") }
    var texts: [String] = []
    for (index, element) in elements.enumerated() {
      guard let text = element.stringValue else {
        throw wrongType("\(name)[\(index)]", element, "a string")
      }
      texts.append(text)
    }
    return texts
  }

  /// Strings that may be absent, but not `null`.
  func stringsOrEmpty(_ name: String) throws(Refusal) -> [String] {
    object[name] == nil ? [] : try strings(name)
  }

  func optionalInteger(_ name: String) throws(Refusal) -> Int? {
    guard let value = object[name], !value.isNull else { return nil }
    guard case .number(let number) = value, let integer = Int(number.text) else {
      throw wrongType(name, value, "i64")
    }
    return integer
  }
}

/// The parameters of a query string that routes look at.
struct Query {
  private var values: [String: String] = [:]

  init(of request: EmulatedRequest, reading names: [String]) throws(Refusal) {
    for pair in request.query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = Self.decode(parts[0])
      guard names.contains(name) else { continue }
      guard values[name] == nil else { throw Self.refusal("duplicate field `\(name)`") }
      values[name] = parts.count > 1 ? Self.decode(parts[1]) : ""
    }
  }

  private static func refusal(_ detail: String) -> Refusal {
    .plainText(status: 400, text: "Failed to deserialize query string: \(detail)")
  }

  private static func decode(_ text: Substring) -> String {
    let plain =
      text.utf8.contains(UInt8(ascii: "+"))
      ? text.split(
        separator: "+", omittingEmptySubsequences: false
      ).joined(separator: " ") : String(text)
    return String(decoding: percentDecoded(plain), as: UTF8.self)
  }

  subscript(name: String) -> String? { values[name] }

  private func integer(_ name: String) throws(Refusal) -> Int? {
    guard let text = values[name] else { return nil }
    guard let value = Int(text) else {
      throw Self.refusal(
        text.isEmpty
          ? "cannot parse integer from empty string" : "invalid digit found in string")
    }
    return value
  }

  /// The page that `limit` and `offset` ask for, clamped as the server does.
  func page() throws(Refusal) -> (limit: Int, offset: Int) {
    let limit = try integer("limit")
    let offset = try integer("offset")
    return (min(max(limit ?? 50, 1), 100), max(offset ?? 0, 0))
  }
}

/// The bytes of a text with `%XX` resolved; a percent sign without two digits stays as it is.
func percentDecoded(_ text: some StringProtocol) -> [UInt8] {
  let source = Array(text.utf8)
  var result: [UInt8] = []
  var position = 0
  while position < source.count {
    if source[position] == UInt8(ascii: "%"), position + 2 < source.count,
      let high = Character(Unicode.Scalar(source[position + 1])).hexDigitValue,
      let low = Character(Unicode.Scalar(source[position + 2])).hexDigitValue
    {
      result.append(UInt8(high << 4 | low))
      position += 3
    } else {
      result.append(source[position])
      position += 1
    }
  }
  return result
}
