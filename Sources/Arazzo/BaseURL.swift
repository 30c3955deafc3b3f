// What the address of a target has to look like: one rule for OpenAPI documents, for configurations and
// for the worker, which sends to nothing else.

/// The rule for base URLs of targets.
public enum BaseURL {
  /// What is wrong with a text that is to be a base URL.
  public enum Fault: Sendable, Hashable {
    /// It begins with neither `http://` nor `https://`.
    case scheme
    /// It holds a user or a password.
    case user
    /// No host follows the scheme.
    case host
    /// The port is none of 1 to 65535. HTTP clients do not survive every such number.
    case port
    /// It has a query, a fragment or white space.
    case rest
  }

  /// The first thing that is wrong; `nil` for a base URL.
  public static func fault(in text: String) -> Fault? {
    guard let scheme = ["http://", "https://"].first(where: text.hasPrefix) else { return .scheme }
    let rest = text.dropFirst(scheme.count)
    let authority = rest.prefix { !"/?#".contains($0) }
    if authority.contains("@") { return .user }
    if authority.isEmpty { return .host }
    if let fault = fault(inAuthority: authority) { return fault }
    return rest.contains { "?#@".contains($0) || $0.isWhitespace } ? .rest : nil
  }

  /// Looks at `host`, `host:port`, `[address]` or `[address]:port`.
  private static func fault(inAuthority authority: Substring) -> Fault? {
    var afterHost: Substring
    if authority.hasPrefix("[") {
      guard let end = authority.firstIndex(of: "]") else { return .host }
      afterHost = authority[end...].dropFirst()
    } else {
      afterHost = authority.drop { $0 != ":" }
      if afterHost.startIndex == authority.startIndex { return .host }
    }
    guard !afterHost.isEmpty else { return nil }
    guard afterHost.removeFirst() == ":" else { return .host }
    let isNumber = !afterHost.isEmpty && afterHost.utf8.allSatisfy { (0x30...0x39).contains($0) }
    guard isNumber, let port = Int(afterHost), (1...65_535).contains(port) else { return .port }
    return nil
  }
}
