// Who descends from a process, as /proc shows it.

import Foundation

/// A process that cannot be mistaken for a later one of the same number.
struct ProcessIdentity: Sendable, Hashable {
  var identifier: Int32
  /// Field 22 of /proc/PID/stat (proc(5)): when it started, in clock ticks since boot.
  var startedAt: Int
  var parent: Int32

  /// The process of a number, unless there is none or it is dead and not reaped yet.
  init?(_ identifier: Int32) {
    guard let data = FileManager.default.contents(atPath: "/proc/\(identifier)/stat") else {
      return nil
    }
    // The name may hold spaces and parentheses; the fields begin after the last one.
    let fields = String(decoding: data, as: UTF8.self).components(separatedBy: ") ").last?
      .split(separator: " ")
    guard let fields, fields.count > 19, fields[0] != "Z", let parent = Int32(fields[1]),
      let startedAt = Int(fields[19])
    else { return nil }
    self.identifier = identifier
    self.startedAt = startedAt
    self.parent = parent
  }

  /// Whether the very same process is still there.
  var exists: Bool { ProcessIdentity(identifier)?.startedAt == startedAt }

  /// Everything that descends from a process now.
  static func descendants(of ancestor: Int32) -> Set<ProcessIdentity> {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    let all = names.compactMap { Int32($0).flatMap { ProcessIdentity($0) } }
    var found: Set<ProcessIdentity> = []
    var parents: Set<Int32> = [ancestor]
    while true {
      let next = all.filter { parents.contains($0.parent) && !found.contains($0) }
      guard !next.isEmpty else { return found }
      found.formUnion(next)
      parents = Set(next.map(\.identifier))
    }
  }
}
