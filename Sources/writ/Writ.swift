// The command `writ`: what it is made of, and how its errors end it.

import ArgumentParser
import Foundation

/// The root of all commands.
struct Writ: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "writ",
    abstract: "Carries out identity operations exactly as ordered, on the record.",
    discussion: """
      Orders are placed in SQL, inside the caller's own transaction; workers carry them out against \
      AuthOS's service API; admins replay what failed; auditors read what happened.

      EXAMPLES
        writ demo                       watch 300 jobs meet a misbehaving server
        writ up                         a private database, an emulator and workers to try out
        writ jobs list --state waiting  what waits, and for what
        writ doctor                     whether everything is as it should be

      Exit codes: 0 done, 1 failed, 64 usage, 65 bad input, 69 unavailable, 77 not permitted, \
      78 configuration.
      """,
    version: BuildVersion.text,
    subcommands: [
      UpCommand.self, DemoCommand.self, MigrateCommand.self, WorkerCommand.self,
      EmulatorCommand.self, TypesCommand.self, EnqueueCommand.self, JobsCommand.self,
      BatchesCommand.self, SchedulesCommand.self, KeysCommand.self, UnsealCommand.self,
      LimitsCommand.self, CircuitsCommand.self,
      AuditCommand.self, DoctorCommand.self, CompletionsCommand.self,
    ])
}

/// The version that `--version` prints and workers register.
enum BuildVersion {
  static let text = "0.1.0"
}

/// Parses, runs, and turns whatever is thrown into a sentence and an exit code.
@main
enum EntryPoint {
  static func main() async {
    // A reader that went away (`writ jobs list | head`) is an error of write(2), not the end of us.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try Writ.parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
      if Output.hasLostData {
        throw CommandError(.failure, "standard output could not be written to; is its disk full?")
      }
    } catch {
      exit(ErrorReport(error).write(to: Output.current))
    }
  }
}
