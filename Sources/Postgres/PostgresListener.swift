// LISTEN: a connection of its own that hears notifications, and comes back by itself when it is
// lost.

/// Hears `NOTIFY`.
///
/// A notification sent while the connection was away is lost, so the consumer looks at the tables
/// themselves whenever it sees ``Event/reconnected``:
///
///     for await event in PostgresListener(configuration: configuration).notifications(on: ["jobs"]) {
///       switch event {
///       case .reconnected: scan()
///       case .notification(_, let payload): wake(payload)
///       case .disconnected(let error): logger.warning("not listening", metadata: ["error": "\(error)"])
///       }
///     }
///
/// Needs a session of its own, so not a transaction pooler.
public struct PostgresListener: Sendable {
  /// What a listener tells.
  public enum Event: Sendable {
    /// Somebody notified a channel.
    case notification(channel: String, payload: String)
    /// The channels are listened to from now on: said at the start and after every loss. Scan now.
    case reconnected
    /// The connection was lost, or could not be made; trying goes on by itself.
    case disconnected(PostgresError)
  }

  private let configuration: PostgresConfiguration
  private let backoff: Backoff
  private let checkInterval: Duration

  /// A listener that has not connected yet.
  ///
  /// - Parameters:
  ///   - backoff: how long to wait between tries to connect.
  ///   - checkInterval: how long a silent connection is believed to be alive before the server is asked.
  public init(
    configuration: PostgresConfiguration, backoff: Backoff = Backoff(),
    checkInterval: Duration = .seconds(30)
  ) {
    self.configuration = configuration
    self.backoff = backoff
    self.checkInterval = checkInterval
  }

  /// The notifications on these channels, until the task that iterates is cancelled.
  ///
  /// The iteration does the work: nothing runs between two calls of `next`, and unread
  /// notifications wait in the server's queue. So read without delay.
  public func notifications(on channels: [String]) -> Notifications {
    Notifications(
      configuration: configuration, backoff: backoff, checkInterval: checkInterval,
      channels: channels)
  }

  /// The events of one connection that listens; each iterator has its own.
  public struct Notifications: AsyncSequence, Sendable {
    let configuration: PostgresConfiguration
    let backoff: Backoff
    let checkInterval: Duration
    let channels: [String]

    /// Starts listening with the first call of `next`.
    public func makeAsyncIterator() -> Iterator { Iterator(sequence: self) }
  }

  /// Waits for one event after the other.
  public struct Iterator: AsyncIteratorProtocol {
    private let sequence: Notifications
    private var connection: PostgresConnection?
    private var failures = 0
    private var pending: ArraySlice<Event> = []

    fileprivate init(sequence: Notifications) { self.sequence = sequence }

    /// The next event; nil once the task is cancelled.
    public mutating func next() async -> Event? {
      while !Task.isCancelled {
        if let event = pending.popFirst() { return event }
        do throws(PostgresError) {
          if let connection {
            pending = try await connection.awaitNotifications(sequence.checkInterval)[...]
          } else {
            connection = try await connect()
            failures = 0
            return .reconnected
          }
        } catch {
          let wasConnected = connection != nil
          await connection?.close()
          connection = nil
          if error.code == .cancelled { break }
          failures += 1
          // A failure to connect is told after the wait that it causes; a loss at once.
          if wasConnected || failures == 1 { return .disconnected(error) }
        }
      }
      await connection?.close()
      connection = nil
      return nil
    }

    private func connect() async throws(PostgresError) -> PostgresConnection {
      if failures > 0 {
        try? await Task.sleep(for: sequence.backoff.delay(afterFailures: failures))
      }
      let deadline = ContinuousClock.now + sequence.configuration.connectTimeout * 3
      let connection = try await PostgresConnection.open(sequence.configuration, deadline: deadline)
      do throws(PostgresError) {
        try await connection.listen(on: sequence.channels)
      } catch {
        await connection.close()
        throw error
      }
      return connection
    }
  }
}

extension PostgresConnection {
  /// Listens on the channels, for good.
  func listen(on channels: [String]) throws(PostgresError) {
    holdOpen()
    let quoted = channels.map { "\"\($0.replacing("\"", with: "\"\""))\"" }
    try executeScript(quoted.map { "listen \($0)" }.joined(separator: ";"))
  }

  /// Waits for notifications; asks the server for a sign of life when there are none for so long.
  func awaitNotifications(
    _ checkInterval: Duration
  ) async throws(PostgresError) -> [PostgresListener.Event] {
    let result = await withTaskCancellationHandler {
      Result { () throws(PostgresError) in try waitForNotifications(checkInterval) }
    } onCancel: {
      interrupt.cancel()
    }
    return try result.get()
  }

  private func waitForNotifications(
    _ checkInterval: Duration
  ) throws(PostgresError) -> [PostgresListener.Event] {
    while true {
      let session = try usableSession()
      let events = takeNotifications(session)
      if !events.isEmpty { return events }
      if interrupt.isCancelled { throw Self.cancelled }
      switch poll(session, writing: false, until: .now + checkInterval) {
      case .readable, .writable:
        if !session.consumeInput() || !session.isUsable { throw giveUp(Self.lost) }
      case .interrupted: interrupt.drain()
      case .timedOut: try executeScript("")
      }
    }
  }

  private func takeNotifications(_ session: LibPQSession) -> [PostgresListener.Event] {
    _ = session.isBusy  // makes libpq look at what it read
    var events: [PostgresListener.Event] = []
    while let (channel, payload) = session.nextNotification() {
      events.append(.notification(channel: channel, payload: payload))
    }
    return events
  }
}
