// writ keys generate: a pair of keys for somebody who wants to receive sealed secrets.

import ArgumentParser
import JSON
import Secrets

struct KeysGenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "generate", abstract: "Make a pair of keys to receive secrets with.",
    discussion: """
      Prints the public key, which goes into the order of a job (input public_key). The private key goes \
      into a file that only you may read; a file that is there is never overwritten. `writ unseal` opens \
      with it what a worker sealed to the public key. Needs no database and no configuration.

      EXAMPLES
        writ keys generate
        writ keys generate --output ~/.config/writ/tokens.key > tokens.pub
      """)

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Where the private key goes, with mode 0600.", valueName: "file"),
    completion: .file())
  var output = "writ-private.key"
  @OptionGroup var format: FormatOptions

  func run() throws {
    let key = SealingPrivateKey()
    try PrivateFile.create(output, key.text)
    let publicKey = key.publicKey
    if format.json {
      Output.current.json([
        "public_key": .string(publicKey.description), "key_id": .string(publicKey.identifier),
        "private_key_file": .string(output),
      ])
      return
    }
    Output.current.line(publicKey.description)
    Output.current.note(
      "The private key is in \(output.printable): whoever has that file can open what is sealed to the "
        + "public key, and without it nobody can. Keep it out of backups that others read.")
  }
}
