// What the file of a trial refers to, as far as that is on the disk; the reader tells what is missing.

import Arazzo
import Foundation

/// A file and the documents that it builds on.
///
/// A relative URL is a path from the document's folder, also one with `..`. An absolute one, and one that is to be
/// seen from a `$self`, may be any document below the folder of the file that has a `$self` or a path with
/// the same end: those are taken too, and the catalogue decides.
struct TrialClosure {
  /// How deep below the folder documents are looked for, and among how many files.
  private static let greatestDepth = 4
  private static let greatestCount = 5_000

  /// The texts, by their whole paths.
  private var texts: [String: String] = [:]
  /// The last parts of the URLs that name no path.
  private var wanted: Set<String> = []

  /// Follows the references of a file.
  ///
  /// - Throws: ``CommandError`` where the file cannot be read, or another one is no text.
  mutating func follow(from path: String, as file: String) throws {
    guard FileManager.default.contents(atPath: path) != nil else {
      throw CommandError(.badData, "\(file.printable) cannot be read; is it there?")
    }
    var open = [path]
    while !open.isEmpty {
      for path in open { try read(path) }
      open = wanted.isEmpty ? [] : candidates()
    }
  }

  /// The documents with paths from the folder that holds them all, and the path of the first among them.
  func documents(of path: String) -> (files: [DocumentText], name: String) {
    let root = self.root
    func name(_ path: String) -> String {
      path.split(separator: "/").dropFirst(root.count).joined(separator: "/")
    }
    let files = texts.map { DocumentText(path: name($0.key), text: $0.value) }
    return (files.sorted { $0.path < $1.path }, name(path))
  }

  /// The folder that holds all documents.
  private var root: [Substring] {
    let folders = texts.keys.map { $0.split(separator: "/").dropLast() }
    return folders.dropFirst().reduce(Array(folders.first ?? [])) { root, folder in
      Array(zip(root, folder).prefix { $0.0 == $0.1 }.map { $0.0 })
    }
  }

  private mutating func read(_ start: String) throws {
    var open = [start]
    while let path = open.popLast() {
      guard texts[path] == nil, let data = FileManager.default.contents(atPath: path) else {
        continue
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw CommandError(.badData, "\(path.printable) cannot be read as UTF-8")
      }
      texts[path] = text
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      for match in text.matches(of: /["']?\burl["']?\s*:\s*["']?([^"',}\s]+)/) {
        let url = String(match.1)
        let isAbsolute = url.contains("://") || url.hasPrefix("urn:")
        if isAbsolute || text.contains("$self") {
          // The URLs of an API are those of servers.
          if text.contains("arazzo") { wanted.insert(Self.end(of: url)) }
        }
        guard !isAbsolute else { continue }
        let relative = String((url.removingPercentEncoding ?? url).drop { $0 == "/" })
        open.append(folder.appendingPathComponent(relative).standardizedFileURL.path)
      }
    }
  }

  /// The documents not yet read that an absolute URL may mean.
  private func candidates() -> [String] {
    let root = "/" + self.root.joined(separator: "/")
    guard let files = FileManager.default.enumerator(atPath: root) else { return [] }
    var found: [String] = []
    var count = 0
    while let name = files.nextObject() as? String, count < Self.greatestCount {
      count += 1
      if files.level >= Self.greatestDepth { files.skipDescendants() }
      let path = root == "/" ? "/\(name)" : "\(root)/\(name)"
      guard [".yaml", ".yml", ".json"].contains(where: { name.hasSuffix($0) }),
        texts[path] == nil
      else { continue }
      if wanted.contains(Self.end(of: name)) || isNamed(path) { found.append(path) }
    }
    return found
  }

  /// Whether the `$self` of a document has the end of a URL that is wanted.
  private func isNamed(_ path: String) -> Bool {
    guard let data = FileManager.default.contents(atPath: path), data.count <= 1 << 20,
      let match = String(decoding: data, as: UTF8.self)
        .firstMatch(of: /["']?\$self["']?\s*:\s*["']?([^"',}\s]+)/)
    else { return false }
    return wanted.contains(Self.end(of: String(match.1)))
  }

  private static func end(of url: String) -> String {
    let bare = url.prefix { $0 != "?" && $0 != "#" }
    let last = bare.split(separator: "/").last.map(String.init) ?? url
    return last.removingPercentEncoding ?? last
  }
}
