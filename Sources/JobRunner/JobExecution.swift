// One attempt at one job: the machine decides, this carries out. Records first, then the request,
// then the answer back to the machine, until the machine is finished.

import Arazzo
import JSON
import JobModel
import Logging
import Secrets

/// What the executions of one registration share.
struct ExecutionContext: Sendable {
  var configuration: WorkerConfiguration
  var registration: Registration
  var recorder: Recorder
  var transport: Transport
  var circuits: CircuitBreakers
  var definitions: DefinitionCache
  var secrets: any SecretStore
  var store: any WorkerStore
  var stopping: Stopping
  var time: WorkerTime
  var random: LockedRandom
  var statistics: StatisticsBox
  var logger: Logger

  var lease: Lease { registration.lease }
}

/// An attempt at a job that this worker has claimed.
struct JobExecution: Sendable {
  private let context: ExecutionContext
  private let job: ClaimedJob
  private var logger: Logger
  /// The machine is told once that somebody wants the job cancelled; it may have reasons to go on.
  private var hasSaidCancel = false
  private static let leasePause: Duration = .milliseconds(50)
  private static let definitionPause: Duration = .seconds(60)

  init(_ job: ClaimedJob, _ context: ExecutionContext) {
    self.job = job
    self.context = context
    logger = context.logger
    logger[metadataKey: "job.id"] = "\(job.id)"
    logger[metadataKey: "job.type"] = "\(job.type)"
    logger[metadataKey: "attempt"] = "\(job.attempt)"
  }

  /// Carries the job as far as it gets.
  mutating func run() async {
    context.statistics.count(\.running)
    defer { context.statistics.count(\.running, by: -1) }
    guard await isReadable(), let definition = await definition() else { return }
    let environment = context.configuration.environment(job.environment)
    var machine = WorkflowMachine(
      definition: definition, job: job, environment: environment?.inputs ?? [:],
      lostRequestPause: context.configuration.values.lostRequestPause)
    var action = context.random.draw { machine.start(random: &$0) }
    while true {
      let event: WorkflowMachine.Event
      var sent: StepRequest?
      switch action {
      case .finish(let outcome, let records):
        await finish(outcome, records)
        return
      case .seal(let seals): event = seal(seals)
      case .store(let writes):
        // The store knows no lease: a worker that was held up must not write over what the next one
        // has put there since.
        guard await leaseAllowsSending() else { return await handBackCutOff() }
        event = store(writes) ? .stored : .storeFailed
      case .send(let request, let records):
        guard let next = await carryOut(request, after: records, definition) else { return }
        event = next
        sent = request
      }
      let circuit = sent.flatMap(circuitName(of:))
      machine.targetIsDown = circuit.map { context.circuits.isOpen($0) } ?? false
      action = context.random.draw { machine.handle(event, random: &$0) }
      if let circuit { tell(circuit, event, machine.lastFailure) }
    }
  }

  // MARK: Requests

  /// Writes the records, sends the request, and gives what came of it; `nil` when the job is no
  /// longer this worker's.
  private mutating func carryOut(
    _ request: StepRequest, after records: [JobRecord], _ definition: JobTypeDefinition
  ) async -> WorkflowMachine.Event? {
    switch await submit(records) {
    case .leaseLost:
      dropped()
      return nil
    case .unwritten: return nil
    case .refused:
      await askForReview(step: request.step)
      return nil
    case .accepted(isCancelRequested: true) where !hasSaidCancel:
      hasSaidCancel = true
      return .cancelRequested
    case .accepted: break
    }
    guard !context.stopping.isTimeToHandBack, !Task.isCancelled else { return .shuttingDown }
    guard await leaseAllowsSending() else {
      dropped()
      return nil
    }
    return await send(request, definition)
  }

  private func send(
    _ request: StepRequest, _ definition: JobTypeDefinition
  ) async -> WorkflowMachine.Event? {
    let sentAt = context.time.now
    let result = await context.transport.send(
      request, of: job, definition, under: context.registration)
    let duration = context.time.now - sentAt
    log(request, result, duration)
    switch result {
    case .success(let response):
      let now = WallTime(secondsSince1970: Int(context.time.sinceEpoch.components.seconds))
      return .response(response, duration: duration, now: now)
    case .failure(.ambiguous) where Task.isCancelled:
      await handBackCutOff()
      return nil
    case .failure(let failure):
      if failure.isPutOff { context.statistics.count(\.putOff) }
      return .failure(failure, duration: duration)
    }
  }

  /// Waits while the lease is about to end and may yet be renewed.
  private func leaseAllowsSending() async -> Bool {
    while !context.lease.maySend {
      guard context.lease.isLive, !Task.isCancelled else { return false }
      try? await context.time.sleep(for: Self.leasePause)
    }
    return true
  }

  private func seal(_ seals: [SecretSeal]) -> WorkflowMachine.Event {
    do throws(SealingError) {
      var texts: [SealedText] = []
      for seal in seals {
        texts.append(try SealedText(sealing: seal.secret, to: seal.key, as: seal.context))
      }
      return .sealed(texts)
    } catch {
      logger.error("a secret could not be sealed", metadata: ["error": "\(error)"])
      return .sealFailed
    }
  }

  private func store(_ writes: [SecretWrite]) -> Bool {
    do {
      for write in writes { try context.secrets.write(SecretName(write.name), write.secret) }
      return true
    } catch {
      logger.error("a secret could not be stored", metadata: ["error": "\(error)"])
      return false
    }
  }

  // MARK: Circuits

  private func circuitName(of request: StepRequest) -> CircuitName? {
    guard case .remote(let source, _) = request.target else { return nil }
    return CircuitName(environment: job.environment, target: source)
  }

  /// Tells the circuit breakers what an event says about its target, if it says anything.
  ///
  /// A refusal is an answer too, also of a key or of the rate of requests: the target is there. A failure of its own
  /// is none, even where an action of the step is for it.
  private func tell(
    _ circuit: CircuitName, _ event: WorkflowMachine.Event, _ failure: Classification?
  ) {
    let worker = context.lease.worker
    let isFailure = failure?.failureClass == .transient || failure?.failureClass == .ambiguous
    switch event {
    case .response(let response, _, _) where !isFailure && response.status < 500:
      context.circuits.answered(circuit, worker: worker)
    case .response(let response, _, _):
      context.circuits.failed(
        circuit, job: job.id, code: failure?.code ?? "status_\(response.status)", worker: worker)
    case .failure(.ambiguous(.abandoned), _): break
    case .failure where isFailure:
      context.circuits.failed(circuit, job: job.id, code: failure?.code ?? "", worker: worker)
    default: break
    }
  }

  // MARK: Ends

  private func finish(_ outcome: JobOutcome, _ records: [JobRecord]) async {
    switch await submit(records) {
    case .leaseLost: dropped()
    case .unwritten: break
    case .refused: await askForReview(step: nil)
    case .accepted: count(outcome)
    }
  }

  /// The database refuses what the job has to say, for example an answer with a character that no
  /// column can hold: a person has to look, since a job that kept silent would run for ever.
  private func askForReview(step: String?) async {
    let error = JobError(
      code: "record_refused", text: "the database refused the record of what happened", step: step)
    if case .accepted = await submit([.review(error)]) { count(.review(error)) }
  }

  /// A request was cut off: nobody knows what became of it, and the next attempt has to find out.
  private func handBackCutOff() async {
    guard context.lease.isLive else { return dropped() }
    await finish(.handedBack, [.handBack(isUnresolved: true)])
  }

  private func dropped() {
    context.statistics.count(\.leaseLost)
    logger.warning("the lease has passed on; the job is dropped")
  }

  private func submit(_ records: [JobRecord]) async -> RecordOutcome {
    guard !records.isEmpty else { return .accepted(isCancelRequested: false) }
    return await context.recorder.submit(records, of: job)
  }

  // MARK: Row and definition

  /// Whether this program can read the job's row; if not, a person or another version has to.
  private func isReadable() async -> Bool {
    switch job.unreadable {
    case nil: return true
    case .payload?:
      let error = JobError(
        code: "payload_unreadable",
        text: job.isUnresolved
          ? "writ cannot read the job's payload, and a request of it may have taken effect; find out, then cancel "
            + "the job by force, and order what is left of it"
          : "writ cannot read the job's payload; cancel the job, and order it again")
      // This attempt sent nothing.
      await finish(.review(error), [.review(error, isUnresolved: job.isUnresolved)])
    case .journal?:
      await putOff(
        "journal_unreadable",
        "this version of writ cannot read the job's journal; start a worker of the version that wrote it"
      )
    }
    return false
  }

  /// The definition that the job was enqueued with; without one the job is put off.
  private func definition() async -> JobTypeDefinition? {
    do {
      if let definition = try await context.definitions.definition(hash: job.definitionHash) {
        return definition
      }
      await putOff("definition_missing", "the job's definition is not in the database")
    } catch let error where context.store.isTransient(error) {
      await finish(.handedBack, [.handBack(isUnresolved: job.isUnresolved)])
    } catch {
      await putOff("definition_unusable", "this version of writ cannot use the job's definition")
    }
    return nil
  }

  private func putOff(_ code: String, _ text: String) async {
    let error = JobError(code: code, text: text)
    await finish(
      .retry(after: Self.definitionPause, error, cause: nil),
      [
        .retry(
          delay: Self.definitionPause, burnsAttempt: false, isUnresolved: job.isUnresolved, error)
      ])
  }
}

extension JobExecution {
  private func log(
    _ request: StepRequest, _ result: Result<StepResponse, TransportFailure>, _ duration: Duration
  ) {
    var metadata: Logger.Metadata = [
      "step": "\(request.step)", "duration_ms": "\(duration.milliseconds)",
    ]
    switch result {
    case .success(let response):
      metadata["http.status"] = "\(response.status)"
      logger.debug("step answered", metadata: metadata)
    case .failure(let failure):
      metadata["error.code"] = "\(Classification.of(failure).code)"
      switch failure {
      case .credentialMissing(let name), .credentialUnusable(let name, _):
        metadata["secret.name"] = "\(name)"
      case .targetMissing(let setting): metadata["setting"] = "\(setting)"
      default: break
      }
      logger.info("step not answered", metadata: metadata)
    }
  }

  private func count(_ outcome: JobOutcome) {
    switch outcome {
    case .completed:
      context.statistics.count(\.completed)
      logger.info("job completed")
    case .discarded(let error):
      context.statistics.count(\.discarded)
      logger.warning("job discarded", metadata: error.metadata)
    case .cancelled:
      context.statistics.count(\.cancelled)
      logger.info("job cancelled")
    case .retry(let delay, let error, _):
      context.statistics.count(\.retried)
      logger.info(
        "job retryable",
        metadata: error.metadata.merging(["delay_ms": "\(delay.milliseconds)"]) { $1 })
    case .review(let error):
      context.statistics.count(\.reviewed)
      logger.warning("job waits for review", metadata: error.metadata)
    case .userAction(let delay, let error):
      context.statistics.count(\.askedUser)
      logger.info(
        "job waits for its user",
        metadata: error.metadata.merging(["delay_ms": "\(delay.milliseconds)"]) { $1 })
    case .handedBack:
      context.statistics.count(\.handedBack)
      logger.info("job handed back")
    }
  }
}

extension JobError {
  /// Code, step and status; the text is for the job's row.
  fileprivate var metadata: Logger.Metadata {
    var metadata: Logger.Metadata = ["error.code": "\(code)"]
    if let step { metadata["step"] = "\(step)" }
    if let status { metadata["http.status"] = "\(status)" }
    return metadata
  }
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int {
    let (seconds, attoseconds) = components
    return Int(seconds) * 1_000 + Int(attoseconds / 1_000_000_000_000_000)
  }
}
