// Enqueue 100,000 jobs in one transaction, beside COPY of as many rows into a bare table with its index.
import JobStore
import Postgres
import Synchronization

/// Measures what the checks, the trail and the indexes of `job` add to bare COPY.
struct EnqueueManyScenario {
  let database: BenchDatabase
  private static let (jobs, rowsOfCall, rounds) = (100_000, 10_000, 3)

  init(_ database: BenchDatabase) { self.database = database }

  func run() async throws -> Measurement {
    let texts = (1...Self.jobs).map { "{\"number\": \($0)}" }
    var (writ, floor) = (Duration.zero, Duration.zero)
    for _ in 1...Self.rounds {
      try await database.clear()
      floor += try await copy(texts)
      try await database.clear()
      writ += try await enqueue(texts)
    }
    let total = Double(Self.jobs * Self.rounds)
    return Measurement(
      name: "enqueue 100000 in one transaction", rate: total / (writ / .seconds(1)),
      floor: total / (floor / .seconds(1)))
  }
}

extension EnqueueManyScenario {
  private func copy(_ texts: [String]) async throws -> Duration {
    let start = ContinuousClock.now
    try await database.pool.withTransaction { connection in
      _ = try connection.copyIn(
        "copy bare.job (type, payload) from stdin",
        rows: texts.lazy.map { text in [.text("bench_nothing"), .text(text)] },
        deadline: .seconds(600))
    }
    return ContinuousClock.now - start
  }

  private func enqueue(_ texts: [String]) async throws -> Duration {
    let chunks = ChunkCursor(texts, size: Self.rowsOfCall)
    let start = ContinuousClock.now
    _ = try await database.store.enqueueMany(
      type: "bench_nothing", nextRows: { chunks.next() })
    return ContinuousClock.now - start
  }
}

/// Hands out an array piece by piece, to whatever thread asks.
private final class ChunkCursor: Sendable {
  private let texts: [String]
  private let size: Int
  private let place = Mutex(0)

  init(_ texts: [String], size: Int) {
    self.texts = texts
    self.size = size
  }

  func next() -> [String]? {
    place.withLock { place in
      guard place < texts.count else { return nil }
      defer { place += size }
      return Array(texts[place..<min(place + size, texts.count)])
    }
  }
}
