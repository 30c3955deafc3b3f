// Enqueue one by one through the typed function, beside a bare INSERT of one row.

/// Measures the cost of validation, idempotency, audit and wake-up at enqueue.
struct EnqueueScenario {
  let database: BenchDatabase
  let options: Options

  init(_ database: BenchDatabase, _ options: Options) {
    self.database = database
    self.options = options
  }

  func run(clients: Int) async throws -> Measurement {
    try await database.clear()
    let floor = try await pgbench(
      """
      insert into bare.job (type, payload) values ('bench_nothing', '{"number": 1}') returning id;
      """
    ).run(clients: clients, seconds: options.seconds)
    try await database.clear()
    let writ = try await pgbench("select writ.bench_nothing(number => 1);")
      .run(clients: clients, seconds: options.seconds)
    return Measurement(name: "enqueue, \(clients) clients", rate: writ.rate, floor: floor.rate)
  }

  private func pgbench(_ script: String) -> Pgbench {
    Pgbench(cluster: database.cluster, script: script)
  }
}
