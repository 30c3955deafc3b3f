// Where in the claim order a worker looks next.
//
// An ordered claim that always begins at the left end of its index walks over the entries of jobs that
// are gone already, and nothing can remove those while anybody holds a snapshot open. So a worker
// remembers how far it has come, one number a priority, and claims from there (`fast`). What that
// misses is a job whose place in the order was drawn before that point by a transaction that committed
// after it. Those are found by claims from a second, slower number (`safe`), about once a second and
// whenever the fast claim comes back short. `safe` follows `fast` only when nothing can appear behind it any
// more: a checkpoint remembers `fast` and the snapshot's xmax; once a later snapshot's xmin has reached that
// xmax, every transaction that ran at the checkpoint has ended, and a claim from `safe` in such a snapshot
// that empties the index has taken everything up to the checkpoint. A transaction draws its number a
// moment before it gets its id, so a checkpoint must also be five seconds old. Jobs that another worker
// had locked and gave up again are found by a claim from the start, once a minute.

/// The lower bounds of the claims of one worker on one queue and environment.
public struct ClaimCursor: Sendable, Hashable {
  /// The number of priorities, 0 to 9.
  public static let priorities = 10

  /// Which lower bounds a claim uses.
  public enum Scan: Sendable, Hashable, CaseIterable {
    /// Everything behind what was claimed last.
    case fast
    /// Everything behind what is certainly done.
    case safe
    /// Everything.
    case full
  }

  /// What a claim found.
  public struct Finding: Sendable, Hashable {
    /// Priority and claim order of the jobs that left the line, claimed or parked; negative orders
    /// (jobs handed back, and jobs that had been parked) are passed over.
    public var claimed: [(priority: Int, claimOrder: Int)]
    /// Whether the claim left nothing behind that it could have taken.
    ///
    /// Then it looked at the whole index from its lower bounds on. A claim that parks jobs may return
    /// few and still not be exhausted.
    public var isExhausted: Bool
    /// `pg_snapshot_xmin` of the claim's snapshot.
    public var snapshotXmin: Int
    /// `pg_snapshot_xmax` of the claim's snapshot.
    public var snapshotXmax: Int

    /// A finding.
    public init(
      claimed: [(priority: Int, claimOrder: Int)], isExhausted: Bool, snapshotXmin: Int,
      snapshotXmax: Int
    ) {
      self.claimed = claimed
      self.isExhausted = isExhausted
      self.snapshotXmin = snapshotXmin
      self.snapshotXmax = snapshotXmax
    }

    /// Whether both found the same.
    public static func == (left: Self, right: Self) -> Bool {
      left.isExhausted == right.isExhausted && left.snapshotXmin == right.snapshotXmin
        && left.snapshotXmax == right.snapshotXmax
        && left.claimed.elementsEqual(right.claimed, by: ==)
    }

    /// Hashes the snapshot.
    public func hash(into hasher: inout Hasher) {
      hasher.combine(snapshotXmin)
      hasher.combine(snapshotXmax)
    }
  }

  private struct Checkpoint: Hashable {
    var bounds: [Int]
    var xmax: Int
    var takenAt: Duration
  }

  static let safeInterval: Duration = .seconds(1)
  static let fullInterval: Duration = .seconds(60)
  static let checkpointAge: Duration = .seconds(5)

  private(set) var fast = [Int](repeating: 0, count: priorities)
  private(set) var safe = [Int](repeating: 0, count: priorities)
  private var checkpoint: Checkpoint?
  private var lastSafe: Duration?
  private var lastFull: Duration?
  private var owesSafe = false
  private var owesFull = false

  /// Whether the last claims tell that nothing is left: the worker may wait for a wake-up.
  public private(set) var isIdle = false

  /// A cursor that begins with a full scan.
  public init() {}

  /// What to scan next, with the lower bound for each priority; a claim takes only jobs whose order
  /// is greater (besides jobs handed back, whose orders are negative).
  ///
  /// - Parameter now: The time on a clock that only goes forward, whatever its zero.
  public func next(now: Duration) -> (scan: Scan, lowerBounds: [Int]) {
    guard let lastFull, !owesFull, now - lastFull < Self.fullInterval else {
      return (.full, [Int](repeating: 0, count: Self.priorities))
    }
    // An idle worker claims once more after it said so, and that claim has to leave it idle: a fast
    // one would owe a safe one, and so on without end.
    guard let lastSafe, !owesSafe, !isIdle, now - lastSafe < Self.safeInterval else {
      return (.safe, safe)
    }
    return (.fast, fast)
  }

  /// Takes in what a claim found.
  ///
  /// - Parameters:
  ///   - finding: What it found.
  ///   - scan: What ``next(now:)`` had told to scan.
  ///   - now: The time on the same clock, taken before the claim was sent.
  public mutating func note(_ finding: Finding, of scan: Scan, now: Duration) {
    let reached = Reach(finding)
    // A claim that reached what the fast cursor had reached has left nothing behind it.
    let isDone = (0..<Self.priorities).allSatisfy {
      reached.covers($0, upTo: fast[$0]) || reached.stoppedBefore($0)
    }
    for (priority, order) in finding.claimed where fast.indices.contains(priority) {
      fast[priority] = max(fast[priority], order)
    }
    switch scan {
    case .fast: owesSafe = finding.isExhausted
    case .safe:
      lastSafe = now
      owesSafe = !isDone
    case .full:
      lastFull = now
      lastSafe = now
      owesFull = !isDone
      owesSafe = false
    }
    isIdle = finding.isExhausted && !owesSafe
    if scan != .fast { advanceSafe(reached, xmin: finding.snapshotXmin, now: now) }
    if checkpoint == nil {
      checkpoint = Checkpoint(bounds: fast, xmax: finding.snapshotXmax, takenAt: now)
    }
  }

  private mutating func advanceSafe(_ reached: Reach, xmin: Int, now: Duration) {
    guard let checkpoint, xmin >= checkpoint.xmax,
      now - checkpoint.takenAt >= Self.checkpointAge
    else { return }
    for priority in 0..<Self.priorities
    where reached.covers(priority, upTo: checkpoint.bounds[priority]) {
      safe[priority] = max(safe[priority], checkpoint.bounds[priority])
    }
    self.checkpoint = nil
  }

  /// How far a claim came: it takes priority after priority, each in order, until it has enough.
  private struct Reach {
    /// The priority in which it had enough; `nil` where it emptied the index.
    var last: Int?
    /// The greatest order that it took there; `nil` where it took none but handed-back ones.
    var order: Int?

    init(_ finding: Finding) {
      guard !finding.isExhausted else { return }
      // A claim that parked all it saw names no priority: it covers nothing.
      last = finding.claimed.map(\.priority).max() ?? -1
      order = finding.claimed.filter { $0.priority == last && $0.claimOrder >= 0 }
        .map(\.claimOrder).max()
    }

    /// Whether it took everything of a priority up to an order.
    func covers(_ priority: Int, upTo order: Int) -> Bool {
      guard let last else { return true }
      if priority == last { return self.order.map { $0 >= order } ?? false }
      return priority < last
    }

    /// Whether it had enough before it came to a priority.
    func stoppedBefore(_ priority: Int) -> Bool {
      guard let last else { return false }
      return last >= 0 && priority > last
    }
  }
}
