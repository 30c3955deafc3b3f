// writ enqueue: order a job from a shell, with the same checks as in SQL.

import ArgumentParser
import Foundation
import JSON
import JobStore
import Postgres

struct EnqueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enqueue", abstract: "Order a job.",
    discussion: """
      Prints the number of the job. The role needs the right to order jobs of the type. Arguments are \
      visible to every user of this machine: pass personal data through --payload -.

      With --file, orders one job a row, in one transaction and as one batch, and prints the number of \
      the batch; if one row is wrong, nothing is ordered and each fault is shown with its line. NDJSON: one \
      JSON object a line. CSV: the first line names the fields, an empty cell is no value. Beside the \
      fields a row may have run_at, priority, idempotency_key and expires_at. A file without a row is \
      refused. With --json, what is wrong is written as JSON to standard output.

      EXAMPLES
        writ enqueue create_user --input email=ada@example.com
        writ enqueue change_plan --payload - < order.json
        writ enqueue rotate_api_key --input job_type=create_user --run-at 2026-12-24T02:00:00Z
        writ enqueue create_user --file people.csv
        writ enqueue create_user --file people.csv --check --json
        writ enqueue create_user --file - --callback notify --callback-payload '{"batch": "$batch.id"}'
      """)

  @Argument(help: "The job type.")
  var type: String
  @OptionGroup var given: InputOptions
  @Option(help: "Run it no earlier than this time, ISO 8601 with an offset.")
  var runAt: String?
  @Option(
    help: "Do not carry it out any more from this time on, if it has changed nothing by then.")
  var expiresAt: String?
  @OptionGroup var urgency: PriorityOption
  @Option(help: "A text that stands for this one job: ordering twice gives the same job.")
  var idempotencyKey: String?
  @Option(help: "The environment; the default one if left out.")
  var environment: String?
  @Option(help: "The queue; `default` if left out.")
  var queue: String?
  @Option(help: "The caller's trace, as W3C Trace Context has it.")
  var traceparent: String?
  @Option(
    help: ArgumentHelp(
      "One job a row of this file, or - for standard input: NDJSON, or CSV if so named.",
      valueName: "file"), completion: .file())
  var file: String?
  @Option(
    help: ArgumentHelp("How the rows are written: ndjson or csv.", valueName: "format"),
    completion: .list(RowFormat.allCases.map(\.rawValue)))
  var fileFormat: RowFormat?
  @Option(help: "With --file: an open batch to join, instead of a new one.")
  var batch: Int?
  @Option(
    help: ArgumentHelp(
      "With --file: the job type to order once, when all jobs of the batch have finished.",
      valueName: "type"))
  var callback: String?
  @Option(
    help: ArgumentHelp(
      "Its inputs as a JSON object, @FILE; may name $batch.id, $batch.jobs, $batch.completed, "
        + "$batch.discarded, $batch.cancelled.", valueName: "json"))
  var callbackPayload: String?
  @Flag(help: "With --file: say what is wrong with it, and order nothing.")
  var check = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    if let runAt, PostgresTimestamp(runAt) == nil {
      throw ValidationError("--run-at takes a time such as 2026-12-24T02:00:00Z")
    }
    if let expiresAt, PostgresTimestamp(expiresAt) == nil {
      throw ValidationError("--expires-at takes a time such as 2026-12-24T02:00:00Z")
    }
    if file == nil {
      let flags = [
        ("--file-format", fileFormat != nil), ("--batch", batch != nil),
        ("--callback", callback != nil), ("--callback-payload", callbackPayload != nil),
        ("--check", check),
      ]
      if let (flag, _) = flags.first(where: \.1) { throw ValidationError("\(flag) needs --file") }
    } else if !given.input.isEmpty || given.payload != nil || idempotencyKey != nil {
      throw ValidationError(
        "with --file, the rows say the inputs and the idempotency keys: leave out --input, --payload "
          + "and --idempotency-key")
    }
    if callbackPayload != nil, callback == nil {
      throw ValidationError("--callback-payload needs --callback")
    }
    if callback != nil, batch != nil {
      throw ValidationError("the callback of a batch is named when the batch is made")
    }
  }

  func run() async throws {
    if let file { return try await runInBulk(file) }
    let inputs = try given.inputs()
    let order = EnqueueOptions(
      runAt: runAt.flatMap { PostgresTimestamp($0) }, priority: urgency.priority,
      idempotencyKey: idempotencyKey, environment: environment, queue: queue,
      traceparent: traceparent, expiresAt: expiresAt.flatMap { PostgresTimestamp($0) })
    let id = try await options.load().withStore { store in
      try await store.enqueue(type: type, payload: inputs, options: order)
    }
    if format.json {
      Output.current.json(["job_id": JSONValue(id)])
    } else {
      Output.current.line("\(id)")
    }
  }

  private func runInBulk(_ file: String) async throws {
    let callback = try callback.map { type in
      BatchCallback(
        type: type, payload: try Self.inputs([], payload: callbackPayload),
        environment: environment, queue: queue)
    }
    let order = BulkOrder(
      type: type, path: file, format: fileFormat ?? RowFormat(fileName: file),
      options: BulkOptions(
        runAt: runAt.flatMap { PostgresTimestamp($0) }, priority: urgency.priority,
        expiresAt: expiresAt.flatMap { PostgresTimestamp($0) }, environment: environment,
        queue: queue, traceparent: traceparent),
      batch: batch, callback: callback, checksOnly: check)
    do {
      switch try await options.load().withStore({ try await order.run($0) }) {
      case .ordered(let receipt): report(receipt)
      case .checked(let rows): report(rows: rows)
      }
    } catch let faults as BulkFaults where format.json {
      Output.current.json(faults.json)
      throw ExitCode(ExitStatus.badData.rawValue)
    }
  }

  private func report(_ receipt: BatchReceipt) {
    guard format.json else { return Output.current.line("\(receipt.batch)") }
    Output.current.json([
      "batch_id": JSONValue(receipt.batch), "jobs": JSONValue(receipt.jobs),
      "known": JSONValue(receipt.known),
    ])
  }

  private func report(rows: Int) {
    guard format.json else {
      return Output.current.note(
        "nothing is wrong with \(rows == 1 ? "the" : "these") \(rows.counting("row")); "
          + "nothing was ordered")
    }
    Output.current.json(["faults": [], "complete": true, "rows": JSONValue(rows)])
  }

  /// The inputs as an object.
  ///
  /// - Throws: ``CommandError``, without the values.
  static func inputs(
    _ inputs: [String], payload: String?,
    readAll: (String) throws -> [UInt8] = Self.read
  ) throws -> JSONValue {
    guard let payload else {
      return .object(try object(inputs))
    }
    let bytes =
      payload == "-" || payload.hasPrefix("@") ? try readAll(payload) : Array(payload.utf8)
    guard let value = try? JSONValue(parsing: bytes), value.objectValue != nil else {
      throw CommandError(.badData, "--payload must be a JSON object")
    }
    return value
  }

  private static func object(_ inputs: [String]) throws -> JSONObject {
    var object = JSONObject()
    for input in inputs {
      let parts = input.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw CommandError(.usage, "--input takes NAME=VALUE, for example email=ada@example.com")
      }
      let name = String(parts[0])
      guard object[name] == nil else {
        throw CommandError(.usage, "--input \(name.printable) is given twice")
      }
      object[name] = value(String(parts[1]))
    }
    return object
  }

  /// Numbers, truth values, arrays and objects are JSON; everything else is text.
  private static func value(_ text: String) -> JSONValue {
    guard let value = try? JSONValue(parsing: Array(text.utf8)), value.stringValue == nil else {
      return .string(text)
    }
    return value
  }

  private static let payloadLimit = 1 << 20

  private static func read(_ source: String) throws -> [UInt8] {
    let handle =
      source == "-"
      ? FileHandle.standardInput : FileHandle(forReadingAtPath: String(source.dropFirst()))
    // What is longer than any payload is not read to its end, if it has one.
    guard let handle, let data = try handle.read(upToCount: payloadLimit + 1) else {
      throw CommandError(
        .badData,
        source == "-"
          ? "--payload: the input is empty or cannot be read"
          : "--payload: \(source.dropFirst().description.printable) is empty or cannot be read; is it there?"
      )
    }
    guard data.count <= payloadLimit else {
      throw CommandError(
        .badData,
        "--payload: the input has more than \(payloadLimit) bytes; a payload has at most 65536")
    }
    return Array(data)
  }
}

extension RowFormat: ExpressibleByArgument {}
