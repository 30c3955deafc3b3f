// Six-digit codes of authenticator apps (RFC 6238 with SHA-1 and steps of 30 seconds).

import Crypto

/// Codes made from a shared secret and the time.
enum TimeBasedCode {
  /// The code of the step that a time falls into.
  static func code(secret: [UInt8], at now: UTCTime) -> String {
    let step = UInt64(max(now.seconds, 0) / 30)
    let mac = Array(
      HMAC<Insecure.SHA1>.authenticationCode(
        for: (0..<8).map { UInt8(truncatingIfNeeded: step >> (56 - 8 * UInt64($0))) },
        using: SymmetricKey(data: secret)))
    let offset = Int(mac[19] & 15)
    let value = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    let digits = String(value % 1_000_000)
    return String(repeating: "0", count: 6 - digits.count) + digits
  }

  /// Whether a code is that of the current step or of a neighbour.
  static func accepts(_ code: String, secret: [UInt8], at now: UTCTime) -> Bool {
    [-30, 0, 30].contains { Self.code(secret: secret, at: now.adding(seconds: $0)) == code }
  }
}
