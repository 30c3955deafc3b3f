// writ doctor: whether everything is as it should be, and what to do where it is not.

import ArgumentParser
import JSON

struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Check the installation and say what to do.",
    discussion: """
      Each line is ok, warn or fail. Checks that the role of the connection may not do are told as such. \
      The exit code is 1 if a line says fail.

      EXAMPLES
        writ doctor
        writ doctor --json
      """)

  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let findings = await Examination(configuration: try options.load()).run()
    if format.json {
      Output.current.json(.array(findings.map(\.json)))
    } else {
      var table = Table("", "", "").styling("", Finding.style(of:))
      for finding in findings {
        table.add(finding.verdict.rawValue, finding.subject, finding.sentence)
      }
      for line in table.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
    }
    if findings.contains(where: { $0.verdict == .fail }) {
      throw ExitCode(ExitStatus.failure.rawValue)
    }
  }
}

/// One line of an examination.
struct Finding: Sendable, Hashable {
  enum Verdict: String, Sendable { case ok, warn, fail }

  var verdict: Verdict
  var subject: String
  /// What was found and, where it is not well, what to do.
  var sentence: String

  init(_ verdict: Verdict, _ subject: String, _ sentence: String) {
    self.verdict = verdict
    self.subject = subject
    self.sentence = sentence
  }

  var json: JSONValue {
    [
      "verdict": .string(verdict.rawValue), "subject": .string(subject),
      "finding": .string(sentence),
    ]
  }

  /// The colour of a verdict.
  static func style(of cell: String) -> Style? {
    switch Verdict(rawValue: cell) {
    case .ok: .green
    case .warn: .yellow
    case .fail: .red
    case nil: nil
    }
  }
}
