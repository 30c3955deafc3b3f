// writ completions: what a shell needs to complete our commands.

import ArgumentParser

struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print the completion script of a shell.",
    discussion: """
      The same as `writ --generate-completion-script SHELL`.

      EXAMPLES
        writ completions bash > /etc/bash_completion.d/writ
        writ completions zsh  > "${fpath[1]}/_writ"
        writ completions fish > ~/.config/fish/completions/writ.fish
      """)

  enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

  @Argument(help: "bash, zsh or fish.")
  var shell: Shell

  func run() {
    let script =
      switch shell {
      case .bash: Writ.completionScript(for: .bash)
      case .zsh: Writ.completionScript(for: .zsh)
      case .fish: Writ.completionScript(for: .fish)
      }
    Output.current.line(script)
  }
}
