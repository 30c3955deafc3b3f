// writ types: check, list, show and publish job types.

import Arazzo
import ArgumentParser
import Foundation
import JSON
import JobStore

struct TypesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "types", abstract: "Check, list, show, begin, publish and test job types.",
    subcommands: [
      TypesCheckCommand.self, TypesListCommand.self, TypesShowCommand.self,
      TypesReferenceCommand.self, TypesNewCommand.self, TypesPublishCommand.self,
      TypesTestCommand.self,
    ])
}

struct TypesCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check a catalogue and report every fault at once.",
    discussion: """
      Needs no database. Each fault is one line: file, line, JSON path, rule. A note tells what is wrong \
      in a workflow that no job type reaches; it keeps nothing from being published.

      EXAMPLES
        writ types check jobs
        writ types check        the configured catalogue, or the built-in one
      """)

  @Argument(help: "The directory.", completion: .directory)
  var directory: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let source = try CatalogueSource.read(directory: try directory ?? options.load().catalogue)
    do {
      let catalogue = try source.load()
      report(catalogue, source)
    } catch let error as CatalogueError {
      guard format.json else { throw error }
      Output.current.json(["faults": .array(error.errors.map(Self.json))])
      throw ExitCode(ExitStatus.badData.rawValue)
    }
  }

  private func report(_ catalogue: Catalogue, _ source: CatalogueSource) {
    if format.json {
      Output.current.json([
        "faults": [], "notes": .array(catalogue.notes.map(Self.json)),
        "types": .array(catalogue.jobTypes.map { .string($0.name) }),
      ])
      return
    }
    for note in catalogue.notes { Output.current.note("note: \(note)".printable) }
    Output.current.line(
      "\(source.place): \(catalogue.jobTypes.count.counting("job type")) in "
        + "\(source.files.count.counting("file")), no fault")
  }

  private static func json(_ error: DocumentError) -> JSONValue {
    [
      "file": .string(error.location.file), "line": JSONValue(error.location.line),
      "column": JSONValue(error.location.column), "path": .string(error.location.path),
      "reason": .string(error.reason),
    ]
  }
}

struct TypesListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List the job types of a catalogue.",
    discussion: """
      Needs no database. For what is published, see the view writ.job_type.

      EXAMPLES
        writ types list
        writ types list jobs --json
      """)

  @Argument(help: "The directory.", completion: .directory)
  var directory: String?
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let catalogue = try CatalogueSource.read(
      directory: try directory ?? options.load().catalogue
    ).load()
    if format.json {
      Output.current.json(.array(catalogue.jobTypes.map(JobTypeReport.json)))
      return
    }
    var table = Table("TYPE", "INPUTS", "NEEDS", "SUMMARY")
    for type in catalogue.jobTypes {
      table.add(
        type.name, type.workflow.inputs.parameters.map(\.name).joined(separator: ", "),
        type.needsInShort, type.workflow.summary ?? "")
    }
    for line in table.lines(usesColour: Output.current.usesColour) { Output.current.line(line) }
  }
}

struct TypesShowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show what a job of one type can do.",
    discussion: """
      Inputs, the SQL that orders it, the least privilege of its key, its steps, and where each of them \
      leads. Reads files, the built-in ones or those of --directory, and never the database.

      EXAMPLES
        writ types show create_user
        writ types show greet_user --directory my-jobs
        writ types show change_plan --mermaid > change_plan.mmd
      """)

  @Argument(help: "The job type.")
  var type: String
  @Option(help: "The directory of the catalogue.", completion: .directory)
  var directory: String?
  @Flag(help: "Print the steps as a Mermaid flowchart.")
  var mermaid = false
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let source = try CatalogueSource.read(directory: try directory ?? options.load().catalogue)
    let catalogue = try source.load()
    guard let found = catalogue.jobType(type) else {
      let names = catalogue.jobTypes.map(\.name)
      throw CommandError(
        .badData,
        "there is no job type \(type.printable) in \(source.place)"
          + (directory == nil ? " (for one of your own, name its --directory)" : "")
          + Suggestion.question(type, among: names))
    }
    if format.json {
      Output.current.json(JobTypeReport.json(found))
    } else if mermaid {
      for line in MermaidChart.lines(found) { Output.current.line(line) }
    } else {
      for line in JobTypeReport.lines(found) { Output.current.line(line) }
    }
  }
}

struct TypesPublishCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "publish",
    abstract: "Put job types into the database, so that they can be ordered.",
    discussion: """
      Checks the whole catalogue first; publishes nothing when it has a fault. A type that has not \
      changed is left alone; jobs that are already ordered keep the definition that they were ordered \
      with. Also makes the configured environments known to the database. Needs the role writ_admin.

      EXAMPLES
        writ types publish
        writ types publish jobs --dry-run
        writ types publish my-jobs --grant shop
      """)

  @Argument(help: "The directory.", completion: .directory)
  var directory: String?
  @Flag(help: "Say what would be published, and publish nothing.")
  var dryRun = false
  @Option(
    help: ArgumentHelp(
      "A database role that may order these types; may be repeated.", valueName: "role"))
  var grant: [String] = []
  @OptionGroup var format: FormatOptions
  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    let configuration = try options.load()
    let catalogue = try CatalogueSource.read(directory: directory ?? configuration.catalogue).load()
    let results = try await configuration.withPool { pool in
      let store = JobStore(pool: pool)
      let results = try await Publication(store: store).run(
        catalogue, environments: configuration.environments, dryRun: dryRun)
      for type in catalogue.jobTypes where !dryRun {
        for role in grant { try await store.grant(jobType: type.name, to: role) }
      }
      return results
    }
    if format.json {
      Output.current.json(.array(results.map(\.json)))
      return
    }
    var table = Table("", "", "")
    for result in results { table.add(result.words, result.name, result.detail) }
    for line in table.lines() { Output.current.line(line) }
    for note in results.compactMap(\.note) { Output.current.note(note) }
    for type in catalogue.jobTypes {
      for environment in configuration.environments {
        guard let note = environment.missingTargets(of: type) else { continue }
        Output.current.note(note)
      }
    }
  }
}
