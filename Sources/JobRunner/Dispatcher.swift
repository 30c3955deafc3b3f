// Claims jobs for free slots and runs each in a child task of its own.
//
// Claiming is bounded by the slots that are free now: a job that waits inside a worker could run on
// another one. While a claim is on its way further slots become free, so that under load claims
// come in batches by themselves.

import JobModel
import Logging
import Synchronization

/// Runs jobs until the worker stops or its lease ends.
struct Dispatcher: Sendable {
  private struct Line {
    var queue: String
    var environment: String
    var cursor = ClaimCursor()
  }

  private let context: ExecutionContext
  private let heartbeat: Heartbeat
  private let idle: IdleFlag
  private let bell: Signal
  /// Rings the bell when the next job may start by its rate, if that is before the next poll.
  private let alarm = Alarm()
  private static let leasePause: Duration = .milliseconds(50)
  private static let shortestAlarm: Duration = .milliseconds(10)
  private static let soon: Duration = .milliseconds(250)

  init(_ context: ExecutionContext, heartbeat: Heartbeat, idle: IdleFlag, bell: Signal) {
    self.context = context
    self.heartbeat = heartbeat
    self.idle = idle
    self.bell = bell
  }

  /// Claims and runs; returns when no more may be claimed and every job that ran has ended.
  func run() async {
    let values = context.configuration.values
    var lines = values.environments.flatMap { environment in
      values.queues.map { Line(queue: $0, environment: environment.name) }
    }
    let slots = Slots(values.slots)
    await withDiscardingTaskGroup { group in
      while goesOn {
        guard context.lease.maySend else {
          try? await context.time.sleep(for: Self.leasePause)
          continue
        }
        guard slots.free > 0 else {
          await bell.wait()
          continue
        }
        let round = await claim(upTo: slots.free, &lines)
        for job in round.jobs {
          slots.take()
          group.addTask {
            var execution = JobExecution(job, context)
            await execution.run()
            slots.release()
            bell.ring()
          }
        }
        if round.isDoubtful { break }
        if let wait = round.nextStart.map({ max($0, Self.shortestAlarm) }),
          wait < values.pollInterval, case let moment = context.time.now + wait,
          alarm.set(at: moment)
        {
          group.addTask {
            try? await context.time.sleep(for: wait)
            alarm.clear(at: moment)
            bell.ring()
          }
        }
        // Not before the jobs are started: it may wait for another worker's transaction.
        let unparked = (try? await context.store.unpark(round.blockedJobs)) ?? 0
        await rest(found: !round.jobs.isEmpty || unparked > 0, isSoon: round.isSoon, lines)
        // The next round begins with another line, so that none is always last.
        lines.append(lines.removeFirst())
      }
    }
  }

  private var goesOn: Bool {
    !context.stopping.isBegun && !Task.isCancelled && context.lease.isLive
  }

  /// Waits for a reason to claim again, if there is none now.
  ///
  /// While a rate lets jobs start in a moment, the worker only waits for that: telling producers
  /// that it is idle would cost more than they would wait for it.
  private func rest(found: Bool, isSoon: Bool, _ lines: [Line]) async {
    guard lines.allSatisfy(\.cursor.isIdle) else {
      idle.isIdle = false
      return
    }
    if isSoon {
      idle.isIdle = false
      await bell.wait()
      return
    }
    guard !found else {
      idle.isIdle = false
      return
    }
    if idle.isIdle {
      await bell.wait()
    } else {
      // Said before the claim that follows: whatever is enqueued after that claim notifies us.
      idle.isIdle = true
      await heartbeat.renew()
    }
  }

  private struct Round {
    var jobs: [ClaimedJob] = []
    /// Whether the answer of a claim was lost, perhaps with jobs in it: those can only be freed by
    /// giving up the registration that holds them.
    var isDoubtful = false
    /// When the first of the jobs that a rate holds back may start.
    var nextStart: Duration?
    /// The jobs that were parked behind a predecessor.
    var blockedJobs: [Int] = []
    /// Whether that is so soon that nothing else is worth while until then.
    var isSoon: Bool { nextStart.map { $0 < Dispatcher.soon } ?? false }
  }

  private func claim(upTo free: Int, _ lines: inout [Line]) async -> Round {
    var round = Round()
    for index in lines.indices where round.jobs.count < free && context.lease.maySend {
      let now = context.time.now
      let (scan, bounds) = lines[index].cursor.next(now: now)
      let request = ClaimRequest(
        worker: context.lease.worker, queue: lines[index].queue,
        environment: lines[index].environment,
        limit: min(free - round.jobs.count, context.configuration.values.claimBatch),
        lowerBounds: bounds)
      do {
        let claim = try await context.store.claim(request)
        lines[index].cursor.note(claim.finding, of: scan, now: now)
        round.jobs += claim.jobs
        round.blockedJobs += claim.blockedJobs
        round.nextStart = [round.nextStart, claim.nextStart].compactMap(\.self).min()
      } catch {
        round.isDoubtful = true
        logFailure(of: request, error)
        break
      }
    }
    context.statistics.count(\.claimed, by: round.jobs.count)
    return round
  }

  private func logFailure(of request: ClaimRequest, _ error: any Error) {
    context.logger.warning(
      "a claim failed; the worker registers anew",
      metadata: [
        "worker.id": "\(request.worker)", "queue.name": "\(request.queue)",
        "environment": "\(request.environment)",
        "error": "\(context.store.safeDescription(of: error))",
      ])
  }
}

/// The slots of a worker: how many jobs may start.
final class Slots: Sendable {
  private let count: Mutex<Int>

  init(_ count: Int) { self.count = Mutex(count) }

  var free: Int { count.withLock { $0 } }
  func take() { count.withLock { $0 -= 1 } }
  func release() { count.withLock { $0 += 1 } }
}
