// Where requests go and with what they authenticate: servers, security schemes, requirements and
// signatures of an OpenAPI document.

internal import JSON

extension OpenAPIReader {
  // MARK: Servers

  /// The base URLs; a relative one says nothing about the host, so a target has to be configured.
  func readServers(_ object: ObjectReader, isLocal: Bool) -> [String] {
    (object.list("servers") ?? []).compactMap { node in
      guard
        let server = ObjectReader(
          node, "a server", fields: ["url", "description"],
          refused: ["variables": "server variables are not supported; write the URL out"],
          errors: errors),
        let url = server.requiredString("url", "a server")
      else { return nil }
      if !isLocal { checkServer(url, server) }
      return url
    }
  }

  private func checkServer(_ url: String, _ server: ObjectReader) {
    switch BaseURL.fault(in: url) {
    case .user?:
      server.report(
        "a URL must not hold a user or a password; describe them as a security scheme",
        at: server["url"])
    case .host?: server.report("the URL has no host", at: server["url"])
    case .port?:
      server.report("the port of a URL must be a number from 1 to 65535", at: server["url"])
    case .scheme? where url.contains("://"):
      server.report("only http and https servers are supported", at: server["url"])
    case .scheme?, .rest?, nil: break
    }
    if url.contains("?") || url.contains("#") {
      server.report("the URL of a server has no query and no fragment", at: server["url"])
    }
  }

  // MARK: Requirements

  /// The alternatives of `security`; `nil` where the object has none of its own.
  func readSecurity(_ object: ObjectReader, _ schemes: [String: SecurityScheme]) -> [[String]]? {
    guard let alternatives = object.list("security") else { return nil }
    return alternatives.compactMap { alternative in
      guard let members = alternative.members else {
        object.report("a security requirement must be an object", at: alternative)
        return nil
      }
      let declared = root["components"]?["securitySchemes"]
      for member in members where declared?[member.name] == nil {
        errors.report(
          "there is no security scheme '\(member.name)' in components.securitySchemes",
          at: member.nameLocation)
      }
      checkTogether(members.compactMap { schemes[$0.name] }, at: alternative)
      return members.map(\.name)
    }
  }

  /// Refuses schemes that cannot be sent in one request.
  private func checkTogether(_ schemes: [SecurityScheme], at node: DocumentNode) {
    for (index, scheme) in schemes.enumerated() {
      for other in schemes[..<index] {
        if scheme.session != nil || other.session != nil {
          errors.report(
            "'\(other.name)' and '\(scheme.name)' cannot be used together: a session stands alone",
            at: node.location)
        } else if scheme.place == other.place {
          errors.report(
            "'\(other.name)' and '\(scheme.name)' cannot be used together: both are sent in the "
              + scheme.place, at: node.location)
        } else if !Set(scheme.secretWords).isDisjoint(with: other.secretWords) {
          errors.report(
            "'\(other.name)' and '\(scheme.name)' would be the same secret; give one of them a name "
              + "of its own: x-writ: {secret: <word>}", at: node.location)
        }
      }
    }
  }

  // MARK: Signatures

  /// `x-writ.signature` of the document or of an operation.
  func readSignature(_ object: ObjectReader, _ what: String) -> SignatureScheme? {
    object["x-writ"].flatMap {
      ObjectReader(
        $0, "x-writ of \(what)", fields: ["signature"], isExtensible: false, errors: errors)
    }?.choice("signature", as: SignatureScheme.self)
  }

  // MARK: Schemes

  func readSecurityScheme(_ member: DocumentNode.Member) -> SecurityScheme? {
    guard let node = references.resolve(member.value),
      let object = ObjectReader(
        node, "a security scheme",
        fields: [
          "type", "description", "name", "in", "scheme", "bearerFormat", "flows",
          "openIdConnectUrl",
        ], hasPolicy: true, errors: errors)
    else { return nil }
    reportMisspeltPolicies(object)
    guard let kind = readSecurityKind(object) else { return nil }
    var scheme = SecurityScheme(name: member.name, kind: kind)
    guard
      let policy = object["x-writ"].flatMap({
        ObjectReader(
          $0, "x-writ of a security scheme", fields: ["session", "secret"], isExtensible: false,
          errors: errors)
      })
    else { return scheme }
    if let session = policy["session"] {
      if session.members == nil { object.report("'session' must be an object", at: session) }
      if kind != .bearer {
        object.report("a session belongs to a scheme of type http, scheme bearer", at: session)
      }
      scheme.session = session.value
    }
    scheme.secretWord = readSecretWord(policy, kind, hasSession: scheme.session != nil)
    return scheme
  }

  private func readSecretWord(
    _ policy: ObjectReader, _ kind: SecurityScheme.Kind, hasSession: Bool
  ) -> String? {
    guard let node = policy["secret"], let word = policy.string("secret") else { return nil }
    let isWord =
      (1...32).contains(word.utf8.count) && word.first?.isLetter == true
      && word.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
      }
    let taken = ["user", "password", "email", "signing"]
    if kind == .basic || hasSession {
      policy.report(
        "'secret' names the one secret of an apiKey or bearer scheme; this one has others", at: node
      )
    } else if !isWord || taken.contains(word) {
      policy.report(
        "'secret' must be a word of at most 32 lower-case letters, digits and -, and none of "
          + taken.joined(separator: ", "), at: node)
    } else {
      return word
    }
    return nil
  }

  private func readSecurityKind(_ object: ObjectReader) -> SecurityScheme.Kind? {
    let supported = "apiKey, http bearer and http basic are supported"
    guard let type = object.requiredString("type", "a security scheme") else { return nil }
    switch type {
    case "apiKey":
      guard let name = object.requiredString("name", "a security scheme of type apiKey"),
        object.required("in", "a security scheme of type apiKey") != nil,
        let location = object.choice("in", as: SecurityScheme.KeyLocation.self)
      else { return nil }
      guard location == .query || Self.isToken(name) else {
        object.report("'\(name)' cannot name a \(location.rawValue)", at: object["name"])
        return nil
      }
      return .apiKey(name: name, in: location)
    case "http":
      guard let scheme = object.requiredString("scheme", "a security scheme of type http")
      else { return nil }
      if scheme.lowercased() == "bearer" { return .bearer }
      if scheme.lowercased() == "basic" { return .basic }
      object.report("the scheme '\(scheme)' is not supported; \(supported)", at: object["scheme"])
    default:
      object.report("the type '\(type)' is not supported; \(supported)", at: object["type"])
    }
    return nil
  }

  /// Whether a text is a `token` of RFC 9110, section 5.6.2: what header fields and cookies are named with.
  static func isToken(_ text: String) -> Bool {
    let others = Set("!#$%&'*+-.^_`|~".utf8)
    return !text.isEmpty
      && text.utf8.allSatisfy {
        (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
          || others.contains($0)
      }
  }
}
