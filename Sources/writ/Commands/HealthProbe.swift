// Asking a target whether it is there, without a credential.

import Foundation

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

enum HealthProbe {
  /// The status of a `GET`.
  ///
  /// - Throws: Whatever kept the answer from coming.
  static func status(of url: URL, within limit: Duration) async throws -> Int {
    var request = URLRequest(url: url)
    request.timeoutInterval = limit / .seconds(1)
    let (_, response) = try await URLSession.shared.data(for: request)
    return (response as? HTTPURLResponse)?.statusCode ?? 0
  }
}
