// writ types reference: a page for each job type, and an index.

import Arazzo
import ArgumentParser
import Foundation
import JSON

struct TypesReferenceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reference",
    abstract: "Write a page in Markdown for each job type, and an index.",
    discussion: """
      Needs no database. A page tells what the type does, the SQL that orders it, its inputs and their \
      rules, the least privilege of its key, its steps with what happens in doubt, its result and whether \
      it may be replayed. Pages of the same names are written over; other files stay.

      EXAMPLES
        writ types reference docs/reference
        writ types reference handbook/jobs --catalogue jobs
      """)

  @Argument(help: "The directory to write to; made if it is missing.", completion: .directory)
  var directory: String
  @Option(
    help: ArgumentHelp("The directory of the catalogue.", valueName: "directory"),
    completion: .directory)
  var catalogue: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let source = try CatalogueSource.read(directory: try catalogue ?? options.load().catalogue)
    let pages = ReferencePage.all(of: try source.load())
    for page in pages { try write(page) }
    if format.json {
      Output.current.json(.array(pages.map { .string($0.name) }))
    } else {
      Output.current.line("\(directory): \(pages.count.counting("page"))")
    }
  }

  private func write(_ page: ReferencePage) throws {
    let path = "\(directory)/\(page.name)"
    do {
      try FileManager.default.createDirectory(
        atPath: directory, withIntermediateDirectories: true)
      try page.text.write(toFile: path, atomically: true, encoding: .utf8)
    } catch {
      throw CommandError(
        .failure, "\(path) cannot be written; name a directory that you may write to")
    }
  }
}
