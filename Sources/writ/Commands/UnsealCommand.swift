// writ unseal: open a secret that a worker sealed.

import ArgumentParser
import Foundation
import JSON
import JobStore
import Postgres
import Secrets

struct UnsealCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unseal", abstract: "Open a secret that was sealed to your public key.",
    discussion: """
      Takes the sealed text, or a job's result as JSON, from a file or standard input, or with --job from \
      the database, as the role that ordered the job. Prints the secret and a line break to standard \
      output and nothing else there; with --output it goes into a new file of mode 0600 instead.

      EXAMPLES
        writ unseal --job 41872 --private-key writ-private.key
        writ unseal --private-key writ-private.key < sealed.txt
        psql -Atc 'select result from writ.status(41872)' | writ unseal --private-key writ-private.key
      """)

  @Argument(
    help: "A file with the sealed text or the result; standard input if left out, or `-`.",
    completion: .file())
  var file: String?
  @Option(
    help: ArgumentHelp(
      "The job whose result is opened; with a file, the job for which it must have been sealed.",
      valueName: "id"))
  var job: Int?
  @Option(
    help: ArgumentHelp("Which member of the result, if several are sealed.", valueName: "name"))
  var field: String?
  @Option(
    name: [.customLong("private-key"), .customShort("k")],
    help: ArgumentHelp("The file of `writ keys generate`.", valueName: "file"),
    completion: .file())
  var privateKey: String
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A new file for the secret, with mode 0600.", valueName: "file"),
    completion: .file())
  var output: String?
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let key = try PrivateFile.readKey(privateKey)
    let text =
      if let job, file == nil { try await result(of: job) } else { try read(file ?? "-") }
    let sealed = try SealedText(try Self.sealedText(in: text, field: field))
    if let job, sealed.context.job != job {
      throw SealingError(
        .wrongJob, "this was sealed for job \(sealed.context.job), not for job \(job)")
    }
    let secret = try sealed.open(with: key)
    let context = sealed.context
    Output.current.note(
      "sealed for job \(context.job) (\(context.jobType)) of environment \(context.environment): "
        + context.output)
    if let output {
      try PrivateFile.create(output, secret)
    } else {
      Output.current.line(secret.withBytes { String(decoding: $0, as: UTF8.self) })
    }
  }

  /// The sealed text in what was read: the text itself, or the sealed member of a result.
  ///
  /// - Throws: ``CommandError``, without what was read.
  static func sealedText(in text: String, field: String?) throws -> String {
    guard let object = (try? JSONValue(parsing: Array(text.utf8)))?.objectValue else {
      return text
    }
    let sealed = object.filter { $0.value.stringValue?.hasPrefix(SealedText.prefix) == true }
    let names = sealed.map { $0.name.printable }.joined(separator: ", ")
    if let field {
      guard let text = sealed.first(where: { $0.name == field })?.value.stringValue else {
        throw CommandError(
          .badData,
          "the result has no sealed member \(field.printable); sealed are: "
            + (names.isEmpty ? "none" : names))
      }
      return text
    }
    guard sealed.count <= 1 else {
      throw CommandError(.badData, "several members are sealed: say with --field which, \(names)")
    }
    guard let text = sealed.first?.value.stringValue else {
      throw CommandError(.badData, "the result holds nothing that is sealed")
    }
    return text
  }

  private func result(of job: Int) async throws -> String {
    let status = try await options.load().withStore { try await $0.status(job) }
    guard status.state == "completed", let result = status.result else {
      let state = status.waitingReason.map { "\(status.state) for \($0)" } ?? status.state
      throw CommandError(
        .badData, "job \(job) is \(state), and only a completed job has a result to open")
    }
    return result.serialized()
  }

  private func read(_ file: String) throws -> String {
    let limit = 1_000_000
    let handle = file == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: file)
    guard let handle, let data = try? handle.read(upToCount: limit), !data.isEmpty,
      data.count < limit
    else {
      throw CommandError(
        .badData,
        file == "-"
          ? "standard input holds no sealed text" : "\(file.printable) cannot be read, or is empty")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
