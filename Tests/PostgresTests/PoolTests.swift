// The pool: its limits, its queue, its end.

import Glibc
import Synchronization
import Testing
import WritTesting

@testable import Postgres

@Suite struct PoolTests {
  @Test func `there are never more connections than allowed`() async throws {
    let pool = try await makePool(maximumConnections: 3)
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<30 {
        group.addTask {
          try await pool.query(
            """
            select count(*) as n, pg_sleep(0.01) from pg_stat_activity
             where datname = current_database() and backend_type = 'client backend'
            """)[0].decode("n", as: Int.self)
        }
      }
      for try await count in group { #expect(count <= 3) }
    }
    await pool.close()
  }

  @Test func `who waits too long for a connection is told so`() async throws {
    let pool = try await makePool(maximumConnections: 1)
    try await pool.withConnection { _ in
      let error = await #expect(throws: PostgresError.self) {
        try await pool.query("select 1", deadline: .milliseconds(50))
      }
      #expect(error?.code == .poolExhausted)
      #expect(error?.description == "all connections of the pool stayed in use for too long")
    }
    #expect(try await pool.query("select 1").count == 1)
    await pool.close()
  }

  @Test func `who is cancelled while waiting leaves the line`() async throws {
    let pool = try await makePool(maximumConnections: 1)
    try await pool.withConnection { _ in
      let waiting = Task { try await pool.query("select 1") }
      await Task.yield()
      waiting.cancel()
      let error = await #expect(throws: PostgresError.self) { try await waiting.value }
      #expect(error?.code == .cancelled)
    }
    #expect(try await pool.query("select 1").count == 1)
    await pool.close()
  }

  @Test func `closing waits for work in progress and refuses new work`() async throws {
    let pool = try await makePool()
    let began = AsyncStream.makeStream(of: Void.self)
    let work = Task {
      try await pool.withConnection { connection in
        began.continuation.finish()
        return try connection.query("select pg_sleep(0.1)").count
      }
    }
    for await _ in began.stream {}
    await pool.close()
    #expect(try await work.value == 1)
    let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
    #expect(error?.code == .poolClosed)
    await pool.close()
  }

  @Test func `run closes the pool when its task is cancelled`() async throws {
    let pool = try await makePool()
    let service = Task { await pool.run() }
    #expect(try await pool.query("select 1").count == 1)
    service.cancel()
    await service.value
    let error = await #expect(throws: PostgresError.self) { try await pool.query("select 1") }
    #expect(error?.code == .poolClosed)
  }

  @Test func `a connection that was idle for too long is replaced`() async throws {
    let pool = PostgresPool(
      configuration: try await ThrowawayCluster.shared.makeConfiguration(), maximumConnections: 1,
      idleLifetime: .zero)
    let first = try await pool.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    let second = try await pool.query("select pg_backend_pid()")[0].decode(0, as: Int.self)
    #expect(first != second)
    await pool.close()
  }

  @Test func `threads and descriptors end with their connections`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let connections = try await withThrowingTaskGroup(of: WeakThread.self) { group in
      for _ in 0..<20 {
        group.addTask {
          let connection = try await PostgresConnection.open(
            configuration, deadline: .now + .seconds(30))
          await connection.close()
          return WeakThread(connection.thread)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    // The thread holds itself alive until it ends, and is freed at its end.
    try await eventually { connections.allSatisfy { $0.thread == nil } }
  }

  @Test func `a thread that ends with its last job outlives who enqueued that job`() async throws {
    let reference = WeakThread()
    let wasFreed = Mutex<Bool?>(nil)
    var actor: EphemeralActor? = EphemeralActor(
      thread: try ConnectionThread(beforeWaking: {
        // The job is in the queue and its thread awake: it may run the job, drop the actor and
        // end while the caller still is in `enqueue`.
        reference.thread?.stop()
        let deadline = ContinuousClock.now + .milliseconds(200)
        while reference.thread != nil, .now < deadline { usleep(1_000) }
        let isFreed = reference.thread == nil
        wasFreed.withLock { $0 = isFreed }
      }))
    reference.set(actor?.thread)
    Task.detached { [actor] in await actor?.work() }
    actor = nil
    try await eventually { wasFreed.withLock { $0 } != nil }
    #expect(wasFreed.withLock { $0 } == false)
    try await eventually { reference.thread == nil }
  }
}

/// Lives on a thread of its own like a connection, but without a server.
private actor EphemeralActor {
  nonisolated let thread: ConnectionThread
  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(thread: ConnectionThread) { self.thread = thread }
  deinit { thread.stop() }

  func work() {}
}

private final class WeakThread: Sendable {
  private let reference: Mutex<Reference>

  init(_ thread: ConnectionThread? = nil) { reference = Mutex(Reference(thread: thread)) }

  var thread: ConnectionThread? { reference.withLock { $0.thread } }

  func set(_ thread: ConnectionThread?) { reference.withLock { $0.thread = thread } }

  private struct Reference: Sendable {
    weak var thread: ConnectionThread?
  }
}

@Suite struct PoolStateTests {
  private typealias State = PoolState<Int, String>

  @Test func `slots are granted up to the maximum, then callers wait in line`() {
    var state = State(maximum: 2, idleLifetime: .seconds(60))
    for _ in 0..<2 { guard case .slot? = state.acquire() else { Issue.record("no slot"); return } }
    #expect(state.acquire() == nil)
    state.enqueue("first", id: 1)
    state.enqueue("second", id: 2)
    guard case .goesTo("first") = state.giveBack(7, now: .now) else {
      Issue.record("not first"); return
    }
    #expect(state.giveUpSlot() == "second")
    #expect(state.slots == 2)
    #expect(state.giveUpSlot() == nil)
    #expect(state.slots == 1)
  }

  @Test func `the connection used last is taken first, and the oldest expires`() {
    var state = State(maximum: 3, idleLifetime: .seconds(60))
    let start = ContinuousClock.now
    for number in 1...3 {
      _ = state.acquire()
      _ = number
    }
    for number in 1...3 { _ = state.giveBack(number, now: start + .seconds(number)) }
    guard case .connection(3)? = state.acquire() else { Issue.record("not the last"); return }
    #expect(state.takeExpired(now: start + .seconds(61)) == [1])
    #expect(state.slots == 2)
  }

  @Test func `a closed pool takes nothing back`() {
    var state = State(maximum: 1, idleLifetime: .seconds(60))
    _ = state.acquire()
    state.enqueue("waiting", id: 1)
    #expect(state.close().waiters == ["waiting"])
    guard case .mustClose = state.giveBack(1, now: .now) else { Issue.record("kept"); return }
    guard case .refused? = state.acquire() else { Issue.record("granted"); return }
  }

  @Test func `the backoff doubles up to its limit and is jittered`() {
    let backoff = Backoff(base: .milliseconds(100), maximum: .seconds(1), jitter: { 0.5 })
    #expect(
      [1, 2, 3, 4, 5, 100].map { backoff.delay(afterFailures: $0) }
        == [50, 100, 200, 400, 500, 500].map { .milliseconds($0) })
  }
}
