// Login sessions and the tokens that belong to them.

import Crypto

/// Sessions by either of their tokens.
///
/// Consumed refresh tokens stay known until their session ends, because presenting one of them is
/// what ends it.
struct SessionTable {
  private(set) var sessions: [String: Session] = [:]
  private var byAccess: [SHA256Digest: String] = [:]
  private var byRefresh: [SHA256Digest: String] = [:]
  private var refreshDigests: [String: [SHA256Digest]] = [:]

  func session(access digest: SHA256Digest) -> Session? {
    byAccess[digest].flatMap { sessions[$0] }
  }

  /// The session that a refresh token belongs, or belonged, to.
  func session(refresh digest: SHA256Digest) -> Session? {
    byRefresh[digest].flatMap { sessions[$0] }
  }

  /// Inserts a session, or replaces the tokens of one that exists.
  mutating func store(_ session: Session) {
    if let previous = sessions[session.id] {
      byAccess.removeValue(forKey: previous.accessDigest)
    }
    sessions[session.id] = session
    byAccess[session.accessDigest] = session.id
    byRefresh[session.refreshDigest] = session.id
    refreshDigests[session.id, default: []].append(session.refreshDigest)
  }

  mutating func remove(_ session: Session) {
    sessions.removeValue(forKey: session.id)
    byAccess.removeValue(forKey: session.accessDigest)
    for digest in refreshDigests.removeValue(forKey: session.id) ?? [] {
      byRefresh.removeValue(forKey: digest)
    }
  }
}
