// The exit codes, as documented in docs/commands.md. Numbers from sysexits.h where it has one that fits.

/// How a run of `writ` ends.
enum ExitStatus: Int32, Sendable, CaseIterable {
  /// Done.
  case success = 0
  /// The command ran and found, or met, a failure.
  case failure = 1
  /// The command line makes no sense.
  case usage = 64
  /// The input makes no sense: a catalogue, a payload, a job id that does not exist, a file that the
  /// command line names and that is not as it has to be.
  case badData = 65
  /// The database, or a program that is needed, cannot be reached.
  case unavailable = 69
  /// What was waited for did not come in time; what was ordered stays ordered.
  case timedOut = 75
  /// The database role may not do this.
  case notPermitted = 77
  /// The configuration makes no sense, or the store of secrets that it names is not as it has to be.
  case configuration = 78
  /// Stopped by ctrl-C before the end.
  case interrupted = 130
  /// Stopped by SIGTERM before the end.
  case terminated = 143
}

/// An error as a person meets it: what is wrong, where, and what to do; never a secret or a bound value.
struct CommandError: Error, Sendable, Hashable, CustomStringConvertible {
  var status: ExitStatus
  var description: String

  init(_ status: ExitStatus, _ description: String) {
    self.status = status
    self.description = description
  }
}
