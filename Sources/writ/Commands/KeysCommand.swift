// writ keys: the keys of those who receive secrets.

import ArgumentParser

struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Make pairs of keys for sealed results.",
    subcommands: [KeysGenerateCommand.self])
}
