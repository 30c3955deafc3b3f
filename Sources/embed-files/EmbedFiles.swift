// embed-files OUTPUT ROOT FOLDER…: writes a Swift source file that holds every file below the folders.
//
// The build runs it (Plugins/EmbedFiles), so that the one binary carries its SQL and its catalogue.
import Foundation

@main
struct EmbedFiles {
  static func main() throws {
    let arguments = CommandLine.arguments
    guard arguments.count >= 4 else {
      FileHandle.standardError.write(Data("usage: embed-files OUTPUT ROOT FOLDER…\n".utf8))
      exit(64)
    }
    let root = URL(fileURLWithPath: arguments[2], isDirectory: true)
    var lines = [
      "/// The files of `sql/` and `jobs/` as they were when this binary was built, by path.",
      "enum EmbeddedFiles {",
      "  static let contents: [String: String] = [",
    ]
    for folder in arguments[3...] {
      let paths = try FileManager.default.subpathsOfDirectory(
        atPath: root.appendingPathComponent(folder).path
      ).filter { $0.hasSuffix(".sql") || $0.hasSuffix(".yaml") }.sorted()
      for path in paths {
        let file = root.appendingPathComponent(folder).appendingPathComponent(path)
        let text = try String(contentsOf: file, encoding: .utf8)
        lines.append("    \(literal("\(folder)/\(path)")): \(literal(text)),")
      }
    }
    lines += ["  ]", "}", ""]
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: arguments[1]))
  }

  static func literal(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case _ where scalar.value < 0x20: result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
