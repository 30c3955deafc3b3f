// An emulator or a stand-in on a port, for as long as something needs it.

import AuthOSEmulator
import Logging

enum ServedEmulator {
  /// Serves what `server` makes, lends its port, and stops, whatever happens.
  ///
  /// Cancellation reaches the body alone: the server answers until the body has ended the processes that ask
  /// it, and is taken down when nobody does any more.
  ///
  /// - Parameter server: Makes the server; it has to call what it is given once it listens.
  static func with<Value: Sendable>(
    _ server: @escaping @Sendable (Logger, @escaping @Sendable (Int) -> Void) -> EmulatorServer,
    _ body: @escaping @Sendable (_ port: Int) async throws -> Value
  ) async throws -> Value {
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let serving = Task {
      defer { continuation.finish() }
      // Dropped connections and the end of the server are its purpose here, no errors to be told.
      var silent = Logger(label: "emulator")
      silent.logLevel = .critical
      try await server(silent) { continuation.yield($0) }.run()
    }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
      group.addTask {
        try await serving.value
        return nil
      }
      group.addTask {
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { return nil }
        return try await body(port)
      }
      defer { serving.cancel() }
      for try await value in group {
        if let value { return value }
        serving.cancel()
      }
      throw CancellationError()
    }
  }

  /// Serves stand-ins, and lends their addresses by their names.
  static func with<Value: Sendable>(
    _ standIns: [StandIn], addresses: [String: String] = [:],
    _ body: @escaping @Sendable ([String: String]) async throws -> Value
  ) async throws -> Value {
    guard let first = standIns.first else { return try await body(addresses) }
    return try await with({ EmulatorServer(serving: first, logger: $0, onListening: $1) }) { port in
      let addresses = addresses.merging([first.name: "http://127.0.0.1:\(port)"]) { $1 }
      return try await with(Array(standIns.dropFirst()), addresses: addresses, body)
    }
  }
}
