// Notifications, on a connection that comes back.

import Postgres
import Testing
import WritTesting

@Suite struct ListenerTests {
  @Test func `a notification arrives, with any channel name and payload`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration)
    var events = PostgresListener(configuration: configuration)
      .notifications(on: ["jobs", "Odd \"name\""]).makeAsyncIterator()
    guard case .reconnected? = await events.next() else { Issue.record("not listening"); return }
    try await pool.execute("select pg_notify($1, $2)", ["jobs", "41"])
    try await pool.execute("select pg_notify($1, $2)", ["Odd \"name\"", ""])
    var seen: [String] = []
    while seen.count < 2, let event = await events.next() {
      if case .notification(let channel, let payload) = event {
        seen.append("\(channel)=\(payload)")
      }
    }
    #expect(seen == ["jobs=41", "Odd \"name\"="])
    await pool.close()
  }

  @Test func `a lost listener comes back, listens again and says so`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration)
    var events = PostgresListener(
      configuration: configuration, backoff: Backoff(base: .milliseconds(1))
    ).notifications(on: ["jobs"]).makeAsyncIterator()
    guard case .reconnected? = await events.next() else { Issue.record("not listening"); return }
    try await pool.execute(
      """
      select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()
      """)
    guard case .disconnected(let error)? = await events.next() else {
      Issue.record("not lost"); return
    }
    #expect(error.isTransient)
    guard case .reconnected? = await events.next() else { Issue.record("not back"); return }
    try await pool.execute("notify jobs, 'again'")
    guard case .notification("jobs", "again")? = await events.next() else {
      Issue.record("not heard")
      return
    }
    await pool.close()
  }

  @Test func `cancelling the task ends the iteration`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let began = AsyncStream.makeStream(of: Void.self)
    let task = Task {
      for await event in PostgresListener(configuration: configuration).notifications(on: ["jobs"])
      {
        if case .reconnected = event { began.continuation.finish() }
      }
    }
    for await _ in began.stream {}
    task.cancel()
    await task.value
  }

  @Test func `a silent connection is asked for a sign of life`() async throws {
    let configuration = try await ThrowawayCluster.shared.makeConfiguration()
    let pool = PostgresPool(configuration: configuration)
    var events = PostgresListener(configuration: configuration, checkInterval: .milliseconds(5))
      .notifications(on: ["jobs"]).makeAsyncIterator()
    _ = await events.next()
    let notify = Task {
      // A session that has been asked shows the empty statement instead of its LISTEN.
      try await eventually {
        try await pool.query(
          """
          select from pg_stat_activity
           where datname = current_database() and query = '' and pid <> pg_backend_pid()
          """
        ).count == 1
      }
      try await pool.execute("notify jobs")
    }
    guard case .notification? = await events.next() else { Issue.record("not heard"); return }
    try await notify.value
    await pool.close()
  }
}
