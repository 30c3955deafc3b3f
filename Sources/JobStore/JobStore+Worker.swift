// What a worker does: register, renew, claim, record, sweep.

public import Arazzo
import JSON
public import JobModel
public import Postgres

/// An entry of a job that a worker holds.
public struct JobEntry: Sendable, Hashable {
  /// The job.
  public var job: Int
  /// The attempt under which the worker holds it.
  public var attempt: Int
  /// What happened.
  public var record: JobRecord

  /// An entry.
  public init(job: Int, attempt: Int, record: JobRecord) {
    self.job = job
    self.attempt = attempt
    self.record = record
  }
}

/// What became of the entries of one job.
public struct JobEntryAnswer: Sendable, Hashable {
  /// The job.
  public let job: Int
  /// Whether they were written; if not, the worker does not hold this attempt any more and must stop.
  public let isAccepted: Bool
  /// Whether the job was left out, because another transaction holds it: send its entries again.
  public let isHeldUp: Bool
  /// Whether a person has asked to cancel the job.
  public let isCancelRequested: Bool
}

/// What a claim took.
public struct ClaimedJobs: Sendable, Hashable {
  /// The jobs, in the order of the line.
  public let jobs: [ClaimedJob]
  /// What the worker's cursor learns from it.
  public let finding: ClaimCursor.Finding
  /// If a rate holds jobs back: when another claim is worth while; may have passed already.
  public let nextStart: Duration?
  /// The jobs that it parked behind a predecessor, for ``JobStore/unparkJobs(_:)``.
  public let blockedJobs: [Int]
}

/// What a sweep did.
public struct SweepResult: Sendable, Hashable {
  /// How many workers were found to have lost their lease.
  public let lostWorkers: Int
  /// How many of their jobs were returned.
  public let returnedJobs: Int
  /// How many scheduled and retryable jobs were due.
  public let promotedJobs: Int
  /// How many parked jobs were found with nothing in their way.
  public let unparkedJobs: Int
  /// How many jobs ended because nobody wants them any more.
  public let expiredJobs: Int
  /// When the next job falls due, by the database's clock; `nil` if none is known.
  public let nextDueAt: PostgresTimestamp?
}

extension JobStore {
  /// The channel on which idle workers are woken; the payload is the queue's name.
  public static var wakeChannel: String { "writ_wake" }

  /// Registers a worker, whose lease begins now, and gives its number.
  public func registerWorker(
    name: String, host: String, processID: Int, version: String, lease: Duration
  ) async throws -> Int {
    try await row(
      .register,
      [.text(name), .text(host), .int(processID), .text(version), .interval(lease)]
    ).decode("id")
  }

  /// Prolongs a lease from now on.
  ///
  /// - Returns: The new end by the database's clock; `nil` when the lease has ended: its number is lost for good.
  public func renewLease(
    worker: Int, lease: Duration, isIdle: Bool?
  ) async throws -> PostgresTimestamp? {
    try await row(.renew, [.int(worker), .interval(lease), .bool(isIdle)])
      .decode("lease_expires_at")
  }

  /// Says whether producers should wake this worker.
  public func setIdle(worker: Int, _ isIdle: Bool) async throws {
    _ = try await row(.setIdle, [.int(worker), .bool(isIdle)])
  }

  /// Ends a lease now; the next sweep returns what the worker still holds.
  ///
  /// - Returns: Whether the lease was still live.
  @discardableResult
  public func deregisterWorker(_ worker: Int) async throws -> Bool {
    try await row(.deregister, [.int(worker)]).decode("was_live")
  }

  /// Takes up to `limit` jobs (at most 1000) of a queue; none when the worker's lease has ended.
  public func claimJobs(
    worker: Int, queue: String, environment: String, limit: Int, lowerBounds: [Int]
  ) async throws -> ClaimedJobs {
    let rows = try await pool.query(
      .claim,
      [.int(worker), .text(queue), .text(environment), .int(limit), .ints(lowerBounds)])
    guard let last = rows.last else {
      throw JobStoreError(.missingRow, "a claim returned no row")
    }
    var jobs: [ClaimedJob] = []
    var places: [(priority: Int, claimOrder: Int)] = []
    for row in rows where !row["id"].isNull {
      jobs.append(try ClaimedJob(row, queue: queue, environment: environment))
      places.append((try row.decode("priority"), try row.decode("claim_order")))
    }
    for parked in try last.decodeJSON("parked")?.arrayValue ?? [] {
      guard let pair = parked.arrayValue, pair.count == 2, let priority = pair[0].intValue,
        let order = pair[1].intValue
      else { throw JobStoreError(.unreadableRow, "column parked holds no places in the line") }
      places.append((priority, order))
    }
    let wait: Double? = try last.decode("next_start_in")
    return ClaimedJobs(
      jobs: jobs,
      finding: ClaimCursor.Finding(
        claimed: places, isExhausted: try last.decode("exhausted"),
        snapshotXmin: try last.decode("snapshot_xmin"),
        snapshotXmax: try last.decode("snapshot_xmax")),
      nextStart: wait.map { .seconds($0) },
      blockedJobs: try last.decode("blocked", as: [Int]?.self) ?? [])
  }

  /// Looks again at jobs that a claim has parked, whose predecessors may have ended meanwhile.
  ///
  /// - Returns: How many became available.
  public func unparkJobs(_ jobs: [Int]) async throws -> Int {
    guard !jobs.isEmpty else { return 0 }
    return try await row(.unpark, [.ints(jobs)]).decode("unparked")
  }

  /// Writes what happened to jobs, all in one transaction, and answers once for each job.
  ///
  /// Safe to repeat when the answer was lost.
  ///
  /// - Parameter skipsLocked: whether jobs that another transaction holds are left out; else they are
  ///   waited for, for half a second.
  public func recordEntries(
    worker: Int, _ entries: [JobEntry], skipsLocked: Bool = false
  ) async throws -> [JobEntryAnswer] {
    guard !entries.isEmpty else { return [] }
    let json = JSONValue.array(
      entries.map { $0.record.json(job: $0.job, attempt: $0.attempt) })
    return try await pool.query(
      .record, [.int(worker), .json(json.serialized()), .bool(skipsLocked)]
    ).map { row in
      let isAccepted: Bool? = try row.decode("accepted")
      return JobEntryAnswer(
        job: try row.decode("job_id"), isAccepted: isAccepted ?? false,
        isHeldUp: isAccepted == nil, isCancelRequested: try row.decode("cancel_requested"))
    }
  }

  /// Returns jobs of lost workers, promotes due jobs and unparks forgotten ones, at most `limit` of each.
  ///
  /// - Returns: `nil` when another sweep is under way.
  public func sweepJobs(limit: Int) async throws -> SweepResult? {
    guard let row = try await pool.query(.sweep, [.int(limit)]).first else { return nil }
    return SweepResult(
      lostWorkers: try row.decode("lost_workers"), returnedJobs: try row.decode("returned"),
      promotedJobs: try row.decode("promoted"), unparkedJobs: try row.decode("unparked"),
      expiredJobs: try row.decode("expired"), nextDueAt: try row.decode("next_due_at"))
  }

  /// The definition of a hash; `nil` when the database has none.
  ///
  /// - Throws: ``JobStoreError`` with `unreadableDefinition` when this program does not understand it.
  public func definition(hash: String) async throws -> JobTypeDefinition? {
    guard let row = try await pool.query(.definition, [.text(hash)]).first else { return nil }
    return try Self.definition(row, hash: hash)
  }

  /// The definitions under which types are ordered now, by name, but for those of these names.
  ///
  /// Needs the role `writ_admin` or `writ_auditor`.
  /// - Throws: ``JobStoreError`` with `unreadableDefinition` when this program does not understand one.
  public func publishedDefinitions(except names: [String]) async throws -> [JobTypeDefinition] {
    try await pool.query(.publishedDefinitions, [.texts(names)]).map { row in
      try Self.definition(row, hash: try row.decode("hash"))
    }
  }

  private static func definition(_ row: PostgresRow, hash: String) throws -> JobTypeDefinition {
    let type: String = try row.decode("type")
    let sources = try JSONValue(parsing: try row.decode("sources", as: String.self))
    let files = (sources.arrayValue ?? []).compactMap { source in
      source["path"]?.stringValue.flatMap { path in
        source["text"]?.stringValue.map { DocumentText(path: path, text: $0) }
      }
    }
    do throws(CatalogueError) {
      if let definition = try Catalogue.load(files: files, publishedType: type).jobType(type) {
        return definition
      }
    } catch {
      throw JobStoreError(
        .unreadableDefinition,
        "the definition \(hash) of \(type) is not understood by this program:\n\(error)")
    }
    throw JobStoreError(
      .unreadableDefinition, "the definition \(hash) does not describe the job type \(type)")
  }

  /// The definition under which a type is ordered now; `nil` for a type that nobody published.
  public func definition(type: String) async throws -> JobTypeDefinition? {
    guard let hash: String = try await row(.definitionHash, [.text(type)]).decode("hash") else {
      return nil
    }
    return try await definition(hash: hash)
  }
}

extension ClaimedJob {
  /// A job whose payload or journal this program cannot read is claimed like any other: one such job must not
  /// keep others from running.
  init(_ row: PostgresRow, queue: String, environment: String) throws {
    let payload = try? row.decodeObject("payload")
    let journal = try? Self.journal(row)
    self.init(
      id: try row.decode("id"), type: try row.decode("type"), environment: environment,
      queue: queue,
      definitionHash: try row.decode("definition_hash"), payload: payload ?? JSONObject(),
      subject: try row.decode("subject"), attempt: try row.decode("attempt"),
      failures: try row.decode("failures"), maxAttempts: try row.decode("max_attempts"),
      isUnresolved: try row.decode("unresolved"), isPastDeadline: try row.decode("past_deadline"),
      isPastActionDeadline: try row.decode("past_action_deadline"),
      isCancelRequested: try row.decode("cancel_requested"),
      traceparent: try row.decode("traceparent"), journal: journal ?? [],
      unreadable: payload == nil ? .payload : journal == nil ? .journal : nil)
  }

  private static func journal(_ row: PostgresRow) throws -> [JournalEntry] {
    try (row.decodeJSON("journal")?.arrayValue ?? []).map { element in
      guard let entry = JournalEntry(json: element) else {
        throw JobStoreError(.unreadableRow, "a journal holds a row that this program does not know")
      }
      return entry
    }
  }
}

extension PostgresRow {
  /// A jsonb column; SQL null gives `nil`.
  func decodeJSON(_ name: String) throws -> JSONValue? {
    guard let text: String = try decode(name) else { return nil }
    do {
      // Deeper than anything that is let in, with the levels around it.
      return try JSONValue(parsing: text.utf8, maximumDepth: 256)
    } catch {
      throw JobStoreError(.unreadableRow, "column \(name) holds no JSON that this program reads")
    }
  }

  /// A jsonb column whose value may be more than this program reads: then its name is noted, and there is none.
  func decodeJSON(_ name: String, noting unreadable: inout [String]) throws -> JSONValue? {
    do {
      return try decodeJSON(name)
    } catch let error as JobStoreError where error.code == .unreadableRow {
      unreadable.append(name)
      return nil
    }
  }

  /// A jsonb column that holds an object.
  func decodeObject(_ name: String) throws -> JSONObject {
    guard let object = try decodeJSON(name)?.objectValue else {
      throw JobStoreError(.unreadableRow, "column \(name) holds no object")
    }
    return object
  }
}
