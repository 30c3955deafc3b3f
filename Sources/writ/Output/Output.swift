// Where text goes: data to standard output, everything else to standard error.

import Foundation
import JSON
import Synchronization

/// The two streams of a command, and what they can show.
struct Output: Sendable {
  /// Whether standard output is a terminal.
  var isTerminal: Bool
  /// Whether standard error is a terminal.
  var errorIsTerminal: Bool
  /// Whether colours are welcome on standard output.
  var usesColour: Bool
  /// Whether colours are welcome on standard error.
  var errorUsesColour: Bool
  private let writeData: @Sendable (String) -> Void
  private let writeError: @Sendable (String) -> Void

  /// Streams for tests and for standard ones.
  init(
    isTerminal: Bool = false, errorIsTerminal: Bool = false, usesColour: Bool = false,
    errorUsesColour: Bool = false, writeData: @escaping @Sendable (String) -> Void,
    writeError: @escaping @Sendable (String) -> Void
  ) {
    self.isTerminal = isTerminal
    self.errorIsTerminal = errorIsTerminal
    self.usesColour = usesColour
    self.errorUsesColour = errorUsesColour
    self.writeData = writeData
    self.writeError = writeError
  }

  /// The process's own streams.
  ///
  /// NO_COLOR (https://no-color.org) and TERM=dumb turn colours off.
  static let standard: Output = {
    let variables = ProcessInfo.processInfo.environment
    let wantsColour = (variables["NO_COLOR"] ?? "").isEmpty && variables["TERM"] != "dumb"
    let isTerminal = isatty(STDOUT_FILENO) == 1
    let errorIsTerminal = isatty(STDERR_FILENO) == 1
    return Output(
      isTerminal: isTerminal, errorIsTerminal: errorIsTerminal && variables["TERM"] != "dumb",
      usesColour: isTerminal && wantsColour, errorUsesColour: errorIsTerminal && wantsColour,
      writeData: { writeAll($0, to: STDOUT_FILENO) },
      writeError: { writeAll($0, to: STDERR_FILENO) })
  }()

  /// The streams of the running command.
  @TaskLocal static var current = standard

  /// Writes a line of data.
  func line(_ text: String = "") { writeData(text + "\n") }

  /// Writes text of data as it is.
  func text(_ text: String) { writeData(text) }

  /// Writes a JSON document on a line of its own.
  func json(_ value: JSONValue) { writeData(value.serialized() + "\n") }

  /// Writes a line that is no data: progress, advice, a warning.
  func note(_ text: String = "") { writeError(text + "\n") }

  /// Writes to standard error as it is.
  func errorText(_ text: String) { writeError(text) }
}

/// Whether data could not be written to standard output, other than because its reader went away.
private let dataWasLost = Atomic<Bool>(false)

extension Output {
  /// Whether the process has lost data that it should have printed, for example to a full disk.
  static var hasLostData: Bool { dataWasLost.load(ordering: .relaxed) }
}

/// Writes all of a text; a reader that went away (`| head`) is none of our business.
private func writeAll(_ text: String, to descriptor: Int32) {
  var bytes = Array(text.utf8)[...]
  while !bytes.isEmpty {
    let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    if written < 0, errno == EINTR || errno == EAGAIN { continue }
    guard written > 0 else {
      if descriptor == STDOUT_FILENO, errno != EPIPE {
        dataWasLost.store(true, ordering: .relaxed)
      }
      return
    }
    bytes = bytes.dropFirst(written)
  }
}
