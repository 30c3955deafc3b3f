// What can be seen in a connection string without connecting.

import Foundation

enum ConnectionText {
  /// Whether a connection string or URI holds a password.
  static func containsPassword(_ text: String) -> Bool {
    // In a URI the password stands between the first ":" and the last "@" of the authority, or in the query.
    if let scheme = ["postgresql://", "postgres://"].first(where: text.hasPrefix) {
      let rest = text.dropFirst(scheme.count)
      let authority = rest.prefix { $0 != "/" && $0 != "?" }
      if let at = authority.lastIndex(of: "@"), authority[..<at].contains(":") { return true }
    }
    return text.lowercased().contains(/(^|[\s?&;'"])(ssl)?(password|passwd)\s*=/)
  }
}
