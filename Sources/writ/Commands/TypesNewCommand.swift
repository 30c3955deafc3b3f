// writ types new: a directory to write job types in.

import Arazzo
import ArgumentParser
import Foundation
import JobStore

struct TypesNewCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new", abstract: "Make a directory to write job types in.",
    discussion: """
      Puts the OpenAPI documents that are built in into DIRECTORY/openapi, where job types find them as \
      `url: openapi/authos.yaml`, and, with --type, a first job type to change. Writes over nothing.

      EXAMPLES
        writ types new my-jobs
        writ types new my-jobs --type greet_user
      """)

  @Argument(help: "The directory; made if it is missing.", completion: .directory)
  var directory: String
  @Option(help: "The name of a first job type.")
  var type: String?

  func validate() throws {
    if let type, type.wholeMatch(of: /[a-z][a-z0-9_]{0,62}/) == nil {
      throw ValidationError(
        "--type takes at most 63 lower-case letters, digits and _, starting with a letter")
    }
  }

  func run() async throws {
    var files = EmbeddedCatalogue.documents.filter { $0.path.hasPrefix("openapi/") }
      .map { (path: "\(directory)/\($0.path)", text: $0.text) }
    if let type {
      files.append((path: "\(directory)/\(type).arazzo.yaml", text: Self.starter(type)))
    }
    for file in files where FileManager.default.fileExists(atPath: file.path) {
      throw CommandError(
        .badData, "\(file.path) exists already; name another directory, or remove the file")
    }
    do {
      try FileManager.default.createDirectory(
        atPath: "\(directory)/openapi", withIntermediateDirectories: true)
      for file in files {
        try file.text.write(toFile: file.path, atomically: true, encoding: .utf8)
      }
    } catch {
      throw CommandError(.failure, "\(directory) cannot be written to")
    }
    for file in files { Output.current.line(file.path) }
  }

  /// A job type that reads one thing: small enough to be changed into any other.
  static func starter(_ type: String) -> String {
    """
    # A job type of your own. Change it, then: writ types check <this directory>
    arazzo: 1.0.1
    info:
      title: \(type)
      version: 1.0.0
    sourceDescriptions:
      - name: authos
        url: openapi/authos.yaml
        type: openapi
    workflows:
      - workflowId: \(type)
        summary: Read a user of AuthOS
        x-writ:
          jobType: \(type)
          subject: $inputs.user_id
          replay: safe
        inputs:
          type: object
          required: [user_id]
          properties:
            user_id:
              type: string
              format: uuid
              x-writ: {record: clear}
        steps:
          - stepId: read
            operationId: getUser
            parameters:
              - {name: user_id, in: path, value: $inputs.user_id}
            outputs:
              email: $response.body#/email
            x-writ:
              outputs:
                email: {record: digest}

    """
  }
}
