// Asking a target whether it is there, without a credential.

import JobModel
import JobRunner

enum HealthProbe {
  /// The status of a `GET`, with the client that workers use.
  ///
  /// - Throws: `TransportFailure` with whatever kept the answer from coming.
  static func status(
    of url: String, within limit: Duration, trusting trustRoots: TrustRoots?,
    as configuration: WorkerConfiguration
  ) async throws -> Int {
    let sender = AsyncHTTPSender(configuration: configuration)
    let result: Result<StepResponse, TransportFailure>
    do throws(TransportFailure) {
      result = .success(
        try await sender.send(
          OutgoingRequest(method: "GET", url: url, timeout: limit, trustRoots: trustRoots)))
    } catch {
      result = .failure(error)
    }
    try? await sender.shutdown()
    return try result.get().status
  }
}
