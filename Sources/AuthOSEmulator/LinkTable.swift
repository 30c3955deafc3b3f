// Which users are linked to which services, and in which order they were.

/// The identity rows.
///
/// A user may have several for one service; every look-up counts users.
struct LinkTable {
  struct Link {
    var provider: String
    var ordinal: Int
  }

  private var links: [Linkage: [Link]] = [:]
  /// For each service the linked users in the order of linking.
  ///
  /// An entry is out of date once its user was unlinked or linked again; such entries are skipped,
  /// and dropped when they prevail.
  private var order: [String: [(userID: String, ordinal: Int)]] = [:]
  private var counts: [String: Int] = [:]
  private var lastOrdinal = 0

  /// The number of distinct users linked to a service.
  func count(serviceID: String) -> Int { counts[serviceID] ?? 0 }

  func contains(_ linkage: Linkage) -> Bool { links[linkage] != nil }

  func hasLink(_ linkage: Linkage, provider: String) -> Bool {
    links[linkage]?.contains { $0.provider == provider } ?? false
  }

  mutating func insert(_ linkage: Linkage, provider: String) {
    lastOrdinal += 1
    if links[linkage] == nil { counts[linkage.serviceID, default: 0] += 1 }
    links[linkage, default: []].append(Link(provider: provider, ordinal: lastOrdinal))
    order[linkage.serviceID, default: []].append((linkage.userID, lastOrdinal))
  }

  mutating func remove(_ linkage: Linkage) {
    guard links.removeValue(forKey: linkage) != nil else { return }
    let serviceID = linkage.serviceID
    counts[serviceID, default: 1] -= 1
    if let entries = order[serviceID], entries.count > 2 * count(serviceID: serviceID) + 64 {
      order[serviceID] = entries.filter {
        isCurrent($0.userID, ordinal: $0.ordinal, serviceID: serviceID)
      }
    }
  }

  private func isCurrent(_ userID: String, ordinal: Int, serviceID: String) -> Bool {
    links[Linkage(userID: userID, serviceID: serviceID)]?.last?.ordinal == ordinal
  }

  /// A page of the users linked to a service, newest link first.
  func users(serviceID: String, limit: Int, offset: Int) -> [String] {
    var result: [String] = []
    var skipped = 0
    for entry in (order[serviceID] ?? []).reversed()
    where isCurrent(entry.userID, ordinal: entry.ordinal, serviceID: serviceID) {
      if skipped < offset {
        skipped += 1
      } else {
        result.append(entry.userID)
        if result.count == limit { break }
      }
    }
    return result
  }
}
