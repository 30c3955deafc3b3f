// The emulated server without a socket: requests in, answers out, effects in a ledger.

import Synchronization

/// An AuthOS server in memory.
///
/// It reads no clock: every call brings the time. Requests are handled one after the other under
/// one lock, each in microseconds; waiting, where a fault asks for it, is the caller's part:
///
///     let fault = authOS.nextFault(for: request)
///     let answer = authOS.respond(to: request, at: now, fault: fault)
public final class EmulatedAuthOS: EmulatedService {
  private let state: Mutex<EmulatedState>

  /// The identifiers and keys of the seed.
  public let seeded: SeededValues

  /// A server that holds what a seed says.
  ///
  /// - Parameters:
  ///   - random: The source of identifiers, keys and tokens made later on.
  ///   - signer: What signs session tokens.
  public init(
    seed: EmulatorSeed, settings: EmulatorSettings = EmulatorSettings(),
    faults: FaultPlan = FaultPlan(),
    random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
    signer: TokenSigner = TokenSigner(), at now: UTCTime
  ) {
    var state = EmulatedState(settings: settings, random: random, signer: signer)
    seeded = state.plant(seed, at: now)
    state.faults = FaultSchedule(faults)
    self.state = Mutex(state)
  }

  /// Draws the fault of a request; it counts as one request of its route.
  public func nextFault(for request: EmulatedRequest) -> Fault? {
    state.withLock { state in
      guard !state.faults.plan.rules.isEmpty,
        let operation = Route.matching(request.path)?.operation(method: request.method)
      else { return nil }
      return state.faults.next(for: operation)
    }
  }

  /// Answers a request.
  ///
  /// A fault that waits is not waited for here; see ``Fault``.
  public func respond(
    to request: EmulatedRequest, at now: UTCTime, fault: Fault? = nil
  ) -> EmulatedAnswer {
    state.withLock { $0.respond(to: request, at: now, fault: fault) }
  }

  /// The largest body, in bytes.
  public var bodyLimit: Int { settings.bodyLimit }
  /// How long a request may take before it is answered 408.
  public var timeLimit: Duration { settings.timeLimit }
  /// The header fields that the routes look at.
  public var headersOfInterest: [String]? {
    ["x-api-key", "authorization", "content-type", "content-length", "x-emulator-control"]
  }

  /// The effects after a sequence number, oldest first.
  public func ledger(after sequence: Int = 0, limit: Int = .max) -> [LedgerRecord] {
    state.withLock { Array($0.ledger.dropFirst(max(sequence, 0)).prefix(limit)) }
  }

  /// The newest requests of known operations, oldest first.
  public var requests: [RequestRecord] { state.withLock { $0.requests.records } }

  /// Begins anew with a seed, as a server with an empty database would; nothing is left of ledger, counts
  /// and faults.
  ///
  /// Sessions stay, so that who has logged in need not do so again. ``seeded`` stays true only for a seed
  /// that differs from the first in nothing but its API keys.
  public func restart(_ seed: EmulatorSeed, at now: UTCTime) {
    state.withLock { old in
      var state = EmulatedState(settings: old.settings, random: old.random, signer: old.signer)
      _ = state.plant(seed, at: now)
      state.sessions = old.sessions
      old = state
    }
  }

  /// The counts of requests and faults.
  public var counts: RequestCounts { state.withLock { $0.counts } }

  /// The plan of faults; setting it starts its counting anew.
  public var faults: FaultPlan {
    get { state.withLock { $0.faults.plan } }
    set { state.withLock { $0.faults = FaultSchedule(newValue) } }
  }

  /// The date mode.
  public var dateMode: DateMode {
    get { state.withLock { $0.settings.dateMode } }
    set { state.withLock { $0.settings.dateMode = newValue } }
  }

  /// The start of URLs in bodies, without a trailing slash; set it to where the server listens, and its
  /// `reauth_url`s can be visited.
  public var baseURL: String {
    get { state.withLock { $0.settings.baseURL } }
    set { state.withLock { $0.settings.baseURL = newValue } }
  }

  /// The settings as they are now.
  public var settings: EmulatorSettings { state.withLock { $0.settings } }

  /// The organization's status, for example `active` or `suspended`.
  public var organizationStatus: String {
    get { state.withLock { $0.organizations[seeded.organizationID]?.status ?? "" } }
    set { state.withLock { $0.organizations[seeded.organizationID]?.status = newValue } }
  }

  /// Inserts a user as a seed would, and returns its id.
  ///
  /// An email must not be given twice.
  public func plant(_ user: SeedUser, at now: UTCTime) -> String {
    state.withLock { state in
      var identifiers = state.random
      defer { state.random = identifiers }
      return Self.plant(user, in: &state, seeded.serviceID, &identifiers, at: now)
    }
  }

  private static func plant(
    _ user: SeedUser, in state: inout EmulatedState, _ serviceID: String,
    _ identifiers: inout some RandomNumberGenerator, at now: UTCTime
  ) -> String {
    state.plant(user, serviceID: serviceID, &identifiers, at: now)
  }

  /// Makes the key that signs tokens, which otherwise the first login waits for.
  public func prepareSigningKey() throws { try signer.prepare() }

  private var signer: TokenSigner { state.withLock { $0.signer } }

  /// What the seeded service holds now.
  public var snapshot: EmulatorSnapshot {
    state.withLock { EmulatorSnapshot($0, serviceID: seeded.serviceID) }
  }
}
