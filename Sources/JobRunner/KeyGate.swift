// After a 401 every further request with the same key would be refused too, and after a 403 for want of a
// permission every one of the same operation: the gate keeps them back until the key changes, and lets one
// through now and then in case the refusal was lifted.

import JobModel
import Secrets
import Synchronization

/// The secrets that a service has refused, by the names under which they are kept.
///
/// A request that needs several is refused as a whole: nobody can tell which of them was wrong.
final class KeyGate: Sendable {
  /// What a request with certain secrets would meet.
  enum Obstacle: Sendable, Hashable {
    /// The service does not accept them.
    case notAccepted
    /// They lack a permission that the operation takes.
    case lacksPermission
  }

  private struct Place: Hashable {
    var names: [SecretName]
    /// `nil`: refused for all operations.
    var operation: String?
  }

  private struct Refusal {
    var secrets: [Secret]
    var until: Duration
  }

  private let time: WorkerTime
  private let pause: Duration
  private let refusals = Mutex<[Place: Refusal]>([:])

  init(time: WorkerTime, pause: Duration) {
    self.time = time
    self.pause = pause
  }

  /// What keeps a request of an operation with these secrets from leaving, if anything does.
  ///
  /// After the pause a single one is let through to try.
  func obstacle(
    to secrets: [Secret], _ names: [SecretName], _ operation: String
  ) -> Obstacle? {
    refusals.withLock { refusals in
      let places = [
        (Place(names: names), Obstacle.notAccepted),
        (Place(names: names, operation: operation), .lacksPermission),
      ]
      for (place, obstacle) in places {
        guard let refusal = refusals[place] else { continue }
        if refusal.secrets != secrets {
          refusals[place] = nil
        } else if time.now < refusal.until {
          return obstacle
        }
      }
      // Only a request that leaves is the one that tries.
      for (place, _) in places { refusals[place]?.until = time.now + pause }
      return nil
    }
  }

  /// Notes that the service refused secrets, for an operation or altogether.
  func refuse(_ secrets: [Secret], _ names: [SecretName], _ operation: String? = nil) {
    // Keys that are tried out before or after a rotation are expected to be refused.
    let isTrial = names.contains { SecretNaming.isOfRotation($0.entry) }
    guard !isTrial else { return }
    refusals.withLock { refusals in
      // What lacks a permission was accepted as such.
      if operation != nil { refusals[Place(names: names)] = nil }
      refusals[Place(names: names, operation: operation)] = Refusal(
        secrets: secrets, until: time.now + pause)
    }
  }

  /// Notes that the service took secrets for an operation.
  func accept(_ names: [SecretName], _ operation: String) {
    refusals.withLock { refusals in
      refusals[Place(names: names)] = nil
      refusals[Place(names: names, operation: operation)] = nil
    }
  }
}
