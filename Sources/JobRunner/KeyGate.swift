// After a 401 every further request with the same key would be refused too: the gate keeps them
// back until the key changes, and lets one through now and then in case the refusal was lifted.

import Secrets
import Synchronization

/// The keys that the service has refused.
final class KeyGate: Sendable {
  private struct Refusal {
    var key: Secret
    var until: Duration
  }

  private let time: WorkerTime
  private let pause: Duration
  private let refusals = Mutex<[SecretName: Refusal]>([:])

  init(time: WorkerTime, pause: Duration) {
    self.time = time
    self.pause = pause
  }

  /// Whether a request with a key may leave.
  ///
  /// After the pause it lets a single one through to try.
  func mayUse(_ key: Secret, _ name: SecretName) -> Bool {
    refusals.withLock { refusals in
      guard let refusal = refusals[name] else { return true }
      guard refusal.key == key else {
        refusals[name] = nil
        return true
      }
      guard time.now >= refusal.until else { return false }
      refusals[name]?.until = time.now + pause
      return true
    }
  }

  /// Notes that the service refused a key.
  func refuse(_ key: Secret, _ name: SecretName) {
    // Keys that are tried out before or after a rotation are expected to be refused.
    guard !name.entry.hasSuffix(".pending.key"), !name.entry.hasSuffix(".previous.key") else {
      return
    }
    refusals.withLock { $0[name] = Refusal(key: key, until: time.now + pause) }
  }

  /// Notes that the service took a key.
  func accept(_ name: SecretName) { refusals.withLock { $0[name] = nil } }
}
