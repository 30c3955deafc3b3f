// Runs embed-files over sql/ and jobs/ before JobStore is compiled.
import Foundation
import PackagePlugin

@main
struct EmbedFilesPlugin: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    let root = context.package.directoryURL
    let folders = ["sql", "jobs"]
    let inputs = try folders.flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        .filter { $0.hasSuffix(".sql") || $0.hasSuffix(".yaml") }
        .map { root.appending(path: folder).appending(path: $0) }
    }
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedFiles.swift")
    return [
      .buildCommand(
        displayName: "Embedding sql/ and jobs/",
        executable: try context.tool(named: "embed-files").url,
        arguments: [output.path, root.path] + folders,
        inputFiles: inputs,
        outputFiles: [output])
    ]
  }
}
