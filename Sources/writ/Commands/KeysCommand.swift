// writ keys: the API keys of job types, and the key pairs of those who receive secrets.

import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "List and rotate the API keys of job types; make key pairs for sealed results.",
    subcommands: [KeysListCommand.self, KeysRotateCommand.self, KeysGenerateCommand.self])
}
