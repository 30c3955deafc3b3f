// After a 401 every further request with the same key would be refused too: the gate keeps them
// back until the key changes, and lets one through now and then in case the refusal was lifted.

import JobModel
import Secrets
import Synchronization

/// The secrets that a service has refused, by the names under which they are kept.
///
/// A request that needs several is refused as a whole: nobody can tell which of them was wrong.
final class KeyGate: Sendable {
  private struct Refusal {
    var secrets: [Secret]
    var until: Duration
  }

  private let time: WorkerTime
  private let pause: Duration
  private let refusals = Mutex<[[SecretName]: Refusal]>([:])

  init(time: WorkerTime, pause: Duration) {
    self.time = time
    self.pause = pause
  }

  /// Whether a request with these secrets may leave.
  ///
  /// After the pause it lets a single one through to try.
  func mayUse(_ secrets: [Secret], _ names: [SecretName]) -> Bool {
    refusals.withLock { refusals in
      guard let refusal = refusals[names] else { return true }
      guard refusal.secrets == secrets else {
        refusals[names] = nil
        return true
      }
      guard time.now >= refusal.until else { return false }
      refusals[names]?.until = time.now + pause
      return true
    }
  }

  /// Notes that the service refused secrets.
  func refuse(_ secrets: [Secret], _ names: [SecretName]) {
    // Keys that are tried out before or after a rotation are expected to be refused.
    let isTrial = names.contains { SecretNaming.isOfRotation($0.entry) }
    guard !isTrial else { return }
    refusals.withLock { $0[names] = Refusal(secrets: secrets, until: time.now + pause) }
  }

  /// Notes that the service took secrets.
  func accept(_ names: [SecretName]) { refusals.withLock { $0[names] = nil } }
}
